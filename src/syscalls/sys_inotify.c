/*
 * inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2).
 */
#include "fs/inotify/inotify.h"
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/dentry.h"
#include "vfs/walk.h"
#include <sys/inotify.h>

#define MASK_KNOWN                                                                                          \
    (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | \
     IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT)

static int64_t do_init(unsigned flags)
{
    struct file *file;
    if (flags & ~(unsigned)(IN_CLOEXEC | IN_NONBLOCK))
        return -EINVAL;
    int err = inotify_new(flags, &file);
    if (err < 0)
        return err;
    int fd = fd_install(file, flags & IN_CLOEXEC ? O_CLOEXEC : 0);
    if (fd < 0)
        file_put(file);
    return fd;
}

int64_t sys_inotify_init(const uint64_t *a)
{
    return do_init(0);
}

int64_t sys_inotify_init1(const uint64_t *a)
{
    return do_init((unsigned)a[0]);
}

static int64_t add_watch(struct inotify *in, const char *path, uint32_t mask)
{
    CLEANUP_PATH_REF struct path place = {0};
    unsigned flags = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
    int err = path_lookup(AT_FDCWD, path, flags, &place);
    if (err == 0)
        err = inode_permission(place.dentry->inode, MAY_READ, current_cred());
    return err < 0 ? err : inotify_add(in, place.dentry->inode, mask);
}

int64_t sys_inotify_add_watch(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    CLEANUP_PATH char *path = NULL;
    uint32_t mask = (uint32_t)a[2];
    if (!(mask & MASK_KNOWN) || ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
        return -EINVAL;
    int err = fd_file((int)a[0], &file);
    if (err < 0)
        return err;
    struct inotify *in = inotify_of(file);
    if (!in)
        return -EINVAL;
    err = user_path(a[1], &path);
    return err < 0 ? err : add_watch(in, path, mask);
}

int64_t sys_inotify_rm_watch(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    int err = fd_file((int)a[0], &file);
    if (err < 0)
        return err;
    struct inotify *in = inotify_of(file);
    return in ? inotify_remove(in, (int)a[1]) : -EINVAL;
}
