/* Scheduling: priorities, policies and affinity are remembered and reported; the host schedules. */
#include "kernel/scheduling.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "syscalls/timespec.h"
#include <sched.h>
#include <string.h>

int64_t sys_sched_yield(const uint64_t *a)
{
    fiber_yield();
    return 0;
}

int64_t sys_getcpu(const uint64_t *a)
{
    uint32_t cpu = (uint32_t)sched_getcpu(), node = 0;
    int err = a[0] ? put_user(&cpu, a[0]) : 0;
    return err || !a[1] ? err : put_user(&node, a[1]);
}

/* ---- nice ---- */

int64_t sys_getpriority(const uint64_t *a)
{
    return do_getpriority((int)a[0], (int32_t)a[1]);
}

int64_t sys_setpriority(const uint64_t *a)
{
    return do_setpriority((int)a[0], (int32_t)a[1], (int)a[2]);
}

/* ---- policies ---- */

/* A task by tid for the calls of this file: 0 is the caller. */
static int find(int32_t tid, struct task **ret)
{
    if (tid < 0)
        return -EINVAL;
    *ret = tid ? task_find(tid) : task_get(current);
    return *ret ? 0 : -ESRCH;
}

/* The affinity calls do not look at the sign: no task has such a number. */
static int find_any(int32_t tid, struct task **ret)
{
    return tid < 0 ? -ESRCH : find(tid, ret);
}

static int64_t set_scheduler(int32_t tid, int policy, uaddr_t param)
{
    int32_t priority;
    if (!param || tid < 0)
        return -EINVAL;
    if (get_user(&priority, param))
        return -EFAULT;
    struct task *t;
    int err = find(tid, &t);
    if (err)
        return err;
    struct scheduling s;
    task_scheduling(t, &s);
    s.policy = policy == -1 ? s.policy : policy & ~SCHED_RESET_ON_FORK;
    s.priority = priority;
    err = task_set_scheduling(t, &s);
    if (!err && policy != -1)
        t->sched_reset = policy & SCHED_RESET_ON_FORK;
    task_put(t);
    return err;
}

int64_t sys_sched_setscheduler(const uint64_t *a)
{
    if ((int)a[1] < 0)
        return -EINVAL;
    return set_scheduler((int32_t)a[0], (int)a[1], a[2]);
}

int64_t sys_sched_setparam(const uint64_t *a)
{
    return set_scheduler((int32_t)a[0], -1, a[1]);
}

int64_t sys_sched_getscheduler(const uint64_t *a)
{
    struct task *t;
    int err = find((int32_t)a[0], &t);
    if (err)
        return err;
    int policy = t->sched_policy | (t->sched_reset ? SCHED_RESET_ON_FORK : 0);
    task_put(t);
    return policy;
}

int64_t sys_sched_getparam(const uint64_t *a)
{
    struct task *t;
    if (!a[1])
        return -EINVAL;
    int err = find((int32_t)a[0], &t);
    if (err)
        return err;
    int32_t priority = t->sched_priority;
    task_put(t);
    return put_user(&priority, a[1]);
}

static int priority_range(int policy, int *ret_min, int *ret_max)
{
    switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        *ret_min = 1;
        *ret_max = 99;
        return 0;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case 6: /* SCHED_DEADLINE */
        *ret_min = *ret_max = 0;
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_sched_get_priority_min(const uint64_t *a)
{
    int min, max, err = priority_range((int)a[0], &min, &max);
    return err ? err : min;
}

int64_t sys_sched_get_priority_max(const uint64_t *a)
{
    int min, max, err = priority_range((int)a[0], &min, &max);
    return err ? err : max;
}

int64_t sys_sched_rr_get_interval(const uint64_t *a)
{
    struct task *t;
    int err = find((int32_t)a[0], &t);
    if (err)
        return err;
    int policy = t->sched_policy;
    task_put(t);
    return timespec_to_user(a[1], policy == SCHED_FIFO ? 0
                                  : policy == SCHED_RR ? 100 * NSEC_PER_MSEC
                                                       : 4 * NSEC_PER_MSEC);
}

/* struct sched_attr, version 0 and 1. */
struct guest_sched_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};
#define ATTR_SIZE_VER0 48

int64_t sys_sched_setattr(const uint64_t *a)
{
    struct guest_sched_attr attr;
    uint32_t size;
    if (!a[1] || (uint32_t)a[2])
        return -EINVAL;
    if (get_user(&size, a[1]))
        return -EFAULT;
    size = size ? size : ATTR_SIZE_VER0;
    if (size < ATTR_SIZE_VER0 || size > PAGE_SIZE)
        return -E2BIG;
    int err = copy_struct_from_user(&attr, sizeof(attr), a[1], size, ATTR_SIZE_VER0);
    if (err)
        return err;
    if (attr.policy == 6 || attr.flags & ~0x7fULL)
        return -EINVAL; /* DEVIATION: no SCHED_DEADLINE */
    struct task *t;
    err = find((int32_t)a[0], &t);
    if (err)
        return err;
    const struct scheduling s = {
        .policy = (int)attr.policy, .priority = (int)attr.priority, .nice = attr.nice};
    err = task_set_scheduling(t, &s);
    task_put(t);
    return err;
}

int64_t sys_sched_getattr(const uint64_t *a)
{
    uint32_t size = (uint32_t)a[2];
    if (!a[1] || size < ATTR_SIZE_VER0 || size > PAGE_SIZE || (uint32_t)a[3])
        return -EINVAL;
    struct task *t;
    int err = find((int32_t)a[0], &t);
    if (err)
        return err;
    struct scheduling s;
    task_scheduling(t, &s);
    task_put(t);
    bool fair = s.policy == SCHED_OTHER || s.policy == SCHED_BATCH;
    struct guest_sched_attr attr = {
        .size = (uint32_t)MIN((size_t)size, sizeof(attr)),
        .policy = (uint32_t)s.policy,
        .nice = fair ? s.nice : 0,
        .priority = (uint32_t)s.priority,
        .util_max = 1024,
    };
    return copy_to_user(a[1], &attr, attr.size);
}

/* ---- affinity ---- */

int64_t sys_sched_setaffinity(const uint64_t *a)
{
    uint64_t mask[CPU_WORDS] = {0};
    struct task *t;
    size_t size = MIN((size_t)(uint32_t)a[1], sizeof(mask));
    if (copy_from_user(mask, a[2], size))
        return -EFAULT;
    int err = find_any((int32_t)a[0], &t);
    if (err)
        return err;
    err = task_set_affinity(t, mask);
    task_put(t);
    return err;
}

int64_t sys_sched_getaffinity(const uint64_t *a)
{
    uint64_t mask[CPU_WORDS];
    struct task *t;
    uint32_t size = (uint32_t)a[1];
    size_t needed = cpus_mask_bytes();
    if (size < needed || size % sizeof(uint64_t))
        return -EINVAL;
    int err = find_any((int32_t)a[0], &t);
    if (err)
        return err;
    task_affinity(t, mask);
    task_put(t);
    err = copy_to_user(a[2], mask, needed);
    return err ? err : (int64_t)needed;
}

/* ---- input and output ---- */

int64_t sys_ioprio_get(const uint64_t *a)
{
    return do_ioprio_get((int)a[0], (int32_t)a[1]);
}

int64_t sys_ioprio_set(const uint64_t *a)
{
    return do_ioprio_set((int)a[0], (int32_t)a[1], (int)a[2]);
}
