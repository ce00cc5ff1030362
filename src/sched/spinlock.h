/*
 * The lock for short critical sections between worker threads.
 *
 * Held for tens of instructions: nothing under it may block the fiber, call the host or touch a
 * guest. A contended spin_lock() spins briefly, then sleeps in a host futex, so a worker that the
 * host has preempted while holding one costs nobody a busy loop. Not recursive.
 */
#pragma once
#include "base/base.h"
#include <stdatomic.h>

struct spinlock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody sleeps */
};

#define SPINLOCK_INIT {0}

void spin_lock_slow(struct spinlock *l);
void spin_unlock_slow(struct spinlock *l);

static inline void spin_init(struct spinlock *l)
{
    atomic_init(&l->word, 0);
}

static inline void spin_lock(struct spinlock *l)
{
    uint32_t free_word = 0;
    if (UNLIKELY(!atomic_compare_exchange_strong_explicit(&l->word, &free_word, 1, memory_order_acquire,
                                                          memory_order_relaxed)))
        spin_lock_slow(l);
}

static inline bool spin_trylock(struct spinlock *l)
{
    uint32_t free_word = 0;
    return atomic_compare_exchange_strong_explicit(&l->word, &free_word, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void spin_unlock(struct spinlock *l)
{
    if (UNLIKELY(atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2))
        spin_unlock_slow(l);
}

static inline void spin_assert_held(struct spinlock *l)
{
    assert(atomic_load_explicit(&l->word, memory_order_relaxed) != 0);
    (void)l;
}
