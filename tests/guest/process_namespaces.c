/* pid and UTS namespaces: pid 1 inside, numbers seen from both sides, orphans to the inner init,
 * its death ends all. Needs root. */
#include "check.h"
#include <sched.h>
#include <sys/utsname.h>

static char stack[65536] __attribute__((aligned(16)));
static int pipefd[2];

static int forever(void)
{
    for (;;)
        pause();
    return 0;
}

static int inner_init(void *arg)
{
    CHECK(getpid() == 1 && getppid() == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(getpid() == 2 && getppid() == 1 ? 0 : 1);
    CHECK(pid == 2);
    exits_with(pid, 0);
    /* An orphan becomes init's child. */
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            while (getppid() != 1)
                sleep_ms(1);
            _exit(42);
        }
        _exit(0);
    }
    exits_with(pid, 0);
    int status;
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 42);
    /* Signals that init has no handler for do not reach it from inside. */
    CHECK(kill(1, SIGTERM) == 0 && kill(1, SIGKILL) == 0);
    return 33;
}

static int leaves_children(void *arg)
{
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(pipefd[0]);
            if (i == 2)
                fork();
            forever();
        }
    }
    close(pipefd[1]);
    sleep_ms(50);
    return 7;
}

static int uts(void *arg)
{
    struct utsname u;
    CHECK(sethostname("inner", 5) == 0 && uname(&u) == 0 && strcmp(u.nodename, "inner") == 0);
    return 0;
}

int main(void)
{
    char *top = stack + sizeof(stack), byte;
    struct utsname before, after;
    if (getuid() != 0)
        return 0;
    pid_t pid = clone(inner_init, top, CLONE_NEWPID | SIGCHLD, NULL);
    CHECK(pid > 1);
    exits_with(pid, 33);

    CHECK(pipe(pipefd) == 0);
    pid = clone(leaves_children, top, CLONE_NEWPID | SIGCHLD, NULL);
    close(pipefd[1]);
    exits_with(pid, 7);
    CHECK(read(pipefd[0], &byte, 1) == 0); /* all who had the other end are dead */

    /* unshare: the next child is the init of the new namespace. */
    pid = fork();
    if (pid == 0) {
        CHECK(unshare(CLONE_NEWPID) == 0);
        pid_t first = fork();
        if (first == 0)
            _exit(getpid() == 1 ? 0 : 1);
        exits_with(first, 0);
        CHECK(fork() == -1 && errno == ENOMEM); /* its init is gone */
        _exit(0);
    }
    exits_with(pid, 0);
    /* An init can be killed from outside. */
    pid = clone((int (*)(void *))(void *)forever, top, CLONE_NEWPID | SIGCHLD, NULL);
    sleep_ms(20);
    kill(pid, SIGTERM);
    sleep_ms(20);
    CHECK(kill(pid, SIGKILL) == 0);
    dies_by(pid, SIGKILL);

    CHECK(uname(&before) == 0);
    pid = clone(uts, top, CLONE_NEWUTS | SIGCHLD, NULL);
    exits_with(pid, 0);
    CHECK(uname(&after) == 0 && strcmp(before.nodename, after.nodename) == 0);
    return 0;
}
