/*
 * Sleeping locks. Ownership is handed to the first waiter by whoever unlocks, so a waiter that wakes owns the lock;
 * grants and wakes happen under the lock's spinlock, so a waiter's frame outlives every use of it.
 */
#include "sched/mutex.h"
#include "sched/private.h"

struct lock_waiter {
    struct list link; /* [lock's spinlock] */
    struct fiber *fiber;
    _Atomic bool granted;
    bool writer; /* rwlock only */
};

static void waiter_init(struct lock_waiter *w, struct list *waiters, bool writer)
{
    *w = (struct lock_waiter){.fiber = fiber_or_thread(), .writer = writer};
    list_add_tail(waiters, &w->link);
}

static void waiter_grant(struct lock_waiter *w)
{
    list_del(&w->link);
    atomic_store(&w->granted, true);
    fiber_wake(w->fiber);
}

static int waiter_sleep(struct lock_waiter *w, bool interruptible)
{
    int err = 0;
    for (;;) {
        prepare_to_wait();
        if (atomic_load(&w->granted) || err)
            break;
        err = wait_block(NO_DEADLINE, interruptible);
    }
    finish_wait();
    return err;
}

void mutex_init(struct mutex *m)
{
    *m = (struct mutex)MUTEX_INIT(*m);
}

bool mutex_trylock(struct mutex *m)
{
    spin_lock(&m->lock);
    bool free = !m->owner;
    if (free)
        m->owner = fiber_or_thread();
    spin_unlock(&m->lock);
    return free;
}

static int lock_mutex(struct mutex *m, bool interruptible)
{
    struct fiber *self = fiber_or_thread();
    struct lock_waiter w;
    spin_lock(&m->lock);
    if (!m->owner) {
        m->owner = self;
        spin_unlock(&m->lock);
        return 0;
    }
    assert_always(m->owner != self);
    waiter_init(&w, &m->waiters, false);
    spin_unlock(&m->lock);
    int err = waiter_sleep(&w, interruptible);
    if (!err)
        return 0;
    spin_lock(&m->lock);
    bool granted = atomic_load(&w.granted);
    list_del(&w.link);
    spin_unlock(&m->lock);
    return granted ? 0 : err;
}

void mutex_lock(struct mutex *m)
{
    int err = lock_mutex(m, false);
    assert_always(err == 0);
}

int mutex_lock_interruptible(struct mutex *m)
{
    return lock_mutex(m, true);
}

void mutex_unlock(struct mutex *m)
{
    spin_lock(&m->lock);
    assert_always(m->owner == fiber_or_thread());
    struct lock_waiter *next = list_first(&m->waiters, struct lock_waiter, link);
    m->owner = next ? next->fiber : NULL;
    if (next)
        waiter_grant(next);
    spin_unlock(&m->lock);
}

void mutex_assert_held(struct mutex *m)
{
    assert(m->owner == fiber_or_thread());
}

void rwlock_init(struct rwlock *l)
{
    *l = (struct rwlock){.lock = SPINLOCK_INIT};
    list_init(&l->waiters);
}

/* Lets in whoever is first in line: one writer, or readers up to the next writer. */
static void rwlock_grant(struct rwlock *l)
{
    struct lock_waiter *w;
    while ((w = list_first(&l->waiters, struct lock_waiter, link)) && l->readers >= 0) {
        if (w->writer && l->readers > 0)
            return;
        l->readers = w->writer ? -1 : l->readers + 1;
        waiter_grant(w);
    }
}

static void rwlock_lock(struct rwlock *l, bool writer)
{
    struct lock_waiter w;
    spin_lock(&l->lock);
    waiter_init(&w, &l->waiters, writer);
    rwlock_grant(l);
    spin_unlock(&l->lock);
    waiter_sleep(&w, false);
}

static void rwlock_unlock(struct rwlock *l, bool writer)
{
    spin_lock(&l->lock);
    assert_always(writer ? l->readers == -1 : l->readers > 0);
    l->readers = writer ? 0 : l->readers - 1;
    rwlock_grant(l);
    spin_unlock(&l->lock);
}

void read_lock(struct rwlock *l)
{
    spin_lock(&l->lock);
    bool free = l->readers >= 0 && list_empty(&l->waiters);
    if (free)
        l->readers++;
    spin_unlock(&l->lock);
    if (!free)
        rwlock_lock(l, false);
}

void write_lock(struct rwlock *l)
{
    spin_lock(&l->lock);
    bool free = l->readers == 0 && list_empty(&l->waiters);
    if (free)
        l->readers = -1;
    spin_unlock(&l->lock);
    if (!free)
        rwlock_lock(l, true);
}

void read_unlock(struct rwlock *l)
{
    rwlock_unlock(l, false);
}

void write_unlock(struct rwlock *l)
{
    rwlock_unlock(l, true);
}
