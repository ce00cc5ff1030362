/*
 * One system call, from number to result: look the number up, call the handler, trace if asked. Unknown numbers give
 * ENOSYS (programs fall back on that) and are logged once for each number, with the program's name.
 */
#include "syscalls/dispatch.h"
#include "base/log.h"
#include "kernel/task.h"
#include <stdatomic.h>
#include "syscalls/strace.h"

#define MAX_LOGGED_NR 1024

static bool tracing;

static int64_t unknown_syscall(uint64_t nr)
{
    static _Atomic unsigned char logged[MAX_LOGGED_NR];
    uint64_t slot = nr < MAX_LOGGED_NR ? nr : MAX_LOGGED_NR - 1;
    if (!atomic_exchange_explicit(&logged[slot], 1, memory_order_relaxed)) {
        const char *name = nr < syscall_table_size ? syscall_table[nr].name : NULL;
        log_warn("%s: system call %llu (%s) is not implemented: ENOSYS", current->comm, (unsigned long long)nr,
                 name ? name : "unknown");
    }
    return -ENOSYS;
}

int64_t syscall_dispatch(uint64_t nr, const uint64_t *args)
{
    const struct syscall_entry *entry = nr < syscall_table_size ? &syscall_table[nr] : NULL;
    if (UNLIKELY(tracing))
        return strace_call(nr, entry, args, entry && entry->fn ? entry->fn : NULL);
    if (UNLIKELY(!entry || !entry->fn))
        return unknown_syscall(nr);
    return entry->fn(args);
}

int64_t syscall_unknown(uint64_t nr)
{
    return unknown_syscall(nr);
}

bool syscalls_traced(void)
{
    return tracing;
}

void syscalls_init(bool strace)
{
    tracing = strace;
    task_syscall_hook = syscall_dispatch;
}
