/*
 * Pipes and FIFOs: pipe(7).
 *
 * A pipe is a ring of page-sized buffers between files open for reading and files open for writing.
 * pipe_new_pair() makes one with two nameless files; a FIFO's inode gets one when it is first
 * opened (fifo_ops.open) and loses it with the last close. A pipe lives as long as files are open
 * on it.
 *
 * Readers and writers move bytes under pipe->lock, which may be held across guest accesses. They
 * sleep outside of it, on `readable` and `writable`; a wake is sent only when the ring stops being
 * empty or full (or when a poller asked).
 *
 * splice(2) and friends move whole buffers: fs/pipe/splice.h.
 */
#pragma once
#include "base/refcount.h"
#include "sched/mutex.h"
#include "vfs/file.h"

#define PIPE_DEFAULT_SLOTS 16
#define PIPE_MAX_SIZE (1u << 20) /* /proc/sys/fs/pipe-max-size */
#define PIPE_SPARES 2

/* A page of bytes; tee(2) makes several buffers share one, and a shared one is never appended to.
 * */
struct pipe_page {
    struct refcount ref;
    unsigned char data[PAGE_SIZE];
};

struct pipe_buffer {
    struct pipe_page *page;
    unsigned offset, len;
    bool packet; /* O_DIRECT: one read takes it whole, what does not fit is dropped */
};

struct pipe {
    struct mutex lock;
    struct wait_queue readable, writable;
    struct pipe_buffer *ring;            /* [lock] of `slots` buffers, a power of two */
    _Atomic unsigned slots;              /* [lock] to change */
    _Atomic unsigned head, tail;         /* [lock] to change: free-running; head - tail buffers are used */
    _Atomic unsigned readers, writers;   /* [lock] to change: files open for each */
    _Atomic unsigned reader_opens, writer_opens; /* [lock] to change: ever; what a blocking FIFO open waits for */
    struct pipe_page *spare[PIPE_SPARES]; /* [lock] */
    unsigned spare_count;                /* [lock] */
    _Atomic bool polled;                 /* someone polls: edges matter, wake at every write and read */
    unsigned files;                      /* [fifo_lock] open files; the last one frees the pipe */
};

extern const struct file_ops fifo_ops; /* for every pipe file, named or not; file->private_data is the pipe */

/* pipe2(2): flags O_CLOEXEC (ignored here), O_NONBLOCK, O_DIRECT. */
NODISCARD int pipe_new_pair(unsigned flags, struct file **ret_read, struct file **ret_write);

/* The pipe of a file, or NULL if it is something else. Borrowed from the file. */
struct pipe *pipe_of(const struct file *f);

/* F_GETPIPE_SZ, F_SETPIPE_SZ: the size in bytes, or -EPERM, -EBUSY, -EINVAL, -ENOMEM. */
int64_t pipe_size(const struct pipe *p);
NODISCARD int64_t pipe_set_size(struct pipe *p, uint64_t size);

static inline unsigned pipe_used(const struct pipe *p)
{
    return p->head - p->tail;
}
static inline bool pipe_empty(const struct pipe *p)
{
    return p->head == p->tail;
}
static inline bool pipe_full(const struct pipe *p)
{
    return pipe_used(p) >= p->slots;
}

/* What read(2) and write(2) do. */
ssize_t pipe_read_to(struct pipe *p, struct uio *to, bool nonblock);
ssize_t pipe_write_from(struct pipe *p, struct uio *from, bool packet, bool nonblock);

/* For splice: lock held. A fresh page; the buffer at the tail is used up; a buffer is added at the
 * head. */
struct pipe_page *pipe_page_new(struct pipe *p);
void pipe_page_put(struct pipe *p, struct pipe_page *page);
void pipe_drop_tail(struct pipe *p);
void pipe_push(struct pipe *p, struct pipe_page *page, unsigned offset, unsigned len, bool packet);
static inline struct pipe_buffer *pipe_tail(struct pipe *p)
{
    return &p->ring[p->tail & (p->slots - 1)];
}
/* Sleep until there is something to read / room: 0, -EAGAIN when nonblock, -ERESTARTSYS. Called and
 * returning with the lock held; the condition must be checked again. */
NODISCARD int pipe_wait_readable(struct pipe *p, bool nonblock);
NODISCARD int pipe_wait_writable(struct pipe *p, bool nonblock);
/* After moving bytes, lock not held. */
void pipe_wake_readers(struct pipe *p, bool was_empty);
void pipe_wake_writers(struct pipe *p, bool was_full);
void pipe_broken(void); /* sends SIGPIPE to the current task */
