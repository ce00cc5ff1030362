/* What a handler learns of a fault: si_code, si_addr, trap number and error code, by kind of fault. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

static sigjmp_buf back;
static siginfo_t seen;
static greg_t regs[NGREG];
static volatile int count;

static void handler(int sig, siginfo_t *info, void *uc_)
{
    ucontext_t *uc = uc_;
    seen = *info;
    memcpy(regs, uc->uc_mcontext.gregs, sizeof(regs));
    count++;
    siglongjmp(back, 1);
}

#define TRY(statement, signo, code)                                                                          \
    do {                                                                                                     \
        memset(&seen, 0, sizeof(seen));                                                                      \
        if (sigsetjmp(back, 1) == 0) {                                                                       \
            statement;                                                                                       \
        }                                                                                                    \
        if (seen.si_signo != (signo) || seen.si_code != (code)) {                                            \
            dprintf(2, "%s:%d: %s: signal %d code %d\n", __FILE__, __LINE__, #statement, seen.si_signo, seen.si_code); \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

static void memory(void)
{
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY(*(volatile char *)16 = 1, SIGSEGV, SEGV_MAPERR);
    CHECK(seen.si_addr == (void *)16 && regs[REG_TRAPNO] == 14 && regs[REG_ERR] == 6 && regs[REG_CR2] == 16);
    CHECK(*(volatile char *)p == 0);
    TRY(*(volatile char *)p = 1, SIGSEGV, SEGV_ACCERR);
    CHECK(seen.si_addr == p && regs[REG_ERR] == 7);
    TRY((void)*(volatile char *)(p + 4096 * 4096), SIGSEGV, SEGV_MAPERR);
    CHECK(regs[REG_ERR] == 4);
    TRY(((void (*)(void))p)(), SIGSEGV, SEGV_ACCERR);
    CHECK(seen.si_addr == p && (void *)regs[REG_RIP] == p && regs[REG_ERR] == 0x15);
    TRY(*(volatile char *)0x8000000000000000 = 1, SIGSEGV, SI_KERNEL); /* not canonical */
    CHECK(seen.si_addr == NULL && regs[REG_TRAPNO] == 13);
    TRY(*(volatile char *)0xffff800000000000 = 1, SIGSEGV, SEGV_MAPERR); /* the kernel's */
    CHECK(seen.si_addr == (void *)0xffff800000000000);
    int fd = memfd_create("short", 0);
    CHECK(ftruncate(fd, 100) == 0);
    char *q = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    TRY(*(volatile char *)(q + 4096) = 1, SIGBUS, BUS_ADRERR);
    CHECK(seen.si_addr == q + 4096);
}

static void instructions(void)
{
    volatile int zero = 0, one = 1;
    TRY(one = one / zero, SIGFPE, FPE_INTDIV);
    CHECK(seen.si_addr == (void *)regs[REG_RIP] && regs[REG_TRAPNO] == 0);
    TRY(__asm__ volatile("ud2"), SIGILL, ILL_ILLOPN);
    CHECK(seen.si_addr == (void *)regs[REG_RIP] && regs[REG_TRAPNO] == 6);
    TRY(__asm__ volatile("int3"), SIGTRAP, SI_KERNEL);
    CHECK(regs[REG_TRAPNO] == 3);
    TRY(__asm__ volatile("hlt"), SIGSEGV, SI_KERNEL);
    CHECK(seen.si_addr == NULL && regs[REG_TRAPNO] == 13);
    TRY(__asm__ volatile("outb %al, $0x80"), SIGSEGV, SI_KERNEL);
    TRY(__asm__ volatile("int $0x20"), SIGSEGV, SI_KERNEL);
    TRY(__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" ::: "memory"), SIGTRAP, TRAP_TRACE);
    unsigned csr = 0x1f80 & ~0x200u; /* SSE: unmask division by zero */
    float a = 1.0f, b = 0.0f;
    TRY(__asm__ volatile("ldmxcsr %2; divss %1, %0" : "+x"(a) : "x"(b), "m"(csr)), SIGFPE, FPE_FLTDIV);
    CHECK(regs[REG_TRAPNO] == 19);
    csr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" ::"m"(csr));
}

/* The vsyscall page: calls work, reading does not (where the host's kernel says so, too). */
static void vsyscall(void)
{
    long t = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    char line[256];
    int there = 0;
    while (f && fgets(line, sizeof(line), f))
        there |= strstr(line, "[vsyscall]") != NULL;
    fclose(f);
    if (there) {
        long now = ((long (*)(long *))0xffffffffff600400)(&t);
        CHECK(now == t && now >= time(NULL) - 2 && now <= time(NULL) + 2);
    }
    TRY(((void (*)(void))0xffffffffff600123)(), SIGSEGV, seen.si_code);
}

static void sent(void)
{
    sigset_t set, old;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    kill(getpid(), SIGUSR1);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_USER && info.si_pid == getpid());
    raise(SIGUSR1);
    CHECK(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8) == SIGUSR1 && info.si_code == SI_TKILL);
    CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42}) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_code == SI_QUEUE && info.si_value.sival_int == 42);
    CHECK(info.si_uid == getuid());
    /* posing as the kernel: only towards oneself */
    memset(&info, 0, sizeof(info));
    info.si_code = SI_KERNEL;
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_KERNEL);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &info), EPERM);
    info.si_code = SI_TKILL;
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &info), EPERM);
    info.si_code = SI_USER;
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &info), EPERM);
    info.si_code = -60;
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, 999999, SIGUSR1, &info), ESRCH);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &info), EINVAL);
    CHECK_ERR(syscall(SYS_rt_tgsigqueueinfo, getpid(), 999999, SIGUSR1, &info), ESRCH);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){0, 1000000000}, 8), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){-1, 0}, 8), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){0, 0}, 4), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){0, 1000}, 8), EAGAIN);
    CHECK_ERR(syscall(SYS_rt_sigtimedwait, NULL, NULL, NULL, 8), EFAULT);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
}

int main(void)
{
    int kinds[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (unsigned i = 0; i < 5; i++)
        CHECK(sigaction(kinds[i], &sa, NULL) == 0);
    memory();
    instructions();
    vsyscall();
    sent();
    return 0;
}
