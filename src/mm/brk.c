/*
 * brk(2): the heap is an area that grows at its upper end. The call never fails with an errno: it
 * returns the break as it is then.
 */
#include "kernel/limits.h"
#include "kernel/task.h"
#include "mm/area.h"
#include <sys/mman.h>

#define HEAP_GUARD PAGE_SIZE

static bool over_data_limit(const struct mm *mm, uaddr_t brk)
{
    uint64_t limit = current_limit(RLIMIT_DATA);
    return limit != RLIM_INFINITY && brk - mm->brk_start + (mm->end_data - mm->start_data) > limit;
}

static int grow(struct mm *mm, uaddr_t from, uaddr_t to)
{
    if (!area_range_free(mm, from, to + HEAP_GUARD))
        return -ENOMEM;
    return mm_map_anon_locked(mm, current->ctx, from, to - from, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | mm->future_flags, "[heap]", true);
}

int64_t do_brk(uaddr_t brk)
{
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    if (brk < mm->brk_start || brk >= GUEST_END || over_data_limit(mm, brk))
        return (int64_t)mm->brk;
    uaddr_t old_end = align_up(mm->brk, PAGE_SIZE), new_end = align_up(brk, PAGE_SIZE);
    int err = 0;
    if (new_end > old_end)
        err = grow(mm, old_end, new_end);
    else if (new_end < old_end)
        err = mm_unmap_locked(mm, current->ctx, new_end, old_end);
    if (err == 0)
        mm->brk = brk;
    return (int64_t)mm->brk;
}
