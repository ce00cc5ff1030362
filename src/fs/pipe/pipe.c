/*
 * The pipe's ring: reading, writing, readiness. See pipe.h; opening and closing are in fifo.c.
 *
 * Writes of at most PIPE_BUF (one page) bytes are atomic because they fit into one buffer, or are
 * appended to the last one in one go.
 */
#include "fs/pipe/pipe.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct pipe_page *pipe_page_new(struct pipe *p)
{
    if (p->spare_count > 0)
        return p->spare[--p->spare_count];
    struct pipe_page *page = malloc(sizeof(*page));
    if (page)
        refcount_init(&page->ref);
    return page;
}

void pipe_page_put(struct pipe *p, struct pipe_page *page)
{
    if (refcount_read(&page->ref) == 1 && p->spare_count < PIPE_SPARES) {
        p->spare[p->spare_count++] = page;
        return;
    }
    if (refcount_put(&page->ref))
        free(page);
}

void pipe_drop_tail(struct pipe *p)
{
    struct pipe_buffer *b = pipe_tail(p);
    struct pipe_page *page = TAKE_PTR(b->page);
    p->tail++;
    pipe_page_put(p, page);
}

void pipe_push(struct pipe *p, struct pipe_page *page, unsigned offset, unsigned len, bool packet)
{
    assert(!pipe_full(p));
    p->ring[p->head & (p->slots - 1)] = (struct pipe_buffer){page, offset, len, packet};
    p->head++;
}

void pipe_wake_readers(struct pipe *p, bool was_empty)
{
    if (was_empty || p->polled)
        wake_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
}

void pipe_wake_writers(struct pipe *p, bool was_full)
{
    if (was_full || p->polled)
        wake_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
}

void pipe_broken(void)
{
    siginfo_t info;
    siginfo_user(&info, SIGPIPE, SI_USER);
    signal_send_task(current, SIGPIPE, &info);
}

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
    if (nonblock)
        return -EAGAIN;
    mutex_unlock(&p->lock);
    int err = wait_event_interruptible(&p->readable, !pipe_empty(p) || p->writers == 0);
    mutex_lock(&p->lock);
    return err;
}

int pipe_wait_writable(struct pipe *p, bool nonblock)
{
    if (nonblock)
        return -EAGAIN;
    mutex_unlock(&p->lock);
    int err = wait_event_interruptible(&p->writable, !pipe_full(p) || p->readers == 0);
    mutex_lock(&p->lock);
    return err;
}

/* Gives the caller what the tail buffer holds. 1: go on with the next; 0: stop; -errno. */
static int read_buffer(struct pipe *p, struct uio *to, ssize_t *done)
{
    struct pipe_buffer *b = pipe_tail(p);
    size_t want = MIN((size_t)b->len, to->remaining);
    bool packet = b->packet;
    ssize_t n = uio_put(to, b->page->data + b->offset, want);
    if (n < 0)
        return (int)n;
    *done += n;
    b->offset += (unsigned)n;
    b->len -= (unsigned)n;
    if (b->len == 0 || (packet && (size_t)n == want))
        pipe_drop_tail(p);
    return (size_t)n == want && !packet && to->remaining > 0;
}

ssize_t pipe_read_to(struct pipe *p, struct uio *to, bool nonblock)
{
    ssize_t done = 0;
    int err = 0;
    if (to->remaining == 0)
        return 0;
    mutex_lock(&p->lock);
    bool was_full = pipe_full(p);
    for (;;) {
        if (!pipe_empty(p)) {
            err = read_buffer(p, to, &done);
            if (err <= 0)
                break;
            continue;
        }
        if (done > 0 || p->writers == 0)
            break;
        err = pipe_wait_readable(p, nonblock);
        if (err < 0)
            break;
        was_full = pipe_full(p);
    }
    mutex_unlock(&p->lock);
    if (done > 0)
        pipe_wake_writers(p, was_full);
    return done > 0 ? done : err;
}

static ssize_t pipe_read(struct file *file, struct uio *to, int64_t *pos)
{
    return pipe_read_to(file->private_data, to, file_nonblock(file));
}

/* Appends the odd bytes of a write to the last buffer if all of them fit. 0, or -errno. */
static int append_to_last(struct pipe *p, struct uio *from, ssize_t *done)
{
    size_t odd = from->remaining & (PAGE_SIZE - 1);
    if (odd == 0 || pipe_empty(p))
        return 0;
    struct pipe_buffer *b = &p->ring[(p->head - 1) & (p->slots - 1)];
    if (b->packet || refcount_read(&b->page->ref) != 1 || b->offset + b->len + odd > PAGE_SIZE)
        return 0;
    ssize_t n = uio_take(from, b->page->data + b->offset + b->len, odd);
    if (n < 0)
        return (int)n;
    b->len += (unsigned)n;
    *done += n;
    return (size_t)n == odd ? 0 : -EFAULT;
}

/* Fills one more buffer. 0, or -errno. */
static int write_buffer(struct pipe *p, struct uio *from, bool packet, ssize_t *done)
{
    struct pipe_page *page = pipe_page_new(p);
    if (!page)
        return -ENOMEM;
    size_t want = MIN(from->remaining, PAGE_SIZE);
    ssize_t n = uio_take(from, page->data, want);
    if (n <= 0) {
        pipe_page_put(p, page);
        return n < 0 ? (int)n : -EFAULT;
    }
    pipe_push(p, page, 0, (unsigned)n, packet);
    *done += n;
    return (size_t)n == want ? 0 : -EFAULT;
}

ssize_t pipe_write_from(struct pipe *p, struct uio *from, bool packet, bool nonblock)
{
    ssize_t done = 0;
    if (from->remaining == 0)
        return 0;
    mutex_lock(&p->lock);
    bool was_empty = pipe_empty(p);
    int err = p->readers > 0 && !packet ? append_to_last(p, from, &done) : 0;
    while (err == 0) {
        if (p->readers == 0) {
            pipe_broken();
            err = -EPIPE;
        } else if (from->remaining == 0) {
            break;
        } else if (!pipe_full(p)) {
            err = write_buffer(p, from, packet, &done);
        } else {
            if (was_empty)
                pipe_wake_readers(p, true);
            err = pipe_wait_writable(p, nonblock);
            was_empty = pipe_empty(p);
        }
    }
    mutex_unlock(&p->lock);
    if (done > 0)
        pipe_wake_readers(p, was_empty);
    return done > 0 ? done : err;
}

static ssize_t pipe_write(struct file *file, struct uio *from, int64_t *pos)
{
    return pipe_write_from(file->private_data, from, file->flags & O_DIRECT, file_nonblock(file));
}

static uint32_t pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe *p = file->private_data;
    uint32_t events = 0;
    p->polled = true;
    if (file_readable(file))
        poll_wait(table, &p->readable);
    if (file_writable(file))
        poll_wait(table, &p->writable);
    if (file_readable(file)) {
        if (!pipe_empty(p))
            events |= EPOLLIN | EPOLLRDNORM;
        /* file->pos of a reader: how many writers had opened when it did (fifo.c). No hang-up
         * before the first. */
        if (p->writers == 0 && (unsigned)file->pos != p->writer_opens)
            events |= EPOLLHUP;
    }
    if (file_writable(file)) {
        if (!pipe_full(p))
            events |= EPOLLOUT | EPOLLWRNORM;
        if (p->readers == 0)
            events |= EPOLLERR;
    }
    return events;
}

static int bytes_waiting(struct pipe *p)
{
    unsigned n = 0;
    MUTEX_GUARD(&p->lock);
    for (unsigned i = p->tail; i != p->head; i++)
        n += p->ring[i & (p->slots - 1)].len;
    return (int)n;
}

static int64_t pipe_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    if (cmd != FIONREAD)
        return -ENOTTY;
    int n = bytes_waiting(file->private_data);
    return put_user(&n, arg);
}

int64_t pipe_size(const struct pipe *p)
{
    return (int64_t)p->slots * (int64_t)PAGE_SIZE;
}

static unsigned slots_for(uint64_t size)
{
    unsigned slots = 1;
    while ((uint64_t)slots * PAGE_SIZE < size)
        slots *= 2;
    return slots;
}

int64_t pipe_set_size(struct pipe *p, uint64_t size)
{
    if (size > 1ULL << 31)
        return -EINVAL;
    unsigned slots = slots_for(size);
    MUTEX_GUARD(&p->lock);
    if (slots > p->slots && slots * PAGE_SIZE > PIPE_MAX_SIZE && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (slots < pipe_used(p))
        return -EBUSY;
    struct pipe_buffer *ring = calloc(slots, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    unsigned used = pipe_used(p);
    for (unsigned i = 0; i < used; i++)
        ring[i] = p->ring[(p->tail + i) & (p->slots - 1)];
    free(p->ring);
    bool was_full = pipe_full(p);
    p->ring = ring;
    p->tail = 0;
    p->head = used;
    p->slots = slots;
    if (was_full && !pipe_full(p))
        wake_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
    return pipe_size(p);
}

static int64_t pipe_fcntl(struct file *file, unsigned cmd, uint64_t arg)
{
    struct pipe *p = file->private_data;
    if (cmd == F_GETPIPE_SZ)
        return pipe_size(p);
    return cmd == F_SETPIPE_SZ ? pipe_set_size(p, (uint32_t)arg) : -EINVAL;
}

int fifo_open(struct inode *inode, struct file *file);
void fifo_release(struct file *file);

const struct file_ops fifo_ops = {
    .open = fifo_open,
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .fcntl = pipe_fcntl,
    .release = fifo_release,
    .stream = true,
    .async = true,
};
