/*
 * Reference counts that trap instead of wrapping.
 *
 * An object starts with one reference, held by its creator. foo_get() calls refcount_get(),
 * foo_put() calls refcount_put() and frees when that returns true. A get on a dead object, an
 * overflow or an underflow aborts the kernel process: a use after free must never become one.
 */
#pragma once
#include "base/assert.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct refcount {
    _Atomic uint32_t n;
};

#define REFCOUNT_INIT {1}

static inline void refcount_init(struct refcount *r)
{
    atomic_store_explicit(&r->n, 1, memory_order_relaxed);
}

static inline void refcount_get(struct refcount *r)
{
    uint32_t old = atomic_fetch_add_explicit(&r->n, 1, memory_order_relaxed);
    assert_always(old != 0 && old < INT32_MAX);
}

/* Takes a reference unless the count has already reached zero (for look-ups in weak tables). */
static inline bool refcount_get_unless_zero(struct refcount *r)
{
    uint32_t old = atomic_load_explicit(&r->n, memory_order_relaxed);
    do {
        if (old == 0)
            return false;
        assert_always(old < INT32_MAX);
    } while (!atomic_compare_exchange_weak_explicit(&r->n, &old, old + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    return true;
}

/* Drops a reference; true when it was the last, and the caller must free. */
static inline bool refcount_put(struct refcount *r)
{
    uint32_t old = atomic_fetch_sub_explicit(&r->n, 1, memory_order_acq_rel);
    assert_always(old != 0);
    return old == 1;
}

static inline uint32_t refcount_read(const struct refcount *r)
{
    return atomic_load_explicit(&r->n, memory_order_relaxed);
}
