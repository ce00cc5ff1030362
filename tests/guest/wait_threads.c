/* Exit of processes with threads: exit_group ends all, a leader that exits first is a zombie only
 * when the last thread ends. */
#include "check.h"
#include <pthread.h>

static void *ends_all(void *arg)
{
    sleep_ms(20);
    _exit(21);
}

static void *ends_last(void *arg)
{
    sleep_ms(80);
    syscall(SYS_exit, 5); /* this thread only; the status is that of the last one */
    return NULL;
}

static int group_exit(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, ends_all, NULL) == 0);
    for (;;)
        pause();
    return 0;
}

static int leader_first(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, ends_last, NULL) == 0);
    syscall(SYS_exit, 3);
    return 0;
}

int main(void)
{
    exits_with(child(group_exit), 21);
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    exits_with(child(leader_first), 5);
    CHECK(clock_ms(CLOCK_MONOTONIC) - start >= 70);
    /* Any thread may wait for the process's children. */
    pid_t pid = child(group_exit);
    exits_with(pid, 21);
    return 0;
}
