/*
 * mlock(2) and its family. The limits and the VM_LOCKED state are kept here; that pages really stay
 * in memory is asked of the host, which may refuse (its own limit is another one). DEVIATION: such
 * a refusal is not reported.
 */
#include "kernel/limits.h"
#include "kernel/task.h"
#include "mm/area.h"
#include <sys/mman.h>
#include <sys/syscall.h>

#define CAP_IPC_LOCK 14

static bool may_lock(void)
{
    return current_limit(RLIMIT_MEMLOCK) != 0 || capable(CAP_IPC_LOCK);
}

static bool within_limit(uint64_t pages)
{
    uint64_t limit = current_limit(RLIMIT_MEMLOCK);
    return limit == RLIM_INFINITY || pages <= limit >> PAGE_SHIFT || capable(CAP_IPC_LOCK);
}

static uint64_t locked_in(struct mm *mm, uaddr_t start, uaddr_t end)
{
    uint64_t bytes = 0;
    for (struct area *a = mm_first_area(mm, start); a && a->start < end; a = area_next(a))
        if (a->flags & MAP_LOCKED)
            bytes += MIN(end, a->end) - MAX(start, a->start);
    return bytes >> PAGE_SHIFT;
}

/* Sets or clears MAP_LOCKED up to the first hole, which is -ENOMEM. */
static int lock_areas(struct mm *mm, uaddr_t start, uaddr_t end, bool lock)
{
    int err = area_prepare(mm, start, end);
    uaddr_t at = start;
    while (err == 0 && at < end) {
        struct area *a = mm_find_area(mm, at);
        if (!a) {
            err = -ENOMEM;
            break;
        }
        area_change(mm, a, a->prot, lock ? a->flags | MAP_LOCKED : a->flags & ~MAP_LOCKED);
        at = a->end;
    }
    if (at > start)
        host_call_deferred(current->ctx, lock ? SYS_mlock : SYS_munlock, start, at - start, 0);
    area_merge(mm, start, end);
    return err;
}

/* The pages that hold [addr, addr + len). -EINVAL when that wraps; an empty range is *start ==
 * *end. */
static int page_range(uaddr_t addr, uint64_t len, uaddr_t *ret_start, uaddr_t *ret_end)
{
    uint64_t size = align_up(len + (addr & ~PAGE_MASK), PAGE_SIZE);
    *ret_start = align_down(addr, PAGE_SIZE);
    *ret_end = *ret_start + size;
    return *ret_end < *ret_start ? -EINVAL : 0;
}

int64_t do_mlock(uaddr_t addr, uint64_t len, int flags)
{
    uaddr_t start, end;
    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    if (!may_lock())
        return -EPERM;
    int bad = page_range(addr, len, &start, &end);
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    uint64_t pages = (end - start) >> PAGE_SHIFT;
    if (!within_limit(mm->locked_vm + pages) &&
        (bad || !within_limit(mm->locked_vm + pages - locked_in(mm, start, end))))
        return -ENOMEM;
    if (bad)
        return bad;
    return start == end ? 0 : lock_areas(mm, start, end, true);
}

int64_t do_munlock(uaddr_t addr, uint64_t len)
{
    uaddr_t start, end;
    int err = page_range(addr, len, &start, &end);
    if (err < 0)
        return err;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    return start == end ? 0 : lock_areas(mm, start, end, false);
}

static void lock_all(struct mm *mm, bool lock)
{
    for (struct area *a = mm_first_area(mm, 0); a; a = area_next(a)) {
        area_change(mm, a, a->prot, lock ? a->flags | MAP_LOCKED : a->flags & ~MAP_LOCKED);
        if (!(a->flags &
              MAP_GROWSDOWN)) /* not all of a stack that Linux would not have grown yet */
            host_call_deferred(current->ctx, lock ? SYS_mlock : SYS_munlock, a->start,
                               a->end - a->start, 0);
    }
    area_merge(mm, 0, GUEST_END);
}

int64_t do_mlockall(int flags)
{
    if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!may_lock())
        return -EPERM;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    if (flags & MCL_CURRENT && !within_limit(mm->total_vm))
        return -ENOMEM;
    mm->future_flags = flags & MCL_FUTURE ? MAP_LOCKED : 0;
    if (flags & MCL_CURRENT)
        lock_all(mm, true);
    return 0;
}

int64_t do_munlockall(void)
{
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    mm->future_flags = 0;
    lock_all(mm, false);
    return 0;
}
