/* Handlers of faults: siginfo and context, repairing the cause and going on, unmapped and protected memory. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static char *page;
static volatile int code, trapno;
static void *volatile addr;
static sigjmp_buf env;

static void repair(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    code = si->si_code;
    addr = si->si_addr;
    trapno = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void skip(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    code = si->si_code;
    addr = si->si_addr;
    uc->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 is two bytes */
    uc->uc_mcontext.gregs[REG_RBX] = 77;
}

static void jump(int sig, siginfo_t *si, void *context)
{
    code = si->si_code;
    addr = si->si_addr;
    siglongjmp(env, sig);
}

static void set_action(int sig, void (*fn)(int, siginfo_t *, void *))
{
    struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

int main(void)
{
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    set_action(SIGSEGV, repair);
    page[100] = 5;
    CHECK(page[100] == 5 && code == SEGV_ACCERR && addr == page + 100 && trapno == 14);

    set_action(SIGILL, skip);
    long rbx = 0;
    __asm__ volatile("ud2" : "=b"(rbx));
    CHECK(rbx == 77 && code == ILL_ILLOPN);

    set_action(SIGSEGV, jump);
    if (sigsetjmp(env, 1) == 0) {
        munmap(page, 4096);
        page[0] = 1;
        CHECK(!"no fault");
    }
    CHECK(code == SEGV_MAPERR && addr == page);
    set_action(SIGFPE, jump);
    if (sigsetjmp(env, 1) == 0) {
        volatile int zero = 0;
        __asm__ volatile("idivl %0" : : "m"(zero), "a"(1), "d"(0));
    }
    CHECK(code == FPE_INTDIV);
    /* A jump to nowhere. */
    if (sigsetjmp(env, 1) == 0)
        ((void (*)(void))(uintptr_t)0x12345)();
    CHECK(addr == (void *)0x12345);
    return 0;
}
