/*
 * Memory: mmap and its family, decoded.
 */
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/task.h"
#include "kernel/trace_access.h"
#include "mm/mempolicy.h"
#include "mm/mm.h"
#include "syscalls/prototypes.h"
#include "vfs/file.h"
#include <linux/capability.h>
#include <linux/mman.h>
#include <sys/mman.h>

int64_t sys_mmap(const uint64_t *a)
{
    int flags = (int)a[3], fd = (int)a[4];
    CLEANUP_FILE struct file *file = NULL;
    if (a[5] & ~PAGE_MASK)
        return -EINVAL;
    if (flags & MAP_HUGETLB) /* no huge pages were set aside */
        return flags & MAP_ANONYMOUS ? -ENOMEM : -EINVAL;
    if (!(flags & MAP_ANONYMOUS)) {
        int err = fd_file(fd, &file);
        if (err < 0)
            return err;
    }
    return do_mmap(a[0], a[1], (int)a[2], flags, file, a[5]);
}

int64_t sys_munmap(const uint64_t *a)
{
    return do_munmap(a[0], a[1]);
}

int64_t sys_mprotect(const uint64_t *a)
{
    return a[2] >> 32 ? -EINVAL : do_mprotect(a[0], a[1], (int)a[2]);
}

int64_t sys_brk(const uint64_t *a)
{
    return do_brk(a[0]);
}

int64_t sys_mremap(const uint64_t *a)
{
    return a[3] >> 32 ? -EINVAL : do_mremap(a[0], a[1], a[2], (int)a[3], a[4]);
}

int64_t sys_madvise(const uint64_t *a)
{
    return do_madvise(a[0], a[1], (int)a[2]);
}

int64_t sys_msync(const uint64_t *a)
{
    return do_msync(a[0], a[1], (int)a[2]);
}

int64_t sys_mincore(const uint64_t *a)
{
    return do_mincore(a[0], a[1], a[2]);
}

int64_t sys_mlock(const uint64_t *a)
{
    return do_mlock(a[0], a[1], 0);
}

int64_t sys_mlock2(const uint64_t *a)
{
    return do_mlock(a[0], a[1], (int)a[2]);
}

int64_t sys_munlock(const uint64_t *a)
{
    return do_munlock(a[0], a[1]);
}

int64_t sys_mlockall(const uint64_t *a)
{
    return do_mlockall((int)a[0]);
}

int64_t sys_munlockall(const uint64_t *a)
{
    return do_munlockall();
}

int64_t sys_remap_file_pages(const uint64_t *a)
{
    return do_remap_file_pages(a[0], a[1], (int)a[2], a[3], (int)a[4]);
}

/* ---- protection keys: none, as on a CPU without them ---- */

#define PKEY_DISABLE_BITS 3u

int64_t sys_pkey_alloc(const uint64_t *a)
{
    return a[0] || a[1] & ~(uint64_t)PKEY_DISABLE_BITS ? -EINVAL : -ENOSPC;
}

int64_t sys_pkey_free(const uint64_t *a)
{
    return -EINVAL;
}

/* Key 0 is what everything has. */
int64_t sys_pkey_mprotect(const uint64_t *a)
{
    int key = (int)a[3];
    if (key != -1 && key != 0)
        return -EINVAL;
    return sys_mprotect(a);
}

/* ---- memory policies ---- */

int64_t sys_mbind(const uint64_t *a)
{
    return do_mbind(a[0], a[1], (unsigned)a[2], a[3], a[4], (unsigned)a[5]);
}

int64_t sys_set_mempolicy(const uint64_t *a)
{
    return do_set_mempolicy((unsigned)a[0], a[1], a[2]);
}

int64_t sys_get_mempolicy(const uint64_t *a)
{
    return do_get_mempolicy(a[0], a[1], a[2], a[3], (unsigned)a[4]);
}

int64_t sys_set_mempolicy_home_node(const uint64_t *a)
{
    return do_set_home_node(a[0], a[1], a[2], a[3]);
}

int64_t sys_migrate_pages(const uint64_t *a)
{
    return do_migrate_pages((int32_t)a[0], a[1], a[2], a[3]);
}

int64_t sys_move_pages(const uint64_t *a)
{
    return do_move_pages((int32_t)a[0], a[1], a[2], a[3], a[4], (int)a[5]);
}

/* ---- other processes' memory ---- */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* The task behind a pidfd, whose memory the caller may look at. */
static int find_by_pidfd(int fd, struct task **ret)
{
    struct pid *pid;
    int err = pidfd_pid(fd, &pid);
    if (err < 0)
        return err;
    spin_lock(&tasklist_lock);
    struct task *t = pid->task ? task_get(pid->task) : NULL;
    spin_unlock(&tasklist_lock);
    pid_put(pid);
    if (!t)
        return -ESRCH;
    err = trace_access(t, TRACE_READ | TRACE_FSCREDS);
    if (err < 0)
        task_put(t);
    else
        *ret = t;
    return err;
}

static int64_t advise_vectors(const struct uio *u, bool own, int advice)
{
    int64_t done = 0;
    for (unsigned i = 0; i < u->count; i++) {
        /* What may be asked for others is a hint each time: the host is not told. */
        int64_t err = own ? do_madvise(u->vec[i].base, u->vec[i].len, advice)
                          : u->vec[i].base & ~PAGE_MASK ? -EINVAL : 0;
        if (err < 0)
            return done ? done : err;
        done += (int64_t)u->vec[i].len;
    }
    return done;
}

int64_t sys_process_madvise(const uint64_t *a)
{
    CLEANUP_UIO struct uio u = {.vec = u.inline_vec};
    struct task *t = NULL;
    int advice = (int)a[3];
    if ((unsigned)a[4])
        return -EINVAL;
    int err = uio_init_iovec(&u, a[1], a[2]);
    if (err == 0)
        err = find_by_pidfd((int)a[0], &t);
    if (err < 0)
        return err;
    bool own = t->process == current->process;
    task_put(t);
    bool hint = advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED || advice == MADV_COLLAPSE;
    if (!own && !hint)
        return -EINVAL;
    if (!own && !capable(CAP_SYS_NICE))
        return -EPERM;
    return advise_vectors(&u, own, advice);
}

/* The memory of a process that has been killed goes with its host process, which nothing here can hasten. */
int64_t sys_process_mrelease(const uint64_t *a)
{
    struct pid *pid;
    if ((unsigned)a[1])
        return -EINVAL;
    int err = pidfd_pid((int)a[0], &pid);
    if (err < 0)
        return err;
    spin_lock(&tasklist_lock);
    struct task *t = pid->task;
    err = !t || t->exited ? -ESRCH : t->exiting || t->sig.kill_pending ? 0 : -EINVAL;
    spin_unlock(&tasklist_lock);
    pid_put(pid);
    return err;
}
