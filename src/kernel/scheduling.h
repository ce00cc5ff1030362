/*
 * Nice values, scheduling policies, CPU affinity. They are kept and shown, with Linux's permission
 * rules; threads are scheduled by the host, which does not hear of them.
 */
#pragma once
#include "base/base.h"

struct task;

#define CPU_WORDS 16 /* 1024 CPUs */

struct scheduling {
    int policy, priority, nice;
};

/* The CPUs that guests are told of; boot calls it once with the host's. Until then: CPU 0. */
void cpus_set(const uint64_t mask[CPU_WORDS]);
void cpus_get(uint64_t mask[CPU_WORDS]);
size_t cpus_mask_bytes(void); /* what sched_getaffinity(2) returns */

void task_scheduling(struct task *t, struct scheduling *ret);
NODISCARD int task_set_scheduling(struct task *t, const struct scheduling *s);
void task_affinity(struct task *t, uint64_t mask[CPU_WORDS]);
NODISCARD int task_set_affinity(struct task *t, const uint64_t mask[CPU_WORDS]);
NODISCARD int do_getpriority(int which, int32_t who); /* 1..40 as the system call returns it */
NODISCARD int do_setpriority(int which, int32_t who, int nice);
/* which: 1 a process, 2 a group, 3 a user. value: class << 13 | level. */
NODISCARD int do_ioprio_get(int which, int32_t who);
NODISCARD int do_ioprio_set(int which, int32_t who, int value);
