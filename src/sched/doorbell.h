/*
 * Doorbells: how a fiber waits for a word in memory shared with a stub to change.
 *
 * A stub posts a request by storing DOORBELL_RING into its state word. The fiber that serves it
 * sleeps in doorbell_wait(); idle workers poll the words of all sleeping doorbells for a while (the
 * spin policy below), then clear `polled` in the shared memory and sleep in the host, whereupon a
 * stub that posts a request must write to the event descriptor of its CPU's worker
 * (doorbell_eventfd()).
 *
 * Protocol with the stub (stub/shared.h), both sides sequentially consistent:
 *     stub:    word = RING;  if (!polled) write(eventfd[cpu], 1)
 *     worker:  polled = 0;   if (word == RING) serve; else sleep in read(eventfd)
 *
 * Spin policy: a worker polls only while fewer guest threads run than there are CPUs and requests
 * have lately arrived within the spin budget; an idle sandbox has every worker asleep in the host
 * and no timer armed.
 *
 * Everything behind `word` and `polled` is writable by a guest: it is read once, compared, never
 * trusted.
 */
#pragma once
#include "sched/fiber.h"
#include <stdatomic.h>

#define DOORBELL_RING 1u

struct doorbell {
    _Atomic uint32_t *word;         /* [I] in shared memory; DOORBELL_RING when the stub asks */
    _Atomic uint32_t *polled;       /* [I] in shared memory: a worker is looking */
    _Atomic uint32_t *parked;       /* [I] in shared memory or NULL: doorbell_set_parked_word() */
    bool is_parked;                 /* [fiber] what *parked was last set to */
    _Atomic uint32_t *blocked;      /* [I] in shared memory or NULL: doorbell_set_blocked_hint() */
    struct fiber *fiber;            /* [I] while asleep on it */
    _Atomic bool rung;              /* [a] rung from the kernel's side: doorbell_ring() */
    _Atomic(struct worker *) worker; /* the worker that watches it, or NULL; changes under that one's watch lock */
    unsigned index;                 /* [watch lock] in the worker's list */
    uint32_t polled_by;             /* [watch lock] what *polled was last set to: the CPU + 1 of who polls, or 0 */
    uint32_t sleeper;               /* [fiber] doorbell_note_sleeper() */
    unsigned same_cpu;              /* [fiber] requests in a row that took turns with this worker's CPU */
    pid_t tid;                      /* [I] of the guest's thread, 0 while unknown: doorbell_set_thread() */
    bool is_away;                   /* [fiber] the thread was sent to another CPU */
    int64_t since;                  /* [watch lock] when the fiber went to sleep on it */
    int64_t average;                /* [watch lock] ns between that and the next ring, a moving average */
};

void doorbell_init(struct doorbell *d, _Atomic uint32_t *word, _Atomic uint32_t *polled);
/* Sleeps until the word is DOORBELL_RING (true) or doorbell_ring() was called (false). Not interruptible. */
bool doorbell_wait(struct doorbell *d);
/* From any thread: makes doorbell_wait() return false, now or when next called. (The stub has died.) */
void doorbell_ring(struct doorbell *d);
/* The event descriptors that stubs write to, one a worker: index is the host CPU modulo the count. */
unsigned doorbell_eventfds(int fds[static 64]);
/* The host thread behind the doorbell: it is moved off its worker's CPU when the two keep each other from running. */
void doorbell_set_thread(struct doorbell *d, pid_t tid);
/*
 * `blocked` points to a word in shared memory that the stub keeps non-zero while its thread sleeps
 * in the host on its own account (a native futex): such a thread needs no CPU, so others may spin.
 * A hint: a lie costs the liar's own sandbox some speed. Before the first doorbell_wait().
 */
void doorbell_set_blocked_hint(struct doorbell *d, _Atomic uint32_t *blocked);
/*
 * `parked` points to a word in shared memory that becomes non-zero when the fiber blocks before it
 * has answered: the stub then sleeps instead of spinning for the answer. doorbell_unpark() goes
 * before every answer; both are called by the fiber that waits on the doorbell. Before the first
 * doorbell_wait().
 */
void doorbell_set_parked_word(struct doorbell *d, _Atomic uint32_t *parked);
/*
 * Told with every answer: was the guest thread asleep when it came, and on which CPU (+ 1; 0: it was
 * awake)? A worker of that CPU lets the thread run before it looks for its next request.
 */
void doorbell_note_sleeper(struct doorbell *d, uint32_t cpu_plus_one);
/* The fiber that waited on it is done with it: it may be freed. */
void doorbell_forget(struct doorbell *d);
static inline void doorbell_unpark(struct doorbell *d)
{
    if (__builtin_expect(d->is_parked, 0)) {
        atomic_store_explicit(d->parked, 0, memory_order_relaxed);
        d->is_parked = false;
    }
}
