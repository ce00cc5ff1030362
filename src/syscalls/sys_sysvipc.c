/* System V IPC: svipc(7). */
#include "base/cleanup.h"
#include "ipc/namespace.h"
#include "ipc/sysv.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "syscalls/timespec.h"
#include <stdlib.h>
#include <sys/sem.h>

#define FEW_OPS 8

int64_t sys_shmget(const uint64_t *a)
{
    return do_shmget((int32_t)a[0], a[1], (int)a[2]);
}

int64_t sys_shmat(const uint64_t *a)
{
    return do_shmat((int)a[0], a[1], (int)a[2]);
}

int64_t sys_shmdt(const uint64_t *a)
{
    return do_shmdt(a[0]);
}

int64_t sys_shmctl(const uint64_t *a)
{
    return do_shmctl((int)a[0], (int)a[1], a[2]);
}

int64_t sys_semget(const uint64_t *a)
{
    return do_semget((int32_t)a[0], (int)a[1], (int)a[2]);
}

int64_t sys_semctl(const uint64_t *a)
{
    return do_semctl((int)a[0], (int)a[1], (int)a[2], a[3]);
}

static int64_t semop_with(int id, uaddr_t from, unsigned count, const struct timespec *timeout)
{
    struct sembuf few[FEW_OPS];
    CLEANUP_FREE struct sembuf *many = NULL;
    struct sembuf *ops = few;
    int64_t wait = 0;
    if (count > current_ipc_ns()->semopm)
        return -E2BIG;
    if (count > FEW_OPS && !(ops = many = calloc(count, sizeof(*many))))
        return -ENOMEM;
    if (copy_from_user(ops, from, count * sizeof(*ops)))
        return -EFAULT;
    if (count < 1 || id < 0)
        return -EINVAL;
    int err = timeout ? timespec_to_ns(timeout, &wait) : 0;
    return err < 0 ? err : do_semop(id, ops, count, timeout ? now_monotonic() + wait : NO_DEADLINE);
}

int64_t sys_semop(const uint64_t *a)
{
    return semop_with((int)a[0], a[1], (unsigned)a[2], NULL);
}

int64_t sys_semtimedop(const uint64_t *a)
{
    struct timespec timeout;
    if (a[3] && get_user(&timeout, a[3]))
        return -EFAULT;
    return semop_with((int)a[0], a[1], (unsigned)a[2], a[3] ? &timeout : NULL);
}

int64_t sys_msgget(const uint64_t *a)
{
    return do_msgget((int32_t)a[0], (int)a[1]);
}

int64_t sys_msgsnd(const uint64_t *a)
{
    return do_msgsnd((int)a[0], a[1], a[2], (int)a[3]);
}

int64_t sys_msgrcv(const uint64_t *a)
{
    return do_msgrcv((int)a[0], a[1], a[2], (int64_t)a[3], (int)a[4]);
}

int64_t sys_msgctl(const uint64_t *a)
{
    return do_msgctl((int)a[0], (int)a[1], a[2]);
}
