/*
 * Orders to the host: the only place where this module changes a guest's real address space.
 *
 * An order is deferred (it travels with the resume of the guest, so that mmap is one hand-off) when
 * two things hold: it cannot fail but for a host that is out of memory, and no other thread of the
 * space can be affected by its coming late. Mappings go to ranges nobody knows yet, so they are
 * always late enough; unmapping must be over before another thread may be given the range, so it is
 * deferred only in a space with one task.
 */
#include "kernel/task.h"
#include "mm/area.h"
#include <sys/mman.h>
#include <sys/syscall.h>

#define CERTAIN_SIZE (64UL << 20) /* the host's overcommit heuristics never refuse so little */

bool host_is_certain(const struct host_mapping *m)
{
    return m->fd < 0 &&
           (m->len <= CERTAIN_SIZE || m->flags & MAP_NORESERVE || m->prot == PROT_NONE);
}

int host_map(struct context *ctx, const struct host_mapping *m, bool deferred)
{
    int flags = (m->flags & (MAP_SHARED | MAP_PRIVATE | MAP_NORESERVE | MAP_POPULATE)) | MAP_FIXED;
    if (m->fd >= 0) {
        int64_t r = order_mmap_fd(ctx, m->addr, m->len, m->prot, flags, m->fd, m->offset, deferred);
        return r < 0 ? (int)r : 0;
    }
    uint64_t args[6] = {m->addr,      m->len, (uint64_t)m->prot, (uint64_t)(flags | MAP_ANONYMOUS),
                        (uint64_t)-1, 0};
    if (deferred) {
        order_defer_host(ctx, SYS_mmap, args, false);
        return 0;
    }
    int64_t r = order_host(ctx, SYS_mmap, args);
    return r < 0 ? (int)r : 0;
}

int64_t host_call(struct context *ctx, int nr, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t args[6] = {a, b, c};
    return order_host(ctx, nr, args);
}

void host_call_deferred(struct context *ctx, int nr, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t args[6] = {a, b, c};
    order_defer_host(ctx, nr, args, true);
}

static int unmap_range(struct mm *mm, struct context *ctx, uaddr_t start, uaddr_t end)
{
    if (refcount_read(&mm->ref) >
        1) /* more tasks, or a reader of /proc: then it costs a hand-off more */
        return (int)host_call(ctx, SYS_munmap, start, end - start, 0);
    uint64_t args[6] = {start, end - start};
    order_defer_host(ctx, SYS_munmap, args, false);
    return 0;
}

int host_unmap(struct mm *mm, struct context *ctx, uaddr_t start, uaddr_t end)
{
    for (struct area *a = mm_first_area(mm, start); a && a->start < end; a = area_next(a))
        if (a->prot & PROT_EXEC)
            patch_unmap(mm->as, a->start, a->end - a->start);
    if (start >= GUEST_RESERVED_END || end <= GUEST_RESERVED_START)
        return unmap_range(mm, ctx, start, end);
    /* The range spans the stub's own tables: area by area. */
    int err = 0;
    for (struct area *a = mm_first_area(mm, start); a && a->start < end && err == 0;
         a = area_next(a))
        err = unmap_range(mm, ctx, a->start, a->end);
    return err;
}

int host_protect(struct context *ctx, uaddr_t start, uint64_t len, int prot)
{
    if (len <= CERTAIN_SIZE || !(prot & PROT_WRITE)) {
        uint64_t args[6] = {start, len, (uint64_t)prot};
        order_defer_host(ctx, SYS_mprotect, args, false);
        return 0;
    }
    return (int)host_call(ctx, SYS_mprotect, start, len, (uint64_t)prot);
}
