/* kcmp(2), process_vm_readv(2) and process_vm_writev(2). */
#include "kernel/process_vm.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/trace_access.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include "vfs/fs_context.h"
#include <limits.h>
#include <linux/kcmp.h>
#include <sys/uio.h>

#define PIECE (64 * 1024UL)

DEFINE_CLEANUP(struct task *, task_put)

/* A reference to the thread with that number; it may have exited since. */
static int find_task(int32_t number, struct task **ret)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = number > 0 ? pid_find_locked(current->pid->ns, number) : NULL;
    struct task *t = pid && pid->task ? task_get(pid->task) : NULL;
    spin_unlock(&tasklist_lock);
    *ret = t;
    return t ? 0 : -ESRCH;
}

/* ---- memory ---- */

/* The other side's vectors. Their addresses are judged when they are used. */
static int copy_remote(const struct process_vm_args *args, struct iovec **ret)
{
    if (args->remote_count > UIO_MAX_IOV)
        return -EINVAL;
    size_t size = args->remote_count * sizeof(struct iovec);
    CLEANUP_FREE struct iovec *v = malloc(size ? size : 1);
    if (!v)
        return -ENOMEM;
    if (copy_from_user(v, args->remote, size))
        return -EFAULT;
    for (uint64_t i = 0; i < args->remote_count; i++)
        if (v[i].iov_len > SSIZE_MAX)
            return -EINVAL;
    *ret = TAKE_PTR(v);
    return 0;
}

static int target_mm(int32_t pid, struct mm **ret)
{
    CLEANUP_OF(task_put) struct task *t = NULL;
    int err = find_task(pid, &t);
    if (!err)
        err = trace_access(t, TRACE_ATTACH | TRACE_REALCREDS);
    if (err)
        return err;
    *ret = task_get_mm(t);
    return *ret ? 0 : -ESRCH;
}

/* One piece, at most PIECE: the bytes moved, or -EFAULT. */
static ssize_t move_piece(struct mm *mm, uaddr_t at, char *buf, size_t n, struct uio *local,
                          bool write)
{
    ssize_t got;
    n = MIN(n, local->remaining);
    /* Up to a page's end: what follows may be bad, and what came before counts. */
    n = MIN(n, PIECE - (at & (PAGE_SIZE - 1)));
    if (!write) {
        got = mm_read(mm, at, buf, n);
        return got <= 0 ? -EFAULT : uio_put(local, buf, (size_t)got);
    }
    got = uio_take(local, buf, n);
    if (got <= 0)
        return -EFAULT;
    got = mm_write(mm, at, buf, (size_t)got);
    return got <= 0 ? -EFAULT : got;
}

static int64_t move_all(struct mm *mm, const struct iovec *v, uint64_t count, struct uio *local,
                        bool write)
{
    CLEANUP_FREE char *buf = malloc(PIECE);
    int64_t total = 0;
    if (!buf)
        return -ENOMEM;
    for (uint64_t i = 0; i < count && local->remaining; i++) {
        uaddr_t at = (uaddr_t)v[i].iov_base;
        size_t left = v[i].iov_len;
        while (left && local->remaining) {
            ssize_t n = move_piece(mm, at, buf, left, local, write);
            if (n <= 0)
                return total ? total : -EFAULT;
            total += n;
            at += (size_t)n;
            left -= (size_t)n;
        }
    }
    return total;
}

int64_t do_process_vm(const struct process_vm_args *args)
{
    CLEANUP_UIO struct uio local = {.count = 0};
    CLEANUP_FREE struct iovec *remote = NULL;
    struct mm *mm;
    size_t wanted = 0;
    if (args->flags)
        return -EINVAL;
    int err = uio_init_iovec(&local, args->local, args->local_count);
    if (err || !local.remaining)
        return err;
    local.sync = true;
    err = copy_remote(args, &remote);
    if (err)
        return err;
    for (uint64_t i = 0; i < args->remote_count; i++)
        wanted |= remote[i].iov_len;
    if (!wanted)
        return 0;
    err = target_mm(args->pid, &mm);
    if (err)
        return err;
    int64_t ret = move_all(mm, remote, args->remote_count, &local, args->write);
    mm_put(mm);
    return ret;
}

/* ---- kcmp ---- */

/* Any order will do that is the same each time and tells nothing about addresses. */
static int64_t compare(const void *a, const void *b)
{
    uint64_t x = hash_u64((uint64_t)(uintptr_t)a), y = hash_u64((uint64_t)(uintptr_t)b);
    if (a == b)
        return 0;
    return x < y || (x == y && a < b) ? 1 : 2;
}

static int64_t compare_files(struct task *a, struct task *b, uint64_t fd1, uint64_t fd2)
{
    CLEANUP_FILE struct file *f1 = NULL, *f2 = NULL;
    struct fdtable *t1 = task_get_files(a), *t2 = task_get_files(b);
    int err = t1 && t2 && fd1 <= INT_MAX && fd2 <= INT_MAX ? 0 : -EBADF;
    if (!err)
        err = fdtable_file(t1, (int)fd1, &f1, NULL);
    if (!err)
        err = fdtable_file(t2, (int)fd2, &f2, NULL);
    fdtable_put(t1);
    fdtable_put(t2);
    return err ? err : compare(f1, f2);
}

static int64_t compare_tasks(struct task *a, struct task *b, int type, uint64_t i1, uint64_t i2)
{
    switch (type) {
    case KCMP_FILE:
        return compare_files(a, b, i1, i2);
    case KCMP_VM:
        return compare(a->mm, b->mm);
    case KCMP_FILES:
        return compare(a->files, b->files);
    case KCMP_FS:
        return compare(a->fs, b->fs);
    case KCMP_SIGHAND:
        return compare(a->process->sig.sighand, b->process->sig.sighand);
    case KCMP_IO: /* nobody has an I/O context, or undo operations */
    case KCMP_SYSVSEM:
        return 0;
    case KCMP_EPOLL_TFD:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

int64_t do_kcmp(int32_t pid1, int32_t pid2, int type, uint64_t index1, uint64_t index2)
{
    CLEANUP_OF(task_put) struct task *a = NULL;
    CLEANUP_OF(task_put) struct task *b = NULL;
    int err = find_task(pid1, &a);
    if (!err)
        err = find_task(pid2, &b);
    if (!err)
        err = trace_access(a, TRACE_READ | TRACE_REALCREDS);
    if (!err)
        err = trace_access(b, TRACE_READ | TRACE_REALCREDS);
    return err ? err : compare_tasks(a, b, type, index1, index2);
}
