/*
 * May one process look into another? ptrace(2)'s access modes, for ptrace itself, /proc/PID,
 * process_vm_readv(2), kcmp(2), pidfd_getfd(2).
 */
#pragma once
#include "base/base.h"

struct task;

#define TRACE_READ 1u      /* PTRACE_MODE_READ */
#define TRACE_ATTACH 2u    /* PTRACE_MODE_ATTACH: Yama has a say as well */
#define TRACE_FSCREDS 8u   /* by the file system ids: accesses through /proc */
#define TRACE_REALCREDS 0u /* by the real ids: system calls */

/* The current task (a kernel fiber may everything) at `target`: 0 or -EPERM. */
NODISCARD int trace_access(struct task *target, unsigned mode);

/* Yama: /proc/sys/kernel/yama/ptrace_scope, 0 to 3; prctl(PR_SET_PTRACER). */
int yama_scope(void);
NODISCARD int yama_set_scope(int scope); /* -EINVAL: not a scope, or 3 is never left again */
NODISCARD int64_t yama_set_tracer(uint64_t pid);
/* PTRACE_TRACEME asks for this `parent`: 0 or -EPERM. */
NODISCARD int yama_may_be_traced_by(struct task *parent);
