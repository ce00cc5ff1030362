/*
 * What System V objects have in common: keys and ids, owners and permissions (svipc(7)), and how a task sleeps on one.
 *
 * A struct ipc_object is embedded in a segment, a set or a queue. It is in the table of its kind and namespace
 * (struct ipc_ids) from ipc_add() to ipc_remove(), which marks it deleted; references keep the memory. An id is the
 * slot in the table and a sequence number that tells successive users of a slot apart (EIDRM).
 *
 *     err = ipc_find(ns, IPC_SEM, id, &o);       a reference, o->lock held
 *     ... ipc_unlock(o);                          gives both back
 *
 * Locks, in order: ids->lock, object->lock. mm->lock comes before both.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "sched/mutex.h"
#include <sys/ipc.h>

struct ipc_namespace;
struct pid;

enum ipc_kind { IPC_SHM, IPC_SEM, IPC_MSG, IPC_KIND_COUNT };

#define IPC_SLOTS 32768 /* of one table: IPCMNI of Linux */

struct ipc_object {
    struct refcount ref;
    struct mutex lock;
    enum ipc_kind kind;             /* [I] */
    void (*free)(struct ipc_object *o); /* [I] the last reference went */
    struct ipc_namespace *ns;       /* [lock] weak; NULL once deleted */
    int id;                         /* [I] after ipc_add() */
    unsigned seq;                   /* [I] */
    bool deleted;                   /* [lock] out of the table */
    int32_t key;                    /* [lock, ids->lock to change] */
    uint32_t uid, gid, cuid, cgid;  /* [lock] the creator's do not change */
    uint32_t mode;                  /* [lock] */
};

struct ipc_ids {
    struct mutex lock;
    struct ipc_object **slots; /* [lock] a reference each */
    unsigned capacity;         /* [lock] */
    unsigned in_use;           /* [lock] */
    int last_slot;             /* [lock] the slot given out last: going back to a lower one starts a new sequence */
    unsigned seq;              /* [lock] */
};

void ipc_ids_init(struct ipc_ids *ids);

/* A fresh object: one reference, lock not held, owned by the current task; not in any table. */
void ipc_object_init(struct ipc_object *o, enum ipc_kind kind, int32_t key, unsigned mode,
                     void (*free_fn)(struct ipc_object *o));
struct ipc_object *ipc_get(struct ipc_object *o);
void ipc_put(struct ipc_object *o);

/* shmget, semget, msgget: finds by key or makes one. `fits`: may an object that is there be had with these arguments
 * (0 or -errno)? `make`: a fresh object (unreferenced by any table yet); called with the table locked. */
struct ipc_get_args {
    enum ipc_kind kind;
    int32_t key;
    int flags;
    uint64_t size;
    int (*fits)(struct ipc_object *o, uint64_t size);
    int (*make)(struct ipc_namespace *ns, const struct ipc_get_args *args, struct ipc_object **ret);
};
int64_t ipc_get_id(struct ipc_namespace *ns, const struct ipc_get_args *args);

/* A locked and referenced object. By id: -EINVAL, -EIDRM; by slot (SHM_STAT and its like): -EINVAL. */
NODISCARD int ipc_find(struct ipc_namespace *ns, enum ipc_kind kind, int id, struct ipc_object **ret);
NODISCARD int ipc_find_slot(struct ipc_namespace *ns, enum ipc_kind kind, int slot, struct ipc_object **ret);
void ipc_unlock(struct ipc_object *o);
/* Out of its table; o->lock is held and let go of for a moment. False: somebody else was quicker. */
bool ipc_remove_locked(struct ipc_object *o);

/* flags as of an access: S_IRUGO, S_IWUGO, or a mode as shmget takes it. -EACCES. */
NODISCARD int ipc_permission(const struct ipc_object *o, int flags);
NODISCARD int ipc_may_control(const struct ipc_object *o); /* IPC_SET, IPC_RMID: -EPERM */
void ipc_fill_perm(const struct ipc_object *o, struct ipc_perm *ret);
NODISCARD int ipc_set_perm(struct ipc_object *o, const struct ipc_perm *from);
/* The highest slot in use, or -1; and how many are. */
int ipc_highest(struct ipc_namespace *ns, enum ipc_kind kind, unsigned *ret_in_use);
/* Everything goes: `destroy` is called with each object, in turn, locked. */
void ipc_destroy_all(struct ipc_namespace *ns, enum ipc_kind kind, void (*destroy)(struct ipc_object *o));

/* The process a call comes from, as objects remember it. Replaces the reference in *slot. */
void ipc_set_pid(struct pid **slot);

/* ---- sleeping on an object ---- */

/* A task that waits for others to settle its call: they set the result, under the object's lock. */
struct ipc_waiter {
    struct list link;      /* [object lock] */
    struct fiber *fiber;   /* [I] */
    bool settled;          /* [object lock to set] */
    int result;            /* [object lock] */
};
void ipc_waiter_init(struct ipc_waiter *w);
/* Lets go of the lock, sleeps, takes it again: 0 when settled, else -ERESTARTSYS or -ETIMEDOUT. */
NODISCARD int ipc_wait_locked(struct mutex *lock, struct ipc_waiter *w, int64_t deadline);
void ipc_settle(struct ipc_waiter *w, int result); /* takes it off its list */
