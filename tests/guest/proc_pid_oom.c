/* oom_score_adj and the older oom_adj: ranges, and that they are two views of one value, inherited by fork. */
#include "synth.h"

static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    ssize_t n = write(fd, text, strlen(text));
    int err = errno;
    close(fd);
    errno = err;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

int main(void)
{
    CHECK(put("/proc/self/oom_score_adj", "500\n") == 0);
    CHECK(atoi(slurp("/proc/self/oom_score_adj")) == 500 && atoi(slurp("/proc/self/oom_adj")) == 8);
    CHECK(atoi(slurp("/proc/self/oom_score")) > 0);
    CHECK_ERR(put("/proc/self/oom_score_adj", "1001"), EINVAL);
    CHECK_ERR(put("/proc/self/oom_score_adj", "-1001"), EINVAL);
    CHECK_ERR(put("/proc/self/oom_score_adj", "x"), EINVAL);
    CHECK_ERR(put("/proc/self/oom_adj", "16"), EINVAL);
    CHECK(put("/proc/self/oom_adj", "15") == 0 && atoi(slurp("/proc/self/oom_score_adj")) == 1000);
    pid_t pid = fork();
    if (pid == 0)
        _exit(atoi(slurp("/proc/self/oom_score_adj")) != 1000);
    exits_with(pid, 0);
    return 0;
}
