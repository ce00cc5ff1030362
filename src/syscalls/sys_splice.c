/*
 * splice(2), tee(2), vmsplice(2).
 */
#include "fs/pipe/splice.h"
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"

#ifndef SPLICE_F_MOVE
#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE 4
#define SPLICE_F_GIFT 8
#endif
#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* The two files of a call; each must be open the right way. */
struct ends {
    struct file *in, *out;
    struct pipe *in_pipe, *out_pipe; /* NULL: not a pipe */
};

static void ends_fini(struct ends *e)
{
    if (e->in)
        file_put(e->in);
    if (e->out)
        file_put(e->out);
}

static int ends_get(struct ends *e, uint64_t in, uint64_t out)
{
    int err = fd_file((int)in, &e->in);
    if (err < 0)
        e->in = NULL;
    else
        err = fd_file((int)out, &e->out);
    if (err < 0) {
        e->out = NULL;
        return err;
    }
    if (!file_readable(e->in) || !file_writable(e->out))
        return -EBADF;
    e->in_pipe = pipe_of(e->in);
    e->out_pipe = pipe_of(e->out);
    return 0;
}

static bool nonblock(const struct file *pipe, uint64_t flags)
{
    return (flags & SPLICE_F_NONBLOCK) || file_nonblock(pipe);
}

/* An offset argument: NULL is the file's own position. */
static int offset_in(const struct file *f, bool is_pipe, uaddr_t addr, int64_t *ret)
{
    if (!addr)
        return 0;
    if (is_pipe)
        return -ESPIPE;
    int err = get_user(ret, addr);
    if (err < 0)
        return err;
    return f->ops->stream || *ret < 0 ? -EINVAL : 0;
}

static int64_t splice_ends(struct ends *e, const uint64_t *a)
{
    int64_t in_pos = 0, out_pos = 0, n;
    size_t len = MIN(a[4], UIO_MAX_BYTES);
    int err = offset_in(e->in, e->in_pipe, a[1], &in_pos);
    if (err == 0)
        err = offset_in(e->out, e->out_pipe, a[3], &out_pos);
    if (err < 0)
        return err;
    if (e->in_pipe && e->out_pipe)
        return e->in_pipe == e->out_pipe ? -EINVAL
                                         : splice_pipes(e->in_pipe, e->out_pipe, len, false,
                                                        nonblock(e->in, a[5]) || nonblock(e->out, a[5]));
    if (e->in_pipe) {
        if (e->out->flags & O_APPEND)
            return -EINVAL;
        n = splice_from_pipe(e->in_pipe, e->out, a[3] ? &out_pos : NULL, len, nonblock(e->in, a[5]));
        err = n > 0 && a[3] ? put_user(&out_pos, a[3]) : 0;
    } else if (e->out_pipe) {
        n = splice_to_pipe(e->in, a[1] ? &in_pos : NULL, e->out_pipe, len, nonblock(e->out, a[5]));
        err = n > 0 && a[1] ? put_user(&in_pos, a[1]) : 0;
    } else {
        return -EINVAL;
    }
    return err < 0 ? err : n;
}

int64_t sys_splice(const uint64_t *a)
{
    struct ends e = {0};
    if (a[4] == 0)
        return 0;
    if (a[5] & ~(uint64_t)SPLICE_FLAGS)
        return -EINVAL;
    int64_t result = ends_get(&e, a[0], a[2]);
    if (result == 0)
        result = splice_ends(&e, a);
    ends_fini(&e);
    return result;
}

int64_t sys_tee(const uint64_t *a)
{
    struct ends e = {0};
    if (a[3] & ~(uint64_t)SPLICE_FLAGS)
        return -EINVAL;
    if (a[2] == 0)
        return 0;
    int64_t result = ends_get(&e, a[0], a[1]);
    if (result == 0 && (!e.in_pipe || !e.out_pipe || e.in_pipe == e.out_pipe))
        result = -EINVAL;
    if (result == 0)
        result = splice_pipes(e.in_pipe, e.out_pipe, MIN(a[2], UIO_MAX_BYTES), true,
                              nonblock(e.in, a[3]) || nonblock(e.out, a[3]));
    ends_fini(&e);
    return result;
}

/* The pages are copied, gift or not: what the guest does to them afterwards is not seen in the
 * pipe. */
int64_t sys_vmsplice(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    CLEANUP_UIO struct uio u = {.vec = u.inline_vec};
    if (a[3] & ~(uint64_t)SPLICE_FLAGS)
        return -EINVAL;
    int err = fd_file((int)a[0], &file);
    if (err < 0)
        return err;
    if (!file_readable(file) && !file_writable(file))
        return -EBADF;
    err = uio_init_iovec(&u, a[1], a[2]);
    if (err < 0)
        return err;
    if (u.remaining == 0)
        return 0;
    struct pipe *p = pipe_of(file);
    if (!p)
        return -EBADF;
    if (file_writable(file))
        return pipe_write_from(p, &u, false, nonblock(file, a[3]));
    return pipe_read_to(p, &u, nonblock(file, a[3]));
}
