/* open(2) and family, close(2). */
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <linux/close_range.h>
#include <linux/openat2.h>

/* Always set on files opened by 64-bit programs: fcntl(F_GETFL) shows it. glibc's O_LARGEFILE is 0.
 */
#define KERNEL_O_LARGEFILE 0100000
#define OPEN_HOW_SIZE_VER0 24
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define OPEN_FLAGS                                                                            \
    ((uint32_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |   \
                O_SYNC | O_ASYNC | O_DIRECT | KERNEL_O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | \
                O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE))

static int check_how(const struct open_how_kernel *how)
{
    uint32_t flags = how->flags;
    if (flags & O_PATH || !(flags & TMPFILE_BIT))
        return 0;
    if ((flags & O_TMPFILE) != O_TMPFILE || flags & O_CREAT || (flags & O_ACCMODE) == O_RDONLY)
        return -EINVAL;
    return 0;
}

/* The descriptor first: a full table must not leave a new file behind. */
static int64_t open_with(int dirfd, uint64_t path_addr, const struct open_how_kernel *how)
{
    CLEANUP_PATH char *path = NULL;
    struct file *f;
    int err = check_how(how);
    if (!err)
        err = user_path(path_addr, &path);
    if (err)
        return err;
    int fd = fd_reserve(how->flags & O_CLOEXEC);
    if (fd < 0)
        return fd;
    err = vfs_open_at(dirfd, path, how, &f);
    if (err) {
        fd_unreserve(fd);
        return err;
    }
    fd_publish(fd, f);
    return fd;
}

static int64_t do_open(int dirfd, uint64_t path_addr, uint64_t flags, uint64_t mode)
{
    bool creates = flags & (O_CREAT | TMPFILE_BIT);
    struct open_how_kernel how = {.flags = ((uint32_t)flags & OPEN_FLAGS) | KERNEL_O_LARGEFILE,
                                  .mode = creates ? (uint32_t)mode & 07777 : 0};
    return open_with(dirfd, path_addr, &how);
}

int64_t sys_open(const uint64_t *a)
{
    return do_open(AT_FDCWD, a[0], a[1], a[2]);
}

int64_t sys_openat(const uint64_t *a)
{
    return do_open((int)a[0], a[1], a[2], a[3]);
}

int64_t sys_creat(const uint64_t *a)
{
    return do_open(AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
}

static const struct {
    uint64_t linux_flag;
    unsigned walk;
} resolve_flags[] = {{RESOLVE_NO_XDEV, WALK_NO_XDEV},
                     {RESOLVE_NO_MAGICLINKS, WALK_NO_MAGICLINKS},
                     {RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS | WALK_NO_MAGICLINKS},
                     {RESOLVE_BENEATH, WALK_BENEATH},
                     {RESOLVE_IN_ROOT, WALK_IN_ROOT}};

static int decode_how(const struct open_how *u, struct open_how_kernel *ret)
{
    uint64_t known = RESOLVE_CACHED;
    bool creates = u->flags & (O_CREAT | TMPFILE_BIT);
    *ret = (struct open_how_kernel){.flags = (uint32_t)u->flags | KERNEL_O_LARGEFILE,
                                    .mode = (uint32_t)u->mode};
    for (unsigned i = 0; i < ARRAY_SIZE(resolve_flags); i++) {
        known |= resolve_flags[i].linux_flag;
        if (u->resolve & resolve_flags[i].linux_flag)
            ret->resolve |= resolve_flags[i].walk;
    }
    if (u->flags & ~(uint64_t)OPEN_FLAGS || u->resolve & ~known)
        return -EINVAL;
    if (creates ? u->mode & ~07777ULL : u->mode)
        return -EINVAL;
    if (u->flags & O_PATH && u->flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        return -EINVAL;
    if ((u->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EINVAL;
    return u->resolve & RESOLVE_CACHED ? -EAGAIN
                                       : 0; /* "try again without": always a valid answer */
}

int64_t sys_openat2(const uint64_t *a)
{
    struct open_how u;
    struct open_how_kernel how;
    int err = copy_struct_from_user(&u, sizeof(u), a[2], a[3], OPEN_HOW_SIZE_VER0);
    if (!err)
        err = decode_how(&u, &how);
    return err ? err : open_with((int)a[0], a[1], &how);
}

int64_t sys_close(const uint64_t *a)
{
    return fd_close((int)a[0]);
}

int64_t sys_close_range(const uint64_t *a)
{
    unsigned first = (unsigned)a[0], last = (unsigned)a[1], flags = (unsigned)a[2];
    if (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
        return -EINVAL;
    return fd_close_range(first, last, flags);
}
