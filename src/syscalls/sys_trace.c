/* Looking over a process's shoulder: filters of its calls, tracing it, its memory. */
#include "kernel/process_vm.h"
#include "kernel/ptrace.h"
#include "kernel/seccomp.h"
#include "syscalls/prototypes.h"

int64_t sys_seccomp(const uint64_t *a)
{
    return do_seccomp((unsigned)a[0], (unsigned)a[1], a[2]);
}

static int64_t process_vm(const uint64_t *a, bool write)
{
    const struct process_vm_args args = {
        .pid = (int32_t)a[0],
        .local = a[1],
        .local_count = a[2],
        .remote = a[3],
        .remote_count = a[4],
        .flags = a[5],
        .write = write,
    };
    return do_process_vm(&args);
}

int64_t sys_process_vm_readv(const uint64_t *a)
{
    return process_vm(a, false);
}

int64_t sys_process_vm_writev(const uint64_t *a)
{
    return process_vm(a, true);
}

int64_t sys_kcmp(const uint64_t *a)
{
    return do_kcmp((int32_t)a[0], (int32_t)a[1], (int)a[2], a[3], a[4]);
}

int64_t sys_ptrace(const uint64_t *a)
{
    return do_ptrace((int64_t)a[0], (int32_t)a[1], a[2], a[3]);
}
