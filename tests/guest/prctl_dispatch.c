/* prctl(PR_SET_SYSCALL_USER_DISPATCH): calls of foreign code become SIGSYS; and arch_prctl(2)'s lesser codes. */
#include "check.h"
#include <asm/prctl.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/ucontext.h>

#define SET 59
static volatile char selector;
static siginfo_t seen;

static void on_sigsys(int sig, siginfo_t *info, void *uc_)
{
    ucontext_t *uc = uc_;
    selector = 0;
    seen = *info;
    CHECK(uc->uc_mcontext.gregs[REG_RAX] == info->si_syscall);
    uc->uc_mcontext.gregs[REG_RAX] = 4242;
}

static int catches(void)
{
    struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
    CHECK(prctl(SET, 1, 0, 0, &selector) == 0);
    for (int i = 0; i < 50; i++) {
        CHECK(syscall(SYS_getppid) == getppid());
        selector = 1;
        long r = syscall(SYS_getppid);
        CHECK(r == 4242 && seen.si_code == 2 && seen.si_syscall == SYS_getppid);
        CHECK(seen.si_arch == AUDIT_ARCH_X86_64 && seen.si_call_addr);
    }
    pid_t pid = fork(); /* not inherited */
    if (pid == 0) {
        selector = 1;
        _exit(syscall(SYS_getppid) == 4242);
    }
    exits_with(pid, 0);
    CHECK(prctl(SET, 0, 0, 0, 0) == 0);
    selector = 1;
    CHECK(syscall(SYS_getppid) == getppid());
    return 3;
}

static int bad_selector(void)
{
    selector = 7;
    CHECK(prctl(SET, 1, 0, 0, &selector) == 0);
    syscall(SYS_getppid);
    return 0;
}

static int unreadable_selector(void)
{
    CHECK(prctl(SET, 1, 0, 0, 8) == 0);
    syscall(SYS_getppid);
    return 0;
}

int main(void)
{
    uint64_t mask = 0;
    exits_with(child(catches), 3);
    dies_by(child(bad_selector), SIGSYS);
    dies_by(child(unreadable_selector), SIGSEGV);
    CHECK_ERR(prctl(SET, 0, 1, 0, 0), EINVAL);
    CHECK_ERR(prctl(SET, 0, 0, 1, 0), EINVAL);
    CHECK_ERR(prctl(SET, 0, 0, 0, &selector), EINVAL);
    CHECK_ERR(prctl(SET, 9, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(SET, 1, 1, -1L, &selector), EINVAL);
    CHECK_ERR(prctl(SET, 1, 0, 1, -1L), EFAULT);
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0) == 1 && syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1) == 0);
    CHECK(syscall(SYS_arch_prctl, 0x1021, &mask) == 0 && (mask & 3) == 3);
    CHECK(syscall(SYS_arch_prctl, 0x1022, &mask) == 0 && (mask & 3) == 3);
    CHECK_ERR(syscall(SYS_arch_prctl, 0x1023, 99), EINVAL);
    CHECK_ERR(syscall(SYS_arch_prctl, 0x1023, 3), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_arch_prctl, 0x1022, 8), EFAULT);
    CHECK_ERR(syscall(SYS_arch_prctl, 0x7777, 8), EINVAL);
    CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_FS, 0xffff800000000000), EPERM);
    return 0;
}
