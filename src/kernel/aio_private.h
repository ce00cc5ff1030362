/* A context of asynchronous I/O and its requests: aio.c, aio_submit.c. */
#pragma once
#include "base/list.h"
#include "base/refcount.h"
#include "kernel/aio.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include <linux/aio_abi.h>

struct aio_context {
    struct refcount ref;  /* its space, calls under way, polls */
    struct list link;     /* [mm->lock] of mm->aio */
    uaddr_t id;           /* [I] */
    unsigned max;         /* [I] requests and events together */
    struct mutex lock;
    bool dead;            /* [lock] */
    unsigned active;      /* [lock] requests that have not become events yet */
    unsigned head, count; /* [lock] of events */
    struct io_event *events; /* [lock] max of them, a ring */
    struct list polls;       /* [lock] of aio_poll.link */
    struct wait_queue queue; /* an event came, or a poll is over */
};

/* The event of a request that was counted in `active`; eventfd (or NULL) is told. */
void aio_complete(struct aio_context *c, uint64_t data, uaddr_t iocb, int64_t result, struct file *eventfd);
void aio_cancel_polls(struct aio_context *c);
