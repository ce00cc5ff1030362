/* The stub's seccomp program, run by a small interpreter: what passes, what traps, what kills. */
#include "base/base.h"
#include "stub/filter.h"
#include "stub/shared.h"
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define EVENT_FDS 2
#define INSIDE (STUB_BASE + 0x100)
#define KILL SECCOMP_RET_KILL_PROCESS
#define ALLOW SECCOMP_RET_ALLOW

static struct sock_filter program[STUB_FILTER_MAX];
static size_t program_len;

static bool jump_taken(const struct sock_filter *f, uint32_t a)
{
    switch (BPF_OP(f->code)) {
    case BPF_JEQ:
        return a == f->k;
    case BPF_JGE:
        return a >= f->k;
    case BPF_JSET:
        return a & f->k;
    }
    fail_msg("unknown jump 0x%x", f->code);
    return false;
}

static uint32_t run(const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0;

    for (size_t pc = 0; pc < program_len; pc++) {
        const struct sock_filter *f = &program[pc];
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(f->k + 4 <= sizeof(*data));
            memcpy(&a, (const char *)data + f->k, 4);
            continue;
        case BPF_LD | BPF_IMM:
            a = f->k;
            continue;
        case BPF_MISC | BPF_TAX:
            x = a;
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= f->k;
            continue;
        case BPF_ALU | BPF_LSH | BPF_X:
            assert_true(x < 32);
            a <<= x;
            continue;
        case BPF_RET | BPF_K:
            return f->k;
        }
        assert_int_equal(BPF_CLASS(f->code), BPF_JMP);
        pc += jump_taken(f, a) ? f->jt : f->jf;
    }
    fail_msg("fell off the end");
    return 0;
}

static uint32_t call_at(uint64_t ip, int nr, const uint64_t args[6])
{
    struct seccomp_data data = {.nr = nr, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = ip};

    memcpy(data.args, args, sizeof(data.args));
    return run(&data);
}

#define CALL(nr, ...) call_at(INSIDE, nr, (const uint64_t[6]){__VA_ARGS__})

static int build(void **state)
{
    program_len = stub_filter_build(program, EVENT_FDS);
    return program_len > 0 && program_len <= STUB_FILTER_MAX ? 0 : -1;
}

static void test_outside_traps(void **state)
{
    static const uint64_t places[] = {
        0x400000,     STUB_BASE - 1,      STUB_BASE + STUB_TEXT_SIZE, STUB_VDSO + 0x1000,
        PATCH_THUNKS, 0xffffffffff600000, STUB_BASE & 0xffffffff,     0};
    const uint64_t none[6] = {0};

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        for (int nr = 0; nr < 600; nr++)
            assert_int_equal(call_at(places[i], nr, none), SECCOMP_RET_TRAP);
    assert_int_equal(call_at(0x400000, SYS_exit | 0x40000000, none), SECCOMP_RET_TRAP);
}

static void test_other_architectures_trap(void **state)
{
    struct seccomp_data data = {
        .nr = SYS_exit, .arch = AUDIT_ARCH_I386, .instruction_pointer = INSIDE};

    assert_int_equal(run(&data), SECCOMP_RET_TRAP);
}

/* With zero arguments, which numbers pass at all. */
static void test_numbers(void **state)
{
    static const int allowed[] = {
        SYS_futex,   SYS_pread64,      SYS_rseq,            SYS_rt_sigreturn, SYS_munmap,          SYS_mprotect,
        SYS_recvmsg, SYS_exit,         SYS_exit_group,      SYS_sigaltstack,
        SYS_dup3,    SYS_madvise,      SYS_mremap,          SYS_sched_yield,
        SYS_msync,   SYS_mincore,      SYS_mlock,           SYS_mlock2,
        SYS_munlock, SYS_membarrier,   SYS_restart_syscall, SYS_mmap};

    for (int nr = 0; nr < 600; nr++) {
        bool expected = false;
        for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
            expected |= allowed[i] == nr;
        assert_int_equal(CALL(nr, 0), expected ? ALLOW : KILL);
        assert_int_equal(CALL(nr | 0x40000000, 0), KILL);
    }
}

static void test_descriptors(void **state)
{
    assert_int_equal(CALL(SYS_write, STUB_CONTROL_FD, 0x1000, 8), KILL);
    assert_int_equal(CALL(SYS_write, STUB_EVENT_FD, 0x1000, 8), ALLOW);
    assert_int_equal(CALL(SYS_write, STUB_EVENT_FD + EVENT_FDS - 1, 0x1000, 8), ALLOW);
    assert_int_equal(CALL(SYS_write, STUB_EVENT_FD + EVENT_FDS, 0x1000, 8), KILL);
    assert_int_equal(CALL(SYS_write, STUB_EVENT_FD, 0x1000, 16), KILL);
    assert_int_equal(CALL(SYS_write, STUB_EVENT_FD, 0x1000, 0x100000008), KILL);
    assert_int_equal(CALL(SYS_recvmsg, 1, 0x1000, 0), KILL);
    assert_int_equal(CALL(SYS_recvmsg, STUB_CONTROL_FD, 0x1000, 0x2000 /* MSG_ERRQUEUE */), KILL);
    assert_int_equal(CALL(SYS_close, STUB_CONTROL_FD), KILL);
    assert_int_equal(CALL(SYS_close, STUB_EVENT_FD), KILL);
    assert_int_equal(CALL(SYS_close, STUB_EVENT_FD + EVENT_FDS), ALLOW);
    assert_int_equal(CALL(SYS_dup3, 5, STUB_EVENT_FD, 0), KILL);
    assert_int_equal(CALL(SYS_dup3, 5, STUB_CONTROL_FD, 0), ALLOW);
}

static void test_memory(void **state)
{
    uint64_t anonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    assert_int_equal(CALL(SYS_mmap, 0x10000, 4096, 7, anonymous, -1UL, 0), ALLOW);
    assert_int_equal(CALL(SYS_mmap, STUB_BASE, 4096, 7, anonymous, -1UL, 0), KILL);
    assert_int_equal(CALL(SYS_mmap, 0x10000, 4096, 7, anonymous | MAP_HUGETLB, -1UL, 0), KILL);
    assert_int_equal(CALL(SYS_mmap, 0x10000, 4096, 0x40000007, anonymous, -1UL, 0), KILL);
    assert_int_equal(CALL(SYS_mmap, CONTEXT_BASE, CONTEXT_REGION, 3, MAP_SHARED | MAP_FIXED, 5, 0),
                     ALLOW);
    assert_int_equal(CALL(SYS_mmap, CONTEXT_BASE, CONTEXT_REGION, 7, MAP_SHARED | MAP_FIXED, 5, 0),
                     KILL);
    assert_int_equal(CALL(SYS_munmap, STUB_BASE, 4096), KILL);
    assert_int_equal(CALL(SYS_munmap, STUB_BASE - 4096, 4096), ALLOW);
    assert_int_equal(CALL(SYS_pread64, 70, 0x10000, 4096, 0), ALLOW);
    assert_int_equal(CALL(SYS_pread64, 70, STUB_VALUES, 4096, 0), KILL);
    assert_int_equal(CALL(SYS_mprotect, STUB_VALUES, 4096, 3), KILL);
    assert_int_equal(CALL(SYS_mremap, 0x10000, 4096, 4096, 3, STUB_BASE), KILL);
    assert_int_equal(CALL(SYS_madvise, 0x10000, 4096, MADV_DONTNEED), ALLOW);
    assert_int_equal(CALL(SYS_madvise, 0x10000, 4096, MADV_MERGEABLE), KILL);
    assert_int_equal(CALL(SYS_madvise, 0x10000, 4096, MADV_HWPOISON), KILL);
}

static void test_futex(void **state)
{
    static const unsigned refused[] = {FUTEX_FD,
                                       FUTEX_LOCK_PI,
                                       FUTEX_UNLOCK_PI,
                                       FUTEX_TRYLOCK_PI,
                                       FUTEX_WAIT_REQUEUE_PI,
                                       FUTEX_CMP_REQUEUE_PI,
                                       FUTEX_LOCK_PI2,
                                       64};

    assert_int_equal(CALL(SYS_futex, 0x1000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG), ALLOW);
    assert_int_equal(CALL(SYS_futex, 0x1000, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME), ALLOW);
    assert_int_equal(CALL(SYS_futex, 0x1000, FUTEX_WAKE_OP), ALLOW);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_int_equal(CALL(SYS_futex, 0x1000, refused[i]), KILL);
        assert_int_equal(CALL(SYS_futex, 0x1000, refused[i] | FUTEX_PRIVATE_FLAG), KILL);
    }
}

static void test_clone(void **state)
{
    assert_int_equal(CALL(SYS_clone, STUB_THREAD_FLAGS), ALLOW);
    assert_int_equal(CALL(SYS_clone, STUB_THREAD_FLAGS_TLS), ALLOW);
    assert_int_equal(CALL(SYS_clone, STUB_FORK_FLAGS), SECCOMP_RET_USER_NOTIF);
    assert_int_equal(CALL(SYS_clone, STUB_FORK_FLAGS | 17), KILL);
    assert_int_equal(CALL(SYS_clone, STUB_FORK_FLAGS | 0x10000000), KILL); /* CLONE_NEWUSER */
    assert_int_equal(CALL(SYS_clone, 0x100000000 | STUB_THREAD_FLAGS), KILL);
    assert_int_equal(CALL(SYS_clone, 0), KILL);
    assert_int_equal(CALL(SYS_clone3, 0x1000, 88), KILL);
    assert_int_equal(CALL(SYS_fork, 0), KILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outside_traps), cmocka_unit_test(test_other_architectures_trap),
        cmocka_unit_test(test_numbers),       cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_memory),        cmocka_unit_test(test_futex),
        cmocka_unit_test(test_clone),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
