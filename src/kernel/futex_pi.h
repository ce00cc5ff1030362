/*
 * Priority-inheritance futexes: FUTEX_LOCK_PI and its family, futex(2). The word holds the owner's tid; while it also
 * has FUTEX_WAITERS set, user space leaves it alone and only this file changes it, under one lock. So the word needs
 * but one atomic operation on guest memory: setting that bit.
 *
 * A lock somebody waits for has a state here, which knows its owner; when that ends, the next waiter gets the lock with
 * FUTEX_OWNER_DIED. DEVIATION: no priority is lent, since the host schedules; waiters are served by priority all the
 * same.
 */
#pragma once
#include "base/base.h"

struct task;
struct pi_state;

/* deadline: absolute CLOCK_MONOTONIC. 0, -EDEADLK, -ESRCH, -EAGAIN, -ETIMEDOUT, -EFAULT, -ERESTARTNOINTR. */
int64_t futex_lock_pi(uaddr_t word, bool private_word, bool try_only, int64_t deadline);
int64_t futex_unlock_pi(uaddr_t word, bool private_word);
/* The task ends, or leaves its memory: what it holds goes to who waits for it. */
void futex_pi_exit(struct task *t);
