/* ptrace(2). */
#pragma once
#include "base/base.h"

struct task;

/* SECCOMP_RET_TRACE: stops for the tracer if it asked for that; false: nobody did. */
static inline bool ptrace_event_seccomp(struct task *t, int data)
{
    return false;
}
