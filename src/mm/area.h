/*
 * Private to mm/: the tree of areas, and the orders that make the host's side agree.
 *
 * A verb (mmap, munmap, ...) runs under mm->lock in three steps: check and prepare the tree
 * (area_prepare() makes the ends of the range boundaries of areas: the only step that can run out
 * of memory), give the host its order, commit to the tree (area_erase(), area_insert(): cannot
 * fail, the new area was allocated before). So a failed order leaves the tree right.
 *
 * Orders are deferred to the guest's resume when their success is certain (mm/host.c says when).
 */
#pragma once
#include "mm/mm.h"

#define AREA_SAVED_FLAGS (MAP_SHARED | MAP_PRIVATE | MAP_NORESERVE | MAP_LOCKED | MAP_GROWSDOWN)

/* ---- area.c: all with lock held ---- */
struct area *area_next(struct area *a);
struct area *area_prev(struct area *a);
/* What a new area is: the file gets a reference. NULL: out of memory. */
NODISCARD struct area *area_new(uaddr_t start, uaddr_t end, const struct area *like);
void area_set_file(struct area *a, struct file *file); /* takes a reference; the area has none yet */
void area_free(struct area *a);
/* Into a gap; merges with neighbours (and then frees `a`): the area that now holds the range. */
struct area *area_insert(struct mm *mm, struct area *a);
/* start and end become boundaries: -ENOMEM (memory, or too many areas). */
NODISCARD int area_prepare(struct mm *mm, uaddr_t start, uaddr_t end);
/* Forgets everything in the prepared range. */
void area_erase(struct mm *mm, uaddr_t start, uaddr_t end);
/* Joins what can be joined around and inside the range. */
void area_merge(struct mm *mm, uaddr_t start, uaddr_t end);
/* Sets prot and flags of one area, keeping the accounts. */
void area_change(struct mm *mm, struct area *a, int prot, int flags);
/* Is any area, or the stub's reserved range, in the way? */
bool area_range_free(struct mm *mm, uaddr_t start, uaddr_t end);
/* Do areas cover all of the range? */
bool area_range_full(struct mm *mm, uaddr_t start, uaddr_t end);
uaddr_t area_find_gap(struct mm *mm, uaddr_t low, uaddr_t high, uint64_t len, uint64_t align);

static inline bool area_is_private(const struct area *a)
{
    return !(a->flags & 1); /* MAP_SHARED */
}

/* ---- show.c: one line of maps ---- */
struct strbuf;
/* The host's vDSO lies above what a guest may map, and belongs to no area: where and how large it is in every
 * guest, and the same bytes in the kernel process. NULL: there is none. */
const void *mm_vdso(uaddr_t *ret_start, size_t *ret_size);
void mm_show_area(const struct area *a, const struct path *root, struct strbuf *out);

/* ---- host.c: orders; 0 or -errno ---- */
struct host_mapping {
    uaddr_t addr;
    uint64_t len, offset;
    int prot, flags;
    int fd; /* -1: anonymous */
};
NODISCARD int host_map(struct context *ctx, const struct host_mapping *m, bool deferred);
NODISCARD int host_unmap(struct mm *mm, struct context *ctx, uaddr_t start, uaddr_t end);
NODISCARD int host_protect(struct context *ctx, uaddr_t start, uint64_t len, int prot);
NODISCARD int64_t host_call(struct context *ctx, int nr, uint64_t a, uint64_t b, uint64_t c);
void host_call_deferred(struct context *ctx, int nr, uint64_t a, uint64_t b,
                        uint64_t c);                /* its failure is ignored */
bool host_is_certain(const struct host_mapping *m); /* may it be deferred? */

/* ---- mmap.c ---- */
/* Removes the range from tree and host. lock held. */
NODISCARD int mm_unmap_locked(struct mm *mm, struct context *ctx, uaddr_t start, uaddr_t end);
/* RLIMIT_AS and RLIMIT_DATA for `pages` more: -ENOMEM; RLIMIT_MEMLOCK: -EAGAIN if locked. */
NODISCARD int mm_check_limits(struct mm *mm, uint64_t pages, int prot, int flags);
NODISCARD int mm_map_anon_locked(struct mm *mm, struct context *ctx, uaddr_t addr, uint64_t len,
                                 int prot, int flags, const char *name, bool deferred);
