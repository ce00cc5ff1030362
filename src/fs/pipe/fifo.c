/*
 * Opening and closing pipes: pipe(2), and open(2) of a FIFO with its rules of who waits for whom:
 * fifo(7).
 *
 * inode->pipe is set while files are open; fifo_lock protects it and pipe->files. A nameless pipe
 * has an inode as well, so /proc/self/fd/N of a pipe can be opened like a FIFO, but never waits.
 */
#include "vfs/anon.h"
#include "fs/pipe/pipe.h"
#include "vfs/dentry.h"
#include <stdlib.h>

int fifo_open(struct inode *inode, struct file *file);
void fifo_release(struct file *file);

static struct spinlock fifo_lock = SPINLOCK_INIT;

static struct pipe *pipe_new(void)
{
    struct pipe *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->ring = calloc(PIPE_DEFAULT_SLOTS, sizeof(*p->ring));
    if (!p->ring) {
        free(p);
        return NULL;
    }
    p->slots = PIPE_DEFAULT_SLOTS;
    mutex_init(&p->lock);
    wait_queue_init(&p->readable);
    wait_queue_init(&p->writable);
    return p;
}

static void pipe_free(struct pipe *p)
{
    while (!pipe_empty(p))
        pipe_drop_tail(p);
    while (p->spare_count > 0)
        free(p->spare[--p->spare_count]);
    free(p->ring);
    free(p);
}

/* The inode's pipe with one more file on it, made if need be; NULL when out of memory. */
static struct pipe *inode_pipe(struct inode *inode)
{
    struct pipe *fresh = inode->pipe ? NULL : pipe_new();
    spin_lock(&fifo_lock);
    if (!inode->pipe)
        inode->pipe = TAKE_PTR(fresh);
    struct pipe *p = inode->pipe;
    if (p)
        p->files++;
    spin_unlock(&fifo_lock);
    if (fresh)
        pipe_free(fresh);
    return p;
}

static void drop_file(struct inode *inode, struct pipe *p)
{
    spin_lock(&fifo_lock);
    bool last = --p->files == 0;
    if (last)
        inode->pipe = NULL;
    spin_unlock(&fifo_lock);
    if (last)
        pipe_free(p);
}

static void add_end(struct pipe *p, struct file *file)
{
    MUTEX_GUARD(&p->lock);
    if (file_readable(file)) {
        p->reader_opens++;
        p->readers++;
    }
    if (file_writable(file)) {
        p->writer_opens++;
        p->writers++;
    }
}

static void remove_end(struct pipe *p, struct file *file)
{
    mutex_lock(&p->lock);
    if (file_readable(file))
        p->readers--;
    if (file_writable(file))
        p->writers--;
    bool half = (p->readers == 0) != (p->writers == 0);
    mutex_unlock(&p->lock);
    if (half) {
        wake_poll(&p->readable, EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP);
        wake_poll(&p->writable, EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP);
    }
}

/* A blocking open of one end waits until the other has been opened, even if it is closed again by
 * then. */
static int wait_for_partner(struct pipe *p, struct file *file)
{
    uint32_t access = file->flags & O_ACCMODE;
    if (access == O_RDONLY && p->writers == 0) {
        unsigned seen = p->writer_opens;
        if (!file_nonblock(file))
            return wait_event_interruptible(&p->readable, p->writer_opens != seen);
        file->pos = seen;
    } else if (access == O_WRONLY && p->readers == 0) {
        unsigned seen = p->reader_opens;
        return wait_event_interruptible(&p->writable, p->reader_opens != seen);
    }
    return 0;
}

int fifo_open(struct inode *inode, struct file *file)
{
    struct pipe *p = inode_pipe(inode);
    if (!p)
        return -ENOMEM;
    bool named = !file->path.dentry->anon_name;
    if (named && (file->flags & O_ACCMODE) == O_WRONLY && file_nonblock(file) && p->readers == 0) {
        drop_file(inode, p);
        return -ENXIO;
    }
    file->private_data = p;
    file->pos = -1; /* no count of writer_opens: a lone reader sees the hang-up */
    add_end(p, file);
    wake_all(&p->readable);
    wake_all(&p->writable);
    int err = named ? wait_for_partner(p, file) : 0;
    if (err < 0) {
        remove_end(p, file);
        drop_file(inode, p);
    }
    return err;
}

void fifo_release(struct file *file)
{
    struct pipe *p = file->private_data;
    remove_end(p, file);
    drop_file(file->inode, p);
}

int pipe_new_pair(unsigned flags, struct file **ret_read, struct file **ret_write)
{
    CLEANUP_FILE struct file *rd = NULL;
    struct file *wr;
    struct pipe *p = pipe_new();
    if (!p)
        return -ENOMEM;
    flags &= O_NONBLOCK | O_DIRECT;
    int err = anon_file_numbered("pipe", S_IFIFO | 0600, &fifo_ops, p, O_RDONLY | flags, &rd);
    if (err < 0) {
        pipe_free(p);
        return err;
    }
    rd->inode->pipe = p;
    rd->pos = -1;
    p->files = 1;
    p->readers = 1;
    p->reader_opens = 1;
    err = file_new(&rd->path, &fifo_ops, O_WRONLY | flags, &wr);
    if (err < 0)
        return err;
    wr->private_data = p;
    spin_lock(&fifo_lock);
    p->files++;
    spin_unlock(&fifo_lock);
    p->writers = 1;
    p->writer_opens = 1;
    *ret_read = TAKE_PTR(rd);
    *ret_write = wr;
    return 0;
}

struct pipe *pipe_of(const struct file *f)
{
    return f->ops == &fifo_ops ? f->private_data : NULL;
}
