/*
 * How many tasks each user has, for RLIMIT_NPROC, and how many there are in all. A user is known
 * while it has tasks.
 */
#pragma once
#include "base/base.h"

/* In the sandbox: /proc/sys/kernel/threads-max. Each process costs the kernel two host descriptors, of 20,000. */
#define TASKS_MAX 8192

/* Counts one more task of uid, unless there are `limit` or the sandbox is full: -EAGAIN. */
NODISCARD int user_task_add(uint32_t uid, uint64_t limit);
void user_task_remove(uint32_t uid);
unsigned user_task_count(uint32_t uid);
