/*
 * Host descriptors as event sources: bridges readiness of a host fd (a terminal, a pipe given by
 * the caller, the control socket) to wait queues, through an epoll instance of each worker.
 *
 * host_event_add() registers fd edge-triggered; each readiness change calls wake_poll(queue,
 * events). Users keep the fd non-blocking: try the call, on EAGAIN wait on the queue, try again. A
 * fd that epoll refuses (regular file) gives -EPERM: it is always ready and needs no registration.
 */
#pragma once
#include "base/rbtree.h"
#include "sched/wait.h"

struct host_event {
    int fd;                   /* [I] not owned */
    struct wait_queue *queue; /* [I] */
    struct worker *worker;    /* [I] private: whose epoll instance watches it */
    uint64_t id;              /* [I] private */
    struct rb_node node;      /* private */
};

NODISCARD int host_event_add(struct host_event *e, int fd, struct wait_queue *queue);
void host_event_remove(struct host_event *e); /* no wake comes from it after this returns */
