// A stop and a continue in the middle of poll and ppoll: they go on, and keep their deadline.
#include "expect.h"
#include <poll.h>

static int child(int use_ppoll)
{
    double t = check_now();
    struct timespec ts = {0, 400000000};
    int n = use_ppoll ? ppoll(NULL, 0, &ts, NULL) : poll(NULL, 0, 400);
    double took = check_now() - t;
    if (n != 0 || took < 0.39 || took > 1.5) {
        printf("%d: %d errno %d after %f\n", use_ppoll, n, errno, took);
        fflush(stdout);
        return 1;
    }
    return 0;
}

int main(void)
{
    for (int use_ppoll = 0; use_ppoll < 2; use_ppoll++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(child(use_ppoll));
        check_sleep_ms(100);
        CHECK_EQ(kill(pid, SIGSTOP), 0);
        int status;
        CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status));
        check_sleep_ms(50);
        CHECK_EQ(kill(pid, SIGCONT), 0);
        CHECK_EQ(check_wait(pid), 0);
    }
    return check_done();
}
