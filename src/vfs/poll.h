/*
 * Readiness. A file's poll operation registers the caller on the file's wait queues through
 * poll_wait() and returns the events that hold now (EPOLLIN, EPOLLOUT, EPOLLHUP, ... as
 * epoll_ctl(2)). Spurious wake-ups are fine, lost ones are not: register first, then look.
 *
 * Three users: poll/select (a fiber on many queues), epoll (a callback entry per registered file),
 * and one-shot checks with table NULL. Edge-triggered users depend on wake_poll(queue, events)
 * naming the events that became true.
 */
#pragma once
#include "sched/wait.h"
#include <sys/epoll.h>

struct poll_table {
    /* Adds a wait entry of the table's owner to q; called under no lock of the file's that a wake
     * takes. */
    void (*queue)(struct poll_table *t, struct wait_queue *q);
};

static inline void poll_wait(struct poll_table *t, struct wait_queue *q)
{
    if (t)
        t->queue(t, q);
}
