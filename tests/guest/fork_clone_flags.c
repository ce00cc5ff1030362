/* clone(2): combinations that Linux refuses, exit signals, tid stores, shared files. */
#include "check.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));

static int nothing(void *arg)
{
    return 7;
}

static int close_it(void *arg)
{
    return close(*(int *)arg) ? 1 : 0;
}

static int wait_and_see(void *arg)
{
    *(volatile int *)arg = 1;
    return 0;
}

int main(void)
{
    char *top = stack + sizeof(stack);
    CHECK_ERR(clone(nothing, top, CLONE_THREAD, NULL), EINVAL);
    CHECK_ERR(clone(nothing, top, CLONE_SIGHAND, NULL), EINVAL);
    CHECK_ERR(clone(nothing, top, CLONE_THREAD | CLONE_SIGHAND, NULL), EINVAL);
    CHECK_ERR(clone(nothing, top, CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL), EINVAL);

    int status;
    pid_t pid = clone(nothing, top, SIGCHLD, NULL);
    exits_with(pid, 7);

    /* No exit signal: found by __WCLONE or __WALL only. */
    pid = clone(nothing, top, 0, NULL);
    CHECK(pid > 0);
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
    CHECK(waitpid(pid, &status, __WCLONE) == pid && WEXITSTATUS(status) == 7);
    signal(SIGUSR2, SIG_IGN);
    pid = clone(nothing, top, SIGUSR2, NULL);
    CHECK(waitpid(pid, &status, __WALL) == pid && WEXITSTATUS(status) == 7);

    /* The parent's tid word, and the child's. */
    pid_t parent_tid = 0;
    static volatile pid_t child_tid;
    pid = clone(nothing, top, CLONE_PARENT_SETTID | SIGCHLD, NULL, &parent_tid);
    CHECK(parent_tid == pid);
    exits_with(pid, 7);
    pid = clone(nothing, top, CLONE_VM | CLONE_CHILD_SETTID | CLONE_VFORK | SIGCHLD, NULL, NULL,
                NULL, (void *)&child_tid);
    CHECK(child_tid == pid);
    exits_with(pid, 7);
    child_tid = 1;
    pid = clone(nothing, top, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL,
                (void *)&child_tid);
    exits_with(pid, 7);
    CHECK(child_tid == 0);

    /* CLONE_VM without CLONE_VFORK: one memory, two processes. */
    volatile int seen = 0;
    pid = clone(wait_and_see, top, CLONE_VM | SIGCHLD, (void *)&seen);
    exits_with(pid, 0);
    CHECK(seen == 1);

    /* CLONE_FILES: a close in the child closes here. */
    int fd = dup(2);
    pid = clone(close_it, top, CLONE_FILES | SIGCHLD, &fd);
    exits_with(pid, 0);
    CHECK_ERR(fcntl(fd, F_GETFD), EBADF);
    fd = dup(2);
    pid = clone(close_it, top, SIGCHLD, &fd);
    exits_with(pid, 0);
    CHECK(fcntl(fd, F_GETFD) == 0);
    return 0;
}
