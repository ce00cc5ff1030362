/* A sticky directory: only owners remove and rename. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static int other(void)
{
    CHECK(setgid(6000) == 0 && setuid(6000) == 0);
    CHECK_ERR(unlink("t/root"), EPERM);
    CHECK_ERR(rename("t/root", "t/mine"), EPERM);
    make("t/own", "x");
    CHECK(rename("t/own", "t/own2") == 0);
    CHECK_ERR(rename("t/own2", "t/root"), EPERM);
    CHECK(unlink("t/own2") == 0);
    CHECK_ERR(rmdir("t/rootdir"), EPERM);
    return 0;
}

int main(void)
{
    if (geteuid() != 0)
        return 0;
    CHECK(chmod(".", 0755) == 0 && mkdir("t", 0755) == 0 && chmod("t", 01777) == 0 &&
          mkdir("t/rootdir", 0755) == 0);
    make("t/root", "x");
    exits_with(child(other), 0);
    CHECK(unlink("t/root") == 0);
    return 0;
}
