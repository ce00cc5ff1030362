/*
 * The tree of areas: finding, inserting, splitting, merging, and the accounts that follow from
 * them.
 *
 * Neighbours that differ in nothing are one area, as on Linux; that keeps the count low and mremap
 * working over ranges that were mapped in pieces.
 */
#include "kernel/task.h"
#include "mm/area.h"
#include "vfs/file.h"
#include <stdlib.h>
#include <sys/mman.h>

#define AREA(n) rb_entry(n, struct area, node)

/* ---- walking ---- */

struct area *area_next(struct area *a)
{
    struct rb_node *n = rb_next(&a->node);
    return n ? AREA(n) : NULL;
}

struct area *area_prev(struct area *a)
{
    struct rb_node *n = rb_prev(&a->node);
    return n ? AREA(n) : NULL;
}

struct area *mm_first_area(struct mm *mm, uaddr_t from)
{
    struct area *found = NULL;
    for (struct rb_node *n = mm->areas.node; n;) {
        struct area *a = AREA(n);
        if (a->end > from) {
            found = a;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return found;
}

struct area *mm_find_area(struct mm *mm, uaddr_t addr)
{
    struct area *a = mm_first_area(mm, addr);
    return a && a->start <= addr ? a : NULL;
}

bool area_range_free(struct mm *mm, uaddr_t start, uaddr_t end)
{
    if (start < GUEST_RESERVED_END && end > GUEST_RESERVED_START)
        return false;
    struct area *a = mm_first_area(mm, start);
    return !a || a->start >= end;
}

bool area_range_full(struct mm *mm, uaddr_t start, uaddr_t end)
{
    for (struct area *a = mm_find_area(mm, start); a && a->start <= start; a = area_next(a)) {
        if (a->end >= end)
            return true;
        start = a->end;
    }
    return false;
}

/* ---- accounts ---- */

static void account(struct mm *mm, const struct area *a, int sign)
{
    if (sign < 0)
        atomic_fetch_add_explicit(&mm->changes, 1, memory_order_release);
    uint64_t pages = (a->end - a->start) >> PAGE_SHIFT;
    uint64_t change = sign > 0 ? pages : -pages;
    mm->total_vm += change;
    if (a->flags & MAP_LOCKED)
        mm->locked_vm += change;
    if (a->flags & MAP_GROWSDOWN)
        mm->stack_vm += change;
    else if (area_is_private(a) && a->prot & PROT_WRITE)
        mm->data_vm += change;
    else if (a->file && a->prot & PROT_EXEC)
        mm->exec_vm += change;
}

void area_change(struct mm *mm, struct area *a, int prot, int flags)
{
    account(mm, a, -1);
    a->prot = prot;
    a->flags = flags;
    account(mm, a, 1);
}

/* ---- what can be written ---- */

static bool look_writable(struct mm *mm, uaddr_t addr, uaddr_t end, struct known_range *ret)
{
    struct area *a = mm_find_area(mm, addr);
    if (!a)
        return false;
    *ret = (struct known_range){.mm = mm, .changes = mm->changes, .start = a->start, .end = a->end};
    for (; a && a->start <= addr && a->prot & PROT_WRITE; a = area_next(a)) {
        ret->end = a->end;
        if (a->end >= end)
            return true;
        addr = a->end;
    }
    return false;
}

bool mm_known_writable(uaddr_t addr, size_t n)
{
    struct task *t = current;
    struct mm *mm = t ? t->mm : NULL;
    struct known_range found, *known = &t->known_writable;
    if (!mm || addr + n < addr)
        return false;
    if (LIKELY(known->mm == mm && addr >= known->start && addr + n <= known->end &&
               known->changes == atomic_load_explicit(&mm->changes, memory_order_acquire)))
        return true;
    if (!mutex_trylock(&mm->lock)) /* the caller may hold locks that come after it */
        return false;
    bool writable = look_writable(mm, addr, addr + n, &found);
    mutex_unlock(&mm->lock);
    if (writable)
        *known = found;
    return writable;
}

/* ---- life ---- */

struct area *area_new(uaddr_t start, uaddr_t end, const struct area *like)
{
    assert(start < end && !((start | end) & ~PAGE_MASK));
    struct area *a = malloc(sizeof(*a));
    if (!a)
        return NULL;
    *a = (struct area){.start = start,
                       .end = end,
                       .prot = like->prot,
                       .flags = like->flags,
                       .offset = like->offset,
                       .name = like->name,
                       .policy = like->policy};
    if (like->file)
        area_set_file(a, like->file);
    return a;
}

void area_set_file(struct area *a, struct file *file)
{
    a->file = file_get(file);
    if (file->ops->count_area)
        file->ops->count_area(file, 1);
}

void area_free(struct area *a)
{
    if (a->file && a->file->ops->count_area)
        a->file->ops->count_area(a->file, -1);
    if (a->file)
        file_put(a->file);
    free(a);
}

static void link_area(struct mm *mm, struct area *a)
{
    struct rb_node **link = &mm->areas.node, *parent = NULL;
    while (*link) {
        parent = *link;
        assert(a->end <= AREA(parent)->start || a->start >= AREA(parent)->end);
        link = a->start < AREA(parent)->start ? &parent->left : &parent->right;
    }
    rb_insert(&mm->areas, &a->node, parent, link);
    mm->area_count++;
}

static void unlink_area(struct mm *mm, struct area *a)
{
    rb_erase(&mm->areas, &a->node);
    mm->area_count--;
}

/* ---- merging and splitting ---- */

static bool can_merge(const struct area *a, const struct area *b)
{
    if (a->end != b->start || a->prot != b->prot || a->flags != b->flags || a->file != b->file ||
        a->name != b->name || a->policy != b->policy)
        return false;
    if (a->file)
        return a->offset + (a->end - a->start) == b->offset;
    return area_is_private(a); /* each anonymous shared mapping is an object of its own */
}

/* Joins a with its successor if they are alike: true if it did. The accounts do not change. */
static bool merge_with_next(struct mm *mm, struct area *a)
{
    struct area *next = area_next(a);
    if (!next || !can_merge(a, next))
        return false;
    a->end = next->end;
    unlink_area(mm, next);
    area_free(next);
    return true;
}

void area_merge(struct mm *mm, uaddr_t start, uaddr_t end)
{
    struct area *a = mm_first_area(mm, start ? start - 1 : 0);
    while (a && a->start <= end)
        if (!merge_with_next(mm, a))
            a = area_next(a);
}

struct area *area_insert(struct mm *mm, struct area *a)
{
    mutex_assert_held(&mm->lock);
    link_area(mm, a);
    account(mm, a, 1);
    struct area *prev = area_prev(a);
    if (prev && merge_with_next(mm, prev))
        a = prev;
    merge_with_next(mm, a);
    return a;
}

/* Makes addr a boundary if it lies inside an area. */
static int split_at(struct mm *mm, uaddr_t addr)
{
    struct area *a = mm_find_area(mm, addr);
    if (!a || a->start == addr)
        return 0;
    if (mm->area_count >= MM_MAX_AREAS)
        return -ENOMEM;
    struct area *upper = area_new(addr, a->end, a);
    if (!upper)
        return -ENOMEM;
    upper->offset += addr - a->start;
    a->end = addr;
    link_area(mm, upper);
    return 0;
}

int area_prepare(struct mm *mm, uaddr_t start, uaddr_t end)
{
    mutex_assert_held(&mm->lock);
    int err = split_at(mm, start);
    return err < 0 ? err : split_at(mm, end);
}

void area_erase(struct mm *mm, uaddr_t start, uaddr_t end)
{
    mutex_assert_held(&mm->lock);
    struct area *a = mm_first_area(mm, start);
    while (a && a->start < end) {
        assert(a->start >= start && a->end <= end);
        struct area *next = area_next(a);
        account(mm, a, -1);
        unlink_area(mm, a);
        area_free(a);
        a = next;
    }
    uaddr_t hole_end = a ? a->start : mm->mmap_base;
    if (hole_end > mm->free_cache)
        mm->free_cache = MIN(hole_end, mm->mmap_base);
}

/* ---- free ranges ---- */

/* The highest free range of len bytes in [low, high), by walking down the areas; remembers the
 * largest it passed. */
static uaddr_t gap_below(struct mm *mm, uaddr_t low, uaddr_t high, uint64_t len, uint64_t align,
                         uint64_t *largest)
{
    struct area *above = mm_first_area(mm, high);
    struct area *a = above                 ? area_prev(above)
                     : rb_last(&mm->areas) ? AREA(rb_last(&mm->areas))
                                           : NULL;
    uaddr_t top = above && above->start < high ? above->start : high;
    for (;;) {
        uaddr_t bottom = MAX(low, a ? a->end : 0);
        if (top >= bottom && top - bottom >= len) {
            uaddr_t start = align_down(top - len, align);
            if (start >= bottom) {
                *largest = MAX(*largest, top - len - start);
                return start;
            }
        }
        if (top > bottom && top - bottom > *largest)
            *largest = top - bottom;
        if (!a || a->start <= low)
            return 0;
        top = a->start;
        a = area_prev(a);
    }
}

uaddr_t area_find_gap(struct mm *mm, uaddr_t low, uaddr_t high, uint64_t len, uint64_t align)
{
    uint64_t ignored = 0;
    low = MAX(low, GUEST_RESERVED_END);
    return high > low ? gap_below(mm, low, high, len, align, &ignored) : 0;
}

/*
 * Top-down from mmap_base. Programs map and unmap thousands of areas, so the search remembers where
 * it ended: above free_cache no free range is larger than free_hole; unmapping moves free_cache up
 * again (area_erase()).
 */
uaddr_t mm_find_free(struct mm *mm, uaddr_t below, uint64_t len, uint64_t align)
{
    mutex_assert_held(&mm->lock);
    if (below)
        return area_find_gap(mm, GUEST_BASE, below, len, align);
    if (len <= mm->free_hole || !mm->free_cache) {
        mm->free_cache = mm->mmap_base;
        mm->free_hole = 0;
    }
    uaddr_t found = gap_below(mm, GUEST_RESERVED_END, mm->free_cache, len, align, &mm->free_hole);
    if (!found) /* nothing below the base: whatever is left above it */
        return area_find_gap(mm, GUEST_BASE, GUEST_END, len, align);
    mm->free_cache = found;
    return found;
}
