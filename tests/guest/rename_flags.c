/* renameat2: RENAME_NOREPLACE and RENAME_EXCHANGE. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

#define NOREPLACE 1
#define EXCHANGE 2
static int go(const char *a, const char *b, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

int main(void)
{
    struct stat a, b;
    make("f", "1");
    make("g", "22");
    CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
    make("d/x", "x");
    CHECK_ERR(go("f", "g", NOREPLACE), EEXIST);
    CHECK(go("f", "h", NOREPLACE) == 0 && go("h", "f", 0) == 0);
    CHECK(go("f", "g", EXCHANGE) == 0 && stat("f", &a) == 0 && a.st_size == 2 &&
          stat("g", &b) == 0 && b.st_size == 1);
    CHECK(go("d", "f", EXCHANGE) == 0 && stat("f/x", &a) == 0 && stat("d", &b) == 0 &&
          S_ISREG(b.st_mode));
    CHECK(go("f", "e/sub", 0) == 0 && go("e/sub", "d", EXCHANGE) == 0 && stat("d/x", &a) == 0);
    CHECK_ERR(go("d", "absent", EXCHANGE), ENOENT);
    CHECK_ERR(go("d", "d/x", EXCHANGE), EINVAL);
    CHECK_ERR(go("d/x", "d", EXCHANGE), EINVAL);
    CHECK_ERR(go("f", "g", NOREPLACE | EXCHANGE), EINVAL);
    CHECK_ERR(go("f", "g", 0x80), EINVAL);
    return 0;
}
