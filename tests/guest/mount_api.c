/* open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static unsigned long flags_of(const char *path)
{
    struct statvfs s;
    CHECK(statvfs(path, &s) == 0);
    return s.f_flag;
}

static int exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static void test_context(void)
{
    char buf[64];
    CHECK_ERR(fsopen("nonsense", 0), ENODEV);
    CHECK_ERR(fsopen("tmpfs", 2), EINVAL);
    CHECK_ERR(fsopen((char *)1, 0), EFAULT);
    int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
    CHECK(fs >= 0 && fcntl(fs, F_GETFD) == FD_CLOEXEC);
    CHECK_ERR(fsconfig(-1, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL);
    CHECK_ERR(fsconfig(999, FSCONFIG_SET_FLAG, "ro", NULL, 0), EBADF);
    CHECK_ERR(fsconfig(0, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL);
    CHECK_ERR(fsconfig(fs, FSCONFIG_SET_FLAG, NULL, NULL, 0), EINVAL);
    CHECK_ERR(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
    CHECK_ERR(fsconfig(fs, FSCONFIG_SET_STRING, "size", NULL, 0), EINVAL);
    CHECK_ERR(fsconfig(fs, FSCONFIG_CMD_CREATE, "size", NULL, 0), EINVAL);
    CHECK_ERR(fsconfig(fs, 99, NULL, NULL, 0), EOPNOTSUPP);
    CHECK_ERR(fsmount(fs, 0, 0), EINVAL); /* not made yet */
    CHECK(fsconfig(fs, FSCONFIG_SET_STRING, "source", "here", 0) == 0);
    CHECK_ERR(fsconfig(fs, FSCONFIG_SET_STRING, "source", "again", 0), EINVAL);
    while (read(fs, buf, sizeof(buf)) > 0)
        ;
    CHECK(errno == ENODATA);
    CHECK(fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0711", 0) == 0);
    CHECK(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
    CHECK_ERR(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBUSY);
    CHECK_ERR(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0), EBUSY);
    CHECK_ERR(fsmount(fs, 2, 0), EINVAL);
    CHECK_ERR(fsmount(fs, 0, 0x10000000), EINVAL);
    CHECK_ERR(fsmount(0, 0, 0), EINVAL);
    int m = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
    CHECK(m >= 0 && fcntl(m, F_GETFD) == FD_CLOEXEC && fcntl(m, F_GETFL) & O_PATH);
    CHECK_ERR(fsmount(fs, 0, 0), EBUSY);
    close(fs);
    int fd = openat(m, "made", O_CREAT | O_WRONLY, 0600); /* it can be used before it has a place */
    CHECK(fd >= 0);
    close(fd);
    CHECK_ERR(move_mount(m, "", AT_FDCWD, "absent", MOVE_MOUNT_F_EMPTY_PATH), ENOENT);
    CHECK_ERR(move_mount(m, "", AT_FDCWD, "a", 0), ENOENT);
    CHECK_ERR(move_mount(m, "", AT_FDCWD, "a", 0x4000), EINVAL);
    CHECK_ERR(move_mount(m, "", AT_FDCWD, "file", MOVE_MOUNT_F_EMPTY_PATH), EINVAL);
    CHECK(move_mount(m, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH) == 0);
    CHECK(exists("a/made") && flags_of("a") & ST_NOSUID && flags_of("a") & ST_NOATIME);
    CHECK(move_mount(m, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH) == 0); /* and again */
    CHECK(!exists("a/made") && exists("b/made"));
    close(m);
    CHECK(umount("b") == 0 && !exists("b/made"));
}

static void test_tree(void)
{
    struct stat st;
    CHECK(mount("t", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/d", 0755) == 0 && mkdir("a/s", 0755) == 0);
    CHECK(mount("t", "a/s", "tmpfs", 0, NULL) == 0 && mkdir("a/s/in", 0755) == 0);
    CHECK_ERR(open_tree(AT_FDCWD, "a", 0x80), EINVAL);
    CHECK_ERR(open_tree(AT_FDCWD, "a", AT_RECURSIVE), EINVAL);
    CHECK_ERR(open_tree(AT_FDCWD, "absent", 0), ENOENT);
    CHECK_ERR(open_tree(AT_FDCWD, "", OPEN_TREE_CLONE), ENOENT);
    int fd = open_tree(AT_FDCWD, "a", 0);
    CHECK(fd >= 0 && fcntl(fd, F_GETFL) & O_PATH && fcntl(fd, F_GETFD) == 0);
    close(fd);
    fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fstatat(fd, "d", &st, 0) == 0);
    CHECK_ERR(fstatat(fd, "s/in", &st, 0), ENOENT);
    CHECK(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH) == 0 && exists("b/d"));
    close(fd);
    CHECK(exists("b/d") && umount("b") == 0);
    fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
    CHECK(fd >= 0 && fstatat(fd, "s/in", &st, 0) == 0);
    close(fd); /* without a place it is gone */
    fd = open_tree(AT_FDCWD, "a/d", OPEN_TREE_CLONE);
    CHECK(fd >= 0 && move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH) == 0);
    CHECK_ERR(umount("b"), EBUSY);
    close(fd);
    CHECK(umount("b") == 0);
    CHECK(move_mount(AT_FDCWD, "a/s", AT_FDCWD, "b", 0) == 0 && exists("b/in") && !exists("a/s/in"));
    CHECK_ERR(move_mount(AT_FDCWD, "a/d", AT_FDCWD, "b", 0), EINVAL);
    CHECK_ERR(move_mount(AT_FDCWD, "a", AT_FDCWD, "a/d", 0), ELOOP);
    CHECK(umount("b") == 0 && umount("a") == 0);
}

static int set(const char *path, unsigned flags, uint64_t on, uint64_t off, uint64_t propagation)
{
    struct mount_attr attr = {.attr_set = on, .attr_clr = off, .propagation = propagation};
    return mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr));
}

static void test_setattr(void)
{
    struct mount_attr attr = {0};
    CHECK(mount("t", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/s", 0755) == 0 &&
          mount("t", "a/s", "tmpfs", 0, NULL) == 0);
    CHECK(mkdir("a/d", 0755) == 0);
    CHECK_ERR(mount_setattr(AT_FDCWD, "a", 0x1, &attr, sizeof(attr)), EINVAL);
    CHECK_ERR(mount_setattr(AT_FDCWD, "a", 0, &attr, 8), EINVAL);
    CHECK_ERR(mount_setattr(AT_FDCWD, "a", 0, &attr, 100000), E2BIG);
    CHECK_ERR(set("a", 0, 1ULL << 40, 0, 0), EINVAL);
    CHECK_ERR(set("a", 0, 0, 0, MS_SHARED | MS_SLAVE), EINVAL);
    CHECK_ERR(set("a", 0, MOUNT_ATTR_NOATIME, 0, 0), EINVAL); /* without clearing the kind first */
    CHECK_ERR(set("a/d", 0, MOUNT_ATTR_RDONLY, 0, 0), EINVAL);
    CHECK(set("a", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, 0, 0) == 0);
    CHECK(flags_of("a") & ST_RDONLY && flags_of("a") & ST_NOEXEC && !(flags_of("a/s") & ST_RDONLY));
    CHECK_ERR(mkdir("a/x", 0755), EROFS);
    CHECK(set("a", AT_RECURSIVE, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME, MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME, 0) == 0);
    CHECK(!(flags_of("a") & ST_RDONLY) && flags_of("a/s") & ST_NODEV && flags_of("a/s") & ST_NOATIME &&
          flags_of("a") & ST_NOEXEC);
    CHECK(set("a", AT_RECURSIVE, 0, 0, MS_SHARED) == 0);
    CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0 && mkdir("a/p", 0755) == 0);
    CHECK(mount("t", "a/p", "tmpfs", 0, NULL) == 0 && umount("b/p") == 0);
    CHECK(set("a", AT_RECURSIVE, 0, 0, MS_PRIVATE) == 0);
    CHECK(umount("b") == 0 && umount2("a", MNT_DETACH) == 0);
}

static void test_pick(void)
{
    CHECK(mount("t", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/d", 0755) == 0);
    CHECK_ERR(fspick(AT_FDCWD, "a/d", 0), EINVAL);
    CHECK_ERR(fspick(AT_FDCWD, "absent", 0), ENOENT);
    CHECK_ERR(fspick(AT_FDCWD, "a", 0x80), EINVAL);
    int fs = fspick(AT_FDCWD, "a", FSPICK_CLOEXEC);
    CHECK(fs >= 0 && fcntl(fs, F_GETFD) == FD_CLOEXEC);
    CHECK(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) == 0);
    CHECK(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0);
    CHECK_ERR(mkdir("a/x", 0755), EROFS);
    close(fs);
    CHECK(umount("a") == 0);
}

static void test_unprivileged(void)
{
    CHECK(setresuid(1, 1, 1) == 0);
    CHECK_ERR(fsopen("tmpfs", 0), EPERM);
    CHECK_ERR(open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE), EPERM);
    CHECK_ERR(move_mount(AT_FDCWD, "/", AT_FDCWD, "/", 0), EPERM);
    CHECK_ERR(set("/", 0, MOUNT_ATTR_RDONLY, 0, 0), EPERM);
    CHECK_ERR(fspick(AT_FDCWD, "/", 0), EPERM);
    CHECK_ERR(umount2("/proc", 0), EPERM);
}

int main(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("top", 0755) == 0 && mount("top", "top", "tmpfs", 0, NULL) == 0 && chdir("top") == 0);
    CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && close(open("file", O_CREAT | O_WRONLY, 0644)) == 0);
    test_context();
    test_tree();
    test_setattr();
    test_pick();
    test_unprivileged();
    return 0;
}
