/* cgroup2: directories, membership, events with poll, freezing, killing, CLONE_INTO_CGROUP, limits
 * of the tree. Controllers are looked at only where the root has them. */
#include "check.h"
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

static char top[64], dir[96], sub[128];

static char *path_of(const char *base, const char *file)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof(path[next]), "%s/%s", base, file);
    return path[next];
}

static int put(const char *base, const char *file, const char *text)
{
    int fd = open(path_of(base, file), O_WRONLY);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return n < 0 ? -1 : 0;
}

static char *get(const char *base, const char *file)
{
    static char text[4096];
    int fd = open(path_of(base, file), O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    CHECK(n >= 0);
    text[n] = 0;
    close(fd);
    return text;
}

static int idle(void)
{
    for (;;)
        pause();
}

static void test_tree(void)
{
    struct stat st;
    CHECK(mkdir(dir, 0755) == 0);
    CHECK_ERR(mkdir(dir, 0755), EEXIST);
    CHECK_ERR(mkdir(path_of(dir, "cgroup.procs"), 0755), EEXIST);
    CHECK_ERR(mkdir(path_of(dir, "a\nb"), 0755), EINVAL);
    CHECK(open(path_of(dir, "x"), O_CREAT | O_WRONLY, 0644) == -1 && (errno == EACCES || errno == EPERM));
    CHECK_ERR(unlink(path_of(dir, "cgroup.procs")), EPERM);
    CHECK(stat(path_of(dir, "cgroup.procs"), &st) == 0 && (st.st_mode & 07777) == 0644);
    CHECK(stat(path_of(dir, "cgroup.events"), &st) == 0 && (st.st_mode & 07777) == 0444);
    CHECK(stat(path_of(dir, "cgroup.kill"), &st) == 0 && (st.st_mode & 07777) == 0200);
    CHECK_ERR(stat(path_of(top, "cgroup.events"), &st), ENOENT);
    CHECK_ERR(stat(path_of(top, "cgroup.type"), &st), ENOENT);
    CHECK(mkdir(sub, 0755) == 0);
    CHECK(strcmp(get(dir, "cgroup.stat"), "") != 0 && strstr(get(dir, "cgroup.stat"), "nr_descendants 1\n"));
    CHECK_ERR(rmdir(dir), EBUSY);
    CHECK(put(dir, "cgroup.max.descendants", "1") == 0);
    CHECK_ERR(mkdir(path_of(dir, "more"), 0755), EAGAIN);
    CHECK(put(dir, "cgroup.max.descendants", "max") == 0);
    CHECK(put(dir, "cgroup.max.depth", "1") == 0);
    CHECK_ERR(mkdir(path_of(sub, "deep"), 0755), EAGAIN);
    CHECK(put(dir, "cgroup.max.depth", "max\n") == 0);
    CHECK(strcmp(get(dir, "cgroup.max.depth"), "max\n") == 0);
    CHECK_ERR(put(dir, "cgroup.max.depth", "x"), EINVAL);
    CHECK(strcmp(get(dir, "cgroup.type"), "domain\n") == 0);
    CHECK(strcmp(get(dir, "cgroup.procs"), "") == 0);
    CHECK(strcmp(get(dir, "cgroup.events"), "populated 0\nfrozen 0\n") == 0);
}

static void test_membership(void)
{
    char text[32];
    pid_t pid = child(idle);
    snprintf(text, sizeof(text), "%d\n", pid);
    int fd = open(path_of(dir, "cgroup.events"), O_RDONLY);
    char buf[64];
    CHECK(read(fd, buf, sizeof(buf)) > 0);
    struct pollfd p = {.fd = fd, .events = POLLPRI};
    CHECK(poll(&p, 1, 0) == 0);
    CHECK(put(sub, "cgroup.procs", text) == 0);
    CHECK(poll(&p, 1, 1000) == 1 && p.revents & POLLPRI);
    CHECK(strcmp(get(sub, "cgroup.procs"), text) == 0);
    CHECK(strcmp(get(sub, "cgroup.threads"), text) == 0);
    CHECK(strcmp(get(dir, "cgroup.procs"), "") == 0);
    CHECK(strcmp(get(dir, "cgroup.events"), "populated 1\nfrozen 0\n") == 0);
    CHECK_ERR(rmdir(sub), EBUSY);
    char proc[64], own[512];
    snprintf(proc, sizeof(proc), "/proc/%d", pid);
    strcpy(own, get(proc, "cgroup"));
    CHECK(strstr(own, "0::/") && strstr(own, "/sub\n"));
    CHECK_ERR(put(sub, "cgroup.procs", "x"), EINVAL);
    CHECK_ERR(put(sub, "cgroup.procs", "999999"), ESRCH);
    CHECK(put(sub, "cgroup.kill", "1") == 0);
    CHECK_ERR(put(sub, "cgroup.kill", "2"), ERANGE);
    dies_by(pid, SIGKILL);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    for (int i = 0; i < 100 && strstr(get(dir, "cgroup.events"), "populated 1"); i++)
        sleep_ms(10);
    CHECK(strcmp(get(dir, "cgroup.events"), "populated 0\nfrozen 0\n") == 0);
    close(fd);
}

static volatile int *counter;

static int count(void)
{
    for (;;) {
        ++*counter;
        getppid();
    }
}

static void test_freeze(void)
{
    char text[32];
    pid_t pid = child(count);
    snprintf(text, sizeof(text), "%d", pid);
    CHECK(put(sub, "cgroup.procs", text) == 0);
    CHECK(put(dir, "cgroup.freeze", "1") == 0);
    CHECK_ERR(put(dir, "cgroup.freeze", "2"), ERANGE);
    CHECK_ERR(put(dir, "cgroup.freeze", "-1"), ERANGE);
    CHECK(put(dir, "cgroup.freeze", "") == 0);
    for (int i = 0; i < 200 && !strstr(get(dir, "cgroup.events"), "frozen 1"); i++)
        sleep_ms(10);
    CHECK(strcmp(get(sub, "cgroup.events"), "populated 1\nfrozen 1\n") == 0);
    CHECK(strcmp(get(sub, "cgroup.freeze"), "0\n") == 0 && strcmp(get(dir, "cgroup.freeze"), "1\n") == 0);
    int before = *counter;
    sleep_ms(50);
    CHECK(*counter == before);
    CHECK(put(dir, "cgroup.freeze", "0") == 0);
    for (int i = 0; i < 200 && *counter == before; i++)
        sleep_ms(10);
    CHECK(*counter != before);
    CHECK(put(dir, "cgroup.freeze", "1") == 0); /* a frozen one can be killed */
    CHECK(kill(pid, SIGKILL) == 0);
    dies_by(pid, SIGKILL);
    CHECK(put(dir, "cgroup.freeze", "0") == 0);
}

static void test_clone_into(void)
{
    int fd = open(sub, O_RDONLY | O_DIRECTORY), other = open("/", O_RDONLY | O_DIRECTORY);
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
    CHECK(fd >= 0 && other >= 0);
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(strstr(get("/proc/self", "cgroup"), "/sub\n") ? 0 : 1);
    exits_with(pid, 0);
    args.cgroup = (uint64_t)other;
    CHECK_ERR(syscall(SYS_clone3, &args, sizeof(args)), EBADF);
    args.cgroup = 999;
    CHECK_ERR(syscall(SYS_clone3, &args, sizeof(args)), EBADF);
    close(fd);
    close(other);
}

static int in_namespace(void)
{
    if (put(sub, "cgroup.procs", "0") || unshare(CLONE_NEWCGROUP))
        return 1;
    if (!strstr(get("/proc/self", "cgroup"), "0::/\n"))
        return 2;
    char proc[32];
    snprintf(proc, sizeof(proc), "/proc/%d", getppid());
    return strstr(get(proc, "cgroup"), "0::/../..") ? 0 : 3;
}

static void test_pids(void)
{
    if (!strstr(get(top, "cgroup.controllers"), "pids"))
        return;
    CHECK(put(top, "cgroup.subtree_control", "+pids") == 0);
    CHECK(put(dir, "cgroup.subtree_control", "+pids") == 0);
    CHECK_ERR(put(dir, "cgroup.subtree_control", "+nonsense"), EINVAL);
    CHECK_ERR(put(dir, "cgroup.procs", "0"), EBUSY);
    CHECK(strcmp(get(sub, "pids.max"), "max\n") == 0 && strcmp(get(sub, "pids.current"), "0\n") == 0);
    CHECK(put(sub, "pids.max", "2") == 0);
    CHECK_ERR(put(sub, "pids.max", "-1"), EINVAL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(put(sub, "cgroup.procs", "0") == 0);
        pid_t one = child(idle);
        CHECK_ERR(fork(), EAGAIN);
        CHECK(strcmp(get(sub, "pids.current"), "2\n") == 0);
        CHECK(strcmp(get(sub, "pids.events"), "max 1\n") == 0);
        kill(one, SIGKILL);
        dies_by(one, SIGKILL);
        one = child(idle);
        kill(one, SIGKILL);
        dies_by(one, SIGKILL);
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(put(dir, "cgroup.subtree_control", "-pids") == 0);
    CHECK(put(top, "cgroup.subtree_control", "-pids") == 0);
}

int main(void)
{
    snprintf(top, sizeof(top), "/tmp/cgroup-test.%d", getpid());
    snprintf(dir, sizeof(dir), "%s/test.%d", top, getpid());
    snprintf(sub, sizeof(sub), "%s/sub", dir);
    CHECK(mkdir(top, 0700) == 0);
    CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK_ERR(mount("c", top, "cgroup2", 0, "nonsense"), EINVAL);
    CHECK(mount("c", top, "cgroup2", 0, NULL) == 0);
    int shared = memfd_create("counter", 0);
    CHECK(ftruncate(shared, 4096) == 0);
    extern void *mmap(void *, size_t, int, int, int, off_t);
    counter = mmap(NULL, 4096, 3, 1, shared, 0);
    test_tree();
    test_clone_into(); /* before anything is killed: some kernels take clones into such a group down */
    test_membership();
    test_freeze();
    exits_with(child(in_namespace), 0);
    test_pids();
    for (int i = 0; i < 100 && rmdir(sub) && errno == EBUSY; i++)
        sleep_ms(10);
    CHECK(rmdir(dir) == 0);
    CHECK(umount(top) == 0 && rmdir(top) == 0);
    return 0;
}
