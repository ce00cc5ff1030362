/* /proc/self and thread-self: who reads decides; listing of the root; names that are no pids. */
#include "synth.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static int check_self(void)
{
    char text[64], want[64];
    ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);
    CHECK(n > 0);
    text[n] = 0;
    CHECK(atoi(text) == getpid());
    n = readlink("/proc/thread-self", text, sizeof(text) - 1);
    CHECK(n > 0);
    text[n] = 0;
    snprintf(want, sizeof(want), "%d/task/%d", getpid(), (int)syscall(SYS_gettid));
    CHECK(strcmp(text, want) == 0);
    return 0;
}

int main(void)
{
    struct statfs fs;
    struct stat st;
    CHECK(statfs("/proc", &fs) == 0 && fs.f_type == 0x9fa0);
    check_self();
    exits_with(child(check_self), 0);
    CHECK_ERR(access("/proc/0", F_OK), ENOENT);
    CHECK_ERR(access("/proc/99999999999", F_OK), ENOENT);
    CHECK_ERR(access("/proc/1x", F_OK), ENOENT);
    CHECK_ERR(mkdir("/proc/new", 0755), ENOENT);
    CHECK_ERR(open("/proc/new", O_CREAT | O_RDWR, 0644), ENOENT);
    CHECK(stat("/proc/self", &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid());
    CHECK(stat("/proc/version", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
    DIR *d = opendir("/proc");
    int last = 0, names = 0;
    for (struct dirent *e; (e = readdir(d));) {
        int n = atoi(e->d_name);
        if (n) {
            CHECK(n > last); /* in order, once each */
            last = n;
        }
        names += !strcmp(e->d_name, "self") || !strcmp(e->d_name, "stat") || !strcmp(e->d_name, "sys");
    }
    CHECK(names == 3 && last >= getpid());
    return 0;
}
