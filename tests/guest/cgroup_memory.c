// timeout: 40
/* memory.max of a cgroup that the guest itself has made: who takes too much is killed, and it says
 * so. Looked at only where the root cgroup has the controller. */
#include "check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int put(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return n < 0 ? -1 : 0;
}

static char *get(const char *file)
{
    static char text[4096];
    int fd = open(file, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    CHECK(n >= 0);
    text[n] = 0;
    close(fd);
    return text;
}

/* 200 MiB at most, whatever the limit does, and a pause for somebody to notice. */
static int take_memory(void)
{
    CHECK(put("x/cgroup.procs", "0") == 0);
    for (int i = 0; i < 100; i++) {
        char *p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(p != MAP_FAILED);
        memset(p, 1, 2 << 20);
    }
    sleep_ms(3000);
    return 0;
}

int main(void)
{
    char top[64];
    snprintf(top, sizeof(top), "/tmp/cgroup-memory.%d", getpid());
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mkdir(top, 0700) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mount("c", top, "cgroup2", 0, NULL) == 0 && chdir(top) == 0);
    if (strstr(get("cgroup.controllers"), "memory")) {
        CHECK(put("cgroup.subtree_control", "+memory") == 0 && mkdir("x", 0755) == 0);
        CHECK(strcmp(get("x/memory.max"), "max\n") == 0);
        CHECK(put("x/memory.max", "50M") == 0 && strcmp(get("x/memory.max"), "52428800\n") == 0);
        CHECK_ERR(put("x/memory.max", "x"), EINVAL);
        CHECK(put("x/memory.swap.max", "0") == 0);
        CHECK(strcmp(get("x/memory.current"), "0\n") == 0);
        dies_by(child(take_memory), SIGKILL);
        CHECK(!strstr(get("x/memory.events"), "oom_kill 0\n"));
        for (int i = 0; i < 100 && rmdir("x") && errno == EBUSY; i++)
            sleep_ms(10);
        CHECK(access("x", F_OK) == -1);
    }
    CHECK(chdir("/") == 0 && umount(top) == 0 && rmdir(top) == 0);
    return 0;
}
