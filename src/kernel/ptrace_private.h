/* Between ptrace.c and ptrace_request.c. */
#pragma once
#include "kernel/ptrace.h"
#include "kernel/task.h"

NODISCARD int ptrace_prepare(struct task *t); /* its state exists */
/* tasklist_lock held. */
void ptrace_link_locked(struct task *t, struct process *tracer, bool seized, unsigned options);
void ptrace_unlink_locked(struct task *t);
void ptrace_release_locked(struct task *t, struct list *dead);
