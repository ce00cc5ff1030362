/*
 * copy_file_range(2) and sendfile(2): bytes from one open file to another without passing through
 * the guest, in pieces of one bounce buffer. Positions are advanced by what was written.
 */
#include "kernel/signal.h"
#include "sched/fiber.h"
#include "vfs/file.h"
#include "vfs/internal.h"
#include <stdlib.h>

#define COPY_PIECE (128u * 1024)

static ssize_t read_piece(struct file *in, int64_t *pos, void *buf, size_t n)
{
    struct uio u;
    uio_init_kernel(&u, buf, n);
    return pos ? vfs_pread(in, &u, *pos) : vfs_read(in, &u);
}

static ssize_t write_piece(struct file *out, int64_t *pos, void *buf, size_t n)
{
    struct uio u;
    uio_init_kernel(&u, buf, n);
    return pos ? vfs_pwrite(out, &u, *pos) : vfs_write(out, &u);
}

/* Gives back bytes that were read but could not be written, where the file has a position. */
static void unread(struct file *in, const int64_t *pos, size_t n)
{
    if (!n || pos || in->ops->stream)
        return;
    mutex_lock(&in->pos_lock);
    in->pos -= (int64_t)n;
    mutex_unlock(&in->pos_lock);
}

/* One piece: bytes moved, 0 at the end, -errno. */
static ssize_t copy_piece(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
                          void *buf, size_t want)
{
    ssize_t got = read_piece(in, in_pos, buf, want), done = 0;
    if (got <= 0)
        return got;
    while (done < got) {
        ssize_t n = write_piece(out, out_pos, (char *)buf + done, (size_t)(got - done));
        if (n <= 0) {
            unread(in, in_pos, (size_t)(got - done));
            if (!done)
                return n;
            break;
        }
        done += n;
        if (out_pos)
            *out_pos += n;
    }
    if (in_pos)
        *in_pos += done;
    return done;
}

int64_t vfs_copy_range(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
                       size_t len)
{
    CLEANUP_FREE void *buf = NULL;
    size_t done = 0;
    if (!file_readable(in) || !file_writable(out))
        return -EBADF;
    len = MIN(len, UIO_MAX_BYTES);
    if (!len)
        return 0;
    buf = malloc(MIN(len, (size_t)COPY_PIECE));
    if (!buf)
        return -ENOMEM;
    while (done < len) {
        ssize_t n = copy_piece(in, in_pos, out, out_pos, buf, MIN(len - done, (size_t)COPY_PIECE));
        if (n < 0)
            return done ? (int64_t)done : n;
        if (!n)
            break;
        done += (size_t)n;
        if (in_fiber() && fiber_interrupted(fiber_self()))
            return (int64_t)done;
        if (in->ops->stream)
            break; /* what there was: more would block */
    }
    return (int64_t)done;
}
