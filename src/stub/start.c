/*
 * How the template becomes a stub: it is executed with its control socket and event descriptors in
 * place, receives the memfd of its contexts, moves the vDSO, empties the rest of the address space,
 * gives up all privilege and waits for orders as context 0. Every other stub process is a fork of
 * it.
 *
 * Anything that fails here ends the process; the kernel notices and reports that the platform
 * cannot start.
 */
#include "stub/stub.h"
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#define SA_SIGINFO_ 4
#define SA_RESTORER_ 0x04000000
#define SA_ONSTACK_ 0x08000000
#define SA_NODEFER_ 0x40000000
#define SIG_SETMASK_ 2

__attribute__((section(".values"), aligned(4096))) struct stub_values stub_values = {.event_fds =
                                                                                         1};

struct user_sigaction {
    void (*handler)(int, void *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* Stage is the exit status: it tells where set-up failed. */
static long check(long ret, int stage)
{
    if (ret < 0 && ret >= -4095)
        host3(__NR_exit_group, stage, 0, 0);
    return ret;
}

void stub_set_altstack(struct stub_context *ctx)
{
    struct {
        void *sp;
        int flags;
        size_t size;
    } stack = {(char *)ctx + CONTEXT_ALTSTACK, 0, CONTEXT_ALTSTACK_SIZE};

    host3(__NR_sigaltstack, &stack, 0, 0);
}

static void install_handlers(void)
{
    static const uint8_t handled[] = {4, 5, 7, 8, 11, 31, KICK_SIGNAL};
    uint64_t mask = ~0UL;

    for (unsigned i = 0; i < sizeof(handled); i++) {
        struct user_sigaction sa = {stub_signal,
                                    SA_SIGINFO_ | SA_RESTORER_ | SA_ONSTACK_ | SA_NODEFER_,
                                    stub_signal_return, 0};

        mask &= ~(1UL << (handled[i] - 1));
        check(host6(__NR_rt_sigaction, handled[i], (uint64_t)&sa, 0, 8, 0, 0), 10);
    }
    check(host6(__NR_rt_sigprocmask, SIG_SETMASK_, (uint64_t)&mask, 0, 8, 0, 0), 11);
}

static void drop_privilege(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}, {0}};

    check(host3(__NR_capset, &header, data, 0), 12);
    check(host6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0), 13);
}

static void move_vdso(const struct stub_setup *setup)
{
    for (uint32_t i = 0; i < setup->move_count && i < STUB_MAX_MOVES; i++)
        check(host6(__NR_mremap, setup->moves[i].from, setup->moves[i].size, setup->moves[i].size,
                    MREMAP_MAYMOVE | MREMAP_FIXED, setup->moves[i].to, 0),
              14);
}

static int install_filter(struct stub_context *ctx, const struct stub_setup *setup)
{
    struct {
        uint16_t len;
        void *filter;
    } program = {(uint16_t)setup->filter_len, (char *)ctx + CONTEXT_WINDOW + sizeof(*setup)};
    uint64_t flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

    return (int)check(host3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program), 15);
}

/* On the context's stack; nothing but the stub, the initial stack and the vDSO is mapped. */
static void finish(struct stub_context *ctx)
{
    const struct stub_setup *setup = (void *)((char *)ctx + CONTEXT_WINDOW);
    uint64_t contexts_end = CONTEXT_BASE + CONTEXT_REGION;

    move_vdso(setup);
    check(host3(__NR_munmap, 0, STUB_BASE, 0), 16);
    check(host3(__NR_munmap, contexts_end, STUB_END - contexts_end, 0), 17);
    stub_values = setup->values;
    context_orders(ctx)[1].result = (int64_t)stub_entry;
    check(host3(__NR_mprotect, STUB_VALUES, 4096, PROT_READ), 18);
    __builtin_ia32_wrgsbase64((uint64_t)ctx);
    stub_set_altstack(ctx);
    install_handlers();
    stub_prepare_patching();
    drop_privilege();
    context_orders(ctx)[0].result = install_filter(ctx, setup);
    stub_event(ctx, KIND_ORDERS_DONE);
}

_Noreturn void stub_start(void);
_Noreturn void stub_start(void)
{
    struct stub_context *ctx = (struct stub_context *)CONTEXT_BASE;
    int fd;

    check(stub_receive_fds(&fd, 1), 20);
    check(host6(__NR_mmap, CONTEXT_BASE, CONTEXT_REGION, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED, (uint64_t)fd, 0),
          21);
    host3(__NR_close, fd, 0, 0);
    stub_switch_stack(ctx, finish);
}
