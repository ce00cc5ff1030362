/* /proc/PID/limits: a header and sixteen rows that follow setrlimit. */
#include "synth.h"
#include <sys/resource.h>

static void check_line(char *line)
{
    CHECK(strlen(line) >= 66 && line[25] == ' ' && line[46] == ' ' && line[67 - 1] == ' ');
}

int main(void)
{
    struct rlimit r;
    CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0);
    r.rlim_cur = 123;
    CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0);
    char *text = slurp("/proc/self/limits");
    CHECK(field(text, "Limit                     Soft Limit           Hard Limit           Units     \n"));
    CHECK(number(text, "Max open files ") == 123);
    CHECK(field(text, "Max cpu time ") && field(text, "Max realtime timeout ") && strstr(text, "unlimited"));
    CHECK(each_line(text, check_line) == 17);
    return 0;
}
