/* Debts to semaphores. See sem_undo.h. Locks: a list's, then a set's. */
#include "ipc/sem_undo.h"
#include "ipc/sem.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include <sched.h>
#include <stdlib.h>

static int list_make(struct task *t)
{
    if (t->sem_undo)
        return 0;
    struct sem_undo_list *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    refcount_init(&l->ref);
    mutex_init(&l->lock);
    list_init(&l->undos);
    t->sem_undo = l;
    return 0;
}

static struct sem_undo *find_locked(struct sem_undo_list *l, struct sem_set *set)
{
    struct sem_undo *u;
    list_for_each (u, &l->undos, list_link)
        if (u->set == set)
            return u;
    return NULL;
}

int sem_undo_find(struct sem_set *set, struct sem_undo **ret)
{
    struct task *t = current;
    int err = list_make(t);
    if (err < 0)
        return err;
    struct sem_undo_list *l = t->sem_undo;
    MUTEX_GUARD(&l->lock);
    struct sem_undo *u = find_locked(l, set);
    if (!u) {
        u = calloc(1, sizeof(*u) + set->count * sizeof(u->adjust[0]));
        if (!u)
            return -ENOMEM;
        u->list = l;
        u->set = sem_set_of(ipc_get(&set->o));
        list_add_tail(&l->undos, &u->list_link);
        mutex_lock(&set->o.lock);
        list_add_tail(&set->undos, &u->set_link);
        mutex_unlock(&set->o.lock);
    }
    *ret = u;
    return 0;
}

int sem_undo_clone(struct task *child, struct task *from, bool share)
{
    if (!share)
        return 0;
    int err = list_make(from);
    if (err < 0)
        return err;
    refcount_get(&from->sem_undo->ref);
    child->sem_undo = from->sem_undo;
    return 0;
}

static void settle_debt(struct sem_undo *u, struct pid *pid)
{
    struct sem_set *set = u->set;
    bool changed = false;
    mutex_lock(&set->o.lock);
    list_del(&u->set_link);
    for (unsigned i = 0; i < set->count && !set->o.deleted; i++) {
        if (u->adjust[i] == 0)
            continue;
        int value = set->sems[i].value + u->adjust[i];
        set->sems[i].value = value < 0 ? 0 : MIN(value, SEM_VALUE_MAX);
        sem_set_pid(&set->sems[i], pid);
        changed = true;
    }
    if (changed) {
        set->otime = now_realtime() / NSEC_PER_SEC;
        sem_update_locked(set);
    }
    ipc_unlock(&set->o);
    free(u);
}

void sem_undo_exit(struct task *t)
{
    struct sem_undo_list *l = t->sem_undo;
    struct sem_undo *u;
    t->sem_undo = NULL;
    if (!l || !refcount_put(&l->ref))
        return;
    while ((u = list_first(&l->undos, struct sem_undo, list_link))) {
        list_del(&u->list_link);
        settle_debt(u, t->process->pid);
    }
    free(l);
}
