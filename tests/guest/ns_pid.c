/* Pid namespaces: the first process of one, what signals it gets, whose parent it becomes, its end,
 * nesting, and what unshare(2) promises to children. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static int hit;

static void on_signal(int sig)
{
    hit = sig;
}

static pid_t clone_into(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int go[2], ready[2];

static int init_main(void)
{
    char c;
    int status;
    CHECK(getpid() == 1 && getppid() == 0 && getpgid(0) == 0 && getsid(0) == 0);
    CHECK(kill(1, SIGKILL) == 0 && kill(1, SIGTERM) == 0); /* not for it */
    CHECK(signal(SIGUSR1, on_signal) == SIG_DFL && kill(1, SIGUSR1) == 0 && hit == SIGUSR1);
    CHECK_ERR(kill(-1, 0), ESRCH);
    CHECK_ERR(kill(2, 0), ESRCH);
    pid_t pid = fork();
    CHECK(pid == 0 || pid == 2);
    if (pid == 0) {
        if (fork() == 0) {
            while (getppid() != 1)
                sleep_ms(5);
            _exit(7);
        }
        _exit(kill(1, SIGKILL) || kill(1, SIGSTOP) || getppid() != 1);
    }
    exits_with(pid, 0);
    CHECK(wait(&status) == 3 && WIFEXITED(status) && WEXITSTATUS(status) == 7); /* the orphan */
    CHECK(write(ready[1], "1", 1) == 1 && read(go[0], &c, 1) == 1);
    return 5;
}

static void test_init(void)
{
    char c;
    CHECK(pipe(go) == 0 && pipe(ready) == 0);
    pid_t pid = clone_into(CLONE_NEWPID);
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(init_main());
    CHECK(read(ready[0], &c, 1) == 1 && kill(pid, SIGTERM) == 0);
    sleep_ms(20);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0); /* not even from outside, without a handler */
    CHECK(write(go[1], "1", 1) == 1);
    exits_with(pid, 5);
    pid = clone_into(CLONE_NEWPID);
    if (pid == 0)
        pause();
    CHECK(kill(pid, SIGKILL) == 0);
    dies_by(pid, SIGKILL);
}

/* Everybody goes with it. */
static void test_end(void)
{
    int p[2];
    char c;
    CHECK(pipe(p) == 0);
    pid_t pid = clone_into(CLONE_NEWPID);
    CHECK(pid >= 0);
    if (pid == 0) {
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
    close(p[1]);
    exits_with(pid, 0);
    CHECK(read(p[0], &c, 1) == 0);
    close(p[0]);
}

static int unsharer(void)
{
    char text[64];
    CHECK(unshare(CLONE_NEWPID) == 0);
    CHECK_ERR(readlink("/proc/self/ns/pid_for_children", text, sizeof(text)), ENOENT);
    CHECK_ERR(unshare(CLONE_NEWPID), EINVAL);
    CHECK_ERR((int)syscall(SYS_clone, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, NULL, NULL, NULL, NULL), EINVAL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(getpid());
    exits_with(pid, 1);
    CHECK_ERR(fork(), ENOMEM); /* its first process is gone */
    CHECK(readlink("/proc/self/ns/pid_for_children", text, sizeof(text)) > 0);
    return 0;
}

static int nest(void)
{
    for (int depth = 0;; depth++) {
        if (unshare(CLONE_NEWPID) != 0)
            return errno == ENOSPC && depth == 32 ? 0 : 1;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid != 0) {
            int status = wait_for(pid);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
        }
    }
}

static int subreaper(void)
{
    int status;
    pid_t me = getpid();
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t middle = getpid();
        if (fork() == 0) {
            while (getppid() == middle)
                sleep_ms(5);
            _exit(getppid() == me ? 9 : 1);
        }
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 9);
    return 0;
}

/* /proc of a namespace shows its processes by its numbers. */
static int with_proc(void)
{
    char text[16] = {0};
    CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(readlink("/proc/self", text, sizeof(text)) > 0 && strcmp(text, "1") != 0);
    CHECK(mount("p", "/proc", "proc", 0, NULL) == 0);
    memset(text, 0, sizeof(text));
    CHECK(readlink("/proc/self", text, sizeof(text)) == 1 && text[0] == '1');
    CHECK(access("/proc/1/status", F_OK) == 0 && access("/proc/2", F_OK) == -1);
    return 0;
}

int main(void)
{
    if (geteuid() != 0)
        return 0;
    test_init();
    test_end();
    exits_with(child(unsharer), 0);
    exits_with(child(nest), 0);
    exits_with(child(subreaper), 0);
    pid_t pid = clone_into(CLONE_NEWPID);
    if (pid == 0)
        _exit(with_proc());
    exits_with(pid, 0);
    CHECK_ERR(clone_into(CLONE_NEWUSER | CLONE_FS), EINVAL);
    CHECK_ERR(clone_into(CLONE_NEWNS | CLONE_FS), EINVAL);
    CHECK_ERR(clone_into(CLONE_NEWIPC | CLONE_SYSVSEM), EINVAL);
    CHECK_ERR(clone_into(CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), EINVAL);
    return 0;
}
