/*
 * epoll(7): a set of files watched for readiness.
 *
 * Each registration (struct epoll_item) hangs callbacks on the wait queues of its file. A wake
 * moves the item to its set's ready list; epoll_wait() asks only the files on that list, so its
 * cost is that of what is ready.
 *
 * A registration ends by EPOLL_CTL_DEL, with the last reference to the watched file (vfs/file.c
 * calls the release hook), or with the set. It holds no reference to the file.
 *
 * Locks, in order:
 *   epoll_graph_lock (mutex)   all sets: sets inside sets, and the ends of watched files and sets
 *   set->lock (mutex)          registrations, delivering; an outer set's before an inner one's
 *   links_lock (spinlock)      file->epoll_items of all files
 *   queue locks, then set->ready_lock (spinlock), then set->waiters and set->pollers
 */
#pragma once
#include "base/rbtree.h"
#include "sched/mutex.h"
#include "vfs/file.h"
#include <sys/epoll.h>

#define EPOLL_MAX_DEPTH 5 /* sets inside sets */

struct epoll {
    struct mutex lock;
    struct rb_root items;       /* [lock] by file and descriptor */
    unsigned count;             /* [lock] */
    struct spinlock ready_lock;
    struct list ready;          /* [ready_lock] of epoll_item.ready_link */
    struct wait_queue waiters;  /* epoll_wait() */
    struct wait_queue pollers;  /* whoever polls the set itself */
    struct file *file;          /* [I] weak: the set's own */
};

struct epoll_item {
    struct rb_node node;        /* [set->lock] */
    struct list file_link;      /* [links_lock] of file->epoll_items */
    struct list ready_link;     /* [set->ready_lock] */
    bool ready;                 /* [set->ready_lock] on a ready list, or taken off by a delivery and not yet asked */
    struct epoll *set;          /* [I] */
    struct file *file;          /* [I] weak */
    int fd;                     /* [I] */
    _Atomic uint32_t events;    /* what is asked for, with EPOLLET and its like */
    uint64_t data;              /* [set->lock] */
    struct epoll_hook *hooks;   /* [I] after registration: entries on the file's queues */
};

void epoll_init(void); /* at boot: learns of the end of files */
NODISCARD int epoll_new(struct file **ret);
struct epoll *epoll_of(const struct file *f); /* NULL if it is something else */

/* op: EPOLL_CTL_...; `file` is what fd refers to. 0 or -errno as epoll_ctl(2). */
NODISCARD int epoll_control(struct epoll *set, int op, int fd, struct file *file, const struct epoll_event *event);
/* Sleeps until something is ready: how many of `max` events were written; 0 when the deadline has
 * passed; -EINTR. */
NODISCARD int epoll_wait_events(struct epoll *set, struct epoll_event *events, int max, int64_t deadline);

/* ---- between epoll.c and control.c ---- */

extern struct mutex epoll_graph_lock;
/* Asks the item's file: the wanted events that hold. set->lock held. */
uint32_t epoll_item_poll(struct epoll_item *item, struct poll_table *table);
void epoll_item_make_ready(struct epoll_item *item, uint32_t events);
/* set->lock held: takes the registration apart and frees it. */
void epoll_item_remove(struct epoll_item *item);
