/* Detached mount trees, covers and the empty root, by the file-descriptor mount calls. */
#include "host/mounts.h"
#include "base/cleanup.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int host_clone_tree(const char *path, bool read_only)
{
    CLEANUP_FD int fd =
        (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (fd < 0)
        return -errno;
    /* Private: what the host mounts later must not appear in the copy. */
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0),
                              .propagation = MS_PRIVATE};
    if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
        return -errno;
    return TAKE_FD(fd);
}

int host_clone_directory(const char *path)
{
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int mount_empty(const char *at)
{
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    return mount("picket", at, "tmpfs", flags, "size=4k,nr_inodes=2,mode=555") < 0 ? -errno : 0;
}

/* root/name into path; true if something is mounted there. */
static bool find_mount(const char *root, const char *name, char path[static PATH_MAX])
{
    struct statx st;
    return (size_t)snprintf(path, PATH_MAX, "%s/%s", root, name) < PATH_MAX &&
           statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 &&
           (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) && S_ISDIR(st.stx_mode);
}

int host_clone_root(const char *root)
{
    static const char *const hidden[] = {"proc", "sys", "dev"};
    char covers[ARRAY_SIZE(hidden)][PATH_MAX];
    size_t count = 0;
    int result = 0;
    for (size_t i = 0; i < ARRAY_SIZE(hidden) && result == 0; i++)
        if (find_mount(root, hidden[i], covers[count]) && (result = mount_empty(covers[count])) == 0)
            count++;
    if (result == 0)
        result = host_clone_tree(root, true);
    /* The caller still needs its own /proc. */
    while (count)
        if (umount2(covers[--count], MNT_DETACH) < 0 && result >= 0) {
            close(result);
            result = -errno;
        }
    return result;
}

int host_own_proc(void)
{
    const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    CLEANUP_FD int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
        syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    int fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
    return fd < 0 ? -errno : fd;
}

int host_empty_root(void)
{
    const char *place = "/proc"; /* any directory will do, and this one is on every Linux */
    int err = mount_empty(place);
    if (err)
        return err;
    if (chdir(place) < 0)
        return -errno;
    /* With both arguments "." the old root ends up stacked on the new one, where detaching takes all of it away. */
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}
