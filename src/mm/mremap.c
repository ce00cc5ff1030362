/*
 * mremap(2). The target of a move is always chosen here and ordered with MREMAP_FIXED, so that the
 * host has no choice of its own and tree and host agree.
 */
#include "kernel/task.h"
#include "mm/area.h"
#include "vfs/file.h"
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

struct remap {
    struct mm *mm;
    struct context *ctx;
    struct area *area; /* holds old */
    uaddr_t old, target;
    uint64_t old_len, new_len;
    int flags;
};

/* May [old, old + old_len) become new_len long? vma_to_resize() of Linux. */
static int check_resize(const struct remap *r)
{
    const struct area *a = r->area;
    if (r->old_len == 0 && area_is_private(a))
        return -EINVAL;
    if (r->old_len > a->end - r->old)
        return -EFAULT;
    if (r->new_len <= r->old_len)
        return 0;
    uint64_t grown = r->new_len - r->old_len;
    if (a->offset + (r->old - a->start) + r->new_len < r->new_len)
        return -EINVAL;
    return mm_check_limits(r->mm, grown >> PAGE_SHIFT, a->prot, a->flags & ~MAP_GROWSDOWN);
}

static int64_t host_remap(const struct remap *r, int flags)
{
    uint64_t args[6] = {r->old, r->old_len, r->new_len, (uint64_t)flags, r->target};
    return order_host(r->ctx, SYS_mremap, args);
}

/* In place, when the area ends here and what follows is free. */
static bool can_grow(const struct remap *r)
{
    uaddr_t end = r->old + r->old_len, new_end = r->old + r->new_len;
    return r->old_len && r->area->end == end && new_end > end && new_end <= GUEST_END &&
           area_range_free(r->mm, end, new_end);
}

static int64_t grow(struct remap *r)
{
    uaddr_t end = r->area->end, new_end = r->old + r->new_len;
    struct area *more = area_new(end, new_end, r->area);
    if (!more)
        return -ENOMEM;
    more->offset += end - r->area->start;
    int64_t ret = host_remap(r, 0);
    if (ret < 0) {
        area_free(more);
        return ret;
    }
    if (!more->file &&
        !area_is_private(more)) { /* one object, not two: never merged by area_insert() */
        area_free(more);
        r->mm->total_vm += (new_end - end) >> PAGE_SHIFT;
        r->area->end = new_end;
        return (int64_t)r->old;
    }
    area_insert(r->mm, more);
    return (int64_t)r->old;
}

/* To r->target, which is free. */
static int64_t move(struct remap *r)
{
    struct mm *mm = r->mm;
    if (mm->area_count + 3 > MM_MAX_AREAS)
        return -ENOMEM;
    int err = area_prepare(mm, r->old, r->old + r->old_len);
    if (err < 0)
        return err;
    struct area *from = mm_find_area(mm, r->old);
    struct area *to = area_new(r->target, r->target + r->new_len, from);
    if (!to)
        return -ENOMEM;
    if (from->prot & PROT_EXEC) {
        patch_restore(r->ctx, r->old, r->old_len);
        patch_unmap(mm->as, r->old, r->old_len);
    }
    int64_t ret = host_remap(r, MREMAP_MAYMOVE | MREMAP_FIXED | (r->flags & MREMAP_DONTUNMAP));
    if (ret < 0) {
        area_free(to);
        area_merge(mm, r->old, r->old + r->old_len);
        return ret;
    }
    if (r->old_len && !(r->flags & MREMAP_DONTUNMAP))
        area_erase(mm, r->old, r->old + r->old_len);
    area_insert(mm, to);
    area_merge(mm, r->old, r->old + r->old_len); /* MREMAP_DONTUNMAP: as it was */
    return (int64_t)r->target;
}

static int64_t move_anywhere(struct remap *r)
{
    r->target = mm_find_free(r->mm, 0, r->new_len, PAGE_SIZE);
    return r->target ? move(r) : -ENOMEM;
}

/* MREMAP_FIXED, and MREMAP_DONTUNMAP, which takes the address as a hint. */
static int64_t move_to(struct remap *r, uaddr_t new_addr)
{
    if (new_addr & ~PAGE_MASK || r->new_len > GUEST_END || new_addr > GUEST_END - r->new_len)
        return -EINVAL;
    if (r->old + r->old_len > new_addr && new_addr + r->new_len > r->old)
        return -EINVAL;
    bool fixed = r->flags & MREMAP_FIXED;
    if (fixed && (new_addr < GUEST_BASE ||
                  (new_addr < GUEST_RESERVED_END && new_addr + r->new_len > GUEST_RESERVED_START)))
        return -EPERM;
    int err = fixed ? mm_unmap_locked(r->mm, r->ctx, new_addr, new_addr + r->new_len) : 0;
    if (err == 0 && r->old_len > r->new_len) {
        err = mm_unmap_locked(r->mm, r->ctx, r->old + r->new_len, r->old + r->old_len);
        r->old_len = r->new_len;
    }
    r->area = mm_find_area(r->mm, r->old);
    if (err == 0)
        err = r->area ? check_resize(r) : -EFAULT;
    if (err < 0)
        return err;
    r->target = new_addr;
    if (!fixed &&
        (new_addr < GUEST_BASE || !area_range_free(r->mm, new_addr, new_addr + r->new_len)))
        return move_anywhere(r);
    return move(r);
}

static int64_t shrink(struct remap *r)
{
    int err = mm_unmap_locked(r->mm, r->ctx, r->old + r->new_len, r->old + r->old_len);
    return err < 0 ? err : (int64_t)r->old;
}

static int64_t remap_locked(struct remap *r, uaddr_t new_addr)
{
    r->area = mm_find_area(r->mm, r->old);
    if (!r->area)
        return -EFAULT;
    if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        return move_to(r, new_addr);
    if (r->old_len > r->new_len)
        return shrink(r);
    if (r->old_len == r->new_len)
        return (int64_t)r->old;
    int err = check_resize(r);
    if (err < 0)
        return err;
    if (can_grow(r))
        return grow(r);
    return r->flags & MREMAP_MAYMOVE ? move_anywhere(r) : -ENOMEM;
}

int64_t do_mremap(uaddr_t old, uint64_t old_len, uint64_t new_len, int flags, uaddr_t new_addr)
{
    if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
        (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
        old & ~PAGE_MASK)
        return -EINVAL;
    old_len = align_up(old_len, PAGE_SIZE); /* may come out as 0, as on Linux */
    if (new_len == 0 || new_len > GUEST_END)
        return -EINVAL;
    if (old_len > GUEST_END || old > GUEST_END - old_len)
        return -EFAULT;
    struct remap r = {.mm = current->mm,
                      .ctx = current->ctx,
                      .old = old,
                      .old_len = old_len,
                      .new_len = align_up(new_len, PAGE_SIZE),
                      .flags = flags};
    if (flags & MREMAP_DONTUNMAP && r.old_len != r.new_len)
        return -EINVAL;
    MUTEX_GUARD(&r.mm->lock);
    return remap_locked(&r, new_addr);
}
