/* What execve resets and what it keeps: handlers, ignored signals, the mask, pending signals,
 * close-on-exec, nice, pid, alarm. */
#include "check.h"
#include <sys/resource.h>
#include <sys/time.h>

static void handler(int sig)
{
}

static int after(char **argv)
{
    struct sigaction sa;
    sigset_t set;
    CHECK(atoi(argv[1]) == getpid());
    CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGTERM) && !sigismember(&set, SIGHUP));
    CHECK(sigpending(&set) == 0 && sigismember(&set, SIGTERM));
    CHECK_ERR(fcntl(atoi(argv[2]), F_GETFD), EBADF);
    CHECK(fcntl(atoi(argv[3]), F_GETFD) == 0);
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0) == 3 && errno == 0);
    stack_t ss;
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
    struct itimerval it;
    CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_value.tv_sec > 90);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return after(argv);
    static char stack[32768];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigset_t set;
    char pid[20], closed[20], kept[20];
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(raise(SIGTERM) == 0);
    CHECK(sigaltstack(&ss, NULL) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0);
    alarm(100);
    snprintf(pid, sizeof(pid), "%d", getpid());
    snprintf(closed, sizeof(closed), "%d", fcntl(2, F_DUPFD_CLOEXEC, 10));
    snprintf(kept, sizeof(kept), "%d", fcntl(2, F_DUPFD, 10));
    char *args[] = {argv[0], pid, closed, kept, NULL}, *env[] = {NULL};
    execve("/proc/self/exe", args, env);
    CHECK(!"exec failed");
}
