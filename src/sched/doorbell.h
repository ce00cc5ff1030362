/*
 * Doorbells: how a fiber waits for a word in memory shared with a stub to change.
 *
 * A stub posts a request by storing DOORBELL_RING into its state word. The fiber that serves it sleeps in
 * doorbell_wait(); idle workers poll the words of all sleeping doorbells for a while (the spin policy below),
 * then clear `polled` in the shared memory and sleep in the host, whereupon a stub that posts a request must
 * write to the event descriptor of its CPU's worker (doorbell_eventfd()).
 *
 * Protocol with the stub (stub/shared.h), both sides sequentially consistent:
 *     stub:    word = RING;  if (!polled) write(eventfd[cpu], 1)
 *     worker:  polled = 0;   if (word == RING) serve; else sleep in read(eventfd)
 *
 * Spin policy: a worker polls only while fewer guest threads run than there are CPUs and requests have lately
 * arrived within the spin budget; an idle sandbox has every worker asleep in the host and no timer armed.
 *
 * Everything behind `word` and `polled` is writable by a guest: it is read once, compared, never trusted.
 */
#pragma once
#include "sched/fiber.h"
#include <stdatomic.h>

#define DOORBELL_RING 1u

struct doorbell {
    _Atomic uint32_t *word;    /* [I] in shared memory; DOORBELL_RING when the stub asks */
    _Atomic uint32_t *polled;  /* [I] in shared memory: a worker is looking */
    struct fiber *fiber;       /* [a] the fiber asleep on it */
    _Atomic bool rung;         /* [a] rung from the kernel's side: doorbell_ring() */
    _Atomic uint32_t state;    /* [a] private to sched */
    struct list link;          /* private to sched */
    int64_t last_served;       /* private to sched: arrival statistics */
    uint32_t average_ns;       /* private to sched */
};

void doorbell_init(struct doorbell *d, _Atomic uint32_t *word, _Atomic uint32_t *polled);
/* Sleeps until the word is DOORBELL_RING (true) or doorbell_ring() was called (false). Not interruptible. */
bool doorbell_wait(struct doorbell *d);
/* From any thread: makes doorbell_wait() return false, now or when next called. (The stub has died.) */
void doorbell_ring(struct doorbell *d);
/* The event descriptors that stubs write to, one a worker: index is the host CPU modulo the count. */
unsigned doorbell_eventfds(int fds[static 64]);
