/* User namespaces: maps and who may write them, ids on both sides, capabilities inside and outside,
 * setgroups, nesting, owners, setns. */
#include "check.h"
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

static char *get(const char *path)
{
    static char text[4][4096];
    static int next;
    char *to = text[next++ % 4];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, to, 4095);
    CHECK(n >= 0);
    to[n] = 0;
    close(fd);
    return to;
}

/* A child in a new user namespace that runs fn once the parent has written its maps. */
static int go[2], ready[2];
static pid_t in_userns(int (*fn)(void), const char *uids, const char *gids)
{
    char c, path[64];
    CHECK(pipe(go) == 0 && pipe(ready) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        CHECK(write(ready[1], "1", 1) == 1 && read(go[0], &c, 1) == 1);
        _exit(fn());
    }
    CHECK(read(ready[0], &c, 1) == 1);
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    if (uids)
        CHECK(put(path, uids) == 0);
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    if (gids)
        CHECK(put(path, gids) == 0);
    CHECK(write(go[1], "1", 1) == 1);
    return pid;
}

static int unmapped(void)
{
    struct stat st;
    CHECK(getuid() == 65534 && geteuid() == 65534 && getgid() == 65534);
    CHECK(strcmp(get("/proc/self/uid_map"), "") == 0);
    CHECK(stat("/", &st) == 0 && st.st_uid == 65534 && st.st_gid == 65534);
    CHECK_ERR(setuid(0), EINVAL);
    CHECK_ERR(setgid(0), EINVAL);
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK(strcmp(get("/proc/self/setgroups"), "allow\n") == 0);
    CHECK_ERR(chown("file", 0, 0), EINVAL);
    CHECK_ERR(unshare(CLONE_NEWUSER), EPERM); /* nobody here */
    /* What a map may not be. */
    CHECK_ERR(put("/proc/self/uid_map", "0 0\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "0 0 0\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "x 0 1\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "0 0 1 1\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "0 0 10\n5 20 10\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "0 0 10\n20 5 10\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "4294967295 0 1\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "1 0 4294967295\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "\n"), EINVAL);
    CHECK_ERR(put("/proc/self/uid_map", "0 1 1\n"), EPERM); /* somebody else's, without privilege outside */
    CHECK_ERR(put("/proc/self/setgroups", "maybe"), EINVAL);
    CHECK_ERR(put("/proc/self/gid_map", "0 0 1\n"), EPERM); /* setgroups is still allowed */
    CHECK(put("/proc/self/setgroups", "deny") == 0 && strcmp(get("/proc/self/setgroups"), "deny\n") == 0);
    CHECK_ERR(put("/proc/self/setgroups", "allow"), EPERM);
    CHECK(put("/proc/self/uid_map", "0 0 1") == 0 && put("/proc/self/gid_map", "0 0 1\n") == 0);
    CHECK_ERR(put("/proc/self/uid_map", "0 0 1"), EPERM); /* once only */
    CHECK(getuid() == 0 && getgid() == 0);
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK(strcmp(get("/proc/self/uid_map"), "         0          0          1\n") == 0);
    return 0;
}

static int mapped(void)
{
    struct stat st;
    uid_t r, e, s;
    gid_t groups[4] = {3, 1};
    CHECK(getuid() == 65534); /* root is not in the map */
    CHECK(setgid(0) == 0 && setgroups(2, groups) == 0 && getgroups(4, groups) == 2);
    CHECK((groups[0] == 1 && groups[1] == 3));
    CHECK(setresuid(0, 5, 7) == 0 && getresuid(&r, &e, &s) == 0 && r == 0 && e == 5 && s == 7);
    CHECK_ERR(setuid(1000), EINVAL); /* not in the map */
    CHECK(setresuid(0, 0, 0) == 0);
    CHECK(stat("mine", &st) == 0 && st.st_uid == 5 && st.st_gid == 5);
    CHECK(stat("file", &st) == 0 && st.st_uid == 65534);
    CHECK(chown("mine", 6, 6) == 0 && stat("mine", &st) == 0 && st.st_uid == 6);
    CHECK_ERR(chown("file", 0, 0), EPERM); /* its owner has no name here */
    CHECK_ERR(chown("mine", 1000, -1), EINVAL);
    CHECK_ERR(chmod("file", 0600), EPERM);
    CHECK_ERR(open("file", O_WRONLY), EACCES);
    int fd = open("mine", O_RDWR);
    CHECK(fd >= 0 && fchmod(fd, 0700) == 0);
    CHECK(strstr(get("/proc/self/status"), "Uid:\t0\t0\t0\t0\n"));
    CHECK(strstr(get("/proc/self/status"), "CapEff:\t000001ffffffffff\n"));
    /* Nothing outside. */
    CHECK_ERR(sethostname("x", 1), EPERM);
    CHECK_ERR(mount("t", "/", "tmpfs", 0, NULL), EPERM);
    CHECK_ERR(mknod("null", S_IFCHR | 0600, 0x103), EPERM);
    CHECK_ERR(chroot("absent"), ENOENT);
    CHECK(chroot("/") == 0);
    CHECK_ERR(kill(getppid(), 0), EPERM);
    CHECK(unshare(CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID) == 0);
    CHECK(sethostname("inside", 6) == 0);
    /* Credentials that travel. */
    int sv[2];
    struct ucred c;
    socklen_t len = sizeof(c);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
    CHECK(getsockopt(sv[0], SOL_SOCKET, SO_PEERCRED, &c, &len) == 0 && c.uid == 0 && c.gid == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(getuid() == 0 && setuid(8) == 0 && getuid() == 8 ? 0 : 1);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0 && info.si_status == 0 && info.si_uid == 8);
    return 0;
}

static int wait_a_little(void)
{
    char c;
    return read(go[0], &c, 1) >= 0 ? 0 : 1;
}

/* From outside: the parent sees kernel ids; the owner has every capability in there. */
static void test_outside(void)
{
    char path[64], text[64];
    struct stat st;
    pid_t pid = in_userns(wait_a_little, "0 100000 10\n20 200000 5\n", "0 100000 10\n");
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    CHECK(strcmp(get(path), "         0     100000         10\n        20     200000          5\n") == 0);
    CHECK_ERR(put(path, "0 1 1\n"), EPERM);
    snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    CHECK(readlink(path, text, sizeof(text)) > 0 && strncmp(text, "user:[", 6) == 0);
    int fd = open(path, O_RDONLY), own = open("/proc/self/ns/user", O_RDONLY);
    uid_t owner = 77;
    CHECK(fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWUSER);
    CHECK(ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == 0);
    int parent = ioctl(fd, NS_GET_PARENT);
    struct stat own_st;
    CHECK(parent >= 0 && fstat(parent, &st) == 0 && fstat(own, &own_st) == 0 && st.st_ino == own_st.st_ino);
    CHECK_ERR(ioctl(own, NS_GET_PARENT), EPERM);
    CHECK_ERR(setns(own, CLONE_NEWUSER), EINVAL); /* where it is already */
    pid_t other = fork();
    CHECK(other >= 0);
    if (other == 0) {
        CHECK_ERR(setns(fd, CLONE_NEWNS), EINVAL);
        CHECK(setns(fd, CLONE_NEWUSER) == 0);
        CHECK(getuid() == 65534 && setuid(3) == 0 && getuid() == 3);
        CHECK_ERR(setns(own, CLONE_NEWUSER), EPERM);
        _exit(0);
    }
    exits_with(other, 0);
    close(fd);
    close(own);
    close(parent);
    CHECK(write(go[1], "2", 1) == 1);
    exits_with(pid, 0);
}

static void test_nesting(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int depth = 0;
        while (unshare(CLONE_NEWUSER) == 0) {
            CHECK(put("/proc/self/setgroups", "deny") == 0);
            CHECK(put("/proc/self/uid_map", "0 0 1") == 0 && put("/proc/self/gid_map", "0 0 1") == 0);
            depth++;
        }
        CHECK(errno == ENOSPC && depth >= 31 && depth <= 33);
        _exit(0);
    }
    exits_with(pid, 0);
}

/* Without any privilege outside. */
static void test_unprivileged(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setgroups(0, NULL) == 0 && setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
        CHECK_ERR(unshare(CLONE_NEWUTS), EPERM);
        CHECK(unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0 && sethostname("a", 1) == 0);
        CHECK_ERR(put("/proc/self/uid_map", "0 0 1"), EPERM);
        CHECK_ERR(put("/proc/self/uid_map", "0 1000 2"), EPERM);
        CHECK(put("/proc/self/uid_map", "0 1000 1") == 0);
        CHECK(put("/proc/self/setgroups", "deny") == 0 && put("/proc/self/gid_map", "0 1000 1") == 0);
        CHECK(getuid() == 0 && getgid() == 0);
        CHECK_ERR(unshare(CLONE_NEWUSER | CLONE_FS | 1), EINVAL);
        CHECK(unshare(CLONE_NEWNS) == 0 && mount("t", "/", "tmpfs", 0, NULL) == 0);
        _exit(0);
    }
    exits_with(pid, 0);
}

int main(void)
{
    char dir[] = "/tmp/userns.XXXXXX";
    if (geteuid() != 0)
        return 0;
    CHECK(mkdtemp(dir) && chdir(dir) == 0 && chmod(".", 0777) == 0);
    CHECK(close(open("file", O_CREAT | O_WRONLY, 0644)) == 0 && close(open("mine", O_CREAT | O_WRONLY, 0644)) == 0);
    CHECK(chown("mine", 100005, 100005) == 0);
    exits_with(in_userns(unmapped, NULL, NULL), 0);
    exits_with(in_userns(mapped, "0 100000 10\n", "0 100000 10\n"), 0);
    test_outside();
    test_nesting();
    test_unprivileged();
    return 0;
}
