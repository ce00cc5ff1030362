/*
 * madvise(2), msync(2), mincore(2): the host does the work, the tree says what may be asked of it.
 * Advice that changes what fork or a core file do with an area is kept in the area's flags too.
 */
#include "kernel/task.h"
#include "mm/area.h"
#include "mm/uaccess.h"
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum { ADVICE_UNKNOWN, ADVICE_DEFERRED, ADVICE_SYNC };

/* How advice goes to the host: with the resume when it cannot fail on an area that has been
 * checked. */
static const unsigned char advice_kind[] = {
    [MADV_NORMAL] = ADVICE_DEFERRED,
    [MADV_RANDOM] = ADVICE_DEFERRED,
    [MADV_SEQUENTIAL] = ADVICE_DEFERRED,
    [MADV_WILLNEED] = ADVICE_DEFERRED,
    [MADV_DONTNEED] = ADVICE_DEFERRED,
    [MADV_FREE] = ADVICE_DEFERRED,
    [MADV_REMOVE] = ADVICE_SYNC,
    [MADV_DONTFORK] = ADVICE_DEFERRED,
    [MADV_DOFORK] = ADVICE_DEFERRED,
    [MADV_HUGEPAGE] = ADVICE_SYNC,
    [MADV_NOHUGEPAGE] = ADVICE_SYNC,
    [MADV_DONTDUMP] = ADVICE_DEFERRED,
    [MADV_DODUMP] = ADVICE_DEFERRED,
    [MADV_WIPEONFORK] = ADVICE_DEFERRED,
    [MADV_KEEPONFORK] = ADVICE_DEFERRED,
    [MADV_COLD] = ADVICE_DEFERRED,
    [MADV_PAGEOUT] = ADVICE_DEFERRED,
    [MADV_POPULATE_READ] = ADVICE_SYNC,
    [MADV_POPULATE_WRITE] = ADVICE_SYNC,
    [MADV_COLLAPSE] = ADVICE_SYNC,
    [MADV_DONTNEED_LOCKED] = ADVICE_DEFERRED,
};

static int check_advice(const struct area *a, int advice)
{
    bool anonymous = !a->file && area_is_private(a), locked = a->flags & MAP_LOCKED;
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_PAGEOUT:
    case MADV_COLD:
        return locked ? -EINVAL : 0;
    case MADV_FREE:
        return locked || !anonymous ? -EINVAL : 0;
    case MADV_WIPEONFORK:
        return anonymous ? 0 : -EINVAL;
    case MADV_REMOVE:
        if (locked || area_is_private(a))
            return locked ? -EINVAL : a->file ? -EACCES : -EINVAL;
        return a->flags & AREA_NO_WRITE ? -EACCES : 0;
    default:
        return 0;
    }
}

static int advised_flags(int flags, int advice)
{
    switch (advice) {
    case MADV_DONTFORK:
        return flags | AREA_DONTFORK;
    case MADV_DOFORK:
        return flags & ~AREA_DONTFORK;
    case MADV_WIPEONFORK:
        return flags | AREA_WIPEONFORK;
    case MADV_KEEPONFORK:
        return flags & ~AREA_WIPEONFORK;
    case MADV_DONTDUMP:
        return flags | AREA_DONTDUMP;
    case MADV_DODUMP:
        return flags & ~AREA_DONTDUMP;
    default:
        return flags;
    }
}

static int advise_host(uaddr_t start, uaddr_t end, int advice)
{
    if (advice_kind[advice] == ADVICE_SYNC)
        return (int)host_call(current->ctx, SYS_madvise, start, end - start, (uint64_t)advice);
    host_call_deferred(current->ctx, SYS_madvise, start, end - start, (uint64_t)advice);
    return 0;
}

static int advise_area(struct mm *mm, struct area *a, uaddr_t start, uaddr_t end, int advice)
{
    int err = check_advice(a, advice);
    if (err < 0)
        return err;
    if (advised_flags(a->flags, advice) != a->flags) {
        err = area_prepare(mm, start, end);
        if (err < 0)
            return err;
        a = mm_find_area(mm, start);
        area_change(mm, a, a->prot, advised_flags(a->flags, advice));
    }
    return advise_host(start, end, advice);
}

/* Area by area; a hole is reported at the end, an area's refusal at once. */
static int advise_range(struct mm *mm, uaddr_t start, uaddr_t end, int advice)
{
    int unmapped = 0;
    for (uaddr_t at = start; at < end;) {
        struct area *a = mm_first_area(mm, at);
        if (!a || a->start >= end)
            return -ENOMEM;
        if (a->start > at)
            unmapped = -ENOMEM;
        at = MAX(at, a->start);
        uaddr_t stop = MIN(end, a->end);
        int err = advise_area(mm, a, at, stop, advice);
        if (err < 0)
            return err;
        at = stop;
    }
    return unmapped;
}

int64_t do_madvise(uaddr_t addr, uint64_t len, int advice)
{
    if (addr & ~PAGE_MASK || advice < 0 || (unsigned)advice >= sizeof(advice_kind) ||
        advice_kind[advice] == ADVICE_UNKNOWN)
        return -EINVAL;
    if (align_up(len, PAGE_SIZE) < len || addr + align_up(len, PAGE_SIZE) < addr)
        return -EINVAL;
    if (len == 0)
        return 0;
    uaddr_t end = addr + align_up(len, PAGE_SIZE);
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    int err = advise_range(mm, addr, end, advice);
    if (advice >= MADV_DONTFORK)
        area_merge(mm, addr, end);
    return err;
}

/* ---- msync ---- */

static int sync_range(struct mm *mm, uaddr_t start, uaddr_t end, int flags)
{
    int unmapped = 0;
    for (uaddr_t at = start; at < end;) {
        struct area *a = mm_first_area(mm, at);
        if (!a || a->start >= end)
            return -ENOMEM;
        if (a->start > at)
            unmapped = -ENOMEM;
        at = MAX(at, a->start);
        if (flags & MS_INVALIDATE && a->flags & MAP_LOCKED)
            return -EBUSY;
        uaddr_t stop = MIN(end, a->end);
        if (flags & MS_SYNC && a->file && !area_is_private(a)) {
            int64_t err = host_call(current->ctx, SYS_msync, at, stop - at, MS_SYNC);
            if (err < 0)
                return (int)err;
        }
        at = stop;
    }
    return unmapped;
}

int64_t do_msync(uaddr_t addr, uint64_t len, int flags)
{
    if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr & ~PAGE_MASK ||
        (flags & MS_ASYNC && flags & MS_SYNC))
        return -EINVAL;
    uaddr_t end = addr + align_up(len, PAGE_SIZE);
    if (end < addr)
        return -ENOMEM;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    return end == addr ? 0 : sync_range(mm, addr, end, flags);
}

/* ---- mincore ---- */

int64_t do_mincore(uaddr_t addr, uint64_t len, uaddr_t vec)
{
    if (addr & ~PAGE_MASK)
        return -EINVAL;
    if (!access_ok(addr, len))
        return -ENOMEM;
    uint64_t pages = align_up(len, PAGE_SIZE) >> PAGE_SHIFT;
    if (!access_ok(vec, pages))
        return -EFAULT;
    if (pages == 0)
        return 0;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    bool full = area_range_full(mm, addr, addr + (pages << PAGE_SHIFT));
    int64_t ret = host_call(current->ctx, SYS_mincore, addr, pages << PAGE_SHIFT, vec);
    return ret == 0 && !full ? -ENOMEM : ret;
}
