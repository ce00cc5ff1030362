/* Contexts of asynchronous I/O: their life and their events. See aio.h. */
#include "kernel/aio_private.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include <stdlib.h>
#include <sys/mman.h>

static _Atomic uint64_t events_in_use;

uint64_t aio_in_use(void)
{
    return events_in_use;
}

/* ---- life ---- */

void aio_put(struct aio_context *c)
{
    if (!refcount_put(&c->ref))
        return;
    atomic_fetch_sub(&events_in_use, c->max);
    free(c->events);
    free(c);
}

static int context_new(unsigned max, struct aio_context **ret)
{
    if (atomic_fetch_add(&events_in_use, max) + max > AIO_MAX_NR) {
        atomic_fetch_sub(&events_in_use, max);
        return -EAGAIN;
    }
    struct aio_context *c = calloc(1, sizeof(*c));
    struct io_event *events = calloc(max, sizeof(*events));
    if (!c || !events) {
        atomic_fetch_sub(&events_in_use, max);
        free(c);
        free(events);
        return -ENOMEM;
    }
    refcount_init(&c->ref);
    c->max = max;
    c->events = events;
    mutex_init(&c->lock);
    list_init(&c->polls);
    wait_queue_init(&c->queue);
    *ret = c;
    return 0;
}

int64_t aio_setup(unsigned events, uaddr_t *ret_id)
{
    struct aio_context *c;
    struct mm *mm = current->mm;
    if (events == 0 || events > 0x10000000U / sizeof(struct io_event))
        return -EINVAL;
    int err = context_new(events, &c);
    if (err < 0)
        return err;
    /* Where libaio looks for a ring to read events from by itself: zeroes tell it that there is none. */
    int64_t page = do_mmap(0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
    if (page < 0) {
        aio_put(c);
        return page;
    }
    c->id = *ret_id = (uaddr_t)page;
    MUTEX_GUARD(&mm->lock);
    list_add_tail(&mm->aio, &c->link);
    return 0;
}

int aio_find(uaddr_t id, struct aio_context **ret)
{
    struct mm *mm = current->mm;
    struct aio_context *c;
    MUTEX_GUARD(&mm->lock);
    list_for_each (c, &mm->aio, link)
        if (c->id == id) {
            refcount_get(&c->ref);
            *ret = c;
            return 0;
        }
    return -EINVAL;
}

static bool is_quiet(struct aio_context *c)
{
    MUTEX_GUARD(&c->lock);
    return c->active == 0;
}

/* Out of its space already; consumes that reference. Returns when nothing of it goes on any more. */
static void context_end(struct aio_context *c)
{
    mutex_lock(&c->lock);
    c->dead = true;
    aio_cancel_polls(c);
    mutex_unlock(&c->lock);
    wake_all(&c->queue);
    wait_event(&c->queue, is_quiet(c));
    aio_put(c);
}

static struct aio_context *unlink_context(struct mm *mm, uaddr_t id)
{
    struct aio_context *c;
    MUTEX_GUARD(&mm->lock);
    list_for_each (c, &mm->aio, link)
        if (!id || c->id == id) {
            list_del(&c->link);
            return c;
        }
    return NULL;
}

int64_t aio_destroy(uaddr_t id)
{
    struct aio_context *c = id ? unlink_context(current->mm, id) : NULL;
    if (!c)
        return -EINVAL;
    context_end(c);
    (void)do_munmap(id, PAGE_SIZE);
    return 0;
}

void aio_exit(struct mm *mm)
{
    struct aio_context *c;
    while ((c = unlink_context(mm, 0)))
        context_end(c);
}

/* ---- events ---- */

static void tell_eventfd(struct file *eventfd)
{
    uint64_t one = 1;
    struct uio u;
    uio_init_kernel(&u, &one, sizeof(one));
    (void)vfs_write(eventfd, &u);
}

void aio_complete(struct aio_context *c, uint64_t data, uaddr_t iocb, int64_t result, struct file *eventfd)
{
    mutex_lock(&c->lock);
    c->events[(c->head + c->count) % c->max] = (struct io_event){.data = data, .obj = iocb, .res = result};
    c->count++;
    c->active--;
    mutex_unlock(&c->lock);
    wake_all(&c->queue);
    if (eventfd)
        tell_eventfd(eventfd);
}

static bool has_events(struct aio_context *c, int64_t n)
{
    MUTEX_GUARD(&c->lock);
    return c->count >= n || c->dead;
}

/* What is there, one by one; the number. */
static int64_t take_events(struct aio_context *c, int64_t nr, uaddr_t to)
{
    MUTEX_GUARD(&c->lock);
    int64_t done = 0;
    while (done < nr && c->count > 0) {
        struct io_event *e = &c->events[c->head];
        if (copy_to_user_partial(to + (uint64_t)done * sizeof(*e), e, sizeof(*e)) != sizeof(*e))
            return done ? done : -EFAULT;
        c->head = (c->head + 1) % c->max;
        c->count--;
        done++;
    }
    return done;
}

int64_t aio_get_events(struct aio_context *c, int64_t min, int64_t nr, uaddr_t to, int64_t deadline)
{
    int64_t done = 0;
    if (min < 0 || min > nr)
        return -EINVAL;
    for (;;) {
        int64_t got = take_events(c, nr - done, to + (uint64_t)done * sizeof(struct io_event));
        if (got < 0)
            return done ? done : got;
        done += got;
        if (done >= min || c->dead)
            break;
        int err = wait_event_timeout(&c->queue, has_events(c, MIN(min - done, (int64_t)c->max)), deadline);
        if (err < 0 && !has_events(c, 1))
            return done ? done : err == -ETIMEDOUT ? 0 : -EINTR;
        if (err < 0)
            min = done; /* take what came meanwhile, and no more waiting */
    }
    return done == 0 && c->dead && min > 0 ? -EINVAL : done;
}
