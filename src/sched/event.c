/*
 * Host events: each worker has an epoll instance with its share of the watched descriptors and,
 * edge-triggered, its own eventfd. A worker that has any sleeps in epoll instead of read(), and
 * looks now and then while it is busy. Events carry an id instead of a pointer, because one may
 * have been removed between epoll_wait() and its delivery.
 */
#include "sched/event.h"
#include "sched/private.h"
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define BATCH 16
#define POLL_INTERVAL (50 * NSEC_PER_USEC) /* of a busy worker */

static struct spinlock events_lock;
static struct rb_root events; /* [events_lock] by id */
static uint64_t last_id;      /* [events_lock] 0 stands for the worker's eventfd */

static struct host_event *find(uint64_t id)
{
    struct rb_node *n = events.node;
    while (n) {
        struct host_event *e = rb_entry(n, struct host_event, node);
        if (e->id == id)
            return e;
        n = id < e->id ? n->left : n->right;
    }
    return NULL;
}

static void insert(struct host_event *e)
{
    struct rb_node *parent = NULL, **link = &events.node;
    while (*link) {
        parent = *link;
        link = e->id < rb_entry(parent, struct host_event, node)->id ? &parent->left : &parent->right;
    }
    rb_insert(&events, &e->node, parent, link);
}

static void forget(struct host_event *e)
{
    spin_lock(&events_lock);
    rb_erase(&events, &e->node);
    spin_unlock(&events_lock);
    atomic_fetch_sub(&e->worker->host_events, 1);
}

int host_event_add(struct host_event *e, int fd, struct wait_queue *queue)
{
    struct worker *w = this_worker();
    *e = (struct host_event){.fd = fd, .queue = queue, .worker = w ? w : &workers[0]};
    atomic_fetch_add(&e->worker->host_events, 1);
    spin_lock(&events_lock);
    e->id = ++last_id;
    insert(e);
    spin_unlock(&events_lock);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.u64 = e->id};
    if (epoll_ctl(e->worker->epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
        int err = -errno;
        forget(e);
        return err;
    }
    worker_poke(e->worker); /* it may sleep in read() */
    return 0;
}

void host_event_remove(struct host_event *e)
{
    epoll_ctl(e->worker->epfd, EPOLL_CTL_DEL, e->fd, NULL);
    forget(e);
}

/* A poke that was seen here is not seen again: the worker has to look at all doorbells before it sleeps. */
static void deliver(struct worker *w, const struct epoll_event *ev, int n)
{
    spin_lock(&events_lock);
    for (int i = 0; i < n; i++) {
        struct host_event *e = ev[i].data.u64 ? find(ev[i].data.u64) : NULL;
        w->woken |= ev[i].data.u64 == 0;
        if (e)
            wake_poll(e->queue, ev[i].events);
    }
    spin_unlock(&events_lock);
}

void worker_poll_events(struct worker *w)
{
    struct epoll_event ev[BATCH];
    if (!atomic_load_explicit(&w->host_events, memory_order_relaxed) || w->now - w->last_events < POLL_INTERVAL)
        return;
    w->last_events = w->now;
    deliver(w, ev, epoll_wait(w->epfd, ev, BATCH, 0));
}

void worker_wait_events(struct worker *w, int64_t deadline)
{
    struct epoll_event ev[BATCH];
    int64_t left = deadline == NO_DEADLINE ? 0 : MAX(deadline - now_monotonic(), (int64_t)0);
    struct timespec ts = {.tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC};
    int n = epoll_pwait2(w->epfd, ev, BATCH, deadline == NO_DEADLINE ? NULL : &ts, NULL);
    if (n > 0)
        deliver(w, ev, n);
}
