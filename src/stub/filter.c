/*
 * The seccomp program under which every stub process, and so every guest, runs.
 *
 * A call made outside the stub's text is the guest's: it traps (SIGSYS), whatever its number and
 * architecture. A call made inside passes if a rule below accepts it; anything else kills the
 * process.
 *
 * A hostile guest can jump to a syscall instruction in the stub's text with any registers, map code
 * of its own over that text, and write to all of the stub's memory. So the rules must be harmless
 * with arguments of its choice:
 *
 *   futex (not PI)      waits and wakes on memory the guest has; PI, which would reach task
 * structures, is refused. mmap family         acts on this address space only. Anonymous memory, or
 * a descriptor the process holds at the moment, which is one the kernel lent it, opened no more
 * permissively than the guest's file. The sandbox's limits bound the memory. Addresses end below
 * the stub, so that an honest kernel's mistake cannot unmap it; this is no security boundary. mmap
 * of contexts    the one mapping above: what the child of a fork does first. In hostile hands it
 * disconnects the process from the kernel, which then sees it stand still. write               8
 * bytes to an eventfd: a spurious wake-up of a worker, which looks and sleeps again. recvmsg,
 * close,     on the process's own control socket and lent descriptors: it may lose its own. Event
 *   dup3                descriptors cannot be closed or replaced; the control socket can be
 * replaced by a fork's. clone, threads      more threads of this process. They have no context, so
 * the kernel does not serve them; they die with the process. Bounded by the sandbox's pid limit.
 *   rseq                the thread's own: the host writes the CPU's number into guest memory, and moves the
 * thread to an address of its choice when it is preempted.
 *   clone, processes    goes to the kernel as a notification: continued only for a thread that it
 * ordered to fork. exit, exit_group, rt_sigreturn, sigaltstack, sched_yield, restart_syscall,
 * membarrier: the caller's own state.
 *
 *   pread64             of a lent descriptor: a regular file, opened for reading only, that the guest has open; the
 *                       kernel takes it back before the guest gives up a descriptor or changes its rights.
 *
 * Nothing here opens, sends, signals another process, or names anything on the host.
 */
#include "stub/filter.h"
#include "base/base.h"
#include "stub/shared.h"
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum check_kind {
    CHECK_END,
    CHECK_EQ,    /* the low word equals value */
    CHECK_GE,    /* the low word is at least value */
    CHECK_LT,    /* the low word is below value */
    CHECK_MASK,  /* the low word has no bit outside value */
    CHECK_SET,   /* the low word, less the bits in `ignore`, is below 32 and its bit is in value */
    CHECK_HI_LT, /* the high word is below value: an address below the stub */
    CHECK_HI_EQ, /* the high word equals value */
};

struct check {
    enum check_kind kind;
    unsigned arg;
    uint32_t value, ignore;
};

#define MAX_CHECKS 5
struct rule {
    unsigned nr;
    uint32_t action;
    struct check checks[MAX_CHECKS];
};

#define BIT(n) (1u << (n))
#define STUB_HIGH ((uint32_t)(STUB_BASE >> 32))
#define BELOW_STUB(arg)                \
    {                                  \
        CHECK_HI_LT, arg, STUB_HIGH, 0 \
    }
#define ALLOW SECCOMP_RET_ALLOW

#define FUTEX_OPS                                                                      \
    (BIT(FUTEX_WAIT) | BIT(FUTEX_WAKE) | BIT(FUTEX_REQUEUE) | BIT(FUTEX_CMP_REQUEUE) | \
     BIT(FUTEX_WAKE_OP) | BIT(FUTEX_WAIT_BITSET) | BIT(FUTEX_WAKE_BITSET))
#define MMAP_FLAGS                                                                         \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE | \
     MAP_STACK | MAP_GROWSDOWN | MAP_LOCKED | MAP_NONBLOCK | MAP_FIXED_NOREPLACE)
#define MPROTECT_PROT \
    (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP | 8 /* PROT_SEM */)
/* Not MADV_MERGEABLE: deduplication tells one sandbox about another. */
#define MADVICE (0xffffffffu & ~BIT(MADV_MERGEABLE))
#define MEMBARRIERS                                                                 \
    (MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                   \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                          \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ |                                        \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

/* value PLACE_* is replaced by what depends on the number of event descriptors. */
#define PLACE_EVENT_END 0xfffffff0u

/* The frequent ones first; rules of one number are alternatives. */
static const struct rule rules[] = {
    {SYS_futex, ALLOW, {{CHECK_SET, 1, FUTEX_OPS, FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME}}},
    {SYS_write,
     ALLOW,
     {{CHECK_GE, 0, STUB_EVENT_FD, 0},
      {CHECK_LT, 0, PLACE_EVENT_END, 0},
      {CHECK_EQ, 2, 8, 0},
      {CHECK_HI_EQ, 2, 0, 0}}},
    {SYS_rt_sigreturn, ALLOW, {{0}}},
    {SYS_mmap,
     ALLOW,
     {BELOW_STUB(0),
      {CHECK_MASK, 2, PROT_READ | PROT_WRITE | PROT_EXEC, 0},
      {CHECK_MASK, 3, MMAP_FLAGS, 0}}},
    {SYS_munmap, ALLOW, {BELOW_STUB(0)}},
    {SYS_mprotect, ALLOW, {BELOW_STUB(0), {CHECK_MASK, 2, MPROTECT_PROT, 0}}},
    {SYS_recvmsg, ALLOW, {{CHECK_EQ, 0, STUB_CONTROL_FD, 0}, {CHECK_EQ, 2, 0, 0}}},
    {SYS_close, ALLOW, {{CHECK_GE, 0, PLACE_EVENT_END, 0}}},
    {SYS_pread64, ALLOW, {BELOW_STUB(1)}},
    {SYS_clone, ALLOW, {{CHECK_EQ, 0, STUB_THREAD_FLAGS_TLS, 0}, {CHECK_HI_EQ, 0, 0, 0}}},
    {SYS_clone, ALLOW, {{CHECK_EQ, 0, STUB_THREAD_FLAGS, 0}, {CHECK_HI_EQ, 0, 0, 0}}},
    {SYS_clone,
     SECCOMP_RET_USER_NOTIF,
     {{CHECK_EQ, 0, STUB_FORK_FLAGS, 0}, {CHECK_HI_EQ, 0, 0, 0}}},
    {SYS_exit, ALLOW, {{0}}},
    {SYS_exit_group, ALLOW, {{0}}},
    {SYS_sigaltstack, ALLOW, {{0}}},
    {SYS_mmap,
     ALLOW,
     {{CHECK_HI_EQ, 0, STUB_HIGH, 0},
      {CHECK_EQ, 0, (uint32_t)CONTEXT_BASE, 0},
      {CHECK_EQ, 2, PROT_READ | PROT_WRITE, 0},
      {CHECK_EQ, 3, MAP_SHARED | MAP_FIXED, 0},
      {CHECK_EQ, 1, CONTEXT_REGION, 0}}},
    {SYS_dup3, ALLOW, {{CHECK_EQ, 1, STUB_CONTROL_FD, 0}, {CHECK_EQ, 2, 0, 0}}},
    {SYS_madvise, ALLOW, {BELOW_STUB(0), {CHECK_SET, 2, MADVICE, 0}}},
    {SYS_mremap, ALLOW, {BELOW_STUB(0), {CHECK_MASK, 3, 7, 0}, BELOW_STUB(4)}},
    {SYS_sched_yield, ALLOW, {{0}}},
    {SYS_msync, ALLOW, {BELOW_STUB(0), {CHECK_MASK, 2, 7, 0}}},
    {SYS_mincore, ALLOW, {BELOW_STUB(0)}},
    {SYS_mlock, ALLOW, {BELOW_STUB(0)}},
    {SYS_mlock2, ALLOW, {BELOW_STUB(0), {CHECK_MASK, 2, 1, 0}}},
    {SYS_munlock, ALLOW, {BELOW_STUB(0)}},
    {SYS_membarrier, ALLOW, {{CHECK_MASK, 0, MEMBARRIERS, 0}, {CHECK_EQ, 1, 0, 0}}},
    {SYS_rseq, ALLOW, {BELOW_STUB(0)}},
    {SYS_restart_syscall, ALLOW, {{0}}},
};

/* ---- a small assembler ---- */

struct assembler {
    struct sock_filter *code;
    size_t len;
};

static void emit(struct assembler *a, uint16_t op, uint32_t k, uint8_t jt, uint8_t jf)
{
    assert_always(a->len < STUB_FILTER_MAX);
    a->code[a->len++] = (struct sock_filter){op, jt, jf, k};
}

static void load(struct assembler *a, size_t offset)
{
    emit(a, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void ret(struct assembler *a, uint32_t action)
{
    emit(a, BPF_RET | BPF_K, action, 0, 0);
}

/* Emits a jump whose failing side is patched later to leave the rule; NO in jt or jf marks that
 * side. */
#define NO 255
static void jump(struct assembler *a, uint16_t op, uint32_t k, uint8_t jt, uint8_t jf)
{
    emit(a, (uint16_t)(BPF_JMP | op | BPF_K), k, jt, jf);
}

static void emit_check(struct assembler *a, const struct check *c, uint32_t value)
{
    bool high = c->kind == CHECK_HI_LT || c->kind == CHECK_HI_EQ;

    load(a, offsetof(struct seccomp_data, args[0]) + c->arg * 8 + (high ? 4 : 0));
    switch (c->kind) {
    case CHECK_EQ:
    case CHECK_HI_EQ:
        jump(a, BPF_JEQ, value, 0, NO);
        break;
    case CHECK_GE:
        jump(a, BPF_JGE, value, 0, NO);
        break;
    case CHECK_LT:
    case CHECK_HI_LT:
        jump(a, BPF_JGE, value, NO, 0);
        break;
    case CHECK_MASK:
        jump(a, BPF_JSET, ~value, NO, 0);
        break;
    case CHECK_SET:
        emit(a, BPF_ALU | BPF_AND | BPF_K, ~c->ignore, 0, 0);
        jump(a, BPF_JGE, 32, NO, 0);
        emit(a, BPF_MISC | BPF_TAX, 0, 0, 0);
        emit(a, BPF_LD | BPF_IMM, 1, 0, 0);
        emit(a, BPF_ALU | BPF_LSH | BPF_X, 0, 0, 0);
        jump(a, BPF_JSET, value, 0, NO);
        break;
    case CHECK_END:
        break;
    }
}

static void emit_rule(struct assembler *a, const struct rule *r, unsigned event_fds)
{
    size_t start = a->len;

    load(a, offsetof(struct seccomp_data, nr));
    jump(a, BPF_JEQ, r->nr, 0, NO);
    for (unsigned i = 0; i < MAX_CHECKS && r->checks[i].kind != CHECK_END; i++) {
        uint32_t value = r->checks[i].value;
        emit_check(a, &r->checks[i], value == PLACE_EVENT_END ? STUB_EVENT_FD + event_fds : value);
    }
    ret(a, r->action);
    for (size_t i = start; i < a->len; i++) {
        struct sock_filter *f = &a->code[i];
        uint8_t out = (uint8_t)(a->len - i - 1);
        if (BPF_CLASS(f->code) != BPF_JMP)
            continue;
        if (f->jt == NO)
            f->jt = out;
        if (f->jf == NO)
            f->jf = out;
    }
}

size_t stub_filter_build(struct sock_filter program[static STUB_FILTER_MAX], unsigned event_fds)
{
    struct assembler a = {program, 0};
    size_t ip = offsetof(struct seccomp_data, instruction_pointer);

    load(&a, offsetof(struct seccomp_data, arch));
    jump(&a, BPF_JEQ, AUDIT_ARCH_X86_64, 0, 4);
    load(&a, ip + 4);
    jump(&a, BPF_JEQ, STUB_HIGH, 0, 2);
    load(&a, ip);
    jump(&a, BPF_JGE, STUB_TEXT_SIZE, 0, 1);
    ret(&a, SECCOMP_RET_TRAP);
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        emit_rule(&a, &rules[i], event_fds);
    ret(&a, SECCOMP_RET_KILL_PROCESS);
    return a.len;
}
