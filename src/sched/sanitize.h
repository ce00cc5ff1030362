/*
 * Tells AddressSanitizer and ThreadSanitizer about stack switches. Every stack (a fiber's, and each
 * worker thread's own) has a struct sanitizer_stack; the calls compile to nothing in ordinary
 * builds.
 */
#pragma once
#include <stddef.h>

#ifdef __has_feature
#define SCHED_HAS_FEATURE(x) __has_feature(x)
#else
#define SCHED_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || SCHED_HAS_FEATURE(address_sanitizer)
#define SCHED_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || SCHED_HAS_FEATURE(thread_sanitizer)
#define SCHED_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

struct sanitizer_stack {
    void *fake;         /* ASan's fake stack while switched out */
    const void *bottom; /* a worker's own stack: learnt when it is first left */
    size_t size;
    void *tsan;
};

#if defined(SCHED_ASAN)
static inline void sanitizer_leave(struct sanitizer_stack *from, struct sanitizer_stack *to)
{
    __sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
}
/* The last switch out of a stack that will be freed. */
static inline void sanitizer_leave_last(struct sanitizer_stack *from, struct sanitizer_stack *to)
{
    __sanitizer_start_switch_fiber(NULL, to->bottom, to->size);
}
static inline void sanitizer_enter(struct sanitizer_stack *now, struct sanitizer_stack *from)
{
    __sanitizer_finish_switch_fiber(now->fake, &from->bottom, &from->size);
}
static inline void sanitizer_new(struct sanitizer_stack *s)
{
}
static inline void sanitizer_this_thread(struct sanitizer_stack *s)
{
}
static inline void sanitizer_free(struct sanitizer_stack *s)
{
}
#elif defined(SCHED_TSAN)
static inline void sanitizer_leave(struct sanitizer_stack *from, struct sanitizer_stack *to)
{
    __tsan_switch_to_fiber(to->tsan, 0);
}
static inline void sanitizer_leave_last(struct sanitizer_stack *from, struct sanitizer_stack *to)
{
    __tsan_switch_to_fiber(to->tsan, 0);
}
static inline void sanitizer_enter(struct sanitizer_stack *now, struct sanitizer_stack *from)
{
}
static inline void sanitizer_new(struct sanitizer_stack *s)
{
    s->tsan = __tsan_create_fiber(0);
}
static inline void sanitizer_this_thread(struct sanitizer_stack *s)
{
    s->tsan = __tsan_get_current_fiber();
}
static inline void sanitizer_free(struct sanitizer_stack *s)
{
    __tsan_destroy_fiber(s->tsan);
}
#else
static inline void sanitizer_leave(struct sanitizer_stack *from, struct sanitizer_stack *to)
{
}
static inline void sanitizer_leave_last(struct sanitizer_stack *from, struct sanitizer_stack *to)
{
}
static inline void sanitizer_enter(struct sanitizer_stack *now, struct sanitizer_stack *from)
{
}
static inline void sanitizer_new(struct sanitizer_stack *s)
{
}
static inline void sanitizer_this_thread(struct sanitizer_stack *s)
{
}
static inline void sanitizer_free(struct sanitizer_stack *s)
{
}
#endif
