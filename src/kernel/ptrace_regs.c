/*
 * ptrace(2), registers: of the copy that a stopped tracee has laid open (general), and of the live
 * state that only its own thread can reach (FP).
 *
 * DEVIATION: there are no hardware breakpoints. The address registers keep what is written to
 * them; enabling one is refused with ENOSPC, as when all are taken.
 */
#include "base/cleanup.h"
#include "kernel/ptrace_private.h"
#include "mm/uaccess.h"
#include "sched/spinlock.h"
#include <elf.h>
#include <linux/ptrace.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif
#define GETREGS 12
#define SETREGS 13
#define GETFPREGS 14
#define SETFPREGS 15
#define ARCH_PRCTL 30
#define ARCH_GET_GS_ 0x1004
#define ARCH_GET_FS_ 0x1003
#define FP_LEGACY 512
#define FP_SOFTWARE 464 /* where the components' mask is told */
#define FLAGS_SETTABLE 0x254dd5ULL /* as Linux: CF PF AF ZF SF TF DF OF NT RF AC */
#define DR7_ENABLES 0xffULL

_Static_assert(sizeof(struct regs) == sizeof(struct user_regs_struct), "the layout is Linux's");

/* ---- general ---- */

static void get_regs(struct task *t, struct regs *ret)
{
    spin_lock(&tasklist_lock);
    *ret = t->ptrace->regs;
    spin_unlock(&tasklist_lock);
}

static int set_regs(struct task *t, const struct regs *r)
{
    if (r->fs_base >= GUEST_END || r->gs_base >= GUEST_END)
        return -EIO;
    if ((r->cs & 0xffff) != USER_CS || (r->ss & 0xffff) != USER_SS) /* 32-bit code does not exist */
        return -EIO;
    spin_lock(&tasklist_lock);
    struct regs *to = &t->ptrace->regs;
    uint64_t flags = to->eflags;
    *to = *r;
    to->eflags = (flags & ~FLAGS_SETTABLE) | (r->eflags & FLAGS_SETTABLE);
    to->cs = USER_CS;
    to->ss = USER_SS;
    to->ds = to->es = to->fs = to->gs = 0;
    t->ptrace->regs_changed = true;
    spin_unlock(&tasklist_lock);
    return 0;
}

/* ---- struct user: the registers, then the debug registers; between them nothing is kept ---- */

#define USER_SIZE 928 /* of the kernel's struct user; the C library's is shorter */
#define DEBUG_OFFSET offsetof(struct user, u_debugreg)

static int64_t peek_user(struct task *t, uaddr_t addr, uaddr_t data)
{
    struct regs r;
    uint64_t word = 0;
    if (addr % sizeof(word) || addr >= USER_SIZE)
        return -EIO;
    get_regs(t, &r);
    if (addr < sizeof(r))
        memcpy(&word, (const char *)&r + addr, sizeof(word));
    else if (addr >= DEBUG_OFFSET && addr < DEBUG_OFFSET + sizeof(t->ptrace->debug))
        word = t->ptrace->debug[(addr - DEBUG_OFFSET) / sizeof(word)];
    return put_user(&word, data);
}

static int64_t poke_debug(struct task *t, unsigned n, uint64_t word)
{
    if (n == 4 || n == 5)
        return -EIO;
    if (n == 7 && word & DR7_ENABLES)
        return -ENOSPC;
    if (n < 4 && word >= GUEST_END)
        return -EINVAL;
    t->ptrace->debug[n] = word;
    return 0;
}

static int64_t poke_user(struct task *t, uaddr_t addr, uint64_t word)
{
    struct regs r;
    if (addr % sizeof(word) || addr >= USER_SIZE)
        return -EIO;
    if (addr >= DEBUG_OFFSET && addr < DEBUG_OFFSET + sizeof(t->ptrace->debug))
        return poke_debug(t, (unsigned)((addr - DEBUG_OFFSET) / sizeof(word)), word);
    if (addr >= sizeof(r))
        return 0;
    get_regs(t, &r);
    memcpy((char *)&r + addr, &word, sizeof(word));
    return set_regs(t, &r);
}

/* ---- FP ---- */

struct fp_image {
    char *bytes; /* platform_xsave_size() of them */
};

static int fetch_fp(struct task *t, void *arg)
{
    return context_get_fp(t->ctx, ((struct fp_image *)arg)->bytes);
}

static int store_fp(struct task *t, void *arg)
{
    return context_set_fp(t->ctx, ((struct fp_image *)arg)->bytes);
}

/* What XSAVE leaves out of the image is in its initial state. */
static void complete(char *bytes)
{
    static const uint16_t control = 0x37f;
    uint64_t present, features = platform_xsave_features();
    memcpy(&present, bytes + FP_LEGACY, sizeof(present));
    if (!(present & 1))
        memcpy(bytes, &control, sizeof(control));
    memcpy(bytes + FP_SOFTWARE, &features, sizeof(features));
}

static int get_fp(struct task *t, struct fp_image *image)
{
    int err = ptrace_call(t, fetch_fp, image);
    if (!err)
        complete(image->bytes);
    return err;
}

/* ---- sets of registers, by the names of core files' notes ---- */

static size_t set_size(uint64_t type)
{
    switch (type) {
    case NT_PRSTATUS:
        return sizeof(struct regs);
    case NT_PRFPREG:
        return FP_LEGACY;
    case NT_X86_XSTATE:
        return platform_xsave_size();
    default:
        return 0;
    }
}

static int64_t read_set(struct task *t, uint64_t type, size_t n, uaddr_t to)
{
    if (type == NT_PRSTATUS) {
        struct regs r;
        get_regs(t, &r);
        return copy_to_user(to, &r, n);
    }
    CLEANUP_FREE char *bytes = calloc(1, platform_xsave_size());
    if (!bytes)
        return -ENOMEM;
    struct fp_image image = {bytes};
    int err = get_fp(t, &image);
    return err ? err : copy_to_user(to, bytes, n);
}

static int64_t write_regs(struct task *t, size_t n, uaddr_t from)
{
    struct regs r;
    get_regs(t, &r);
    int err = copy_from_user(&r, from, n);
    return err ? err : set_regs(t, &r);
}

static int64_t write_set(struct task *t, uint64_t type, size_t n, uaddr_t from)
{
    if (type == NT_PRSTATUS)
        return write_regs(t, n, from);
    CLEANUP_FREE char *bytes = calloc(1, platform_xsave_size());
    if (!bytes)
        return -ENOMEM;
    if (type == NT_X86_XSTATE && n != platform_xsave_size())
        return -EFAULT;
    struct fp_image image = {bytes};
    int err = get_fp(t, &image);
    if (!err)
        err = copy_from_user(bytes, from, n);
    if (err)
        return err;
    if (type == NT_PRFPREG) { /* x87 and SSE are present now */
        uint64_t present;
        memcpy(&present, bytes + FP_LEGACY, sizeof(present));
        present |= 3;
        memcpy(bytes + FP_LEGACY, &present, sizeof(present));
    }
    return ptrace_call(t, store_fp, &image) ? -EINVAL : 0;
}

static int64_t register_set(struct task *t, bool write, uint64_t type, uaddr_t data)
{
    struct iovec v;
    size_t size = set_size(type);
    if (get_user(&v, data))
        return -EFAULT;
    if (!size || v.iov_len % (type == NT_PRSTATUS ? sizeof(uint64_t) : 4))
        return -EINVAL;
    v.iov_len = MIN(v.iov_len, size);
    int64_t ret = write ? write_set(t, type, v.iov_len, (uaddr_t)v.iov_base)
                        : read_set(t, type, v.iov_len, (uaddr_t)v.iov_base);
    return ret ? ret : put_user(&v, data);
}

static int64_t arch_prctl(struct task *t, int option, uaddr_t to)
{
    struct regs r;
    get_regs(t, &r);
    switch (option) {
    case ARCH_GET_FS_:
        return put_user(&r.fs_base, to);
    case ARCH_GET_GS_:
        return put_user(&r.gs_base, to);
    default:
        return -EINVAL;
    }
}

int64_t ptrace_regs_request(struct task *t, int64_t request, uaddr_t addr, uaddr_t data)
{
    switch (request) {
    case PTRACE_PEEKUSR:
        return peek_user(t, addr, data);
    case PTRACE_POKEUSR:
        return poke_user(t, addr, data);
    case GETREGS:
        return read_set(t, NT_PRSTATUS, sizeof(struct regs), data);
    case SETREGS:
        return write_regs(t, sizeof(struct regs), data);
    case GETFPREGS:
        return read_set(t, NT_PRFPREG, FP_LEGACY, data);
    case SETFPREGS:
        return write_set(t, NT_PRFPREG, FP_LEGACY, data);
    case PTRACE_GETREGSET:
        return register_set(t, false, addr, data);
    case PTRACE_SETREGSET:
        return register_set(t, true, addr, data);
    case ARCH_PRCTL: /* its arguments are the other way round */
        return arch_prctl(t, (int)data, addr);
    default:
        return -EIO;
    }
}
