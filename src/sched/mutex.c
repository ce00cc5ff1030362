/*
 * Sleeping locks. An uncontended mutex is one exchange of its owner word. Otherwise ownership is
 * handed to the first waiter by whoever unlocks, so a waiter that wakes owns the lock; grants and
 * wakes happen under the lock's spinlock, so a waiter's frame outlives every use of it.
 */
#include "sched/mutex.h"
#include "sched/private.h"

struct sleep_waiter {
    struct list link; /* [lock's spinlock] */
    struct fiber *fiber;
    _Atomic bool granted;
    bool writer; /* rwlock only */
};

static void waiter_init(struct sleep_waiter *w, struct list *waiters, bool writer)
{
    *w = (struct sleep_waiter){.fiber = fiber_or_thread(), .writer = writer};
    list_add_tail(waiters, &w->link);
}

static void waiter_grant(struct sleep_waiter *w)
{
    list_del(&w->link);
    atomic_store(&w->granted, true);
    fiber_wake(w->fiber);
}

static int waiter_sleep(struct sleep_waiter *w, bool interruptible)
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

/* ---- mutex ---- */

#define SLOW ((uintptr_t)1)

void mutex_init(struct mutex *m)
{
    *m = (struct mutex)MUTEX_INIT(*m);
}

bool mutex_trylock(struct mutex *m)
{
    uintptr_t free = 0;
    return atomic_compare_exchange_strong_explicit(&m->owner, &free, (uintptr_t)fiber_or_thread(), memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Takes a mutex that has become free, or marks it so that its owner hands it over. The spinlock is held. */
static bool take_or_mark(struct mutex *m, struct fiber *self)
{
    uintptr_t old = atomic_load_explicit(&m->owner, memory_order_relaxed);
    uintptr_t new;
    do {
        assert_always((old & ~SLOW) != (uintptr_t)self);
        new = old ? old | SLOW : (uintptr_t)self;
    } while (!atomic_compare_exchange_weak_explicit(&m->owner, &old, new, memory_order_acquire, memory_order_relaxed));
    return !old;
}

static int lock_slowly(struct mutex *m, bool interruptible)
{
    struct sleep_waiter w;
    spin_lock(&m->lock);
    if (take_or_mark(m, fiber_or_thread())) {
        spin_unlock(&m->lock);
        return 0;
    }
    waiter_init(&w, &m->waiters, false);
    spin_unlock(&m->lock);
    int err = waiter_sleep(&w, interruptible);
    /* Also waits until whoever granted the mutex has left it: this fiber may be about to free it. */
    spin_lock(&m->lock);
    bool granted = atomic_load(&w.granted);
    list_del(&w.link);
    spin_unlock(&m->lock);
    return granted ? 0 : err;
}

void mutex_lock(struct mutex *m)
{
    if (LIKELY(mutex_trylock(m)))
        return;
    int err = lock_slowly(m, false);
    assert_always(err == 0);
}

int mutex_lock_interruptible(struct mutex *m)
{
    return mutex_trylock(m) ? 0 : lock_slowly(m, true);
}

static void unlock_slowly(struct mutex *m, struct fiber *self)
{
    spin_lock(&m->lock);
    assert_always(atomic_load(&m->owner) == ((uintptr_t)self | SLOW));
    struct sleep_waiter *next = list_first(&m->waiters, struct sleep_waiter, link);
    if (!next) {
        atomic_store(&m->owner, 0);
    } else {
        bool more = next->link.next != &m->waiters;
        atomic_store(&m->owner, (uintptr_t)next->fiber | (more ? SLOW : 0));
        waiter_grant(next);
    }
    spin_unlock(&m->lock);
}

void mutex_unlock(struct mutex *m)
{
    struct fiber *self = fiber_or_thread();
    uintptr_t old = (uintptr_t)self;
    if (UNLIKELY(!atomic_compare_exchange_strong_explicit(&m->owner, &old, 0, memory_order_release,
                                                          memory_order_relaxed)))
        unlock_slowly(m, self);
}

void mutex_assert_held(struct mutex *m)
{
    assert((atomic_load_explicit(&m->owner, memory_order_relaxed) & ~SLOW) == (uintptr_t)fiber_or_thread());
}

/* ---- rwlock ---- */

void rwlock_init(struct rwlock *l)
{
    *l = (struct rwlock){.lock = SPINLOCK_INIT};
    list_init(&l->waiters);
}

/* Lets in whoever is first in line: one writer, or readers up to the next writer. */
static void rwlock_grant(struct rwlock *l)
{
    struct sleep_waiter *w;
    while ((w = list_first(&l->waiters, struct sleep_waiter, link)) && l->readers >= 0) {
        if (w->writer && l->readers > 0)
            return;
        l->readers = w->writer ? -1 : l->readers + 1;
        waiter_grant(w);
    }
}

static void rwlock_lock(struct rwlock *l, bool writer)
{
    struct sleep_waiter w;
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
