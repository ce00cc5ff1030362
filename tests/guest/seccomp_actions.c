/* seccomp(2): every action of a filter, strict mode, and what is inherited. */
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(action) BPF_STMT(BPF_RET | BPF_K, action)
#define IF_NR(nr, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RET(action)

static long seccomp(unsigned op, unsigned flags, void *args)
{
    return syscall(SYS_seccomp, op, flags, args);
}

static int install(struct sock_filter *f, unsigned short n, unsigned flags)
{
    struct sock_fprog prog = {n, f};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    return (int)seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* One call gets one action. */
static void forbid(int nr, unsigned action)
{
    struct sock_filter f[] = {LOAD(nr), IF_NR(nr, action), RET(SECCOMP_RET_ALLOW)};
    CHECK(install(f, 4, 0) == 0);
}

static int errors(void)
{
    struct utsname u;
    forbid(SYS_uname, SECCOMP_RET_ERRNO | 77);
    CHECK_ERR(uname(&u), 77);
    forbid(SYS_getpid, SECCOMP_RET_ERRNO | EPERM); /* calls that need no kernel count, too */
    CHECK_ERR(syscall(SYS_getpid), EPERM);
    forbid(SYS_getuid, SECCOMP_RET_ERRNO | 0);
    CHECK(syscall(SYS_getuid) == 0);
    forbid(SYS_getgid, SECCOMP_RET_ERRNO | 0xffff);
    CHECK_ERR(syscall(SYS_getgid), 4095);
    forbid(SYS_sched_yield, SECCOMP_RET_ERRNO | ENOTTY);
    CHECK_ERR(syscall(SYS_sched_yield), ENOTTY);
    forbid(SYS_futex, SECCOMP_RET_ERRNO | EXDEV);
    int word = 0;
    CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAKE, 1, 0, 0, 0), EXDEV);
    CHECK(prctl(PR_GET_SECCOMP) == 2);
    return 0;
}

static int strictest_wins(void)
{
    forbid(SYS_getppid, SECCOMP_RET_ERRNO | 5);
    forbid(SYS_getppid, SECCOMP_RET_LOG);
    CHECK_ERR(syscall(SYS_getppid), 5);
    forbid(SYS_getppid, SECCOMP_RET_ERRNO | 6); /* of equals, the newest */
    CHECK_ERR(syscall(SYS_getppid), 6);
    forbid(SYS_getppid, SECCOMP_RET_TRACE | 6); /* laxer than an error */
    CHECK_ERR(syscall(SYS_getppid), 6);
    return 0;
}

static int kills(void)
{
    forbid(SYS_uname, SECCOMP_RET_KILL_PROCESS);
    struct utsname u;
    uname(&u);
    return 0;
}

static void *thread_main(void *arg)
{
    syscall(SYS_getppid);
    return arg;
}

static int kills_thread(void)
{
    pthread_t t;
    forbid(SYS_getppid, SECCOMP_RET_KILL_THREAD);
    CHECK(pthread_create(&t, NULL, thread_main, (void *)1) == 0);
    sleep_ms(100); /* it never unlocks what pthread_join waits for in every libc */
    return 7;
}

static int kills_process_from_thread(void)
{
    pthread_t t;
    forbid(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
    CHECK(pthread_create(&t, NULL, thread_main, (void *)1) == 0);
    sleep_ms(1000);
    return 7;
}

static int unknown_action(void)
{
    forbid(SYS_getppid, 0x12340000);
    syscall(SYS_getppid);
    return 0;
}

static int trace_without_tracer(void)
{
    forbid(SYS_getppid, SECCOMP_RET_TRACE);
    CHECK_ERR(syscall(SYS_getppid), ENOSYS);
    return 0;
}

static int notify_without_listener(void)
{
    forbid(SYS_getppid, SECCOMP_RET_USER_NOTIF);
    CHECK_ERR(syscall(SYS_getppid), ENOSYS);
    return 0;
}

static volatile siginfo_t seen;
static volatile int seen_rax;

static void on_sigsys(int sig, siginfo_t *info, void *uc_)
{
    ucontext_t *uc = uc_;
    memcpy((void *)&seen, info, sizeof(seen));
    seen_rax = (int)uc->uc_mcontext.gregs[13];
    CHECK(info->si_call_addr == (void *)uc->uc_mcontext.gregs[16]);
    uc->uc_mcontext.gregs[13] = 4321;
}

static int traps(void)
{
    struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
    forbid(SYS_getppid, SECCOMP_RET_TRAP | 99);
    for (int i = 0; i < 20; i++) { /* hot sites as well */
        memset((void *)&seen, 0, sizeof(seen));
        CHECK(syscall(SYS_getppid) == 4321);
        CHECK(seen.si_signo == SIGSYS && seen.si_code == 1 /* SYS_SECCOMP */ && seen.si_errno == 99);
        CHECK(seen.si_syscall == SYS_getppid && seen.si_arch == AUDIT_ARCH_X86_64);
        CHECK(seen_rax == SYS_getppid);
    }
    return 0;
}

static int traps_unhandled(void)
{
    forbid(SYS_getppid, SECCOMP_RET_TRAP);
    syscall(SYS_getppid);
    return 0;
}

static int traps_blocked(void)
{
    sigset_t set;
    struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    forbid(SYS_getppid, SECCOMP_RET_TRAP);
    syscall(SYS_getppid);
    return 0;
}

static int arguments(void)
{
    struct sock_filter f[] = {
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        RET(SECCOMP_RET_KILL_PROCESS), LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_lseek, 0, 5),
        LOAD(args[1]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x11223344, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x55667788, 0, 1), RET(SECCOMP_RET_ERRNO | 44),
        RET(SECCOMP_RET_ALLOW)};
    CHECK(install(f, sizeof(f) / sizeof(*f), 0) == 0);
    CHECK_ERR(syscall(SYS_lseek, -1, 0x5566778811223344, 0), 44);
    CHECK_ERR(syscall(SYS_lseek, -1, 0x5566778811223345, 0), EBADF);
    return 0;
}

/* Fork, thread and exec keep the filter. */
static void *thread_filtered(void *arg)
{
    CHECK_ERR(syscall(SYS_getppid), 33);
    return NULL;
}

static int inherits(void)
{
    pthread_t t;
    forbid(SYS_getppid, SECCOMP_RET_ERRNO | 33);
    CHECK(pthread_create(&t, NULL, thread_filtered, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_ERR(syscall(SYS_getppid), 33);
        char *argv[] = {"seccomp_actions", "after-exec", NULL};
        execv("/proc/self/exe", argv);
        _exit(9);
    }
    exits_with(pid, 0);
    return 0;
}

static int strict_ok(void)
{
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
    syscall(SYS_write, 2, "", 0);
    syscall(SYS_exit, 5);
    return 0;
}

static int strict_kills(void)
{
    CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
    syscall(SYS_getpid);
    syscall(SYS_exit, 5);
    return 0;
}

static int signals_under_filter(void)
{
    /* Blocking calls, restarts and futexes go on working when every call is looked at. */
    forbid(SYS_uname, SECCOMP_RET_ERRNO | 1);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(20);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    int word = 1;
    struct timespec ts = {0, 10000000};
    CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &ts, 0, 0), ETIMEDOUT);
    CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, 0, 0), EAGAIN);
    pid = fork();
    if (pid == 0) {
        alarm(1);
        syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL, 0, 0);
        _exit(0);
    }
    dies_by(pid, SIGALRM);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        CHECK_ERR(syscall(SYS_getppid), 33);
        CHECK(prctl(PR_GET_SECCOMP) == 2 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        return 0;
    }
    CHECK(prctl(PR_GET_SECCOMP) == 0);
    exits_with(child(errors), 0);
    exits_with(child(strictest_wins), 0);
    dies_by(child(kills), SIGSYS);
    exits_with(child(kills_thread), 7);
    dies_by(child(kills_process_from_thread), SIGSYS);
    dies_by(child(unknown_action), SIGSYS);
    exits_with(child(trace_without_tracer), 0);
    exits_with(child(notify_without_listener), 0);
    exits_with(child(traps), 0);
    dies_by(child(traps_unhandled), SIGSYS);
    dies_by(child(traps_blocked), SIGSYS);
    exits_with(child(arguments), 0);
    exits_with(child(inherits), 0);
    exits_with(child(strict_ok), 5);
    dies_by(child(strict_kills), SIGKILL);
    exits_with(child(signals_under_filter), 0);
    return 0;
}
