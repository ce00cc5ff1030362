/*
 * mmap(2) and munmap(2): one struct mapping travels through small steps: validate flags, validate
 * the file, choose the address, check limits, prepare the tree, give the order, commit.
 */
#include "kernel/limits.h"
#include "kernel/task.h"
#include "mm/area.h"
#include "vfs/file.h"
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#define LOW_START 0x40000000UL /* MAP_32BIT, as x86-64 Linux */
#define LOW_END 0x80000000UL
#define HUGE_SIZE (2UL << 20)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* What MAP_SHARED_VALIDATE may be combined with. */
#define KNOWN_FLAGS                                                                         \
    (MAP_SHARED_VALIDATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |     \
     MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | \
     MAP_HUGETLB | MAP_32BIT | MAP_FIXED_NOREPLACE | (int)(0x3fU << MAP_HUGE_SHIFT))

struct mapping {
    struct mm *mm;
    struct context *ctx;
    uaddr_t addr; /* in: the hint; then where it goes */
    uint64_t len;
    int prot, flags; /* as asked */
    int area_flags;
    struct file *file; /* borrowed, or NULL */
    uint64_t offset;
    const char *name;
};

/* ---- limits ---- */

static bool over_limit(unsigned resource, uint64_t pages)
{
    uint64_t limit = current_limit(resource);
    return limit != RLIM_INFINITY && pages > limit >> PAGE_SHIFT;
}

int mm_check_limits(struct mm *mm, uint64_t pages, int prot, int flags)
{
    if (over_limit(RLIMIT_AS, mm->total_vm + pages))
        return -ENOMEM;
    bool data = (flags & MAP_TYPE) == MAP_PRIVATE && prot & PROT_WRITE && !(flags & MAP_GROWSDOWN);
    if (data && over_limit(RLIMIT_DATA, mm->data_vm + pages))
        return -ENOMEM;
    if (flags & MAP_LOCKED && !capable(14 /* CAP_IPC_LOCK */) &&
        over_limit(RLIMIT_MEMLOCK, mm->locked_vm + pages))
        return -EAGAIN;
    return 0;
}

/* ---- validation ---- */

static int check_shared_file(struct mapping *m)
{
    if (m->prot & PROT_WRITE && !file_writable(m->file))
        return -EACCES;
    if (!file_writable(m->file))
        m->area_flags |= AREA_NO_WRITE;
    return 0;
}

static int check_file(struct mapping *m)
{
    int type = m->flags & MAP_TYPE;
    if (m->offset + m->len < m->offset || m->offset + m->len > INT64_MAX)
        return -EOVERFLOW;
    if (type == MAP_SHARED_VALIDATE && m->flags & ~KNOWN_FLAGS)
        return -EOPNOTSUPP;
    if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
        int err = check_shared_file(m);
        if (err < 0)
            return err;
    } else if (type != MAP_PRIVATE) {
        return -EINVAL;
    }
    if (!file_readable(m->file))
        return -EACCES;
    if (m->file->path.mount && m->file->path.mount->flags & MS_NOEXEC) {
        if (m->prot & PROT_EXEC)
            return -EPERM;
        m->area_flags |= AREA_NO_EXEC;
    }
    if (!m->file->ops->mmap)
        return -ENODEV;
    return m->flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static int check_anonymous(const struct mapping *m)
{
    int type = m->flags & MAP_TYPE;
    if (type == MAP_SHARED)
        return m->flags & MAP_GROWSDOWN ? -EINVAL : 0;
    return type == MAP_PRIVATE ? 0 : -EINVAL;
}

/* ---- the place ---- */

static int check_fixed(const struct mapping *m)
{
    if (m->addr & ~PAGE_MASK)
        return -EINVAL;
    if (m->addr > GUEST_END - m->len)
        return -ENOMEM;
    if (m->addr < GUEST_BASE)
        return -EPERM;
    if (m->flags & MAP_FIXED_NOREPLACE && !area_range_free(m->mm, m->addr, m->addr + m->len))
        return -EEXIST;
    if (m->addr < GUEST_RESERVED_END && m->addr + m->len > GUEST_RESERVED_START)
        return -EPERM; /* DEVIATION: these pages are the stub's; Linux lets them be mapped */
    return 0;
}

static int choose_address(struct mapping *m)
{
    if (m->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return check_fixed(m);
    uaddr_t hint = align_down(m->addr, PAGE_SIZE);
    bool low = m->flags & MAP_32BIT;
    if (hint >= GUEST_BASE && hint <= (low ? LOW_END : GUEST_END) - m->len &&
        m->len <= (low ? LOW_END : GUEST_END) && area_range_free(m->mm, hint, hint + m->len)) {
        m->addr = hint;
        return 0;
    }
    /* As Linux does: whole huge pages of memory lie where the host can use huge pages for them. */
    uint64_t align = !m->file && m->len % HUGE_SIZE == 0 ? HUGE_SIZE : PAGE_SIZE;
    m->addr = low ? area_find_gap(m->mm, LOW_START, LOW_END, m->len, PAGE_SIZE)
                  : mm_find_free(m->mm, 0, m->len, align);
    return m->addr ? 0 : -ENOMEM;
}

/* ---- order and commit ---- */

/* The descriptor to map instead of the file's: a copy of its text with patched system call sites;
 * or -1. */
static int patched_fd(struct mapping *m, const struct mmap_request *req)
{
    if (!(m->prot & PROT_EXEC) || !(m->flags & MAP_PRIVATE) || !req->key_ino)
        return -1;
    struct patch_file *pf;
    if (patch_file_get(req->key_dev, req->key_ino, req->generation, &pf) < 0)
        return -1;
    int fd = patch_map(m->ctx, pf, req->fd, m->addr, m->len, req->offset);
    patch_file_put(pf);
    return fd;
}

/* What the host did once for a file, with this protection and kind of sharing, it will do again: no
 * need to wait for it. */
static int order_file_fd(struct mapping *m, const struct host_mapping *host, bool deferred)
{
    _Atomic uint16_t *proven = &m->file->inode->mmap_proven;
    unsigned kind = (unsigned)m->prot & 7, type = m->flags & MAP_PRIVATE ? 0 : 8;
    uint16_t bit = (uint16_t)(1u << (kind | type));
    if (deferred || atomic_load_explicit(proven, memory_order_relaxed) & bit)
        return host_map(m->ctx, host, true);
    int err = host_map(m->ctx, host, false);
    if (err == 0)
        atomic_fetch_or_explicit(proven, bit, memory_order_relaxed);
    return err;
}

static int order_file(struct mapping *m, bool deferred)
{
    struct mmap_request req = {
        .offset = m->offset, .length = m->len, .prot = m->prot, .flags = m->flags, .fd = -1};
    int err = m->file->ops->mmap(m->file, &req);
    if (err < 0)
        return err;
    struct host_mapping host = {m->addr, m->len, req.offset, m->prot, m->flags & ~MAP_NORESERVE,
                                req.fd};
    if (req.fd < 0) { /* memory after all: /dev/zero */
        if (m->flags & MAP_PRIVATE)
            m->file = NULL;
        return host_map(m->ctx, &host, host_is_certain(&host));
    }
    int patched = patched_fd(m, &req);
    if (patched >= 0)
        host.fd = patched;
    return order_file_fd(m, &host, deferred);
}

static int order_anonymous(struct mapping *m, bool deferred)
{
    struct host_mapping host = {m->addr, m->len, 0, m->prot, m->flags, -1};
    return host_map(m->ctx, &host, deferred && host_is_certain(&host));
}

/* Executable pages about to be replaced: the platform forgets their patched sites. */
static void forget_patches(struct mm *mm, uaddr_t start, uaddr_t end)
{
    for (struct area *a = mm_first_area(mm, start); a && a->start < end; a = area_next(a))
        if (a->prot & PROT_EXEC)
            patch_unmap(mm->as, MAX(start, a->start), MIN(end, a->end) - MAX(start, a->start));
}

#define SHARED_ID_SHIFT 40 /* above any offset in such an object that a guest has use for */

static int place_mapping(struct mapping *m, bool deferred)
{
    static _Atomic uint64_t next_shared = 1;
    struct mm *mm = m->mm;
    uaddr_t start = m->addr, end = m->addr + m->len;
    if (mm->area_count >= MM_MAX_AREAS)
        return -ENOMEM;
    struct area like = {
        .prot = m->prot, .flags = m->area_flags, .offset = m->offset, .name = m->name};
    if (!m->file && !(m->area_flags & MAP_PRIVATE)) /* what tells one shared object from another, over forks */
        like.offset = atomic_fetch_add(&next_shared, 1) << SHARED_ID_SHIFT;
    struct area *a = area_new(start, end, &like);
    if (!a)
        return -ENOMEM;
    int err = area_prepare(mm, start, end);
    if (err == 0) {
        forget_patches(mm, start, end);
        err = m->file ? order_file(m, deferred) : order_anonymous(m, deferred);
    }
    if (err < 0) {
        if (m->file && m->prot & PROT_EXEC)
            patch_unmap(mm->as, start, end - start);
        area_merge(mm, start, end);
        area_free(a);
        return err;
    }
    if (m->file)
        area_set_file(a, m->file);
    area_erase(mm, start, end);
    area_insert(mm, a);
    return 0;
}

/* ---- verbs ---- */

static uint64_t pages_in(struct mm *mm, uaddr_t start, uaddr_t end)
{
    uint64_t bytes = 0;
    for (struct area *a = mm_first_area(mm, start); a && a->start < end; a = area_next(a))
        bytes += MIN(end, a->end) - MAX(start, a->start);
    return bytes >> PAGE_SHIFT;
}

static int map_locked(struct mapping *m)
{
    struct mm *mm = m->mm;
    if (mm->area_count > MM_MAX_AREAS)
        return -ENOMEM;
    int err = choose_address(m);
    if (err < 0)
        return err;
    m->area_flags |= mm->future_flags;
    if (UNLIKELY(current->process->mdwe) && (m->prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC))
        return -EACCES;
    err = m->file ? check_file(m) : check_anonymous(m);
    if (err < 0)
        return err;
    uint64_t pages = m->len >> PAGE_SHIFT;
    uint64_t replaced = m->flags & MAP_FIXED ? pages_in(mm, m->addr, m->addr + m->len) : 0;
    err = mm_check_limits(mm, pages - MIN(pages, replaced), m->prot, m->area_flags);
    if (err < 0)
        return err;
    err = place_mapping(m, m->file == NULL);
    if (err == 0 && m->area_flags & MAP_LOCKED)
        host_call_deferred(m->ctx, SYS_mlock, m->addr, m->len, 0);
    return err;
}

static int area_flags_of(int flags)
{
    int type = flags & MAP_TYPE;
    int kept = flags & (MAP_NORESERVE | MAP_LOCKED | MAP_GROWSDOWN);
    return kept | (type == MAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED);
}

int64_t do_mmap(uaddr_t addr, uint64_t len, int prot, int flags, struct file *file, uint64_t offset)
{
    if (len == 0)
        return -EINVAL;
    if (len > GUEST_END)
        return -ENOMEM;
    prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
    if (prot & PROT_READ && current->personality & READ_IMPLIES_EXEC &&
        !(file && file->path.mount && file->path.mount->flags & MS_NOEXEC))
        prot |= PROT_EXEC;
    struct mapping m = {.mm = current->mm,
                        .ctx = current->ctx,
                        .addr = addr,
                        .len = align_up(len, PAGE_SIZE),
                        .prot = prot,
                        .flags = flags,
                        .area_flags = area_flags_of(flags),
                        .file = file,
                        .offset = offset};
    MUTEX_GUARD(&m.mm->lock);
    int err = map_locked(&m);
    return err < 0 ? err : (int64_t)m.addr;
}

int mm_unmap_locked(struct mm *mm, struct context *ctx, uaddr_t start, uaddr_t end)
{
    struct area *first = mm_first_area(mm, start);
    if (!first || first->start >= end)
        return 0;
    int err = area_prepare(mm, start, end);
    if (err == 0)
        err = host_unmap(mm, ctx, start, end);
    if (err < 0)
        area_merge(mm, start, end);
    else
        area_erase(mm, start, end);
    return err;
}

int64_t do_munmap(uaddr_t addr, uint64_t len)
{
    if (addr & ~PAGE_MASK || addr > GUEST_END || len == 0 || len > GUEST_END - addr)
        return -EINVAL;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    return mm_unmap_locked(mm, current->ctx, addr, addr + align_up(len, PAGE_SIZE));
}

/* The area that shows the start of a file of the right kind, were it mapped whole at addr. */
static struct area *first_of_file(struct mm *mm, uaddr_t addr, uint64_t (*size)(struct file *file))
{
    for (struct area *a = mm_first_area(mm, addr); a; a = area_next(a))
        if (a->file && a->start >= addr && a->start - addr == a->offset && size(a->file))
            return a;
    return NULL;
}

int64_t mm_unmap_file(uaddr_t addr, uint64_t (*size)(struct file *file))
{
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    struct area *a = first_of_file(mm, addr, size);
    if (!a)
        return -EINVAL;
    CLEANUP_FILE struct file *file = file_get(a->file);
    uaddr_t end = addr + size(file), at = a->start;
    int err = 0;
    while (err == 0 && (a = mm_first_area(mm, at)) && a->start < end) {
        at = a->end;
        if (a->file == file && a->start - addr == a->offset)
            err = mm_unmap_locked(mm, current->ctx, a->start, MIN(a->end, end));
    }
    return err;
}

/* ---- for the loader ---- */

int mm_map_file(struct mm *mm, struct context *ctx, uaddr_t addr, uint64_t len, int prot, int flags,
                struct file *file, uint64_t offset)
{
    struct mapping m = {.mm = mm,
                        .ctx = ctx,
                        .addr = addr,
                        .len = len,
                        .prot = prot,
                        .flags = flags | MAP_FIXED,
                        .area_flags = area_flags_of(flags),
                        .file = file,
                        .offset = offset};
    MUTEX_GUARD(&mm->lock);
    int err = check_fixed(&m);
    if (err == 0)
        err = check_file(&m);
    if (err == 0)
        err = mm_check_limits(mm, len >> PAGE_SHIFT, prot, m.area_flags);
    return err < 0 ? err : place_mapping(&m, true);
}

int mm_map_anon_locked(struct mm *mm, struct context *ctx, uaddr_t addr, uint64_t len, int prot,
                       int flags, const char *name, bool deferred)
{
    struct mapping m = {.mm = mm,
                        .ctx = ctx,
                        .addr = addr,
                        .len = len,
                        .prot = prot,
                        .flags = flags | MAP_FIXED,
                        .area_flags = area_flags_of(flags),
                        .name = name};
    int err = check_fixed(&m);
    if (err == 0)
        err = mm_check_limits(mm, len >> PAGE_SHIFT, prot, m.area_flags);
    return err < 0 ? err : place_mapping(&m, deferred);
}

int mm_map_anon(struct mm *mm, struct context *ctx, uaddr_t addr, uint64_t len, int prot, int flags,
                const char *name)
{
    MUTEX_GUARD(&mm->lock);
    return mm_map_anon_locked(mm, ctx, addr, len, prot, flags, name, true);
}
