/* A System V message queue, shared by msg.c (sending and receiving) and msg_control.c (msgctl, /proc/sysvipc/msg). */
#pragma once
#include "ipc/namespace.h"
#include "ipc/sysv.h"
#include <sys/msg.h>

struct message {
    struct list link; /* [queue lock] */
    int64_t type;
    uint64_t size;
    char text[];
};

struct msg_queue {
    struct ipc_object o;
    int64_t stime, rtime, ctime;  /* [o.lock] seconds */
    uint64_t bytes, count, limit; /* [o.lock] cbytes, qnum, qbytes */
    struct pid *sender, *receiver; /* [o.lock] references: the last */
    struct list messages;          /* [o.lock] */
    struct list receivers;         /* [o.lock] of msg_receiver.wait.link */
    struct list senders;           /* [o.lock] of ipc_waiter.link */
};

static inline struct msg_queue *msg_queue_of(struct ipc_object *o)
{
    return container_of(o, struct msg_queue, o);
}

/* The queue or who may use it changed: everybody asleep on it looks again. Locked. */
void msg_wake_all(struct msg_queue *q);
