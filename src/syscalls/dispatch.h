/*
 * From a system call number to its handler.
 *
 * syscalls.tbl has one row a call; tools/gen-syscalls makes the dispatch table, the handlers'
 * prototypes (syscalls/prototypes.h), --strace's decoding table and docs/syscalls.md from it. A
 * handler is
 *
 *     int64_t sys_openat(const uint64_t *a)
 *
 * with a[0..5] the raw argument registers: it decodes (int)a[0], bounds, calls one verb, encodes.
 * It returns the guest's result or -errno (-ERESTART... codes are resolved by signal_deliver()).
 */
#pragma once
#include "base/base.h"

struct task;

typedef int64_t syscall_fn(const uint64_t *args);

struct syscall_entry {
    const char *name;
    syscall_fn *fn; /* NULL: ENOSYS, logged once with the program's name */
    const char *
        signature; /* for strace: one letter an argument, then the result; see tools/gen-syscalls */
};

extern const struct syscall_entry syscall_table[];
extern const unsigned syscall_table_size;

/* The whole of one call for the current task: trace, dispatch, result. */
int64_t syscall_dispatch(uint64_t nr, const uint64_t *args);

/* kernel/ never includes this: run.c calls through this hook, set by syscalls_init(). */
void syscalls_init(bool strace);
bool syscalls_traced(void);
int64_t syscall_unknown(uint64_t nr); /* -ENOSYS, logged once */
