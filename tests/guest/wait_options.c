/* wait4 and waitid: which children, WNOHANG, WNOWAIT, stopped and continued, ECHILD, EINVAL,
 * rusage. */
#include "check.h"
#include <sys/resource.h>

static int forever(void)
{
    for (;;)
        pause();
    return 0;
}

static int quick(void)
{
    return 9;
}

static void any_and_none(void)
{
    int status;
    CHECK_ERR(wait(&status), ECHILD);
    CHECK_ERR(waitpid(-1, &status, WNOHANG), ECHILD);
    CHECK_ERR(waitpid(1 << 30, &status, 0), ECHILD);
    CHECK_ERR(waitpid(-1, &status, 0x40000), EINVAL);
    CHECK_ERR(waitid(P_ALL, 0, NULL, 0), EINVAL);
    CHECK_ERR(waitid(P_ALL, 0, NULL, WEXITED), ECHILD);
    CHECK_ERR(waitid((idtype_t)77, 0, NULL, WEXITED), EINVAL);
}

static void no_hang_and_no_wait(void)
{
    siginfo_t info;
    int status;
    pid_t pid = child(forever);
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    memset(&info, 0x55, sizeof(info));
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0 &&
          info.si_signo == 0);
    CHECK(kill(pid, SIGKILL) == 0);
    for (int i = 0; i < 3; i++) {
        memset(&info, 0, sizeof(info));
        CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
        CHECK(info.si_signo == SIGCHLD && info.si_code == CLD_KILLED && info.si_status == SIGKILL &&
              info.si_pid == pid);
    }
    dies_by(pid, SIGKILL);
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
}

static void stop_and_continue(void)
{
    siginfo_t info;
    int status;
    pid_t pid = child(forever);
    CHECK(setpgid(pid, pid) == 0); /* a group that is not orphaned: SIGTSTP stops it */
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
          WSTOPSIG(status) == SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0); /* reported once */
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    CHECK(kill(pid, SIGTSTP) == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED) == 0 && info.si_code == CLD_STOPPED &&
          info.si_status == SIGTSTP);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WCONTINUED) == 0 && info.si_code == CLD_CONTINUED &&
          info.si_status == SIGCONT);
    /* A stopped process can be killed. */
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK(kill(pid, SIGTERM) == 0);
    sleep_ms(20);
    CHECK(waitpid(pid, &status, WNOHANG) == 0); /* but a mere SIGTERM waits */
    CHECK(kill(pid, SIGKILL) == 0);
    dies_by(pid, SIGKILL);
}

static void groups(void)
{
    int status;
    pid_t a = child(quick), b = fork();
    if (b == 0) {
        setpgid(0, 0);
        _exit(8);
    }
    setpgid(b, b);
    CHECK(waitpid(-b, &status, 0) == b && WEXITSTATUS(status) == 8);
    CHECK_ERR(waitpid(-b, &status, 0), ECHILD);
    CHECK(waitpid(0, &status, 0) == a && WEXITSTATUS(status) == 9);
}

int main(void)
{
    struct rusage usage;
    int status;
    any_and_none();
    no_hang_and_no_wait();
    stop_and_continue();
    groups();
    pid_t pid = child(quick);
    CHECK(wait4(-1, &status, 0, &usage) == pid && WEXITSTATUS(status) == 9);
    pid = child(quick);
    CHECK_ERR(syscall(SYS_wait4, pid, 8, 0, 0), EFAULT);
    return 0;
}
