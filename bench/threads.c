/*
 * Yardsticks for scheduling, each printing one number:
 *   barrier     4 OpenMP-like threads, 20,000 short rounds with a barrier after each: milliseconds
 *   slowcall    one getppid() each 100 microseconds of computing: nanoseconds a call beyond the computing
 *   many        64 threads, each 20,000 getppid(): milliseconds
 *   idle        sleeps for the given number of seconds
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void compute(int steps)
{
    volatile uint64_t x = 1;
    for (int i = 0; i < steps; i++)
        x = x * 6364136223846793005ULL + 1;
}

static double run_threads(int n, void *(*fn)(void *))
{
    pthread_t threads[64];
    double start = now();
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, fn, NULL);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return (now() - start) / 1e6;
}

static pthread_barrier_t barrier;

static void *barrier_thread(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        compute(2000);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

static void *many_thread(void *arg)
{
    for (int i = 0; i < 20000; i++)
        syscall(SYS_getppid);
    return arg;
}

/* The same computing with and without the calls; the difference is theirs. */
static double slow_calls(int rounds)
{
    double start = now();
    compute(1000000);
    int steps = (int)(1000000 * 1e5 / (now() - start)); /* about 100 microseconds */
    double spent[2];
    for (int with = 0; with < 2; with++) {
        start = now();
        for (int i = 0; i < rounds; i++) {
            compute(steps);
            if (with)
                syscall(SYS_getppid);
        }
        spent[with] = now() - start;
    }
    return (spent[1] - spent[0]) / rounds;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "barrier") == 0) {
        pthread_barrier_init(&barrier, NULL, 4);
        printf("%.1f\n", run_threads(4, barrier_thread));
    } else if (strcmp(what, "slowcall") == 0) {
        printf("%.0f\n", slow_calls(5000));
    } else if (strcmp(what, "many") == 0) {
        printf("%.1f\n", run_threads(64, many_thread));
    } else if (strcmp(what, "idle") == 0 && argc > 2) {
        sleep((unsigned)atoi(argv[2]));
    } else {
        return 2;
    }
    return 0;
}
