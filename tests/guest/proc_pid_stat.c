/* /proc/PID/stat: 52 fields, consistent with the system calls that tell the same. */
#include "synth.h"
#include <sys/prctl.h>

int main(void)
{
    CHECK(prctl(PR_SET_NAME, "a) (b c") == 0); /* a name made to confuse parsers */
    char *text = slurp("/proc/self/stat"), *close_paren = strrchr(text, ')'), state;
    CHECK(close_paren && strchr(text, '(') && strncmp(strchr(text, '(') + 1, "a) (b c)", 8) == 0);
    CHECK(atoi(text) == getpid());
    int ppid, pgrp, session, tty, tpgid, used;
    CHECK(sscanf(close_paren + 1, " %c %d %d %d %d %d%n", &state, &ppid, &pgrp, &session, &tty, &tpgid, &used) == 6);
    CHECK(state == 'R' && ppid == getppid() && pgrp == getpgrp() && session == getsid(0));
    unsigned long long f[53] = {0};
    int n = 9;
    for (char *s = strtok(close_paren + 1 + used, " \n"); s; s = strtok(NULL, " \n")) {
        CHECK(n <= 52);
        char *end;
        f[n++] = strtoull(s, &end, 10);
        CHECK(*end == 0);
    }
    CHECK(n == 53);
    CHECK(f[18] == 20 && f[19] == 0 && f[20] == 1); /* priority, nice, threads */
    CHECK(f[23] > 100000);                          /* vsize */
    CHECK(f[38] == SIGCHLD);
    uintptr_t here = (uintptr_t)&main, stack = (uintptr_t)&here;
    CHECK(f[26] <= here && here < f[27]); /* code */
    CHECK(f[28] >= stack && f[28] - stack < 1 << 20);
    CHECK(f[48] < f[49] && f[49] <= f[50] && f[50] < f[51]); /* arguments and environment */
    CHECK(f[45] < f[46] && f[47] >= f[46]);
    long hz = sysconf(_SC_CLK_TCK);
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    long long age = (long long)now.tv_sec * hz + now.tv_nsec / (1000000000 / hz) - (long long)f[22];
    CHECK(age >= -2 && age < 30 * hz); /* started just now */
    return 0;
}
