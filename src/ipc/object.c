/*
 * Tables of System V objects, keys, permissions, and sleeping. The contracts are in object.h.
 */
#include "ipc/object.h"
#include "ipc/namespace.h"
#include "kernel/cred.h"
#include "kernel/pid.h"
#include "kernel/user_namespace.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEQ_MAX (INT32_MAX / IPC_SLOTS)
#define FIRST_CAPACITY 16

/* ---- objects ---- */

void ipc_object_init(struct ipc_object *o, enum ipc_kind kind, int32_t key, unsigned mode,
                     void (*free_fn)(struct ipc_object *o))
{
    const struct cred *cred = current_cred();
    refcount_init(&o->ref);
    mutex_init(&o->lock);
    o->kind = kind;
    o->free = free_fn;
    o->key = key;
    o->uid = o->cuid = cred->euid;
    o->gid = o->cgid = cred->egid;
    o->mode = mode & 0777;
}

struct ipc_object *ipc_get(struct ipc_object *o)
{
    refcount_get(&o->ref);
    return o;
}

void ipc_put(struct ipc_object *o)
{
    if (o && refcount_put(&o->ref))
        o->free(o);
}

void ipc_set_pid(struct pid **slot)
{
    struct task *t = current;
    struct pid *fresh = t ? t->process->pid : NULL;
    if (*slot == fresh)
        return;
    if (*slot)
        pid_put(*slot);
    *slot = fresh ? pid_get(fresh) : NULL;
}

/* ---- the table ---- */

void ipc_ids_init(struct ipc_ids *ids)
{
    memset(ids, 0, sizeof(*ids));
    mutex_init(&ids->lock);
    ids->last_slot = -1;
}

static int grow_table(struct ipc_ids *ids)
{
    unsigned capacity = ids->capacity ? ids->capacity * 2 : FIRST_CAPACITY;
    if (capacity > IPC_SLOTS)
        return -ENOSPC;
    struct ipc_object **slots = reallocarray(ids->slots, capacity, sizeof(struct ipc_object *));
    if (!slots)
        return -ENOMEM;
    memset(slots + ids->capacity, 0, (capacity - ids->capacity) * sizeof(struct ipc_object *));
    ids->slots = slots;
    ids->capacity = capacity;
    return 0;
}

static int free_slot(struct ipc_ids *ids)
{
    for (unsigned i = 0; i < ids->capacity; i++)
        if (!ids->slots[i])
            return (int)i;
    int first_new = (int)ids->capacity;
    int err = grow_table(ids);
    return err < 0 ? err : first_new;
}

/* Consumes the reference. */
static int64_t add_locked(struct ipc_namespace *ns, struct ipc_ids *ids, struct ipc_object *o)
{
    int slot = free_slot(ids);
    if (slot < 0)
        return slot;
    if (slot <= ids->last_slot && ++ids->seq >= SEQ_MAX)
        ids->seq = 0;
    ids->last_slot = slot;
    o->seq = ids->seq;
    o->id = (int)(o->seq * IPC_SLOTS) + slot;
    o->ns = ns;
    ids->slots[slot] = o;
    ids->in_use++;
    return o->id;
}

static struct ipc_object *find_key_locked(struct ipc_ids *ids, int32_t key)
{
    for (unsigned i = 0; i < ids->capacity; i++)
        if (ids->slots[i] && !ids->slots[i]->deleted && ids->slots[i]->key == key)
            return ids->slots[i];
    return NULL;
}

static int64_t use_existing(struct ipc_object *o, const struct ipc_get_args *args)
{
    if (args->flags & IPC_CREAT && args->flags & IPC_EXCL)
        return -EEXIST;
    MUTEX_GUARD(&o->lock);
    int err = args->fits(o, args->size);
    if (err == 0)
        err = ipc_permission(o, args->flags);
    return err < 0 ? err : o->id;
}

static int64_t make_new(struct ipc_namespace *ns, struct ipc_ids *ids, const struct ipc_get_args *args)
{
    struct ipc_object *o;
    int err = args->make(ns, args, &o);
    if (err < 0)
        return err;
    int64_t id = add_locked(ns, ids, o);
    if (id < 0)
        ipc_put(o);
    return id;
}

int64_t ipc_get_id(struct ipc_namespace *ns, const struct ipc_get_args *args)
{
    struct ipc_ids *ids = &ns->ids[args->kind];
    MUTEX_GUARD(&ids->lock);
    struct ipc_object *o = args->key == IPC_PRIVATE ? NULL : find_key_locked(ids, args->key);
    if (o)
        return use_existing(o, args);
    if (args->key != IPC_PRIVATE && !(args->flags & IPC_CREAT))
        return -ENOENT;
    return make_new(ns, ids, args);
}

int ipc_find_slot(struct ipc_namespace *ns, enum ipc_kind kind, int slot, struct ipc_object **ret)
{
    struct ipc_ids *ids = &ns->ids[kind];
    mutex_lock(&ids->lock);
    unsigned n = (unsigned)slot % IPC_SLOTS;
    struct ipc_object *o = slot >= 0 && n < ids->capacity && ids->slots[n] ? ipc_get(ids->slots[n]) : NULL;
    mutex_unlock(&ids->lock);
    if (!o)
        return -EINVAL;
    mutex_lock(&o->lock);
    if (o->deleted) {
        ipc_unlock(o);
        return -EIDRM;
    }
    *ret = o;
    return 0;
}

int ipc_find(struct ipc_namespace *ns, enum ipc_kind kind, int id, struct ipc_object **ret)
{
    struct ipc_object *o;
    int err = ipc_find_slot(ns, kind, id, &o);
    if (err < 0)
        return err;
    if (o->id != id) {
        ipc_unlock(o);
        return -EIDRM;
    }
    *ret = o;
    return 0;
}

void ipc_unlock(struct ipc_object *o)
{
    mutex_unlock(&o->lock);
    ipc_put(o);
}

bool ipc_remove_locked(struct ipc_object *o)
{
    struct ipc_namespace *ns = o->ns;
    if (o->deleted || !ns)
        return false;
    o->deleted = true;
    o->ns = NULL;
    mutex_unlock(&o->lock);
    struct ipc_ids *ids = &ns->ids[o->kind];
    mutex_lock(&ids->lock);
    ids->slots[o->id % IPC_SLOTS] = NULL;
    ids->in_use--;
    mutex_unlock(&ids->lock);
    mutex_lock(&o->lock);
    ipc_put(o); /* the table's: the caller has one of its own */
    return true;
}

int ipc_highest(struct ipc_namespace *ns, enum ipc_kind kind, unsigned *ret_in_use)
{
    struct ipc_ids *ids = &ns->ids[kind];
    MUTEX_GUARD(&ids->lock);
    *ret_in_use = ids->in_use;
    for (int i = (int)ids->capacity - 1; i >= 0; i--)
        if (ids->slots[i])
            return i;
    return -1;
}

static bool table_empty(struct ipc_ids *ids)
{
    MUTEX_GUARD(&ids->lock);
    return ids->in_use == 0;
}

void ipc_destroy_all(struct ipc_namespace *ns, enum ipc_kind kind, void (*destroy)(struct ipc_object *o))
{
    struct ipc_ids *ids = &ns->ids[kind];
    for (unsigned i = 0; i < ids->capacity; i++) {
        struct ipc_object *o;
        if (ipc_find_slot(ns, kind, (int)i, &o) < 0)
            continue;
        destroy(o);
        ipc_unlock(o);
    }
    while (!table_empty(ids)) /* a last detach that was quicker is about to take its segment out */
        (void)sleep_until(now_monotonic() + NSEC_PER_MSEC);
    free(ids->slots);
}

/* ---- permissions ---- */

int ipc_permission(const struct ipc_object *o, int flags)
{
    const struct cred *cred = current_cred();
    unsigned asked = (unsigned)(flags >> 6 | flags >> 3 | flags), granted = o->mode;
    if (cred->euid == o->cuid || cred->euid == o->uid)
        granted >>= 6;
    else if (cred_in_group(cred, o->cgid) || cred_in_group(cred, o->gid))
        granted >>= 3;
    return asked & ~granted & 7 && !ns_capable(current_ipc_ns()->common.owner, CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_may_control(const struct ipc_object *o)
{
    uint32_t euid = current_cred()->euid;
    return euid == o->cuid || euid == o->uid || ns_capable(current_ipc_ns()->common.owner, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

void ipc_fill_perm(const struct ipc_object *o, struct ipc_perm *ret)
{
    *ret = (struct ipc_perm){
        .__key = o->key, .uid = uid_to_user(o->uid), .gid = gid_to_user(o->gid),
        .cuid = uid_to_user(o->cuid), .cgid = gid_to_user(o->cgid)};
    ret->__seq = (unsigned short)o->seq;
    ret->mode = (__typeof__(ret->mode))o->mode;
}

int ipc_set_perm(struct ipc_object *o, const struct ipc_perm *from)
{
    uint32_t uid = uid_from_user(from->uid), gid = gid_from_user(from->gid);
    if (uid == ID_INVALID || gid == ID_INVALID)
        return -EINVAL;
    o->uid = uid;
    o->gid = gid;
    o->mode = (o->mode & ~0777u) | ((unsigned)from->mode & 0777);
    return 0;
}

/* ---- sleeping ---- */

void ipc_waiter_init(struct ipc_waiter *w)
{
    *w = (struct ipc_waiter){.fiber = fiber_self()};
    list_init(&w->link);
}

int ipc_wait_locked(struct mutex *lock, struct ipc_waiter *w, int64_t deadline)
{
    int err = 0;
    mutex_unlock(lock);
    while (err == 0) {
        prepare_to_wait();
        if (__atomic_load_n(&w->settled, __ATOMIC_ACQUIRE))
            break;
        err = wait_block(deadline, true);
    }
    finish_wait();
    mutex_lock(lock); /* whoever settles holds it until we are woken: w is not touched after this */
    if (w->settled)
        return 0;
    list_del(&w->link);
    return err;
}

void ipc_settle(struct ipc_waiter *w, int result)
{
    list_del(&w->link);
    w->result = result;
    struct fiber *f = w->fiber;
    __atomic_store_n(&w->settled, true, __ATOMIC_SEQ_CST);
    fiber_wake(f);
}
