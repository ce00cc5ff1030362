/*
 * System V semaphores: making sets and operating on them (semget(2), semop(2)).
 *
 * A call's operations are done all or none. One that cannot be done waits in the set's queue; whoever changes the set
 * does the waiting calls that have become possible, in order of arrival, on their behalf. Locks: the set's.
 */
#include "ipc/sem.h"
#include "base/cleanup.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include <stdlib.h>
#include <string.h>

/* ---- sets ---- */

static void sem_free(struct ipc_object *o)
{
    struct sem_set *set = sem_set_of(o);
    for (unsigned i = 0; i < set->count; i++)
        if (set->sems[i].last)
            pid_put(set->sems[i].last);
    free(set->sems);
    free(set);
}

void sem_destroy_locked(struct ipc_object *o)
{
    struct sem_set *set = sem_set_of(o);
    struct ipc_namespace *ns = o->ns;
    if (!ipc_remove_locked(o))
        return;
    atomic_fetch_sub(&ns->sem_total, set->count);
    struct ipc_waiter *w;
    while ((w = list_first(&set->pending, struct ipc_waiter, link)))
        ipc_settle(w, -EIDRM);
}

static int sem_fits(struct ipc_object *o, uint64_t count)
{
    return count > sem_set_of(o)->count ? -EINVAL : 0;
}

static int sem_make(struct ipc_namespace *ns, const struct ipc_get_args *args, struct ipc_object **ret)
{
    unsigned count = (unsigned)args->size;
    if (count == 0)
        return -EINVAL;
    if (ns->sem_total + count > ns->semmns || ns->ids[IPC_SEM].in_use >= ns->semmni)
        return -ENOSPC;
    struct sem_set *set = calloc(1, sizeof(*set));
    if (!set)
        return -ENOMEM;
    set->sems = calloc(count, sizeof(*set->sems));
    if (!set->sems) {
        free(set);
        return -ENOMEM;
    }
    ipc_object_init(&set->o, IPC_SEM, args->key, (unsigned)args->flags, sem_free);
    set->count = count;
    set->ctime = now_realtime() / NSEC_PER_SEC;
    list_init(&set->pending);
    list_init(&set->undos);
    atomic_fetch_add(&ns->sem_total, count);
    *ret = &set->o;
    return 0;
}

int64_t do_semget(int32_t key, int count, int flags)
{
    struct ipc_namespace *ns = current_ipc_ns();
    if (count < 0 || (unsigned)count > ns->semmsl)
        return -EINVAL;
    const struct ipc_get_args args = {
        .kind = IPC_SEM, .key = key, .flags = flags, .size = (uint64_t)count, .fits = sem_fits, .make = sem_make};
    return ipc_get_id(ns, &args);
}

/* ---- operations ---- */

void sem_set_pid(struct sem *s, struct pid *pid)
{
    if (s->last == pid)
        return;
    if (s->last)
        pid_put(s->last);
    s->last = pid_get(pid);
}

static void take_back(struct sem_set *set, const struct sem_call *c, unsigned done)
{
    while (done-- > 0) {
        const struct sembuf *op = &c->ops[done];
        set->sems[op->sem_num].value -= op->sem_op;
        if (op->sem_flg & SEM_UNDO)
            c->undo->adjust[op->sem_num] = (int16_t)(c->undo->adjust[op->sem_num] + op->sem_op);
    }
}

/* 0, 1 when it has to wait, or -errno. */
static int try_op(struct sem_set *set, struct sem_call *c, const struct sembuf *op)
{
    struct sem *s = &set->sems[op->sem_num];
    int result = s->value + op->sem_op;
    if ((op->sem_op == 0 && s->value != 0) || result < 0) {
        c->blocking = op;
        return op->sem_flg & IPC_NOWAIT ? -EAGAIN : 1;
    }
    if (result > SEM_VALUE_MAX)
        return -ERANGE;
    if (op->sem_flg & SEM_UNDO) {
        int adjust = c->undo->adjust[op->sem_num] - op->sem_op;
        if (adjust < -SEM_ADJUST_MAX - 1 || adjust > SEM_ADJUST_MAX)
            return -ERANGE;
        c->undo->adjust[op->sem_num] = (int16_t)adjust;
    }
    s->value = result;
    return 0;
}

/* All of the call's operations, or none: as try_op(). */
static int try_call(struct sem_set *set, struct sem_call *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        int r = try_op(set, c, &c->ops[i]);
        if (r != 0) {
            take_back(set, c, i);
            return r;
        }
    }
    for (unsigned i = 0; i < c->count; i++)
        sem_set_pid(&set->sems[c->ops[i].sem_num], c->pid);
    return 0;
}

/* One round over the waiting calls; true if one of those that went on altered the set. */
static bool settle_round(struct sem_set *set)
{
    struct ipc_waiter *w, *next;
    list_for_each_safe (w, next, &set->pending, link) {
        struct sem_call *c = container_of(w, struct sem_call, wait);
        int r = try_call(set, c);
        if (r > 0)
            continue;
        ipc_settle(w, r);
        if (r == 0 && c->alters)
            return true; /* those before it may be possible now */
    }
    return false;
}

void sem_update_locked(struct sem_set *set)
{
    while (settle_round(set))
        ;
}

static int wait_call(struct sem_set *set, struct sem_call *c, int64_t deadline)
{
    ipc_waiter_init(&c->wait);
    list_add_tail(&set->pending, &c->wait.link);
    int err = ipc_wait_locked(&set->o.lock, &c->wait, deadline);
    if (err == -ETIMEDOUT)
        return -EAGAIN;
    return err < 0 ? -EINTR : c->wait.result; /* never restarted: signal(7) */
}

static int run_call(struct sem_set *set, struct sem_call *c, int64_t deadline)
{
    int r = try_call(set, c);
    if (r == 0 && c->alters)
        sem_update_locked(set);
    if (r > 0)
        r = wait_call(set, c, deadline);
    if (r == 0)
        set->otime = now_realtime() / NSEC_PER_SEC;
    return r;
}

static void look_at_ops(struct sem_call *c, unsigned *ret_highest, bool *ret_undo)
{
    *ret_highest = 0;
    *ret_undo = false;
    for (unsigned i = 0; i < c->count; i++) {
        *ret_highest = MAX(*ret_highest, (unsigned)c->ops[i].sem_num);
        *ret_undo |= (c->ops[i].sem_flg & SEM_UNDO) != 0;
        c->alters |= c->ops[i].sem_op != 0;
    }
}

/* The set is locked on entry and exit. */
static int prepare_undo(struct sem_set *set, struct sem_call *c)
{
    mutex_unlock(&set->o.lock);
    int err = sem_undo_find(set, &c->undo);
    mutex_lock(&set->o.lock);
    return err < 0 ? err : set->o.deleted ? -EIDRM : 0;
}

int64_t do_semop(int id, const struct sembuf *ops, unsigned count, int64_t deadline)
{
    struct sem_call c = {.ops = ops, .count = count, .pid = current->process->pid};
    struct ipc_object *o;
    unsigned highest;
    bool undo;
    int err = ipc_find(current_ipc_ns(), IPC_SEM, id, &o);
    if (err < 0)
        return err;
    struct sem_set *set = sem_set_of(o);
    look_at_ops(&c, &highest, &undo);
    if (highest >= set->count)
        err = -EFBIG;
    if (err == 0)
        err = ipc_permission(o, c.alters ? 0222 : 0444);
    if (err == 0 && undo)
        err = prepare_undo(set, &c);
    if (err == 0)
        err = run_call(set, &c, deadline);
    ipc_unlock(o);
    return err;
}
