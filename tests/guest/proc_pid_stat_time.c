/* CPU time in /proc/PID/stat grows while a process computes, and agrees with times(2). */
#include "synth.h"
#include <sys/times.h>

static long cpu_ticks(void)
{
    char *text = slurp("/proc/self/stat");
    unsigned long user, system;
    CHECK(sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2);
    return (long)(user + system);
}

int main(void)
{
    struct tms t;
    while (times(&t), t.tms_utime + t.tms_stime < 20) /* 0.2 s */
        for (volatile int i = 0; i < 1000000; i++)
            ;
    long shown = cpu_ticks();
    times(&t);
    long real = t.tms_utime + t.tms_stime;
    CHECK(shown >= 15 && shown <= real + 2);
    return 0;
}
