/* Looking over a process's shoulder: filters of its calls, tracing it, its memory. */
#include "kernel/seccomp.h"
#include "syscalls/prototypes.h"

int64_t sys_seccomp(const uint64_t *a)
{
    return do_seccomp((unsigned)a[0], (unsigned)a[1], a[2]);
}
