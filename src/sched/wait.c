/*
 * Wait queues and the sleep below them. The contracts are in wait.h; how a fiber's state moves is
 * in private.h. No wake is lost: a waiter publishes PREPARED (a full barrier) and then looks at its
 * condition; a waker changes the condition and then looks at the queue (a full barrier between), so
 * one of them sees the other.
 */
#include "sched/wait.h"
#include "sched/private.h"
#include "sched/timer.h"

void wait_queue_init(struct wait_queue *q)
{
    spin_init(&q->lock);
    list_init(&q->waiters);
}

void wait_entry_init(struct wait_entry *e, wait_func *func)
{
    *e = (struct wait_entry){.func = func, .fiber = func ? NULL : fiber_or_thread()};
    list_init(&e->link);
}

void wait_add(struct wait_queue *q, struct wait_entry *e)
{
    assert(!e->queue);
    e->queue = q;
    spin_lock(&q->lock);
    list_add_tail(&q->waiters, &e->link);
    spin_unlock(&q->lock);
}

void wait_remove(struct wait_entry *e)
{
    struct wait_queue *q = e->queue;
    if (!q)
        return;
    spin_lock(&q->lock);
    list_del(&e->link);
    spin_unlock(&q->lock);
    e->queue = NULL;
}

/* The peek without the lock is meant: the fence orders it against the waiter's PREPARED. */
__attribute__((no_sanitize("thread"))) bool wait_queue_active(struct wait_queue *q)
{
    atomic_thread_fence(memory_order_seq_cst);
    return __atomic_load_n(&q->waiters.next, __ATOMIC_RELAXED) != &q->waiters;
}

/* Returns true if the fiber was asleep or about to be. */
static bool try_wake(struct fiber *f)
{
    uint32_t state = atomic_load(&f->state);
    for (;;) {
        if (state == FIBER_PREPARED) {
            if (atomic_compare_exchange_weak(&f->state, &state, FIBER_RUNNING))
                return true;
        } else if (state == FIBER_BLOCKED) {
            if (atomic_compare_exchange_weak(&f->state, &state, f->is_thread ? FIBER_RUNNING : FIBER_READY))
                break;
        } else {
            return false;
        }
    }
    if (f->is_thread)
        host_futex_wake(&f->state, 1);
    else
        make_ready(f);
    return true;
}

void fiber_wake(struct fiber *f)
{
    try_wake(f);
}

/* True if an exclusive wake ends with this entry. */
static bool wake_entry(struct wait_entry *e, uint32_t events)
{
    bool took = e->func ? e->func(e, events) : try_wake(e->fiber);
    return took && e->exclusive;
}

void wake_poll(struct wait_queue *q, uint32_t events)
{
    if (!wait_queue_active(q))
        return;
    spin_lock(&q->lock);
    struct wait_entry *e, *tmp;
    list_for_each_safe(e, tmp, &q->waiters, link)
        wake_entry(e, events);
    spin_unlock(&q->lock);
}

void wake_one(struct wait_queue *q)
{
    if (!wait_queue_active(q))
        return;
    spin_lock(&q->lock);
    bool done = false;
    struct wait_entry *e, *tmp;
    list_for_each_safe(e, tmp, &q->waiters, link) {
        /* An exclusive waiter that is awake already does not count: it may be on its way out. */
        if (!e->exclusive || !done)
            done |= wake_entry(e, 0);
    }
    spin_unlock(&q->lock);
}

void prepare_to_wait(void)
{
    atomic_exchange(&fiber_or_thread()->state, FIBER_PREPARED);
}

void finish_wait(void)
{
    atomic_store_explicit(&fiber_or_thread()->state, FIBER_RUNNING, memory_order_relaxed);
}

static void thread_sleep(struct fiber *f, int64_t deadline)
{
    uint32_t state = FIBER_PREPARED;
    atomic_compare_exchange_strong(&f->state, &state, FIBER_BLOCKED);
    while (atomic_load(&f->state) == FIBER_BLOCKED) {
        if (deadline != NO_DEADLINE && now_monotonic() >= deadline) {
            atomic_store(&f->timed_out, true);
            return;
        }
        host_futex_wait(&f->state, FIBER_BLOCKED, deadline);
    }
}

static void fiber_sleep(struct fiber *f, int64_t deadline)
{
    if (deadline != NO_DEADLINE)
        timer_arm(&f->timer, deadline);
    if (atomic_load(&f->state) == FIBER_PREPARED)
        leave_stack(AFTER_BLOCK, NULL);
    if (deadline != NO_DEADLINE)
        timer_cancel(&f->timer);
}

static int block(struct fiber *f, int64_t deadline, bool interruptible)
{
    if (interruptible && atomic_load(&f->interrupted))
        return -ERESTARTSYS;
    if (deadline != NO_DEADLINE && deadline <= now_monotonic())
        return -ETIMEDOUT;
    atomic_store_explicit(&f->timed_out, false, memory_order_relaxed);
    if (f->is_thread) {
        thread_sleep(f, deadline);
    } else {
        if (f->bell)
            doorbell_park(f->bell);
        fiber_sleep(f, deadline);
    }
    if (interruptible && atomic_load(&f->interrupted))
        return -ERESTARTSYS;
    return atomic_load(&f->timed_out) ? -ETIMEDOUT : 0;
}

int wait_block(int64_t deadline, bool interruptible)
{
    struct fiber *f = fiber_or_thread();
    assert(!this_worker() || !f->is_thread); /* a timer callback may not block */
    if (interruptible)
        atomic_store(&f->interruptible, true);
    atomic_store_explicit(&f->blocked_since, now_monotonic(), memory_order_relaxed);
    int err = block(f, deadline, interruptible);
    atomic_store_explicit(&f->blocked_since, 0, memory_order_relaxed);
    if (interruptible)
        atomic_store_explicit(&f->interruptible, false, memory_order_relaxed);
    atomic_store_explicit(&f->state, FIBER_RUNNING, memory_order_relaxed);
    return err;
}

int sleep_until(int64_t deadline)
{
    int err;
    do {
        prepare_to_wait();
        err = wait_block(deadline, true);
    } while (!err);
    return err == -ETIMEDOUT ? 0 : err;
}
