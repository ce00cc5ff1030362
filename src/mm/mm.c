/*
 * The life of a guest address space as the kernel keeps it, and what others do with it from
 * outside: reading and writing its memory, its random layout.
 */
#include "kernel/aio.h"
#include "mm/area.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>

int mm_new(struct address_space *as, struct mm **ret)
{
    struct mm *mm = calloc(1, sizeof(*mm));
    if (!mm)
        return -ENOMEM;
    refcount_init(&mm->ref);
    atomic_init(&mm->tasks, 1);
    mutex_init(&mm->lock);
    list_init(&mm->aio);
    mm->as = as;
    *ret = mm;
    return 0;
}

struct mm *mm_get(struct mm *mm)
{
    refcount_get(&mm->ref);
    return mm;
}

static void forget_areas(struct mm *mm)
{
    struct rb_node *n;
    while ((n = mm->areas.node) != NULL) {
        rb_erase(&mm->areas, n);
        area_free(rb_entry(n, struct area, node));
    }
    mm->area_count = 0;
}

void mm_put(struct mm *mm)
{
    if (!refcount_put(&mm->ref))
        return;
    aio_exit(mm);
    forget_areas(mm);
    free(mm);
}

void mm_attach(struct mm *mm)
{
    atomic_fetch_add(&mm->tasks, 1);
}

void mm_detach(struct mm *mm)
{
    unsigned before = atomic_fetch_sub(&mm->tasks, 1);
    assert_always(before > 0);
    if (before > 1)
        return;
    MUTEX_GUARD(&mm->lock);
    mm->as = NULL;
}

void mm_clear(struct mm *mm)
{
    aio_exit(mm);
    MUTEX_GUARD(&mm->lock);
    forget_areas(mm);
    mm->total_vm = mm->locked_vm = mm->data_vm = mm->stack_vm = mm->exec_vm = 0;
    mm->mmap_base = mm->stack_top = mm->free_cache = mm->free_hole = 0;
    mm->future_flags = 0;
    mm->brk_start = mm->brk = 0;
    mm->start_code = mm->end_code = mm->start_data = mm->end_data = mm->start_stack = 0;
    mm->arg_start = mm->arg_end = mm->env_start = mm->env_end = 0;
    mm->auxv_len = 0;
}

/* ---- fork ---- */

static void copy_layout(struct mm *to, const struct mm *from)
{
    to->mmap_base = from->mmap_base;
    to->stack_top = from->stack_top;
    to->free_cache = from->free_cache;
    to->free_hole = from->free_hole;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    to->start_code = from->start_code;
    to->end_code = from->end_code;
    to->start_data = from->start_data;
    to->end_data = from->end_data;
    to->start_stack = from->start_stack;
    to->arg_start = from->arg_start;
    to->arg_end = from->arg_end;
    to->env_start = from->env_start;
    to->env_end = from->env_end;
    memcpy(to->auxv, from->auxv, sizeof(to->auxv));
    to->auxv_len = from->auxv_len;
}

/* Areas that the host's fork has copied: all but MADV_DONTFORK ones. Locks are not inherited. */
static int copy_areas(struct mm *to, struct mm *from)
{
    for (struct area *a = mm_first_area(from, 0); a; a = area_next(a)) {
        if (a->flags & AREA_DONTFORK)
            continue;
        struct area *copy = area_new(a->start, a->end, a);
        if (!copy)
            return -ENOMEM;
        copy->flags &= ~MAP_LOCKED;
        area_insert(to, copy);
    }
    return 0;
}

int mm_fork(struct mm *mm, struct address_space *as, struct mm **ret)
{
    struct mm *child;
    int err = mm_new(as, &child);
    if (err < 0)
        return err;
    mutex_assert_held(&mm->lock);
    mutex_lock(&child->lock);
    copy_layout(child, mm);
    err = copy_areas(child, mm);
    mutex_unlock(&child->lock);
    if (err < 0) {
        mm_put(child);
        return err;
    }
    *ret = child;
    return 0;
}

/* ---- layout ---- */

#define STACK_RANDOM_PAGES (1UL << 22) /* 16 GiB, as Linux */
#define MMAP_RANDOM_PAGES (1UL << 28)  /* 1 TiB, as Linux */
#define STACK_GAP_MIN (128UL << 20)
#define STACK_GAP_MAX (GUEST_END / 6 * 5)
#define STACK_GUARD (1UL << 20)

void mm_random_bytes(void *buf, size_t n)
{
    ssize_t got = getrandom(buf, n, 0);
    assert_always(got == (ssize_t)n); /* never short up to 256 bytes */
}

void mm_randomize(struct mm *mm, uint64_t stack_limit, bool fixed)
{
    uint64_t rnd[2] = {0, 0};
    if (!fixed)
        mm_random_bytes(rnd, sizeof(rnd));
    mm->stack_top = GUEST_END - (rnd[0] % STACK_RANDOM_PAGES << PAGE_SHIFT) - PAGE_SIZE;
    uint64_t gap = stack_limit < STACK_GAP_MIN ? STACK_GAP_MIN : MIN(stack_limit, STACK_GAP_MAX);
    gap = align_up(gap + STACK_GUARD, PAGE_SIZE) + (fixed ? 0 : STACK_RANDOM_PAGES << PAGE_SHIFT);
    uaddr_t base = gap < GUEST_END - GUEST_END / 6 ? GUEST_END - gap : GUEST_END / 6;
    uint64_t down = rnd[1] % MMAP_RANDOM_PAGES << PAGE_SHIFT;
    mm->mmap_base = align_down(base > down + GUEST_END / 8 ? base - down : base, PAGE_SIZE);
    mm->free_cache = mm->mmap_base;
    mm->free_hole = 0;
}

/* ---- from outside ---- */

static ssize_t read_vdso(uaddr_t addr, void *buf, size_t n)
{
    uaddr_t start;
    size_t size;
    const char *vdso = mm_vdso(&start, &size);
    if (!vdso || addr < start || addr >= start + size)
        return -EIO;
    n = MIN(n, start + size - addr);
    memcpy(buf, vdso + (addr - start), n);
    return (ssize_t)n;
}

ssize_t mm_read(struct mm *mm, uaddr_t addr, void *buf, size_t n)
{
    MUTEX_GUARD(&mm->lock);
    if (addr >= GUEST_END)
        return read_vdso(addr, buf, n);
    n = MIN(n, GUEST_END - addr);
    return mm->as ? platform_peek(mm->as, buf, addr, n) : -ESRCH;
}

ssize_t mm_write(struct mm *mm, uaddr_t addr, const void *buf, size_t n)
{
    MUTEX_GUARD(&mm->lock);
    if (addr >= GUEST_END)
        return -EIO;
    n = MIN(n, GUEST_END - addr);
    return mm->as ? platform_poke(mm->as, addr, buf, n) : -ESRCH;
}

static int copy_opened(struct context *ctx, uaddr_t addr, char *buf, size_t n, bool write)
{
    ssize_t done = write ? platform_copy_out_sync(ctx, addr, buf, n) : platform_copy_in(ctx, buf, addr, n);
    return done == (ssize_t)n ? 0 : -EIO;
}

int mm_force_copy(struct mm *mm, struct context *ctx, uaddr_t addr, char *buf, size_t n, bool write)
{
    MUTEX_GUARD(&mm->lock);
    struct area *a = addr < GUEST_END ? mm_find_area(mm, addr) : NULL;
    if (!a || (write && !area_is_private(a) && !(a->prot & PROT_WRITE)))
        return -EIO;
    uaddr_t page = align_down(addr, PAGE_SIZE);
    int open = a->prot | PROT_READ | (write ? PROT_WRITE : 0);
    if (host_call(ctx, SYS_mprotect, page, PAGE_SIZE, (uint64_t)open) < 0)
        return -EIO;
    int err = copy_opened(ctx, addr, buf, n, write);
    host_call_deferred(ctx, SYS_mprotect, page, PAGE_SIZE, (uint64_t)a->prot);
    return err;
}
