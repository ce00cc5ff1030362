/*
 * Moving bytes into, out of and between pipes. See splice.h.
 *
 * The pipe's lock is held while the other file is read or written, as on Linux: nothing else gets
 * between the bytes.
 */
#include "fs/pipe/splice.h"
#include "kernel/signal.h"

/* ---- file to pipe ---- */

/* One page of `in` at the pipe's head: bytes, 0 at the end, -errno. lock held. */
static ssize_t fill_page(struct file *in, int64_t *pos, struct pipe *out, size_t want)
{
    struct uio u;
    struct pipe_page *page = pipe_page_new(out);
    if (!page)
        return -ENOMEM;
    uio_init_kernel(&u, page->data, want);
    ssize_t n = pos ? vfs_pread(in, &u, *pos) : vfs_read(in, &u);
    if (n <= 0) {
        pipe_page_put(out, page);
        return n;
    }
    if (pos)
        *pos += n;
    pipe_push(out, page, 0, (unsigned)n, false);
    return n;
}

/* Room in the pipe, waiting for it: 0 or -errno. lock held. */
static int need_room(struct pipe *p, bool nonblock)
{
    for (;;) {
        if (p->readers == 0) {
            pipe_broken();
            return -EPIPE;
        }
        if (!pipe_full(p))
            return 0;
        int err = pipe_wait_writable(p, nonblock);
        if (err < 0)
            return err;
    }
}

ssize_t splice_to_pipe(struct file *in, int64_t *pos, struct pipe *out, size_t len, bool nonblock)
{
    ssize_t done = 0;
    mutex_lock(&out->lock);
    ssize_t n = need_room(out, nonblock);
    bool was_empty = pipe_empty(out);
    while (n >= 0 && (size_t)done < len && !pipe_full(out)) {
        size_t want = MIN(len - (size_t)done, PAGE_SIZE);
        n = fill_page(in, pos, out, want);
        if (n <= 0)
            break;
        done += n;
        if ((size_t)n < want || in->ops->stream)
            break; /* a stream might make us wait with bytes in hand */
    }
    mutex_unlock(&out->lock);
    if (done > 0)
        pipe_wake_readers(out, was_empty);
    return done > 0 ? done : n;
}

/* ---- pipe to file ---- */

/* Something to read, waiting for it: 1, 0 at the end, -errno. lock held. */
static int need_bytes(struct pipe *p, bool nonblock)
{
    while (pipe_empty(p)) {
        if (p->writers == 0)
            return 0;
        int err = pipe_wait_readable(p, nonblock);
        if (err < 0)
            return err;
    }
    return 1;
}

static ssize_t drain_tail(struct pipe *in, struct file *out, int64_t *pos, size_t len)
{
    struct uio u;
    struct pipe_buffer *b = pipe_tail(in);
    uio_init_kernel(&u, b->page->data + b->offset, MIN((size_t)b->len, len));
    ssize_t n = pos ? vfs_pwrite(out, &u, *pos) : vfs_write(out, &u);
    if (n <= 0)
        return n;
    if (pos)
        *pos += n;
    b->offset += (unsigned)n;
    b->len -= (unsigned)n;
    if (b->len == 0)
        pipe_drop_tail(in);
    return n;
}

ssize_t splice_from_pipe(struct pipe *in, struct file *out, int64_t *pos, size_t len, bool nonblock)
{
    ssize_t done = 0;
    mutex_lock(&in->lock);
    ssize_t n = need_bytes(in, nonblock);
    bool was_full = pipe_full(in);
    while (n > 0 && (size_t)done < len && !pipe_empty(in)) {
        n = drain_tail(in, out, pos, len - (size_t)done);
        done += n > 0 ? n : 0;
    }
    mutex_unlock(&in->lock);
    if (done > 0)
        pipe_wake_writers(in, was_full);
    return done > 0 ? done : n;
}

/* ---- pipe to pipe ---- */

static void lock_both(struct pipe *a, struct pipe *b)
{
    mutex_lock(a < b ? &a->lock : &b->lock);
    mutex_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct pipe *a, struct pipe *b)
{
    mutex_unlock(&a->lock);
    mutex_unlock(&b->lock);
}

/* Waits, one pipe at a time, until both are ready, and returns with both locked: 1; 0 at the end,
 * -errno (nothing locked). */
static int lock_ready(struct pipe *in, struct pipe *out, bool nonblock)
{
    for (;;) {
        mutex_lock(&in->lock);
        int ready = need_bytes(in, nonblock);
        mutex_unlock(&in->lock);
        if (ready <= 0)
            return ready;
        mutex_lock(&out->lock);
        int err = need_room(out, nonblock);
        mutex_unlock(&out->lock);
        if (err < 0)
            return err;
        lock_both(in, out);
        if (!pipe_empty(in) && !pipe_full(out) && out->readers > 0)
            return 1;
        unlock_both(in, out);
    }
}

/* The i-th buffer of `in` (as much as fits into len) becomes one of `out` as well. */
static size_t share_buffer(struct pipe *in, unsigned i, struct pipe *out, size_t len)
{
    struct pipe_buffer *b = &in->ring[(in->tail + i) & (in->slots - 1)];
    unsigned n = (unsigned)MIN((size_t)b->len, len);
    refcount_get(&b->page->ref);
    pipe_push(out, b->page, b->offset, n, b->packet);
    return n;
}

static void take_from_tail(struct pipe *in, size_t n)
{
    struct pipe_buffer *b = pipe_tail(in);
    b->offset += (unsigned)n;
    b->len -= (unsigned)n;
    if (b->len == 0)
        pipe_drop_tail(in);
}

ssize_t splice_pipes(struct pipe *in, struct pipe *out, size_t len, bool keep, bool nonblock)
{
    size_t done = 0;
    int ready = lock_ready(in, out, nonblock);
    if (ready <= 0)
        return ready;
    bool was_full = pipe_full(in), was_empty = pipe_empty(out);
    for (unsigned i = 0; done < len && !pipe_full(out) && (keep ? i < pipe_used(in) : !pipe_empty(in)); i++) {
        size_t n = share_buffer(in, keep ? i : 0, out, len - done);
        if (!keep)
            take_from_tail(in, n);
        done += n;
    }
    unlock_both(in, out);
    pipe_wake_readers(out, was_empty);
    if (!keep)
        pipe_wake_writers(in, was_full);
    return (ssize_t)done;
}
