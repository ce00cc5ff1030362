/* Default actions: what ends a process, and with which status. */
#include "check.h"
#include <sys/resource.h>

static int which;

static int by_kill(void)
{
    kill(getpid(), which);
    sleep_ms(50);
    return 0;
}

static int spin(void)
{
    for (volatile long i = 0;; i++)
        ;
    return 0;
}

static int segv(void)
{
    *(volatile int *)16 = 1;
    return 0;
}

static int ill(void)
{
    __asm__ volatile("ud2");
    return 0;
}

static int fpe(void)
{
    volatile int zero = 0;
    __asm__ volatile("idivl %0" : : "m"(zero), "a"(1), "d"(0));
    return 0;
}

static int trap(void)
{
    __asm__ volatile("int3");
    return 0;
}

static int segv_blocked(void)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGSEGV, SIG_IGN);
    return segv();
}

int main(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGVTALRM,
                   SIGPROF, SIGPOLL, SIGPWR, SIGSYS, SIGXCPU, SIGXFSZ, SIGSTKFLT, SIGTRAP, SIGRTMIN, SIGRTMAX};
    for (unsigned i = 0; i < sizeof(fatal) / sizeof(*fatal); i++) {
        which = fatal[i];
        dies_by(child(by_kill), which);
    }
    int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    for (unsigned i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
        which = harmless[i];
        exits_with(child(by_kill), 0);
    }
    dies_by(child(segv), SIGSEGV);
    dies_by(child(ill), SIGILL);
    dies_by(child(fpe), SIGFPE);
    dies_by(child(trap), SIGTRAP);
    dies_by(child(segv_blocked), SIGSEGV);
    pid_t pid = child(spin);
    sleep_ms(20);
    kill(pid, SIGTERM);
    dies_by(pid, SIGTERM);
    return 0;
}
