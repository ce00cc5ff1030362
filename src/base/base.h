/*
 * The few definitions every file needs: integer helpers, attributes, MIN/MAX, rounding, error
 * pointers. Errors inside the kernel are negative errno values in an int or ssize_t; functions that
 * return a pointer return it through a `ret_x` argument instead of encoding errors in pointers.
 */
#pragma once
#include "base/assert.h"
#include "base/list.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))
#define ALIGNED(n) __attribute__((aligned(n)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

#define MIN(a, b)                        \
    ({                                   \
        __typeof__(a) min_a_ = (a);      \
        __typeof__(b) min_b_ = (b);      \
        min_a_ < min_b_ ? min_a_ : min_b_; \
    })
#define MAX(a, b)                        \
    ({                                   \
        __typeof__(a) max_a_ = (a);      \
        __typeof__(b) max_b_ = (b);      \
        max_a_ > max_b_ ? max_a_ : max_b_; \
    })

/* An interrupted wait; the system call layer resolves it (kernel/signal.h has its relatives). */
#define ERESTARTSYS 512

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define NSEC_PER_SEC 1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_USEC 1000LL

/* Rounding to a power of two. align_up() may wrap; callers bound sizes from a guest first. */
static inline uint64_t align_down(uint64_t v, uint64_t a)
{
    return v & ~(a - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t a)
{
    return (v + a - 1) & ~(a - 1);
}

/* An address in a guest. Never a C pointer; mm/uaccess.h is the only way to what it points at. */
typedef uint64_t uaddr_t;
