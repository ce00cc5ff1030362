/*
 * Cleanup by scope, transfer by name.
 *
 *     CLEANUP_FREE char *name = strdup(x);     freed when the scope ends
 *     *ret_name = TAKE_PTR(name);               ... unless ownership moves on
 *     CLEANUP_FD int fd = open(...);            closed when the scope ends, if >= 0
 *
 * DEFINE_CLEANUP(type, fn) makes fn usable in CLEANUP_OF(fn) for any `type`-valued variable whose
 * empty value is NULL.
 */
#pragma once
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP_FD __attribute__((cleanup(cleanup_fd)))

#define DEFINE_CLEANUP(type, fn)              \
    static inline void fn##_cleanup(type *p) \
    {                                         \
        if (*p)                               \
            fn(*p);                           \
    }
#define CLEANUP_OF(fn) __attribute__((cleanup(fn##_cleanup)))

#define TAKE_PTR(p)                  \
    ({                               \
        __typeof__(p) taken_ = (p);  \
        (p) = NULL;                  \
        taken_;                      \
    })

#define TAKE_FD(fd)          \
    ({                       \
        int taken_ = (fd);   \
        (fd) = -1;           \
        taken_;              \
    })
