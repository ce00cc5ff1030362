/* sigaltstack(2) with SS_AUTODISARM, and frames that sigreturn(2) must survive. */
#include "check.h"
#include <sys/mman.h>
#include <sys/ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
static char stack_memory[64 * 1024] __attribute__((aligned(16)));
static volatile int stage;

static int on_it(const void *p)
{
    return (const char *)p >= stack_memory && (const char *)p < stack_memory + sizeof(stack_memory);
}

static void on_plain(int sig)
{
    stack_t now, other = {.ss_sp = stack_memory, .ss_size = sizeof(stack_memory)};
    int here;
    CHECK(on_it(&here));
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
    CHECK_ERR(sigaltstack(&other, NULL), EPERM);
    stage = 1;
}

static void on_disarmed(int sig)
{
    stack_t now, other = {.ss_sp = stack_memory, .ss_size = 8192};
    int here;
    CHECK(on_it(&here));
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE);
    CHECK(sigaltstack(&other, NULL) == 0); /* it is free while the handler runs */
    stage = 2;
}

static void install(int sig, void (*fn)(int), int flags)
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void altstack(void)
{
    stack_t now, s = {.ss_sp = stack_memory, .ss_size = sizeof(stack_memory)};
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE && now.ss_size == 0);
    s.ss_size = 100;
    CHECK_ERR(sigaltstack(&s, NULL), ENOMEM);
    s.ss_size = sizeof(stack_memory);
    s.ss_flags = 77;
    CHECK_ERR(sigaltstack(&s, NULL), EINVAL);
    CHECK_ERR(sigaltstack((void *)8, NULL), EFAULT);
    s.ss_flags = SS_ONSTACK; /* tolerated */
    CHECK(sigaltstack(&s, NULL) == 0);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0 && now.ss_sp == stack_memory);
    install(SIGUSR1, on_plain, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK(stage == 1);
    s.ss_flags = (int)SS_AUTODISARM;
    CHECK(sigaltstack(&s, &now) == 0 && now.ss_flags == 0);
    install(SIGUSR1, on_disarmed, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK(stage == 2);
    CHECK(sigaltstack(NULL, &now) == 0); /* as it was before */
    CHECK(now.ss_flags == (int)SS_AUTODISARM && now.ss_size == sizeof(stack_memory) && now.ss_sp == stack_memory);
    s.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&s, NULL) == 0 && sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE);
}

/* ---- hostile frames ---- */

static int how;
static uint64_t fp_copy[1024];

static void damage(int sig, siginfo_t *info, void *uc_)
{
    ucontext_t *uc = uc_;
    greg_t *g = uc->uc_mcontext.gregs;
    switch (how) {
    case 0: /* privileged flags are not taken over */
        g[REG_EFL] |= 0x3000 | 0x20000; /* IOPL, VM */
        break;
    case 1:
        g[REG_RIP] = (greg_t)0x8000000000000000;
        break;
    case 2:
        g[REG_RIP] = (greg_t)0xffffffff80000000;
        break;
    case 3:
        uc->uc_mcontext.fpregs = (void *)8;
        break;
    case 4:
        uc->uc_mcontext.fpregs = (void *)0xffff800000000000;
        break;
    case 5:
        g[REG_RSP] = 0;
        break;
    case 6:
        uc->uc_mcontext.fpregs = NULL; /* a fresh FP state */
        break;
    case 7: /* a mask that blocks what cannot be blocked */
        memset(&uc->uc_sigmask, 0xff, 8);
        break;
    case 8:
        uc->uc_mcontext.fpregs->mxcsr = 0xffffffff;
        break;
    case 9: /* the components that it claims to hold */
        memset((char *)uc->uc_mcontext.fpregs + 512, 0xff, 64);
        break;
    case 10: /* no extended state */
        memset((char *)uc->uc_mcontext.fpregs + 464, 0, 48);
        break;
    }
}

static int try(void)
{
    struct sigaction sa = {.sa_sigaction = damage, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    if (how == 7) {
        sigset_t now;
        CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
        CHECK(sigismember(&now, SIGUSR2) == 1 && sigismember(&now, SIGKILL) == 0 && sigismember(&now, SIGSTOP) == 0);
    }
    return 20 + how;
}

int main(void)
{
    static const int fatal[] = {0, SIGSEGV, SIGSEGV, SIGSEGV, SIGSEGV, SIGSEGV, 0, 0, SIGSEGV, SIGSEGV, 0};
    (void)fp_copy;
    altstack();
    for (how = 0; how < 11; how++) {
        int status = wait_for(child(try));
        int good = fatal[how] ? WIFSIGNALED(status) && WTERMSIG(status) == fatal[how]
                              : WIFEXITED(status) && WEXITSTATUS(status) == 20 + how;
        if (!good)
            dprintf(2, "damage %d: status %#x\n", how, status);
        CHECK(good);
    }
    return 0;
}
