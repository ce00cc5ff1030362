/* ETXTBSY: a running program is not written to, and a file open for writing is not run. */
#include "check.h"
#include <sys/stat.h>

static void copy_self(const char *to)
{
    static char buf[1 << 16];
    ssize_t n;
    int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    CHECK(in >= 0 && out >= 0);
    while ((n = read(in, buf, sizeof buf)) > 0)
        CHECK(write(out, buf, (size_t)n) == n);
    CHECK(n == 0 && close(in) == 0 && close(out) == 0);
}

int main(int argc, char **argv)
{
    char c;
    int p[2];
    if (argc > 1) {
        CHECK(write(1, "r", 1) == 1 && read(0, &c, 1) == 0);
        return 0;
    }
    copy_self("prog");
    int w = open("prog", O_WRONLY);
    CHECK(w >= 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("./prog", "prog", "run", (char *)NULL);
        _exit(errno == ETXTBSY ? 3 : 4);
    }
    exits_with(pid, 3);
    CHECK(close(w) == 0 && pipe(p) == 0);
    int q[2];
    CHECK(pipe(q) == 0);
    pid = fork();
    if (pid == 0) {
        dup2(q[0], 0);
        dup2(p[1], 1);
        close(q[1]);
        execl("./prog", "prog", "run", (char *)NULL);
        _exit(9);
    }
    CHECK(close(p[1]) == 0 && close(q[0]) == 0 && read(p[0], &c, 1) == 1 && c == 'r');
    CHECK_ERR(open("prog", O_WRONLY), ETXTBSY);
    CHECK_ERR(open("prog", O_RDONLY | O_TRUNC), ETXTBSY);
    CHECK_ERR(truncate("prog", 0), ETXTBSY);
    CHECK(open("prog", O_RDONLY) >= 0 && close(q[1]) == 0);
    exits_with(pid, 0);
    CHECK(open("prog", O_WRONLY) >= 0);
    return 0;
}
