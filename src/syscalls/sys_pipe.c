/*
 * pipe(2), pipe2(2).
 */
#include "fs/pipe/pipe.h"
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"

/* Gives both ends a number and the numbers to the guest. Consumes the files, whatever happens. */
static int64_t install_pair(struct file *a, struct file *b, unsigned flags, uaddr_t ret_fds)
{
    int fds[2];
    int err = fds[0] = fd_reserve(flags & O_CLOEXEC);
    if (err < 0)
        goto out_files;
    err = fds[1] = fd_reserve(flags & O_CLOEXEC);
    if (err < 0)
        goto out_first;
    err = copy_to_user(ret_fds, fds, sizeof(fds));
    if (err < 0)
        goto out_second;
    fd_publish(fds[0], a);
    fd_publish(fds[1], b);
    return 0;
out_second:
    fd_unreserve(fds[1]);
out_first:
    fd_unreserve(fds[0]);
out_files:
    file_put(a);
    file_put(b);
    return err;
}

static int64_t do_pipe(uaddr_t ret_fds, unsigned flags)
{
    struct file *rd, *wr;
    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int err = pipe_new_pair(flags, &rd, &wr);
    if (err < 0)
        return err;
    return install_pair(rd, wr, flags, ret_fds);
}

int64_t sys_pipe(const uint64_t *a)
{
    return do_pipe(a[0], 0);
}

int64_t sys_pipe2(const uint64_t *a)
{
    return do_pipe(a[0], (unsigned)a[1]);
}
