/*
 * Patched system call sites: making hot ones fast.
 *
 * A site that traps is looked up in the executable file mappings of its address space, and noted
 * with the file. After a few traps it is patched in place: seven or eight bytes become a jump to a
 * thunk that enters the stub directly (patch_table.c). That costs the process a private page; so
 * when a file is mapped again and again, the kernel makes a copy of its text with all known sites
 * patched (patch_file.c), and maps that instead: later processes start without a trap.
 *
 * What can go wrong, and why it does not:
 *   - A thread stands between "mov" and "syscall", jumps there, or a restarted call sends it there
 * (rip - 2): the sixth byte of every patch is an invalid opcode, which the stub takes for the call
 * it was.
 *   - A thread is executing the bytes: with other threads in the address space, a breakpoint stands
 * for the site until every processor has noticed (stub/patch.c). The other shape is patched only
 * where there is one thread.
 *   - A thread has trapped at "syscall; cmp" and is to continue at the displaced "cmp", now or when
 * a signal handler returns: patch_fixup_rip() sends it to the thunk's copy of it, on every full
 * resume.
 *   - Guest memory differs from the file (a debugger, a program that patches itself): the stub
 * compares first.
 *   - A file is mapped at two addresses at once: only the first can be patched.
 *
 * DEVIATION: a guest that reads its own text sees the patched bytes, and one that sets its own trap
 * flag loses it in a call at a patched site.
 */
#include "platform/patch.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/log.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define TRAPS_LOAD 3     /* traps at a site until it is patched */
#define TRAPS_COMPARE 12 /* the same where the whole text must be searched */

int patch_space_new(struct address_space *as)
{
    as->patches = calloc(1, sizeof(*as->patches));
    if (!as->patches)
        return -ENOMEM;
    mutex_init(&as->patches->lock);
    return 0;
}

static void drop_ranges(struct patch_space *p)
{
    for (unsigned i = 0; i < p->count; i++)
        patch_file_put(p->ranges[i].file);
    p->count = 0;
}

void patch_space_free(struct address_space *as)
{
    if (!as->patches)
        return;
    drop_ranges(as->patches);
    free(as->patches->ranges);
    free(as->patches);
}

void patch_space_clear(struct address_space *as)
{
    struct patch_space *p = as->patches;

    mutex_lock(&p->lock);
    drop_ranges(p);
    atomic_store(&p->compares, false);
    memset(p->counters, 0, sizeof(p->counters));
    mutex_unlock(&p->lock);
}

int patch_space_copy(struct address_space *as, struct address_space *from)
{
    struct patch_space *p = as->patches, *q = from->patches;

    MUTEX_GUARD(&q->lock);
    if (q->count) {
        p->ranges = calloc(q->count, sizeof(*p->ranges));
        if (!p->ranges)
            return -ENOMEM;
        memcpy(p->ranges, q->ranges, q->count * sizeof(*p->ranges));
    }
    p->count = p->cap = q->count;
    for (unsigned i = 0; i < p->count; i++)
        refcount_get(&p->ranges[i].file->refs);
    atomic_store(&p->compares, atomic_load(&q->compares));
    return 0;
}

/* ---- ranges ---- */

static struct patch_range *find_range(struct patch_space *p, uaddr_t addr)
{
    for (unsigned i = 0; i < p->count; i++)
        if (addr >= p->ranges[i].start && addr < p->ranges[i].end)
            return &p->ranges[i];
    return NULL;
}

static uint64_t range_base(const struct patch_range *r)
{
    return r->start - r->offset;
}

/* May the file's base slot hold this range's base? */
static bool base_is_free(const struct patch_space *p, const struct patch_range *r)
{
    for (unsigned i = 0; i < p->count; i++) {
        const struct patch_range *other = &p->ranges[i];
        if (other->file == r->file && other->based && range_base(other) != range_base(r))
            return false;
    }
    return true;
}

static struct patch_range *add_range(struct patch_space *p, struct patch_file *f, uaddr_t addr,
                                     size_t len, uint64_t offset)
{
    if (p->count == p->cap) {
        unsigned cap = p->cap ? p->cap * 2 : 8;
        struct patch_range *grown = realloc(p->ranges, cap * sizeof(*grown));
        if (!grown)
            return NULL;
        p->ranges = grown;
        p->cap = cap;
    }
    refcount_get(&f->refs);
    p->ranges[p->count] = (struct patch_range){addr, addr + len, offset, f, false};
    return &p->ranges[p->count++];
}

/* Takes [start, end) out of range i; what is left on both sides stays. */
static void cut_range(struct patch_space *p, unsigned i, uaddr_t start, uaddr_t end)
{
    struct patch_range r = p->ranges[i];

    if (start > r.start && end < r.end) {
        struct patch_range *right =
            add_range(p, r.file, end, r.end - end, r.offset + (end - r.start));
        if (right)
            right->based = r.based;
        p->ranges[i].end = start;
    } else if (start > r.start) {
        p->ranges[i].end = start;
    } else if (end < r.end) {
        p->ranges[i].start = end;
        p->ranges[i].offset += end - r.start;
    } else {
        patch_file_put(r.file);
        p->ranges[i] = p->ranges[--p->count];
    }
}

void patch_unmap(struct address_space *as, uaddr_t addr, size_t len)
{
    struct patch_space *p = as->patches;

    MUTEX_GUARD(&p->lock);
    for (unsigned i = p->count; i-- > 0;)
        if (p->ranges[i].start < addr + len && p->ranges[i].end > addr)
            cut_range(p, i, addr, addr + len);
}

int patch_map(struct context *ctx, struct patch_file *f, int host_fd, uaddr_t addr, size_t len,
              uint64_t off)
{
    struct patch_space *p = ctx->as->patches;
    struct patch_range *r;
    int fd = -1;

    if (!f || patch_table_entry() == 0)
        return -1;
    MUTEX_GUARD(&p->lock);
    r = add_range(p, f, addr, len, off);
    if (!r)
        return -1;
    mutex_lock(&f->lock);
    f->mappings++;
    if (f->fd < 0)
        f->fd = fcntl(host_fd, F_DUPFD_CLOEXEC, 0);
    if (base_is_free(p, r))
        fd = patch_file_copy(f, off, off + len);
    if (fd >= 0) {
        uint64_t base = range_base(r);
        r->based = true;
        atomic_store(&p->compares, true);
        platform_copy_out(ctx, patch_table_base_slot(f->base), &base, sizeof(base));
    }
    mutex_unlock(&f->lock);
    return fd;
}

static void restore_site(struct context *ctx, const struct patch_range *r, const struct site *s)
{
    struct stub_order *o = order_queue(ctx, ORDER_PATCH, 0);

    if (!o)
        return;
    o->args[0] = range_base(r) + s->offset;
    o->args[1] = s->new_code; /* where it is not there, nothing happens */
    o->args[2] = s->old_code;
    o->args[3] = patch_table_base_slot(r->file->base);
    o->args[4] = range_base(r);
    o->flags = ORDER_IGNORE_ERRORS;
}

void patch_restore(struct context *ctx, uaddr_t addr, size_t len)
{
    struct patch_space *p = ctx->as->patches;

    MUTEX_GUARD(&p->lock);
    for (unsigned i = 0; i < p->count; i++) {
        const struct patch_range *r = &p->ranges[i];
        if (r->start >= addr + len || r->end <= addr || !r->based)
            continue;
        mutex_lock(&r->file->lock);
        for (unsigned k = 0; k < r->file->site_count; k++) {
            const struct site *s = &r->file->sites[k];
            uaddr_t at = range_base(r) + s->offset;
            if (s->thunk && at >= MAX(addr, r->start) && at < MIN(addr + len, r->end))
                restore_site(ctx, r, s);
        }
        mutex_unlock(&r->file->lock);
    }
}

/* ---- traps ---- */

static bool alone(struct address_space *as)
{
    bool ret;

    spin_lock(&as->lock);
    ret = as->context_count == 1;
    spin_unlock(&as->lock);
    return ret;
}

static void patch_in_place(struct context *ctx, struct patch_range *r, struct site *s)
{
    bool single = alone(ctx->as);
    struct stub_order *o;

    if (!r->based && !base_is_free(ctx->as->patches, r))
        return;
    if (s->shape == SITE_COMPARE && !single)
        return;
    o = order_queue(ctx, ORDER_PATCH, 0);
    if (!o)
        return;
    o->args[0] = range_base(r) + s->offset;
    o->args[1] = s->old_code;
    o->args[2] = s->new_code;
    o->args[3] = patch_table_base_slot(r->file->base);
    o->args[4] = range_base(r);
    o->flags = single ? 0 : ORDER_OTHERS_RUN;
    r->based = true;
    int64_t ret = order_sync(ctx, o);
    log_debug("patch: site 0x%lx of process %d: %ld", range_base(r) + s->offset, ctx->as->pid,
              (long)ret);
    if (ret == 0 && s->shape == SITE_COMPARE) {
        atomic_store(&ctx->as->patches->compares, true);
        context_regs(ctx)->rip = patch_table_tail(s->thunk);
        context_set_regs_dirty(ctx);
    }
}

/* Has the site trapped often enough for what patching it costs? */
static bool is_due(struct patch_file *f, struct site *s, uint32_t traps)
{
    switch (patch_file_shape(f, s)) {
    case SITE_LOAD:
        return traps >= TRAPS_LOAD;
    case SITE_COMPARE:
        return traps >= TRAPS_COMPARE;
    default:
        return false;
    }
}

/* Notes the site with its file, and patches it once it is due. */
static void learn(struct context *ctx, uaddr_t at, uint32_t traps)
{
    struct patch_space *p = ctx->as->patches;
    struct patch_range *r;
    struct patch_file *f;
    struct site *s;

    MUTEX_GUARD(&p->lock);
    r = find_range(p, at);
    if (!r)
        return;
    f = r->file;
    mutex_lock(&f->lock);
    s = patch_file_site(f, r->offset + (at - r->start));
    if (s && traps > 1 && is_due(f, s, traps) &&
        patch_file_prepare(f, s, r->offset, r->offset + (r->end - r->start)))
        patch_in_place(ctx, r, s);
    mutex_unlock(&f->lock);
}

void patch_trapped(struct context *ctx, bool hot)
{
    uaddr_t at = context_regs(ctx)->rip - 2;
    struct patch_space *p = ctx->as->patches;
    unsigned i = (unsigned)(hash_u64(at) % TRAP_COUNTERS);
    uint32_t traps = 1;

    if (at < GUEST_RESERVED_END || at >= GUEST_END)
        return;
    if (atomic_load_explicit(&p->counters[i].site, memory_order_relaxed) == at)
        traps = atomic_load_explicit(&p->counters[i].traps, memory_order_relaxed) + 1;
    else
        atomic_store_explicit(&p->counters[i].site, at, memory_order_relaxed);
    if (hot) /* once: what failed then fails again */
        traps = traps <= TRAPS_COMPARE ? TRAPS_COMPARE : traps;
    atomic_store_explicit(&p->counters[i].traps, traps, memory_order_relaxed);
    if (traps == 1 || traps == TRAPS_LOAD || traps == TRAPS_COMPARE)
        learn(ctx, at, traps);
}

uaddr_t patch_fixup_rip(struct address_space *as, uaddr_t rip)
{
    struct patch_space *p = as->patches;

    if (!atomic_load_explicit(&p->compares, memory_order_relaxed))
        return rip;
    MUTEX_GUARD(&p->lock);
    struct patch_range *r = find_range(p, rip - 2);
    if (!r || !r->based)
        return rip;
    mutex_lock(&r->file->lock);
    struct site *s = patch_file_find(r->file, r->offset + (rip - 2 - r->start));
    if (s && s->shape == SITE_COMPARE && s->thunk)
        rip = patch_table_tail(s->thunk);
    mutex_unlock(&r->file->lock);
    return rip;
}

#define COMPARE_SIZE 6 /* of the compare that a SITE_COMPARE ends with */

uaddr_t patch_origin_rip(struct address_space *as, uaddr_t rip)
{
    struct patch_space *p = as->patches;
    uint32_t slot, offset;

    if (!patch_table_find_tail(rip, &slot, &offset))
        return rip;
    MUTEX_GUARD(&p->lock);
    for (unsigned i = 0; i < p->count; i++) {
        const struct patch_range *r = &p->ranges[i];
        uaddr_t at = range_base(r) + offset - COMPARE_SIZE;
        if (r->based && patch_table_base_slot(r->file->base) == slot && at >= r->start && at < r->end)
            return at;
    }
    return rip;
}
