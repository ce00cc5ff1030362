/*
 * The contended half of spinlocks: a short spin, then a host futex (the three-state mutex of
 * Drepper's "Futexes are tricky"). Also the scheduler's two futex calls.
 */
#include "sched/spinlock.h"
#include "sched/private.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPINS 100

void host_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct timespec ts = {.tv_sec = deadline / NSEC_PER_SEC, .tv_nsec = deadline % NSEC_PER_SEC};
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline == NO_DEADLINE ? NULL : &ts, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

void host_futex_wake(_Atomic uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

void spin_lock_slow(struct spinlock *l)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&l->word, memory_order_relaxed) == 0 && spin_trylock(l))
            return;
        cpu_relax();
    }
    while (atomic_exchange_explicit(&l->word, 2, memory_order_acquire) != 0)
        host_futex_wait(&l->word, 2, NO_DEADLINE);
}

void spin_unlock_slow(struct spinlock *l)
{
    host_futex_wake(&l->word, 1);
}
