/*
 * Host calls that may take long, and the monitor that keeps them from stalling a CPU's other
 * fibers.
 *
 * host_call_begin() marks the thread; host_call_end() unmarks it. A monitor thread looks once a
 * millisecond, and only while calls are being made: a thread it finds in the same call twice loses
 * its seat to a spare thread, which goes on with the worker's queue, doorbells, timers and events.
 * When the call returns, host_call_end() notices, puts the fiber into the worker's queue, and the
 * thread becomes a spare itself.
 */
#include "base/log.h"
#include "sched/fiber.h"
#include "sched/private.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define TICK NSEC_PER_MSEC
#define LINGER 20 /* ticks without a call after which the monitor goes to sleep */

enum call_state { CALL_NONE, CALL_RUNNING, CALL_TAKEN };

static struct {
    pthread_t pthread;
    _Atomic uint32_t armed; /* [a] futex: the monitor sleeps while it is 0 */
    struct spinlock lock;
    struct list spares;     /* [lock] threads without a worker */
    uint32_t last_call[MAX_WORKERS]; /* [monitor] */
} monitor;

static void arm(void)
{
    if (!atomic_exchange(&monitor.armed, 1))
        host_futex_wake(&monitor.armed, 1);
}

void host_call_begin(void)
{
    if (!in_fiber())
        return;
    struct thread *t = fiber_self()->thread;
    assert(atomic_load(&t->call_state) == CALL_NONE);
    atomic_store_explicit(&t->call_number, t->call_number + 1, memory_order_relaxed);
    atomic_exchange(&t->call_state, CALL_RUNNING); /* before `armed` is looked at: see monitor_sleep() */
    if (UNLIKELY(!atomic_load_explicit(&monitor.armed, memory_order_relaxed)))
        arm();
}

void host_call_end(void)
{
    if (!in_fiber())
        return;
    struct thread *t = fiber_self()->thread;
    if (UNLIKELY(atomic_exchange(&t->call_state, CALL_NONE) == CALL_TAKEN)) {
        struct worker *lost = t->worker;
        t->worker = NULL;
        leave_stack(AFTER_LOST_SEAT, lost);
    }
}

/* ---- spare threads ---- */

void thread_wait_for_seat(struct thread *t)
{
    spin_lock(&monitor.lock);
    atomic_store(&t->seated, 0);
    list_add(&monitor.spares, &t->spare_link);
    spin_unlock(&monitor.lock);
    while (!atomic_load(&t->seated) && !sched_stopping())
        host_futex_wait(&t->seated, 0, NO_DEADLINE);
}

static struct thread *take_spare(void)
{
    spin_lock(&monitor.lock);
    struct thread *t = list_first(&monitor.spares, struct thread, spare_link);
    if (t)
        list_del(&t->spare_link);
    spin_unlock(&monitor.lock);
    return t;
}

/* Gives the seat of a thread that was just marked CALL_TAKEN to a spare one. */
static void hand_over(struct worker *w)
{
    struct thread *t = take_spare();
    w->woken = true; /* the new thread looks at everything */
    if (!t) {
        w->thread = thread_start(w);
        return;
    }
    w->thread = t;
    t->worker = w;
    atomic_store(&t->seated, 1);
    host_futex_wake(&t->seated, 1);
}

/* ---- the monitor ---- */

/* True if a thread is in a host call. */
static bool check_worker(struct worker *w)
{
    struct thread *t = w->thread;
    uint32_t running = CALL_RUNNING;
    if (atomic_load(&t->call_state) != CALL_RUNNING)
        return false;
    uint32_t number = atomic_load(&t->call_number);
    bool again = number == monitor.last_call[w->index];
    monitor.last_call[w->index] = number;
    /* A call that began after the number was read loses its seat early: harmless. */
    if (again && atomic_compare_exchange_strong(&t->call_state, &running, CALL_TAKEN))
        hand_over(w);
    return true;
}

static bool check_all(void)
{
    bool busy = false;
    for (unsigned i = 0; i < worker_count; i++)
        busy |= check_worker(&workers[i]);
    return busy;
}

/* Sleeps until a host call is begun. One begun before `armed` was cleared is seen by the check. */
static void monitor_sleep(void)
{
    atomic_exchange(&monitor.armed, 0);
    if (check_all())
        atomic_store(&monitor.armed, 1);
    while (!atomic_load(&monitor.armed) && !sched_stopping())
        host_futex_wait(&monitor.armed, 0, NO_DEADLINE);
}

static void *monitor_main(void *arg)
{
    const struct timespec tick = {.tv_nsec = TICK};
    int quiet = LINGER;
    while (!sched_stopping()) {
        if (quiet >= LINGER) {
            monitor_sleep();
            quiet = 0;
        }
        nanosleep(&tick, NULL);
        quiet = check_all() ? 0 : quiet + 1;
    }
    return NULL;
}

void monitor_start(void)
{
    list_init(&monitor.spares);
    atomic_store(&monitor.armed, 0);
    int err = pthread_create(&monitor.pthread, NULL, monitor_main, NULL);
    assert_always(err == 0);
}

/* sched_stop() has been called. Wakes the spares too. */
void monitor_stop(void)
{
    arm();
    pthread_join(monitor.pthread, NULL);
    struct thread *t;
    while ((t = take_spare())) {
        atomic_store(&t->seated, 1);
        host_futex_wake(&t->seated, 1);
    }
}
