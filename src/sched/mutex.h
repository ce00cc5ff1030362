/*
 * Sleeping locks for fibers: a contended mutex_lock() blocks the fiber, not the worker. May be held
 * across host calls, guest accesses and waits. Not recursive. FIFO hand-over, so nobody starves.
 * rwlock: many readers or one writer; writers waiting block new readers.
 */
#pragma once
#include "sched/wait.h"

struct mutex {
    _Atomic uintptr_t owner; /* [a] the fiber, or a plain thread's stand-in; bit 0: the way out is the slow one */
    struct spinlock lock;
    struct list waiters;     /* [lock] */
};

#define MUTEX_INIT(m) {.lock = SPINLOCK_INIT, .waiters = LIST_INIT((m).waiters)}

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
NODISCARD bool mutex_trylock(struct mutex *m);
NODISCARD int mutex_lock_interruptible(struct mutex *m); /* 0 or -ERESTARTSYS */
void mutex_unlock(struct mutex *m);
void mutex_assert_held(struct mutex *m);

static inline void mutex_unlock_cleanup(struct mutex **m)
{
    if (*m)
        mutex_unlock(*m);
}
/* Holds `m` to the end of the scope. */
#define MUTEX_GUARD(m)                                                        \
    __attribute__((cleanup(mutex_unlock_cleanup))) UNUSED struct mutex *mutex_guard_ = (m); \
    mutex_lock(mutex_guard_)

struct rwlock {
    struct spinlock lock;
    int readers;          /* [lock] >0 readers, -1 a writer */
    struct list waiters;  /* [lock] */
};

void rwlock_init(struct rwlock *l);
void read_lock(struct rwlock *l);
void read_unlock(struct rwlock *l);
void write_lock(struct rwlock *l);
void write_unlock(struct rwlock *l);
