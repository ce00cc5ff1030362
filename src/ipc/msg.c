/*
 * System V message queues: msgget(2), msgsnd(2), msgrcv(2).
 *
 * A receiver that finds nothing waits in q->receivers with what it wants; a sender hands its message to the first that
 * wants it, else it goes to the queue. A sender without room waits in q->senders and tries again. Locks: the queue's.
 */
#include "ipc/msg.h"
#include "base/cleanup.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <stdlib.h>
#include <string.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

#define AGAIN 1 /* settled with this: look at the queue again */

enum msg_want { WANT_ANY, WANT_EQUAL, WANT_OTHER, WANT_AT_MOST, WANT_NUMBER };

struct msg_receiver {
    struct ipc_waiter wait;
    enum msg_want want;
    int64_t type;
    uint64_t size;
    int flags;
    struct pid *pid;     /* borrowed */
    struct message *got; /* owned */
};

/* ---- queues ---- */

static void msg_free(struct ipc_object *o)
{
    struct msg_queue *q = msg_queue_of(o);
    struct message *m;
    while ((m = list_first(&q->messages, struct message, link))) {
        list_del(&m->link);
        free(m);
    }
    if (q->sender)
        pid_put(q->sender);
    if (q->receiver)
        pid_put(q->receiver);
    free(q);
}

static void settle_everybody(struct msg_queue *q, int result)
{
    struct ipc_waiter *w;
    while ((w = list_first(&q->receivers, struct ipc_waiter, link)))
        ipc_settle(w, result);
    while ((w = list_first(&q->senders, struct ipc_waiter, link)))
        ipc_settle(w, result);
}

void msg_wake_all(struct msg_queue *q)
{
    settle_everybody(q, AGAIN);
}

void msg_destroy_locked(struct ipc_object *o)
{
    struct msg_queue *q = msg_queue_of(o);
    struct ipc_namespace *ns = o->ns;
    if (!ipc_remove_locked(o))
        return;
    atomic_fetch_sub(&ns->msg_bytes, q->bytes);
    atomic_fetch_sub(&ns->msg_count, q->count);
    settle_everybody(q, -EIDRM);
}

static int msg_fits(struct ipc_object *o, uint64_t size)
{
    return 0;
}

static int msg_make(struct ipc_namespace *ns, const struct ipc_get_args *args, struct ipc_object **ret)
{
    if (ns->ids[IPC_MSG].in_use >= ns->msgmni)
        return -ENOSPC;
    struct msg_queue *q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    ipc_object_init(&q->o, IPC_MSG, args->key, (unsigned)args->flags, msg_free);
    q->ctime = now_realtime() / NSEC_PER_SEC;
    q->limit = ns->msgmnb;
    list_init(&q->messages);
    list_init(&q->receivers);
    list_init(&q->senders);
    *ret = &q->o;
    return 0;
}

int64_t do_msgget(int32_t key, int flags)
{
    const struct ipc_get_args args = {.kind = IPC_MSG, .key = key, .flags = flags, .fits = msg_fits, .make = msg_make};
    return ipc_get_id(current_ipc_ns(), &args);
}

/* ---- messages ---- */

static int message_read(uaddr_t from, uint64_t size, int64_t type, struct message **ret)
{
    CLEANUP_FREE struct message *m = malloc(sizeof(*m) + size);
    if (!m)
        return -ENOMEM;
    list_init(&m->link);
    m->type = type;
    m->size = size;
    if (copy_from_user(m->text, from, size))
        return -EFAULT;
    *ret = TAKE_PTR(m);
    return 0;
}

static void account(struct msg_queue *q, const struct message *m, int sign)
{
    uint64_t size = sign > 0 ? m->size : -m->size, one = (uint64_t)(int64_t)sign;
    q->bytes += size;
    q->count += one;
    atomic_fetch_add(&q->o.ns->msg_bytes, size);
    atomic_fetch_add(&q->o.ns->msg_count, one);
}

static void unlink_message(struct msg_queue *q, struct message *m)
{
    list_del(&m->link);
    account(q, m, -1);
    struct ipc_waiter *w;
    while ((w = list_first(&q->senders, struct ipc_waiter, link)))
        ipc_settle(w, AGAIN);
}

/* ---- sending ---- */

static bool wants(const struct msg_receiver *r, const struct message *m)
{
    switch (r->want) {
    case WANT_EQUAL:
        return m->type == r->type;
    case WANT_OTHER:
        return m->type != r->type;
    case WANT_AT_MOST:
        return m->type <= r->type;
    default:
        return true;
    }
}

/* To a receiver that waits for it: true if one took it. */
static bool hand_over(struct msg_queue *q, struct message *m)
{
    struct ipc_waiter *w, *next;
    list_for_each_safe (w, next, &q->receivers, link) {
        struct msg_receiver *r = container_of(w, struct msg_receiver, wait);
        if (!wants(r, m))
            continue;
        if (r->size < m->size && !(r->flags & MSG_NOERROR)) {
            ipc_settle(w, -E2BIG);
            continue;
        }
        r->got = m;
        q->rtime = now_realtime() / NSEC_PER_SEC;
        if (q->receiver)
            pid_put(q->receiver);
        q->receiver = pid_get(r->pid);
        ipc_settle(w, 0);
        return true;
    }
    return false;
}

static bool has_room(const struct msg_queue *q, uint64_t size)
{
    return size + q->bytes <= q->limit && q->count + 1 <= q->limit;
}

static int wait_for_room(struct msg_queue *q)
{
    struct ipc_waiter w;
    ipc_waiter_init(&w);
    list_add_tail(&q->senders, &w.link);
    int err = ipc_wait_locked(&q->o.lock, &w, NO_DEADLINE);
    if (err < 0)
        return -ERESTARTNOHAND;
    return w.result < 0 ? w.result : q->o.deleted ? -EIDRM : 0;
}

/* Consumes the message on success. */
static int send_locked(struct msg_queue *q, struct message *m, int flags)
{
    for (;;) {
        int err = ipc_permission(&q->o, 0222);
        if (err < 0)
            return err;
        if (has_room(q, m->size))
            break;
        err = flags & IPC_NOWAIT ? -EAGAIN : wait_for_room(q);
        if (err < 0)
            return err;
    }
    ipc_set_pid(&q->sender);
    q->stime = now_realtime() / NSEC_PER_SEC;
    if (hand_over(q, m))
        return 0;
    list_add_tail(&q->messages, &m->link);
    account(q, m, 1);
    return 0;
}

int64_t do_msgsnd(int id, uaddr_t msg, uint64_t size, int flags)
{
    struct ipc_namespace *ns = current_ipc_ns();
    struct ipc_object *o;
    CLEANUP_FREE struct message *m = NULL;
    int64_t type;
    if (get_user(&type, msg))
        return -EFAULT;
    if (size > ns->msgmax || size > INT64_MAX || id < 0 || type < 1)
        return -EINVAL;
    int err = message_read(msg + sizeof(type), size, type, &m);
    if (err == 0)
        err = ipc_find(ns, IPC_MSG, id, &o);
    if (err < 0)
        return err;
    err = send_locked(msg_queue_of(o), m, flags);
    if (err == 0)
        (void)TAKE_PTR(m);
    ipc_unlock(o);
    return err;
}

/* ---- receiving ---- */

static enum msg_want decode_type(int64_t *type, int flags)
{
    if (flags & MSG_COPY)
        return WANT_NUMBER;
    if (*type == 0)
        return WANT_ANY;
    if (*type < 0) {
        *type = *type == INT64_MIN ? INT64_MAX : -*type;
        return WANT_AT_MOST;
    }
    return flags & MSG_EXCEPT ? WANT_OTHER : WANT_EQUAL;
}

static struct message *find_message(struct msg_queue *q, const struct msg_receiver *r)
{
    struct message *m, *best = NULL;
    int64_t number = 0;
    list_for_each (m, &q->messages, link) {
        if (r->want == WANT_NUMBER) {
            if (number++ == r->type)
                return m;
        } else if (wants(r, m)) {
            if (r->want != WANT_AT_MOST)
                return m;
            if (!best || m->type < best->type)
                best = m;
        }
    }
    return best;
}

static int copy_message(const struct message *from, uint64_t room, struct message **ret)
{
    if (from->size > room)
        return -EINVAL;
    struct message *m = malloc(sizeof(*m) + from->size);
    if (!m)
        return -ENOMEM;
    memcpy(m, from, sizeof(*m) + from->size);
    list_init(&m->link);
    *ret = m;
    return 0;
}

/* 0 with r->got set, AGAIN when there is none, or -errno. */
static int take_message(struct msg_queue *q, struct msg_receiver *r)
{
    int err = ipc_permission(&q->o, 0444);
    struct message *m = err < 0 ? NULL : find_message(q, r);
    if (!m)
        return err < 0 ? err : AGAIN;
    if (r->size < m->size && !(r->flags & MSG_NOERROR))
        return -E2BIG;
    if (r->flags & MSG_COPY)
        return copy_message(m, r->size, &r->got);
    r->got = m;
    ipc_set_pid(&q->receiver);
    q->rtime = now_realtime() / NSEC_PER_SEC;
    unlink_message(q, m);
    return 0;
}

static int receive_locked(struct msg_queue *q, struct msg_receiver *r)
{
    for (;;) {
        int err = take_message(q, r);
        if (err != AGAIN)
            return err;
        if (r->flags & IPC_NOWAIT)
            return -ENOMSG;
        ipc_waiter_init(&r->wait);
        list_add_tail(&q->receivers, &r->wait.link);
        err = ipc_wait_locked(&q->o.lock, &r->wait, NO_DEADLINE);
        if (err < 0)
            return -ERESTARTNOHAND;
        if (r->wait.result != AGAIN)
            return r->wait.result;
        if (q->o.deleted)
            return -EIDRM;
    }
}

static int64_t give_message(const struct message *m, uaddr_t to, uint64_t size)
{
    size = MIN(size, m->size);
    if (put_user(&m->type, to) || copy_to_user(to + sizeof(m->type), m->text, size))
        return -EFAULT;
    return (int64_t)size;
}

int64_t do_msgrcv(int id, uaddr_t msg, uint64_t size, int64_t type, int flags)
{
    struct ipc_object *o;
    if (id < 0 || size > INT64_MAX)
        return -EINVAL;
    if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
        return -EINVAL;
    struct msg_receiver r = {.type = type, .size = size, .flags = flags, .pid = current->process->pid};
    r.want = decode_type(&r.type, flags);
    int err = ipc_find(current_ipc_ns(), IPC_MSG, id, &o);
    if (err < 0)
        return err;
    err = receive_locked(msg_queue_of(o), &r);
    ipc_unlock(o);
    CLEANUP_FREE struct message *got = r.got;
    return err < 0 ? err : give_message(got, msg, size);
}
