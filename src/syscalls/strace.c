/*
 * Decoding of calls for --strace. A first version prints raw words; see strace.h for what it becomes.
 */
#include "syscalls/strace.h"
#include "base/log.h"
#include "kernel/pid.h"
#include "kernel/task.h"

int64_t strace_call(uint64_t nr, const struct syscall_entry *entry, const uint64_t *args, syscall_fn *fn)
{
    int64_t result = fn ? fn(args) : syscall_unknown(nr);
    log_info("[%d] %s(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx) = %lld", pid_number(current->pid),
             entry && entry->name ? entry->name : "?", (unsigned long long)args[0], (unsigned long long)args[1],
             (unsigned long long)args[2], (unsigned long long)args[3], (unsigned long long)args[4],
             (unsigned long long)args[5], (long long)result);
    return result;
}
