/*
 * Syscall user dispatch: prctl(PR_SET_SYSCALL_USER_DISPATCH). Calls made from outside a range of
 * addresses (or inside it) become SIGSYS while a byte in the task's memory says so: how programs
 * that emulate other systems catch calls of foreign code.
 */
#pragma once
#include "base/base.h"

struct task;
struct call;

struct user_dispatch {
    unsigned mode; /* [t] PR_SYS_DISPATCH_... */
    uint64_t offset, len;
    uaddr_t selector; /* or 0: always */
};

int64_t user_dispatch_set(uint64_t mode, uint64_t offset, uint64_t len, uaddr_t selector);
/* Own task, mode not off. Does the call go on? */
NODISCARD bool user_dispatch_admit(struct task *t, struct call *c);
