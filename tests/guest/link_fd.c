/* linkat from a descriptor: AT_EMPTY_PATH and /proc/self/fd. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    struct stat st;
    char name[64];
    make("f", "abc");
    int fd = open("f", O_RDONLY);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, name, AT_FDCWD, "g", AT_SYMLINK_FOLLOW) == 0 && stat("g", &st) == 0 &&
          st.st_nlink == 2);
    CHECK_ERR(linkat(AT_FDCWD, name, AT_FDCWD, "h", 0), EXDEV);
    if (geteuid() == 0)
        CHECK(linkat(fd, "", AT_FDCWD, "h", AT_EMPTY_PATH) == 0 && stat("h", &st) == 0 &&
              st.st_nlink == 3);
    char buf[4096];
    ssize_t n = readlink(name, buf, sizeof buf - 1);
    CHECK(n > 0);
    buf[n] = '\0';
    CHECK(!strcmp(strrchr(buf, '/'), "/f"));
    CHECK(unlink("f") == 0 && (n = readlink(name, buf, sizeof buf - 1)) > 10);
    buf[n] = '\0';
    CHECK(!strcmp(buf + n - 10, " (deleted)"));
    return 0;
}
