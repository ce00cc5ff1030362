/*
 * mprotect(2). Areas are changed from the left until one refuses; what came before stays changed,
 * as on Linux, and the host gets one order for all of it.
 */
#include "kernel/task.h"
#include "mm/area.h"
#include "vfs/file.h"
#include <sys/mman.h>
#include <sys/personality.h>

#ifndef PROT_SEM
#define PROT_SEM 8
#endif
#define PROT_RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PROT_GROWS (PROT_GROWSDOWN | PROT_GROWSUP)

/* May the area get this protection? */
static int check_area(struct mm *mm, const struct area *a, int prot)
{
    if (prot & PROT_WRITE && a->flags & AREA_NO_WRITE)
        return -EACCES;
    if (prot & PROT_EXEC && a->flags & AREA_NO_EXEC)
        return -EACCES;
    if (UNLIKELY(current->process->mdwe) && prot & PROT_EXEC && (!(a->prot & PROT_EXEC) || prot & PROT_WRITE))
        return -EACCES;
    bool more_data = prot & PROT_WRITE && !(a->prot & PROT_WRITE) && area_is_private(a);
    uint64_t limit = current_limit(RLIMIT_DATA);
    if (more_data && limit != RLIM_INFINITY &&
        mm->data_vm + ((a->end - a->start) >> PAGE_SHIFT) > limit >> PAGE_SHIFT)
        return -ENOMEM;
    return 0;
}

/* How far the change may go: the end of the last area that agrees; *ret_err says why not further.
 */
static uaddr_t agreed_end(struct mm *mm, uaddr_t start, uaddr_t end, int prot, int *ret_err)
{
    uaddr_t at = start;
    *ret_err = 0;
    for (struct area *a = mm_first_area(mm, start); at < end; a = area_next(a)) {
        *ret_err = !a || a->start > at ? -ENOMEM : check_area(mm, a, prot);
        if (*ret_err < 0)
            return at;
        at = a->end;
    }
    return end;
}

static void change_areas(struct mm *mm, uaddr_t start, uaddr_t end, int prot)
{
    for (struct area *a = mm_first_area(mm, start); a && a->start < end; a = area_next(a)) {
        if (a->prot & PROT_EXEC && !(prot & PROT_EXEC))
            patch_unmap(mm->as, a->start, a->end - a->start);
        area_change(mm, a, prot, a->flags);
    }
    area_merge(mm, start, end);
}

static int protect_range(struct mm *mm, uaddr_t start, uaddr_t end, int prot)
{
    int refused, err = area_prepare(mm, start, end);
    if (err < 0)
        return err;
    uaddr_t agreed = agreed_end(mm, start, end, prot, &refused);
    if (agreed > start)
        err = host_protect(current->ctx, start, agreed - start, prot);
    if (err < 0 || agreed == start) {
        area_merge(mm, start, end);
        return err < 0 ? err : refused;
    }
    change_areas(mm, start, agreed, prot);
    return refused;
}

/* PROT_GROWSDOWN: from the start of the stack it lies in. */
static int start_of_stack(struct mm *mm, uaddr_t *start, uaddr_t end)
{
    struct area *a = mm_first_area(mm, *start);
    if (!a || a->start >= end)
        return -ENOMEM;
    if (!(a->flags & MAP_GROWSDOWN))
        return -EINVAL;
    *start = a->start;
    return 0;
}

int64_t do_mprotect(uaddr_t addr, uint64_t len, int prot)
{
    int grows = prot & PROT_GROWS;
    prot &= ~PROT_GROWS;
    if (grows == PROT_GROWS || addr & ~PAGE_MASK)
        return -EINVAL;
    if (len == 0)
        return 0;
    if (len > GUEST_END || addr > GUEST_END - len)
        return -ENOMEM;
    if (prot & ~(PROT_RWX | PROT_SEM) || grows & PROT_GROWSUP)
        return -EINVAL;
    prot &= PROT_RWX;
    if (prot & PROT_READ && current->personality & READ_IMPLIES_EXEC)
        prot |= PROT_EXEC;
    uaddr_t end = addr + align_up(len, PAGE_SIZE);
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    int err = grows ? start_of_stack(mm, &addr, end) : 0;
    return err < 0 ? err : protect_range(mm, addr, end, prot);
}
