/* Resource limits: the values a fresh system starts with, and prlimit(2)'s rules. What enforces
 * them reads current_limit(). */
#include "kernel/limits.h"
#include "kernel/fdtable.h"
#include "kernel/task.h"
#include <string.h>

static const char *const names[LIMIT_COUNT] = {
    [RLIMIT_CPU] = "RLIMIT_CPU",           [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
    [RLIMIT_DATA] = "RLIMIT_DATA",         [RLIMIT_STACK] = "RLIMIT_STACK",
    [RLIMIT_CORE] = "RLIMIT_CORE",         [RLIMIT_RSS] = "RLIMIT_RSS",
    [RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
    [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
    [RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
    [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
    [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

static void set(struct limits *l, unsigned resource, uint64_t cur, uint64_t max)
{
    l->v[resource].cur = cur;
    l->v[resource].max = max;
}

void limits_init(struct limits *l)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        set(l, i, RLIM_INFINITY, RLIM_INFINITY);
    set(l, RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
    set(l, RLIMIT_CORE, 0, RLIM_INFINITY);
    set(l, RLIMIT_NPROC, 31000, 31000);
    set(l, RLIMIT_NOFILE, 1024, FD_MAX);
    set(l, RLIMIT_MEMLOCK, 8 << 20, 8 << 20);
    set(l, RLIMIT_SIGPENDING, 31000, 31000);
    set(l, RLIMIT_MSGQUEUE, 819200, 819200);
    set(l, RLIMIT_NICE, 0, 0);
    set(l, RLIMIT_RTPRIO, 0, 0);
}

void limits_copy(struct limits *to, const struct limits *from)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        set(to, i, from->v[i].cur, from->v[i].max);
}

uint64_t current_limit(unsigned resource)
{
    struct task *t = current;
    assert(resource < LIMIT_COUNT);
    return t ? t->process->limits.v[resource].cur : RLIM_INFINITY;
}

int limits_set(struct limits *l, unsigned resource, uint64_t cur, uint64_t max, bool privileged)
{
    if (resource >= LIMIT_COUNT || cur > max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && max > FD_MAX)
        return -EPERM;
    if (max > l->v[resource].max && !privileged)
        return -EPERM;
    set(l, resource, cur, max);
    return 0;
}

int limit_by_name(const char *name)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}
