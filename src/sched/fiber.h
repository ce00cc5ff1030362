/*
 * Fibers: the kernel's threads of control.
 *
 * A fiber is straight-line, blocking C on a small stack of its own. Worker threads (one a CPU) run
 * whichever fibers are ready; a fiber may resume on another worker than the one it blocked on, so
 * it never keeps the address of a thread-local variable across a call that can block. Every guest
 * thread is served by one fiber; the kernel's own background work (stub pool, host events) uses
 * fibers too.
 *
 *     struct fiber *f = fiber_new("task", main_fn, arg);   NULL when out of memory
 *     fiber_start(f);                                      from any thread; main_fn runs on some worker
 *     ... main_fn returns: the fiber is gone.
 *
 * Stacks are FIBER_STACK_SIZE bytes, aligned to their size, with an unmapped guard below;
 * fiber_self() finds the current fiber from the stack pointer alone.
 */
#pragma once
#include "base/base.h"

#ifdef __SANITIZE_ADDRESS__
#define FIBER_STACK_SIZE (256 * 1024) /* its frames are several times as large */
#else
#define FIBER_STACK_SIZE (64 * 1024)
#endif
#define FIBER_HEADER_SIZE 256 /* struct fiber, at the high end of the stack */

struct fiber;

NODISCARD struct fiber *fiber_new(const char *name, void (*fn)(void *arg), void *arg);
void fiber_start(struct fiber *f);
void fiber_discard(struct fiber *f); /* one that was never started */
bool in_fiber(void); /* false on plain threads (boot, unit tests without a scheduler) and in timer callbacks */
void fiber_yield(void);

/* The fiber that runs. Only where in_fiber(): elsewhere the answer is garbage. */
static inline struct fiber *fiber_self(void)
{
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    return (struct fiber *)((sp & ~(FIBER_STACK_SIZE - 1UL)) + FIBER_STACK_SIZE - FIBER_HEADER_SIZE);
}

/* Storage for the owner of the fiber: the task. current (kernel/task.h) is fiber_local() of fiber_self(). */
static inline void fiber_set_local(struct fiber *f, void *local)
{
    *(void **)f = local;
}
static inline void *fiber_local(const struct fiber *f)
{
    return *(void *const *)f;
}

/*
 * Interruption. An interrupted fiber returns -ERESTARTSYS from interruptible waits, at once and
 * until fiber_clear_interrupt(). Set when a signal becomes deliverable; see kernel/signal.h.
 */
void fiber_interrupt(struct fiber *f);
void fiber_clear_interrupt(struct fiber *f);
bool fiber_interrupted(const struct fiber *f);
/* Monotonic: when the wait began that it is in; 0: it is in none. The fiber exists. For debugging. */
int64_t fiber_blocked_since(const struct fiber *f);

/* The scheduler. sched_run() starts `workers` threads (0: one a CPU) and returns when sched_stop() is called. */
int sched_init(unsigned workers);
int sched_run(void);
void sched_stop(int status); /* sched_run() returns `status` */
int64_t now_monotonic(void); /* ns, CLOCK_MONOTONIC */
int64_t now_realtime(void);  /* ns, CLOCK_REALTIME */

/*
 * A host call that may take long (disk, a lock on the host) goes between these, so that the CPU's
 * other fibers move to another worker if it does. Cheap when it does not. Not nested; no spinlock
 * held.
 */
void host_call_begin(void);
void host_call_end(void);
