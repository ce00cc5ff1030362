/* Resource limits of a process: getrlimit(2). Read without a lock (each value is one atomic word).
 * */
#pragma once
#include "base/base.h"
#include <sys/resource.h>

#define LIMIT_COUNT 16

struct limits {
    struct {
        _Atomic uint64_t cur, max;
    } v[LIMIT_COUNT];
};

void limits_init(struct limits *l); /* what a freshly booted distribution has */
void limits_copy(struct limits *to, const struct limits *from);
/* The soft limit of the current process (RLIMIT_...); RLIM_INFINITY for kernel fibers. */
uint64_t current_limit(unsigned resource);
/* prlimit decoded: checks against the hard limit and CAP_SYS_RESOURCE. */
NODISCARD int limits_set(struct limits *l, unsigned resource, uint64_t cur, uint64_t max, bool privileged);
int limit_by_name(const char *name); /* "RLIMIT_NOFILE" -> 7, or -1 */
