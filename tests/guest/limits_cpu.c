/* RLIMIT_CPU: SIGXCPU at the soft limit, and again, SIGKILL at the hard one. */
#include "check.h"
#include <sys/resource.h>

static volatile sig_atomic_t calls;

static void handler(int sig)
{
    calls++;
}

static int to_the_end(void)
{
    struct rlimit l = {1, 2};
    signal(SIGXCPU, handler);
    CHECK(setrlimit(RLIMIT_CPU, &l) == 0);
    while (!calls)
        ;
    int64_t used = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(used >= 500 && used < 1900);
    for (;;)
        ;
    return 0;
}

static int inherits(void)
{
    struct rlimit l = {1, 1000};
    CHECK(setrlimit(RLIMIT_CPU, &l) == 0);
    if (fork() == 0)
        for (;;)
            ;
    int status;
    wait(&status);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dies_by(child(to_the_end), SIGKILL);
    exits_with(child(inherits), SIGXCPU);
    return 0;
}
