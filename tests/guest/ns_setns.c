/* setns(2) with files of /proc/PID/ns and with pidfds; what those files are: text, ioctls, bind
 * mounts that keep a namespace; pid_for_children. */
#include "check.h"
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

static int ready[2], go[2];

static int holder(void)
{
    char c;
    CHECK(unshare(CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) == 0);
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(sethostname("held", 4) == 0 && mount("t", "/tmp", "tmpfs", 0, NULL) == 0);
    CHECK(close(open("/tmp/mark", O_CREAT | O_WRONLY, 0600)) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(write(ready[1], "1", 1) == 1);
        return read(go[0], &c, 1) >= 0 ? 0 : 1;
    }
    exits_with(pid, 0);
    return 0;
}

static char *ns_path(pid_t pid, const char *name)
{
    static char path[4][64];
    static int next;
    char *to = path[next++ % 4];
    snprintf(to, 64, "/proc/%d/ns/%s", pid, name);
    return to;
}

static ino_t ino_of(const char *path)
{
    struct stat st;
    CHECK(stat(path, &st) == 0);
    return st.st_ino;
}

static int enter(int fd, int flags, const char *name)
{
    struct utsname u;
    CHECK(setns(fd, flags) == 0);
    CHECK(uname(&u) == 0 && strcmp(u.nodename, name) == 0);
    return 0;
}

static void test_files(pid_t pid)
{
    static const struct {
        const char *name;
        int type;
    } kinds[] = {{"uts", CLONE_NEWUTS}, {"mnt", CLONE_NEWNS},    {"ipc", CLONE_NEWIPC},      {"pid", CLONE_NEWPID},
                 {"net", CLONE_NEWNET}, {"user", CLONE_NEWUSER}, {"cgroup", CLONE_NEWCGROUP}};
    char text[64], want[64];
    struct statfs fs;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const char *path = ns_path(pid, kinds[i].name);
        ssize_t n = readlink(path, text, sizeof(text) - 1);
        CHECK(n > 0);
        text[n] = 0;
        snprintf(want, sizeof(want), "%s:[%lu]", kinds[i].name, (unsigned long)ino_of(path));
        CHECK(strcmp(text, want) == 0);
        int fd = open(path, O_RDONLY);
        CHECK(fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == kinds[i].type);
        CHECK(fstatfs(fd, &fs) == 0 && fs.f_type == 0x6e736673);
        CHECK_ERR(read(fd, text, 1), EINVAL);
        CHECK_ERR(ioctl(fd, 0x1234, 0), ENOTTY);
        uid_t uid;
        if (kinds[i].type != CLONE_NEWUSER)
            CHECK_ERR(ioctl(fd, NS_GET_OWNER_UID, &uid), EINVAL);
        if (kinds[i].type != CLONE_NEWUSER && kinds[i].type != CLONE_NEWPID)
            CHECK_ERR(ioctl(fd, NS_GET_PARENT), EINVAL);
        int owner = ioctl(fd, NS_GET_USERNS);
        if (owner >= 0) {
            CHECK(ioctl(owner, NS_GET_NSTYPE) == CLONE_NEWUSER && fcntl(owner, F_GETFD) == FD_CLOEXEC);
            close(owner);
        }
        CHECK_ERR(setns(fd, kinds[i].type == CLONE_NEWUTS ? CLONE_NEWIPC : CLONE_NEWUTS), EINVAL);
        close(fd);
    }
    CHECK_ERR(open(ns_path(pid, "uts"), O_RDWR), EPERM);
    CHECK_ERR(setns(-1, 0), EBADF);
    CHECK_ERR(setns(ready[0], 0), EINVAL);
}

static void test_setns(pid_t pid)
{
    int uts = open(ns_path(pid, "uts"), O_RDONLY), mnt = open(ns_path(pid, "mnt"), O_RDONLY);
    int pidns = open(ns_path(pid, "pid_for_children"), O_RDONLY), own = open(ns_path(getpid(), "pid"), O_RDONLY);
    CHECK(uts >= 0 && mnt >= 0 && pidns >= 0 && own >= 0);
    CHECK(ino_of(ns_path(pid, "pid")) == ino_of(ns_path(getpid(), "pid")));
    pid_t child_pid = fork();
    CHECK(child_pid >= 0);
    if (child_pid == 0) {
        enter(uts, CLONE_NEWUTS, "held");
        CHECK(access("/tmp/mark", F_OK) == -1 && setns(mnt, 0) == 0 && access("/tmp/mark", F_OK) == 0);
        CHECK(setns(pidns, CLONE_NEWPID) == 0);
        pid_t in = fork();
        CHECK(in >= 0);
        if (in == 0)
            _exit(getpid() > 1 && getpid() < 10 && getppid() == 0 ? 0 : 1);
        exits_with(in, 0);
        CHECK(setns(own, CLONE_NEWPID) == 0); /* back, for the children to come */
        _exit(0);
    }
    exits_with(child_pid, 0);
    /* A shared fs_struct stands against a mount namespace, threads against a user namespace. */
    child_pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);
    CHECK(child_pid >= 0);
    if (child_pid == 0) {
        CHECK_ERR(setns(mnt, CLONE_NEWNS), EINVAL);
        _exit(0);
    }
    exits_with(child_pid, 0);
    close(uts);
    close(mnt);
    close(pidns);
    close(own);
}

static void test_pidfd(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    CHECK(fd >= 0);
    CHECK_ERR(setns(fd, 0), EINVAL);
    CHECK_ERR(setns(fd, CLONE_FILES), EINVAL);
    pid_t child_pid = fork();
    CHECK(child_pid >= 0);
    if (child_pid == 0) {
        enter(fd, CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC, "held");
        CHECK(access("/tmp/mark", F_OK) == 0);
        _exit(0);
    }
    exits_with(child_pid, 0);
    child_pid = fork();
    CHECK(child_pid >= 0);
    if (child_pid == 0) {
        CHECK(setresuid(1, 1, 1) == 0);
        CHECK_ERR(setns(fd, CLONE_NEWUTS), EPERM);
        _exit(0);
    }
    exits_with(child_pid, 0);
    close(fd);
}

/* A bind mount keeps the namespace when everybody has left it. */
static void test_bind(pid_t pid, int *keep)
{
    char line[1024], want[64];
    CHECK(close(open("ns", O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK(mount(ns_path(pid, "uts"), "ns", NULL, MS_BIND, NULL) == 0);
    *keep = open("ns", O_RDONLY);
    CHECK(*keep >= 0 && ino_of("ns") == ino_of(ns_path(pid, "uts")));
    CHECK_ERR(mount(ns_path(getpid(), "mnt"), "ns", NULL, MS_BIND, NULL), EINVAL);
    snprintf(want, sizeof(want), " uts:[%lu] ", (unsigned long)ino_of("ns"));
    FILE *f = fopen("/proc/self/mountinfo", "r");
    int found = 0;
    while (fgets(line, sizeof(line), f))
        found |= strstr(line, want) && strstr(line, " - nsfs ");
    fclose(f);
    CHECK(found);
}

int main(void)
{
    char c, dir[] = "/var/tmp/setns.XXXXXX";
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mkdtemp(dir) && chdir(dir) == 0);
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    int keep;
    pid_t pid = child(holder);
    CHECK(read(ready[0], &c, 1) == 1);
    test_files(pid);
    test_setns(pid);
    test_pidfd(pid);
    test_bind(pid, &keep);
    CHECK(write(go[1], "1", 1) == 1);
    exits_with(pid, 0);
    int fd = open("ns", O_RDONLY);
    enter(fd, CLONE_NEWUTS, "held");
    CHECK(umount2("ns", MNT_DETACH) == 0 && unlink("ns") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
    return 0;
}
