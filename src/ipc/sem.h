/* A System V semaphore set, shared by sem.c (operations), sem_undo.c and sem_control.c (semctl, /proc/sysvipc/sem). */
#pragma once
#include "ipc/namespace.h"
#include "ipc/sem_undo.h"
#include "ipc/sysv.h"
#include <sys/sem.h>

#define SEM_VALUE_MAX 32767
#define SEM_ADJUST_MAX 32767

struct sem {
    int value;
    struct pid *last; /* reference */
};

struct sem_set {
    struct ipc_object o;
    unsigned count;       /* [I] */
    struct sem *sems;     /* [o.lock] */
    int64_t otime, ctime; /* [o.lock] seconds */
    struct list pending;  /* [o.lock] of sem_waiter.wait.link, in order of arrival */
    struct list undos;    /* [o.lock] of sem_undo.set_link */
};

/* What one process owes to one set. */
struct sem_undo {
    struct list list_link; /* [list->lock] */
    struct list set_link;  /* [set lock] */
    struct sem_undo_list *list;
    struct sem_set *set;   /* [I] reference */
    int16_t adjust[];      /* [set lock] one a semaphore */
};

struct sem_undo_list {
    struct refcount ref; /* tasks */
    struct mutex lock;   /* before a set's */
    struct list undos;
};

/* A call under way; asleep while on set->pending. */
struct sem_call {
    struct ipc_waiter wait;
    const struct sembuf *ops;
    unsigned count;
    bool alters;
    struct sem_undo *undo;         /* or NULL */
    const struct sembuf *blocking; /* the operation that could not be done */
    struct pid *pid;               /* borrowed */
};

static inline struct sem_set *sem_set_of(struct ipc_object *o)
{
    return container_of(o, struct sem_set, o);
}

/* Something changed: settles the waiting calls that can go on now. Set locked. */
void sem_update_locked(struct sem_set *set);
void sem_set_pid(struct sem *s, struct pid *pid);
/* The current task's debt to the set, made if need be; set not locked. */
NODISCARD int sem_undo_find(struct sem_set *set, struct sem_undo **ret);
