/* Interrupted calls: EINTR or restarted, by SA_RESTART and by kind of call. */
#include "check.h"
#include <poll.h>

static volatile sig_atomic_t calls;
static int fds[2];

static void handler(int sig)
{
    calls++;
}

static void set_action(int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    calls = 0;
}

/* A child that signals this process after a while, and then writes a byte. */
static pid_t disturber(void)
{
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        sleep_ms(30);
        kill(me, SIGUSR1);
        sleep_ms(30);
        if (write(fds[1], "x", 1) != 1)
            _exit(1);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    char byte;
    int status;
    CHECK(pipe(fds) == 0);
    set_action(0);
    pid_t pid = disturber();
    CHECK_ERR(read(fds[0], &byte, 1), EINTR);
    CHECK(calls == 1 && read(fds[0], &byte, 1) == 1);
    exits_with(pid, 0);

    set_action(SA_RESTART);
    pid = disturber();
    CHECK(read(fds[0], &byte, 1) == 1 && calls == 1);
    exits_with(pid, 0);

    /* waitpid */
    set_action(0);
    pid = disturber();
    CHECK_ERR(waitpid(pid, &status, 0), EINTR);
    exits_with(pid, 0);
    CHECK(read(fds[0], &byte, 1) == 1);
    set_action(SA_RESTART);
    pid = disturber();
    CHECK(waitpid(pid, &status, 0) == pid && calls == 1);
    CHECK(read(fds[0], &byte, 1) == 1);

    /* Never restarted: nanosleep, poll, pause. */
    set_action(SA_RESTART);
    pid = disturber();
    struct timespec ts = {5, 0}, rest = {0, 0};
    CHECK_ERR(nanosleep(&ts, &rest), EINTR);
    CHECK(rest.tv_sec == 4 && calls == 1);
    exits_with(pid, 0);
    CHECK(read(fds[0], &byte, 1) == 1);
    pid = disturber();
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    CHECK_ERR(poll(&p, 1, 5000), EINTR);
    exits_with(pid, 0);
    CHECK(poll(&p, 1, 5000) == 1 && read(fds[0], &byte, 1) == 1);
    pid = disturber();
    CHECK_ERR(pause(), EINTR);
    exits_with(pid, 0);
    CHECK(read(fds[0], &byte, 1) == 1);

    /* A stop and continue does not disturb a sleep. */
    pid = fork();
    if (pid == 0) {
        int64_t start = clock_ms(CLOCK_MONOTONIC);
        struct timespec t = {0, 200000000};
        int r = nanosleep(&t, NULL);
        _exit(r == 0 && clock_ms(CLOCK_MONOTONIC) - start >= 199 ? 0 : 1);
    }
    sleep_ms(40);
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    kill(pid, SIGCONT);
    exits_with(pid, 0);
    return 0;
}
