/*
 * Timers: a callback at an absolute CLOCK_MONOTONIC time.
 *
 * The callback runs once, on a worker, outside any fiber, with no lock held: it may wake fibers,
 * take spinlocks and re-arm its own timer, and may not block. timer_cancel() returns true if the
 * timer was pending and will not fire; on false it has fired or never was armed, and a callback
 * running right now has returned when timer_cancel() does (so the object around it may be freed;
 * never call it from the callback or holding a lock the callback takes). A timer's owner serialises
 * its calls of timer_arm(); the scheduler must be initialised.
 */
#pragma once
#include "base/base.h"
#include "base/rbtree.h"
#include <stdatomic.h>

struct worker;

struct timer {
    struct rb_node node;
    int64_t deadline;
    void (*func)(struct timer *t);
    _Atomic(struct worker *) worker; /* private, as all of it: the worker whose timers it is among */
    bool armed, running;             /* [that worker's timer lock] */
};

void timer_init(struct timer *t, void (*func)(struct timer *t));
void timer_arm(struct timer *t, int64_t deadline); /* re-arms if pending */
bool timer_cancel(struct timer *t);
