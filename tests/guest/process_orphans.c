/* An orphaned process group with a stopped member gets SIGHUP and SIGCONT. Terminal stops do not stop orphans. */
#include "check.h"

static volatile sig_atomic_t hups, conts;

static void handler(int sig)
{
    if (sig == SIGHUP)
        hups++;
    else
        conts++;
}

int main(void)
{
    int fds[2];
    char byte = 0;
    CHECK(pipe(fds) == 0);
    pid_t mid = fork();
    if (mid == 0) {
        setsid();
        pid_t leaf = fork();
        if (leaf == 0) {
            setpgid(0, 0);
            signal(SIGHUP, handler);
            signal(SIGCONT, handler);
            raise(SIGSTOP);
            for (int i = 0; i < 3000 && !(hups && conts); i++)
                sleep_ms(1);
            /* Now an orphan: SIGTSTP is ignored. */
            raise(SIGTSTP);
            byte = hups == 1 && conts == 1 ? 'y' : 'n';
            CHECK(write(fds[1], &byte, 1) == 1);
            _exit(0);
        }
        int status;
        CHECK(waitpid(leaf, &status, WUNTRACED) == leaf && WIFSTOPPED(status));
        _exit(0);
    }
    exits_with(mid, 0);
    close(fds[1]);
    CHECK(read(fds[0], &byte, 1) == 1 && byte == 'y');
    return 0;
}
