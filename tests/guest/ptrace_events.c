/* ptrace(2): events of a tracee's life, threads, attaching to what runs, job control under SEIZE, exec. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define STOP_EVENT 128 /* PTRACE_EVENT_STOP */

static int wait_status(pid_t pid)
{
    int status;
    pid_t got = waitpid(pid, &status, __WALL);
    CHECK(got == pid);
    return status;
}

static int wait_stop(pid_t pid)
{
    int status = wait_status(pid);
    if (!WIFSTOPPED(status))
        dprintf(2, "pid %d: status %#x\n", pid, status);
    CHECK(WIFSTOPPED(status));
    return status >> 8;
}

static void expect_stop(pid_t pid, int signo, int event, int line)
{
    int code = wait_stop(pid);
    if (code != (signo | event << 8)) {
        dprintf(2, "line %d: stop %#x, not %#x\n", line, code, signo | event << 8);
        _exit(1);
    }
}
#define STOP(pid, signo, event) expect_stop(pid, signo, event, __LINE__)
#define GO(pid) CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0)

static unsigned long message(pid_t pid)
{
    unsigned long m = 0;
    CHECK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &m) == 0);
    return m;
}

static pid_t traced(int (*fn)(void), long options)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        raise(SIGSTOP);
        _exit(fn());
    }
    STOP(pid, SIGSTOP, 0);
    CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, options) == 0);
    GO(pid);
    return pid;
}

static int forks(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(9);
    exits_with(pid, 9);
    pid = vfork();
    if (pid == 0)
        _exit(8);
    exits_with(pid, 8);
    return 7;
}

static void fork_events(void)
{
    pid_t pid = traced(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT);
    STOP(pid, SIGTRAP, PTRACE_EVENT_FORK);
    pid_t kid = (pid_t)message(pid);
    siginfo_t info;
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == (SIGTRAP | PTRACE_EVENT_FORK << 8));
    STOP(kid, SIGSTOP, 0); /* born traced */
    GO(kid);
    GO(pid);
    STOP(kid, SIGTRAP, PTRACE_EVENT_EXIT);
    CHECK(message(kid) == 9 << 8);
    GO(kid);
    int status = wait_status(kid); /* the tracer first, then the parent */
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    STOP(pid, SIGCHLD, 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGCHLD) == 0);
    STOP(pid, SIGTRAP, PTRACE_EVENT_VFORK);
    kid = (pid_t)message(pid);
    GO(pid);
    STOP(kid, SIGSTOP, 0);
    GO(kid);
    STOP(kid, SIGTRAP, PTRACE_EVENT_EXIT);
    GO(kid);
    int seen = 0; /* in either order: the end of the child, and its parent going on */
    while (seen != 3) {
        pid_t got = waitpid(-1, &status, __WALL);
        if (got == kid) {
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
            seen |= 1;
        } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8)) {
            seen |= 2;
            GO(pid);
        } else {
            CHECK(got == pid && status >> 8 == SIGCHLD);
            GO(pid);
        }
    }
    for (;;) {
        int code = wait_stop(pid);
        if (code == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
            break;
        CHECK(code == SIGCHLD);
        GO(pid);
    }
    CHECK(message(pid) == 7 << 8);
    GO(pid);
    exits_with(pid, 7);
}

static void *thread_main(void *arg)
{
    return arg;
}

static int threads(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread_main, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    return 6;
}

static void thread_events(void)
{
    pid_t pid = traced(threads, PTRACE_O_TRACECLONE);
    STOP(pid, SIGTRAP, PTRACE_EVENT_CLONE);
    pid_t tid = (pid_t)message(pid);
    CHECK(tid != pid);
    STOP(tid, SIGSTOP, 0);
    CHECK(waitpid(tid, NULL, WNOHANG | __WALL) == 0);
    GO(tid);
    GO(pid);
    int status = wait_status(tid);
    /* its own, or the process's, if that has ended meanwhile */
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 6));
    CHECK_ERR(waitpid(tid, &status, __WALL), ECHILD);
    exits_with(pid, 6);
}

static int execs(void)
{
    char *argv[] = {"ptrace_events", "exit", "12", NULL};
    execv("/proc/self/exe", argv);
    return 1;
}

static void exec_events(void)
{
    pid_t pid = traced(execs, PTRACE_O_TRACEEXEC);
    STOP(pid, SIGTRAP, PTRACE_EVENT_EXEC);
    CHECK((pid_t)message(pid) == pid);
    GO(pid);
    exits_with(pid, 12);
    pid = traced(execs, 0); /* without the option: a plain SIGTRAP */
    STOP(pid, SIGTRAP, 0);
    struct user_regs_struct r;
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && r.rax == 0);
    GO(pid);
    exits_with(pid, 12);
}

static pid_t spinner(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            sleep_ms(5);
    return pid;
}

static void attaching(void)
{
    pid_t pid = spinner();
    sleep_ms(20);
    CHECK(ptrace(PTRACE_ATTACH, pid, 0, 0) == 0);
    STOP(pid, SIGSTOP, 0);
    CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
    sleep_ms(20);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0); /* it runs */
    /* a stopped process */
    CHECK(kill(pid, SIGSTOP) == 0);
    int status;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK(ptrace(PTRACE_ATTACH, pid, 0, 0) == 0);
    STOP(pid, SIGSTOP, 0);
    CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
}

static void seizing(void)
{
    pid_t pid = spinner();
    siginfo_t info;
    sleep_ms(20);
    CHECK(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0);
    CHECK(waitpid(pid, NULL, WNOHANG | __WALL) == 0);
    CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
    STOP(pid, SIGTRAP, STOP_EVENT);
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == (SIGTRAP | STOP_EVENT << 8));
    GO(pid);
    /* group stop: the signal, then the event, and LISTEN waits for SIGCONT */
    CHECK(kill(pid, SIGSTOP) == 0);
    STOP(pid, SIGSTOP, 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGSTOP) == 0);
    STOP(pid, SIGSTOP, STOP_EVENT);
    CHECK(ptrace(PTRACE_LISTEN, pid, 0, 0) == 0);
    CHECK(waitpid(pid, NULL, WNOHANG | __WALL) == 0);
    CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
    CHECK(kill(pid, SIGCONT) == 0);
    STOP(pid, SIGTRAP, STOP_EVENT);
    GO(pid);
    STOP(pid, SIGCONT, 0);
    GO(pid);
    /* INTERRUPT of what is listening */
    CHECK(kill(pid, SIGSTOP) == 0);
    STOP(pid, SIGSTOP, 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGSTOP) == 0);
    STOP(pid, SIGSTOP, STOP_EVENT);
    CHECK(ptrace(PTRACE_LISTEN, pid, 0, 0) == 0);
    CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
    STOP(pid, SIGSTOP, STOP_EVENT);
    CHECK(kill(pid, SIGKILL) == 0);
    dies_by(pid, SIGKILL);
}

static int makes_group_stop(void)
{
    raise(SIGSTOP);
    return 5;
}

static void old_group_stop(void)
{
    siginfo_t info;
    pid_t pid = traced(makes_group_stop, 0);
    STOP(pid, SIGSTOP, 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGSTOP) == 0);
    STOP(pid, SIGSTOP, 0); /* now the group stop */
    CHECK_ERR(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), EINVAL);
    GO(pid); /* which does not hold what is traced so */
    exits_with(pid, 5);
}

/* What becomes of tracees when the tracer ends. */
static void tracer_ends(long options, int expected)
{
    int fds[2];
    pid_t pid, tracee = spinner();
    CHECK(pipe(fds) == 0);
    pid = fork();
    if (pid == 0) {
        CHECK(ptrace(PTRACE_SEIZE, tracee, 0, options) == 0);
        _exit(0);
    }
    exits_with(pid, 0);
    sleep_ms(50);
    if (expected) {
        dies_by(tracee, expected);
    } else {
        CHECK(waitpid(tracee, NULL, WNOHANG) == 0);
        kill(tracee, SIGTERM);
        dies_by(tracee, SIGTERM);
    }
    close(fds[0]);
    close(fds[1]);
}

static int waits_for_signal(void)
{
    pause();
    return 0;
}

/* waitid sees tracees, WNOWAIT leaves them, and SIGCHLD tells. */
static void told(void)
{
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    pid_t pid = traced(waits_for_signal, 0);
    while (sigtimedwait(&set, NULL, &(struct timespec){0, 0}) == SIGCHLD)
        ;
    CHECK(kill(pid, SIGUSR1) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGCHLD);
    CHECK(info.si_code == CLD_TRAPPED && info.si_pid == pid && info.si_status == SIGUSR1);
    CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT) == 0);
    CHECK(info.si_code == CLD_TRAPPED && info.si_status == SIGUSR1 && info.si_pid == pid);
    STOP(pid, SIGUSR1, 0);
    CHECK(kill(pid, SIGKILL) == 0);
    dies_by(pid, SIGKILL);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

/* A call that a stop interrupts goes on. */
static int sleeps(void)
{
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    struct timespec ts = {0, 300000000};
    CHECK(nanosleep(&ts, NULL) == 0);
    CHECK(clock_ms(CLOCK_MONOTONIC) - start >= 290);
    return 4;
}

static void interrupted_calls(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(sleeps());
    sleep_ms(50);
    CHECK(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
    STOP(pid, SIGTRAP, STOP_EVENT);
    GO(pid);
    exits_with(pid, 4);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return atoi(argv[2]);
    fork_events();
    thread_events();
    exec_events();
    attaching();
    seizing();
    old_group_stop();
    tracer_ends(0, 0);
    tracer_ends(PTRACE_O_EXITKILL, SIGKILL);
    told();
    interrupted_calls();
    return 0;
}
