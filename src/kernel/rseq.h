/*
 * Restartable sequences: rseq(2). The host keeps them for the guest's thread, which is a thread of the host's: it knows
 * when that is preempted and where it runs. The kernel remembers the registration only to take it back in time.
 */
#pragma once
#include "base/base.h"

struct task;

struct rseq_registration {
    uaddr_t area; /* 0: none */
    uint32_t len, signature;
};

int64_t do_rseq(uaddr_t area, uint32_t len, int flags, uint32_t signature);
/* The thread leaves its memory: queued ahead of what lets others have that memory. */
void rseq_release(struct task *t);
