/* Orphans: to the subreaper or init; PDEATHSIG; autoreap with SIGCHLD ignored or SA_NOCLDWAIT. */
#include "check.h"
#include <sys/prctl.h>

static int pipefd[2];

static int grandparent(void)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    pid_t me = getpid();
    pid_t mid = fork();
    if (mid == 0) {
        if (fork() == 0) {
            while (getppid() != me) /* answered by the new parent once the old one is gone */
                sleep_ms(1);
            _exit(11);
        }
        _exit(12);
    }
    int status;
    CHECK(waitpid(mid, &status, 0) == mid && WEXITSTATUS(status) == 12);
    pid_t orphan = wait(&status);
    CHECK(orphan > 0 && orphan != mid && WEXITSTATUS(status) == 11);
    return 0;
}

static int death_signal(void)
{
    char byte;
    CHECK(pipe(pipefd) == 0);
    pid_t mid = fork();
    if (mid == 0) {
        pid_t leaf = fork();
        if (leaf == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            CHECK(write(pipefd[1], "r", 1) == 1);
            for (;;)
                pause();
        }
        CHECK(read(pipefd[0], &byte, 1) == 1);
        _exit(0);
    }
    close(pipefd[1]);
    exits_with(mid, 0);
    CHECK(read(pipefd[0], &byte, 1) == 0); /* end of file: the leaf is dead too */
    return 0;
}

static int autoreap(void)
{
    int status;
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0)
        _exit(1);
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD); /* blocks until it is gone */
    struct sigaction sa = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
    pid = fork();
    if (pid == 0)
        _exit(1);
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
    return 0;
}

int main(void)
{
    exits_with(child(grandparent), 0);
    exits_with(child(death_signal), 0);
    exits_with(child(autoreap), 0);
    return 0;
}
