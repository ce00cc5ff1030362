/* /proc/PID/cwd, root, exe: texts, and that following leads to the place itself. */
#include "synth.h"
#include <sys/stat.h>

static int same(const char *a, const char *b)
{
    struct stat x, y;
    CHECK(stat(a, &x) == 0 && stat(b, &y) == 0);
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int main(void)
{
    char text[4096], cwd[4096];
    CHECK(mkdir("place", 0755) == 0 && chdir("place") == 0 && getcwd(cwd, sizeof(cwd)));
    ssize_t n = readlink("/proc/self/cwd", text, sizeof(text));
    CHECK(n == (ssize_t)strlen(cwd) && memcmp(text, cwd, (size_t)n) == 0);
    CHECK(readlink("/proc/self/root", text, sizeof(text)) == 1 && text[0] == '/');
    CHECK(same("/proc/self/cwd", ".") && same("/proc/self/root", "/"));
    n = readlink("/proc/self/exe", text, sizeof(text));
    CHECK(n > 0 && n < (ssize_t)sizeof(text));
    text[n] = 0;
    CHECK(same("/proc/self/exe", text) && strcmp(strrchr(text, '/'), "/proc_pid_links") == 0);
    CHECK(access("/proc/self/cwd/../place", F_OK) == 0);
    CHECK(rmdir("../place") == 0);
    n = readlink("/proc/self/cwd", text, sizeof(text));
    CHECK(n > 10 && memcmp(text + n - 10, " (deleted)", 10) == 0);
    CHECK_ERR(open("/proc/self/exe/x", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("/proc/self/cwd", O_RDONLY | O_NOFOLLOW), ELOOP);
    return 0;
}
