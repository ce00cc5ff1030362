/* sigaltstack: handlers on it, its state, overflow of the normal stack survived, errors, SS_AUTODISARM. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

static char stack[65536];
static sigjmp_buf env;
static volatile int on_stack, flags, change_errno;

static void handler(int sig)
{
    char here;
    stack_t ss, other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    on_stack = &here >= stack && &here < stack + sizeof(stack);
    sigaltstack(NULL, &ss);
    flags = ss.ss_flags;
    change_errno = sigaltstack(&other, NULL) ? errno : 0;
}

static void overflow(int sig)
{
    char here;
    on_stack = &here >= stack && &here < stack + sizeof(stack);
    siglongjmp(env, 1);
}

__attribute__((noinline)) static int recurse(volatile char *above)
{
    volatile char big[4096];
    big[0] = above[0];
    big[1] = 0;
    return above[1] == 0 ? recurse(big) + big[1] : 0;
}

int main(void)
{
    stack_t ss, old;
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
    ss = (stack_t){.ss_sp = stack, .ss_size = 1000};
    CHECK_ERR(sigaltstack(&ss, NULL), ENOMEM);
    ss = (stack_t){.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = 77};
    CHECK_ERR(sigaltstack(&ss, NULL), EINVAL);
    ss.ss_flags = 0;
    CHECK(sigaltstack(&ss, NULL) == 0);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == stack && old.ss_size == sizeof(stack) && old.ss_flags == 0);

    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    CHECK(on_stack && flags == SS_ONSTACK && change_errno == EPERM);
    sa.sa_flags = 0;
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    CHECK(!on_stack && flags == 0 && change_errno == 0);

    struct rlimit limit = {256 * 1024, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
    sa.sa_handler = overflow;
    sa.sa_flags = SA_ONSTACK;
    CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
    if (sigsetjmp(env, 1) == 0)
        recurse(stack);
    CHECK(on_stack);

    ss.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
    CHECK(sigaltstack(&ss, NULL) == 0);
    sa.sa_handler = handler;
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    raise(SIGUSR1);
    CHECK(on_stack && flags == SS_DISABLE);
    ss.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&ss, NULL) == 0);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
    return 0;
}
