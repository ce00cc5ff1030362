/* Many signals while the receiver computes, sleeps and calls: none may be lost, no call may misbehave. */
#include "check.h"

#define ROUNDS 2000

static volatile sig_atomic_t calls;

static void handler(int sig)
{
    calls++;
}

int main(void)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGRTMIN, &sa, NULL) == 0);
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        for (int i = 0; i < ROUNDS; i++)
            if (sigqueue(me, SIGRTMIN, (union sigval){0}))
                _exit(1);
        _exit(0);
    }
    volatile double sum = 0, check = 0;
    long i = 0;
    for (; calls < ROUNDS; i++) {
        sum += 0.5;
        check += 0.25 + 0.25;
        if (i % 100 == 0)
            CHECK(getppid() > 0 || getpid() == 1);
        CHECK(sum == check);
    }
    exits_with(pid, 0);
    CHECK(calls == ROUNDS);
    return 0;
}
