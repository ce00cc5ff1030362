/*
 * The set and its ready list: wake-ups in, events out. See epoll.h; registering is in control.c.
 */
#include "fs/epoll/epoll.h"
#include "kernel/signal.h"
#include <stdlib.h>

#define CONTROL_BITS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

static const struct file_ops epoll_ops;

/* ---- becoming ready ---- */

void epoll_item_make_ready(struct epoll_item *item, uint32_t events)
{
    struct epoll *set = item->set;
    spin_lock(&set->ready_lock);
    if (!item->ready) {
        item->ready = true;
        list_add_tail(&set->ready, &item->ready_link);
    }
    spin_unlock(&set->ready_lock);
    wake_one(&set->waiters);
    wake_poll(&set->pollers, EPOLLIN | EPOLLRDNORM);
}

static bool set_has_ready(struct epoll *set)
{
    return __atomic_load_n(&set->ready.next, __ATOMIC_ACQUIRE) != &set->ready;
}

/* ---- delivering ---- */

uint32_t epoll_item_poll(struct epoll_item *item, struct poll_table *table)
{
    /* No reference: dropping it might be the last and end the file, which takes set->lock. While
     * that is held and the item exists, the file is there; at worst its end is waiting in
     * file_ends(). */
    if (refcount_read(&item->file->ref) == 0)
        return 0;
    return vfs_poll(item->file, table) & item->events & ~CONTROL_BITS;
}

static void take_all_ready(struct epoll *set, struct list *to)
{
    list_init(to);
    spin_lock(&set->ready_lock);
    list_splice_tail(to, &set->ready);
    spin_unlock(&set->ready_lock);
}

/* What was not looked at goes back to the front. */
static void give_back(struct epoll *set, struct list *rest)
{
    spin_lock(&set->ready_lock);
    list_splice_tail(rest, &set->ready);
    list_splice_tail(&set->ready, rest);
    spin_unlock(&set->ready_lock);
}

/* The next one of a taken list, or NULL; from here on wake-ups queue it anew. */
static struct epoll_item *next_taken(struct epoll *set, struct list *taken)
{
    spin_lock(&set->ready_lock);
    struct epoll_item *item = list_first(taken, struct epoll_item, ready_link);
    if (item) {
        list_del(&item->ready_link);
        item->ready = false;
    }
    spin_unlock(&set->ready_lock);
    return item;
}

static void requeue(struct epoll_item *item)
{
    struct epoll *set = item->set;
    spin_lock(&set->ready_lock);
    if (!item->ready) {
        item->ready = true;
        list_add_tail(&set->ready, &item->ready_link);
    }
    spin_unlock(&set->ready_lock);
}

static int deliver(struct epoll *set, struct epoll_event *events, int max)
{
    struct list taken;
    struct epoll_item *item;
    int n = 0;
    MUTEX_GUARD(&set->lock);
    take_all_ready(set, &taken);
    while (n < max && (item = next_taken(set, &taken))) {
        uint32_t got = epoll_item_poll(item, NULL);
        if (!got)
            continue;
        events[n++] = (struct epoll_event){.events = got, .data.u64 = item->data};
        if (item->events & EPOLLONESHOT)
            item->events &= CONTROL_BITS;
        else if (!(item->events & EPOLLET))
            requeue(item); /* level: asked again next time */
    }
    give_back(set, &taken);
    return n;
}

/* 0 when something may be ready. */
static int wait_ready(struct epoll *set, int64_t deadline)
{
    struct wait_entry e;
    int err = 0;
    wait_entry_init(&e, NULL);
    e.exclusive = true;
    wait_add(&set->waiters, &e);
    while (!set_has_ready(set) && err == 0) {
        prepare_to_wait();
        if (!set_has_ready(set))
            err = wait_block(deadline, true);
        finish_wait();
    }
    wait_remove(&e);
    return set_has_ready(set) ? 0 : err;
}

int epoll_wait_events(struct epoll *set, struct epoll_event *events, int max, int64_t deadline)
{
    int n = 0, err = 0;
    while (err == 0) {
        if (set_has_ready(set))
            n = deliver(set, events, max);
        if (n > 0 || deadline <= 0)
            break;
        err = wait_ready(set, deadline);
    }
    if (set_has_ready(set))
        wake_one(&set->waiters); /* we may have swallowed a wake-up meant for one */
    return n > 0 ? n : err == -ETIMEDOUT ? 0 : err == -ERESTARTSYS ? -EINTR : err;
}

/* ---- the set as a file ---- */

struct epoll *epoll_of(const struct file *f)
{
    return f->ops == &epoll_ops ? f->private_data : NULL;
}

static uint32_t set_poll(struct file *file, struct poll_table *table)
{
    struct epoll *set = file->private_data;
    struct list taken;
    struct epoll_item *item;
    bool found = false;
    poll_wait(table, &set->pollers);
    if (!set_has_ready(set))
        return 0;
    MUTEX_GUARD(&set->lock);
    take_all_ready(set, &taken);
    while (!found && (item = next_taken(set, &taken))) {
        found = epoll_item_poll(item, NULL) != 0;
        if (found) {
            spin_lock(&set->ready_lock);
            if (!item->ready) {
                item->ready = true;
                list_add(&taken, &item->ready_link);
            }
            spin_unlock(&set->ready_lock);
        }
    }
    give_back(set, &taken);
    return found ? EPOLLIN | EPOLLRDNORM : 0;
}

static void set_release(struct file *file)
{
    struct epoll *set = file->private_data;
    mutex_lock(&epoll_graph_lock);
    mutex_lock(&set->lock);
    struct rb_node *node;
    while ((node = rb_first(&set->items)))
        epoll_item_remove(rb_entry(node, struct epoll_item, node));
    mutex_unlock(&set->lock);
    mutex_unlock(&epoll_graph_lock);
    free(set);
}

static void set_show(struct file *file, struct strbuf *out)
{
    struct epoll *set = file->private_data;
    MUTEX_GUARD(&set->lock);
    for (struct rb_node *node = rb_first(&set->items); node; node = rb_next(node)) {
        struct epoll_item *item = rb_entry(node, struct epoll_item, node);
        strbuf_printf(out, "tfd: %8d events: %8x data: %16llx  pos:0 ino:%llx sdev:%llx\n", item->fd, item->events,
                      (unsigned long long)item->data, (unsigned long long)item->file->inode->attr.ino,
                      (unsigned long long)item->file->inode->attr.dev);
    }
}

static const struct file_ops epoll_ops = {
    .poll = set_poll,
    .release = set_release,
    .show_fdinfo = set_show,
    .lseek_is_noop = true,
    .stream = true,
};

int epoll_new(struct file **ret)
{
    struct epoll *set = calloc(1, sizeof(*set));
    if (!set)
        return -ENOMEM;
    mutex_init(&set->lock);
    list_init(&set->ready);
    wait_queue_init(&set->waiters);
    wait_queue_init(&set->pollers);
    int err = file_new_anon("anon_inode:[eventpoll]", 0600, &epoll_ops, set, O_RDWR, ret);
    if (err < 0)
        free(set);
    else
        set->file = *ret;
    return err;
}
