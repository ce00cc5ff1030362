/* rename(2): replacing, directories, trailing slashes, loops, links to the same file. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    struct stat a, b;
    make("f", "1");
    make("g", "22");
    CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0 && mkdir("full", 0755) == 0);
    make("full/x", "x");
    CHECK(stat("f", &a) == 0 && rename("f", "g") == 0 && stat("g", &b) == 0 &&
          a.st_ino == b.st_ino && b.st_size == 1);
    CHECK_ERR(stat("f", &a), ENOENT);
    CHECK_ERR(rename("f", "h"), ENOENT);
    CHECK_ERR(rename("g", "d"), EISDIR);
    CHECK_ERR(rename("d", "g"), ENOTDIR);
    CHECK_ERR(rename("d", "full"), ENOTEMPTY);
    CHECK(rename("d", "e") == 0 && rename("e", "d/") == 0);
    CHECK_ERR(rename("full", "full/sub"), EINVAL);
    CHECK_ERR(rename("full/x", "full"), ENOTEMPTY);
    CHECK_ERR(rename("g", "new/"), ENOTDIR);
    CHECK_ERR(rename("g/", "h"), ENOTDIR);
    CHECK_ERR(rename(".", "h"), EBUSY);
    CHECK_ERR(rename("d/..", "h"), EBUSY);
    CHECK_ERR(rename("g", "."), EBUSY);
    CHECK_ERR(rename("g", "g/x"), ENOTDIR);
    CHECK_ERR(rename("g", ""), ENOENT);
    CHECK(link("g", "same") == 0 && rename("g", "same") == 0 && stat("g", &a) == 0 &&
          stat("same", &b) == 0);
    CHECK(a.st_ino == b.st_ino && a.st_nlink == 2 && rename("g", "g") == 0);
    CHECK(rename("full", "d/moved") == 0 && stat("d/moved/x", &a) == 0 && stat("d", &b) == 0);
    CHECK(chdir("d/moved") == 0 && rename("../moved", "../again") == 0 && stat("x", &a) == 0);
    char buf[4096];
    CHECK(getcwd(buf, sizeof buf) && !strcmp(strrchr(buf, '/'), "/again"));
    int fd = open("x", O_RDONLY);
    make("y", "yy");
    CHECK(rename("y", "x") == 0 && fstat(fd, &a) == 0 && a.st_nlink == 0 && a.st_size == 1);
    return 0;
}
