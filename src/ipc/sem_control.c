/* semctl(2), and /proc/sysvipc/sem. */
#include "base/cleanup.h"
#include "ipc/sem.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <stdlib.h>
#include <string.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

#define FIXED_TOTAL (32000 * 32000) /* what was the default when Linux was built, whatever the limits are now */

/* ---- what is asked ---- */

static int64_t sem_info(struct ipc_namespace *ns, bool usage, uaddr_t buf)
{
    unsigned in_use;
    int highest = ipc_highest(ns, IPC_SEM, &in_use);
    struct seminfo info = {
        .semmap = FIXED_TOTAL,
        .semmni = (int)ns->semmni,
        .semmns = (int)ns->semmns,
        .semmnu = FIXED_TOTAL,
        .semmsl = (int)ns->semmsl,
        .semopm = (int)ns->semopm,
        .semume = 500,
        .semusz = usage ? (int)in_use : 20,
        .semvmx = SEM_VALUE_MAX,
        .semaem = usage ? (int)ns->sem_total : SEM_ADJUST_MAX,
    };
    return put_user(&info, buf) ? -EFAULT : MAX(highest, 0);
}

static int64_t stat_set(struct ipc_namespace *ns, int id, int cmd, uaddr_t buf)
{
    struct ipc_object *o;
    int err = cmd == IPC_STAT ? ipc_find(ns, IPC_SEM, id, &o) : ipc_find_slot(ns, IPC_SEM, id, &o);
    if (err < 0)
        return err;
    struct sem_set *set = sem_set_of(o);
    struct semid_ds ds = {.sem_nsems = set->count, .sem_otime = set->otime, .sem_ctime = set->ctime};
    ipc_fill_perm(o, &ds.sem_perm);
    err = cmd == SEM_STAT_ANY ? 0 : ipc_permission(o, 0444);
    int shown = o->id;
    ipc_unlock(o);
    if (err < 0)
        return err;
    return put_user(&ds, buf) ? -EFAULT : cmd == IPC_STAT ? 0 : shown;
}

/* How many calls wait for semaphore `index` to rise, or to be zero? */
static int count_waiting(struct sem_set *set, int index, bool zero)
{
    struct ipc_waiter *w;
    int n = 0;
    list_for_each (w, &set->pending, link) {
        const struct sembuf *op = container_of(w, struct sem_call, wait)->blocking;
        n += op->sem_num == index && (op->sem_op == 0) == zero;
    }
    return n;
}

static int64_t get_one(struct sem_set *set, int index, int cmd)
{
    if (index < 0 || (unsigned)index >= set->count)
        return -EINVAL;
    struct sem *s = &set->sems[index];
    switch (cmd) {
    case GETVAL:
        return s->value;
    case GETPID:
        return s->last ? pid_number(s->last) : 0;
    default:
        return count_waiting(set, index, cmd == GETZCNT);
    }
}

/* ---- values as arrays; the guest's memory is touched with the set unlocked ---- */

static int64_t get_all(struct ipc_object *o, uaddr_t to)
{
    struct sem_set *set = sem_set_of(o);
    CLEANUP_FREE uint16_t *values = calloc(set->count, sizeof(*values));
    for (unsigned i = 0; values && i < set->count; i++)
        values[i] = (uint16_t)set->sems[i].value;
    mutex_unlock(&o->lock);
    int err = !values ? -ENOMEM : copy_to_user(to, values, set->count * sizeof(*values)) ? -EFAULT : 0;
    mutex_lock(&o->lock);
    return err;
}

static int read_values(struct sem_set *set, uaddr_t from, uint16_t *values)
{
    if (copy_from_user(values, from, set->count * sizeof(*values)))
        return -EFAULT;
    for (unsigned i = 0; i < set->count; i++)
        if (values[i] > SEM_VALUE_MAX)
            return -ERANGE;
    return 0;
}

static void forgive_debts(struct sem_set *set, int index)
{
    struct sem_undo *u;
    list_for_each (u, &set->undos, set_link) {
        if (index >= 0)
            u->adjust[index] = 0;
        else
            memset(u->adjust, 0, set->count * sizeof(u->adjust[0]));
    }
}

static int64_t set_all(struct ipc_object *o, uaddr_t from)
{
    struct sem_set *set = sem_set_of(o);
    CLEANUP_FREE uint16_t *values = calloc(set->count, sizeof(*values));
    mutex_unlock(&o->lock);
    int err = values ? read_values(set, from, values) : -ENOMEM;
    mutex_lock(&o->lock);
    if (err == 0 && o->deleted)
        err = -EIDRM;
    if (err < 0)
        return err;
    for (unsigned i = 0; i < set->count; i++) {
        set->sems[i].value = values[i];
        sem_set_pid(&set->sems[i], current->process->pid);
    }
    forgive_debts(set, -1);
    set->ctime = now_realtime() / NSEC_PER_SEC;
    sem_update_locked(set);
    return 0;
}

static int64_t use_values(struct ipc_namespace *ns, int id, int index, int cmd, uint64_t arg)
{
    struct ipc_object *o;
    int64_t ret = ipc_find(ns, IPC_SEM, id, &o);
    if (ret < 0)
        return ret;
    ret = ipc_permission(o, cmd == SETALL ? 0222 : 0444);
    if (ret == 0)
        ret = cmd == GETALL ? get_all(o, arg) : cmd == SETALL ? set_all(o, arg) : get_one(sem_set_of(o), index, cmd);
    ipc_unlock(o);
    return ret;
}

/* ---- what is changed ---- */

static int64_t set_one(struct ipc_namespace *ns, int id, int index, int value)
{
    struct ipc_object *o;
    if (value < 0 || value > SEM_VALUE_MAX)
        return -ERANGE;
    int err = ipc_find(ns, IPC_SEM, id, &o);
    if (err < 0)
        return err;
    struct sem_set *set = sem_set_of(o);
    err = index < 0 || (unsigned)index >= set->count ? -EINVAL : ipc_permission(o, 0222);
    if (err == 0) {
        set->sems[index].value = value;
        sem_set_pid(&set->sems[index], current->process->pid);
        forgive_debts(set, index);
        set->ctime = now_realtime() / NSEC_PER_SEC;
        sem_update_locked(set);
    }
    ipc_unlock(o);
    return err;
}

static int64_t change_set(struct ipc_namespace *ns, int id, int cmd, uaddr_t buf)
{
    struct ipc_object *o;
    struct semid_ds ds;
    if (cmd == IPC_SET && get_user(&ds, buf))
        return -EFAULT;
    int err = ipc_find(ns, IPC_SEM, id, &o);
    if (err < 0)
        return err;
    err = ipc_may_control(o);
    if (err == 0 && cmd == IPC_RMID)
        sem_destroy_locked(o);
    if (err == 0 && cmd == IPC_SET)
        err = ipc_set_perm(o, &ds.sem_perm);
    if (err == 0 && cmd == IPC_SET)
        sem_set_of(o)->ctime = now_realtime() / NSEC_PER_SEC;
    ipc_unlock(o);
    return err;
}

int64_t do_semctl(int id, int index, int cmd, uint64_t arg)
{
    struct ipc_namespace *ns = current_ipc_ns();
    if (id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SEM_INFO:
        return sem_info(ns, cmd == SEM_INFO, arg);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return stat_set(ns, id, cmd, arg);
    case GETALL:
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
    case SETALL:
        return use_values(ns, id, index, cmd, arg);
    case SETVAL:
        return set_one(ns, id, index, (int)arg);
    case IPC_SET:
    case IPC_RMID:
        return change_set(ns, id, cmd, arg);
    default:
        return -EINVAL;
    }
}

/* ---- /proc/sysvipc/sem ---- */

static void show_one(const struct sem_set *set, struct strbuf *out)
{
    const struct ipc_object *o = &set->o;
    strbuf_printf(out, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", o->key, o->id, o->mode, set->count,
                  o->uid, o->gid, o->cuid, o->cgid, (long long)set->otime, (long long)set->ctime);
}

void sem_show(struct ipc_namespace *ns, struct strbuf *out)
{
    unsigned in_use;
    int highest = ipc_highest(ns, IPC_SEM, &in_use);
    strbuf_puts(out, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    for (int slot = 0; slot <= highest; slot++) {
        struct ipc_object *o;
        if (ipc_find_slot(ns, IPC_SEM, slot, &o) < 0)
            continue;
        show_one(sem_set_of(o), out);
        ipc_unlock(o);
    }
}
