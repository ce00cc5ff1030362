/* Shared, slave, private and unbindable mounts: what propagates where, within a namespace and
 * between two, what mountinfo says, and unmounting. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* The optional fields of the mount at `at`, topmost; "-" when there is no such mount. */
static const char *fields(const char *at)
{
    static char found[4][256];
    static int next;
    char line[4096], want[300], cwd[256];
    FILE *f = fopen("/proc/self/mountinfo", "r");
    CHECK(f && getcwd(cwd, sizeof(cwd)));
    snprintf(want, sizeof(want), "%s/%s", strcmp(cwd, "/") ? cwd : "", at);
    char *out = found[next++ % 4];
    strcpy(out, "-");
    while (fgets(line, sizeof(line), f)) {
        char place[2048];
        int n = 0;
        if (sscanf(line, "%*d %*d %*s %*s %2047s %*s%n", place, &n) != 1 || strcmp(place, want))
            continue;
        char *end = strstr(line + n, " - ");
        CHECK(end);
        *end = 0;
        snprintf(out, 256, "%s", line + n);
    }
    fclose(f);
    return out;
}

static int is_mounted(const char *at)
{
    return strcmp(fields(at), "-") != 0;
}

static void make(const char *dir)
{
    CHECK(mkdir(dir, 0755) == 0 || errno == EEXIST);
}

static void test_types(void)
{
    CHECK(mount("a", "a", "tmpfs", 0, NULL) == 0);
    CHECK(strcmp(fields("a"), "") == 0);
    CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0 && strstr(fields("a"), "shared:"));
    CHECK(mount(NULL, "a", NULL, MS_SLAVE, NULL) == 0 && strcmp(fields("a"), "") == 0);
    CHECK(mount(NULL, "a", NULL, MS_UNBINDABLE, NULL) == 0 && strstr(fields("a"), "unbindable"));
    CHECK_ERR(mount("a", "b", NULL, MS_BIND, NULL), EINVAL);
    CHECK(mount(NULL, "a", NULL, MS_PRIVATE, NULL) == 0 && strcmp(fields("a"), "") == 0);
    make("a/d");
    CHECK_ERR(mount(NULL, "a/d", NULL, MS_SHARED, NULL), EINVAL);
    CHECK_ERR(mount(NULL, "a", NULL, MS_SHARED | MS_PRIVATE, NULL), EINVAL);
    CHECK(umount("a") == 0);
}

/* Two peers, then a slave of them. */
static void test_peers(void)
{
    CHECK(mount("a", "a", "tmpfs", 0, NULL) == 0 && mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
    make("a/x");
    make("a/y");
    CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
    CHECK(strcmp(fields("a"), fields("b")) == 0);
    CHECK(mount("x", "a/x", "tmpfs", 0, NULL) == 0);
    CHECK(is_mounted("a/x") && is_mounted("b/x") && strcmp(fields("a/x"), fields("b/x")) == 0);
    CHECK(umount("b/x") == 0);
    CHECK(!is_mounted("a/x") && !is_mounted("b/x"));
    CHECK(mount("a", "c", NULL, MS_BIND, NULL) == 0 && mount(NULL, "c", NULL, MS_SLAVE, NULL) == 0);
    CHECK(strstr(fields("c"), "master:") && !strstr(fields("c"), "shared:"));
    CHECK(mount("x", "a/x", "tmpfs", 0, NULL) == 0);
    CHECK(is_mounted("b/x") && is_mounted("c/x") && strstr(fields("c/x"), "master:"));
    CHECK(mount("y", "c/y", "tmpfs", 0, NULL) == 0 && !is_mounted("a/y") && !is_mounted("b/y"));
    /* Shared and slave at once. */
    CHECK(mount(NULL, "c", NULL, MS_SHARED, NULL) == 0);
    CHECK(strstr(fields("c"), "master:") && strstr(fields("c"), "shared:"));
    CHECK(umount("a/x") == 0 && !is_mounted("b/x") && !is_mounted("c/x"));
    CHECK(mount("x", "b/x", "tmpfs", 0, NULL) == 0 && is_mounted("a/x") && strstr(fields("c/x"), "shared:") &&
          strstr(fields("c/x"), "master:"));
    /* Busy in a peer. */
    int fd = open("a/x/f", O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0);
    CHECK_ERR(umount("b/x"), EBUSY);
    close(fd);
    CHECK(umount("b/x") == 0 && !is_mounted("c/x"));
    CHECK(umount("c/y") == 0 && umount("c") == 0 && umount("b") == 0 && umount("a") == 0);
}

static void test_move(void)
{
    CHECK(mount("a", "a", "tmpfs", 0, NULL) == 0 && mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
    make("a/x");
    make("a/y");
    CHECK(mount("x", "a/x", "tmpfs", 0, NULL) == 0);
    CHECK_ERR(mount("a/x", "a/y", NULL, MS_MOVE, NULL), EINVAL); /* the parent is shared */
    CHECK(mount("b", "b", "tmpfs", 0, NULL) == 0 && mount(NULL, "b", NULL, MS_UNBINDABLE, NULL) == 0);
    CHECK_ERR(mount("b", "a/y", NULL, MS_MOVE, NULL), EINVAL); /* unbindable, to a shared place */
    CHECK(mount(NULL, "b", NULL, MS_PRIVATE, NULL) == 0 && mount("b", "a/y", NULL, MS_MOVE, NULL) == 0);
    CHECK(strstr(fields("a/y"), "shared:"));
    CHECK(umount2("a", MNT_DETACH) == 0 && !is_mounted("a/x") && !is_mounted("a/y"));
}

static void test_namespaces(void)
{
    int go[2], done[2];
    char c;
    CHECK(mount("a", "a", "tmpfs", 0, NULL) == 0 && mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
    make("a/x");
    make("a/y");
    CHECK(pipe(go) == 0 && pipe(done) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(unshare(CLONE_NEWNS) == 0 && write(done[1], "1", 1) == 1);
        CHECK(read(go[0], &c, 1) == 1 && is_mounted("a/x"));
        CHECK(mount("y", "a/y", "tmpfs", 0, NULL) == 0);
        CHECK(mount(NULL, "a", NULL, MS_SLAVE, NULL) == 0 && strstr(fields("a"), "master:"));
        CHECK(umount("a/x") == 0 && write(done[1], "1", 1) == 1);
        _exit(0);
    }
    CHECK(read(done[0], &c, 1) == 1);
    CHECK(mount("x", "a/x", "tmpfs", 0, NULL) == 0 && write(go[1], "1", 1) == 1);
    CHECK(read(done[0], &c, 1) == 1);
    CHECK(is_mounted("a/x") && is_mounted("a/y"));
    exits_with(pid, 0);
    CHECK(umount("a/x") == 0 && umount("a/y") == 0 && umount("a") == 0);
}

/* In a user namespace of its own: what it was given stays covered and read-only. */
static void test_locked(void)
{
    CHECK(mount("a", "a", "tmpfs", MS_RDONLY | MS_NOSUID, NULL) == 0 && mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount("c", "a", "tmpfs", 0, NULL) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
        CHECK(strstr(fields("a"), "master:"));
        CHECK_ERR(umount("a"), EINVAL);
        CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT, NULL), EPERM);
        CHECK(mount("d", "b", "tmpfs", 0, NULL) == 0 && umount("b") == 0);
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(umount("a") == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
        CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
        CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EPERM);
        CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) == 0);
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(umount("a") == 0);
}

static void test_umount(void)
{
    CHECK(mount("a", "a", "tmpfs", 0, NULL) == 0);
    CHECK_ERR(umount2("a", MNT_EXPIRE | MNT_DETACH), EINVAL);
    CHECK_ERR(umount2("a", MNT_EXPIRE), EAGAIN);
    CHECK(umount2("a", MNT_EXPIRE) == 0);
    CHECK_ERR(umount2("a", 0), EINVAL);
    CHECK_ERR(umount2("a", 0x100), EINVAL);
    CHECK_ERR(umount2("absent", 0), ENOENT);
    CHECK(symlink("a", "link") == 0 && mount("a", "a", "tmpfs", 0, NULL) == 0);
    CHECK_ERR(umount2("link", UMOUNT_NOFOLLOW), EINVAL);
    CHECK(umount2("link", 0) == 0);
}

int main(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    make("top");
    CHECK(mount("top", "top", "tmpfs", 0, NULL) == 0 && chdir("top") == 0);
    make("a");
    make("b");
    make("c");
    test_types();
    test_peers();
    test_move();
    test_namespaces();
    test_locked();
    test_umount();
    return 0;
}
