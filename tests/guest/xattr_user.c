/* Extended attributes of the user name space: set, get, list, remove, flags and sizes. */
#include "check.h"
#include <sys/stat.h>
#include <sys/xattr.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    char buf[256];
    make("f", "x");
    if (setxattr("f", "user.one", "1", 1, 0) < 0 && errno == EOPNOTSUPP)
        return 0; /* the oracle's file system has none */
    CHECK(getxattr("f", "user.one", buf, sizeof buf) == 1 && buf[0] == '1' &&
          getxattr("f", "user.one", NULL, 0) == 1);
    CHECK_ERR(setxattr("f", "user.one", "2", 1, XATTR_CREATE), EEXIST);
    CHECK_ERR(setxattr("f", "user.two", "2", 1, XATTR_REPLACE), ENODATA);
    CHECK(setxattr("f", "user.two", "", 0, XATTR_CREATE) == 0 &&
          getxattr("f", "user.two", buf, 9) == 0);
    CHECK(setxattr("f", "user.one", "longer", 6, XATTR_REPLACE) == 0);
    CHECK_ERR(getxattr("f", "user.one", buf, 3), ERANGE);
    ssize_t n = listxattr("f", buf, sizeof buf);
    CHECK(n >= 18 && listxattr("f", NULL, 0) == n);
    CHECK_ERR(listxattr("f", buf, 5), ERANGE);
    CHECK(memmem(buf, (size_t)n, "user.one", 9) && memmem(buf, (size_t)n, "user.two", 9));
    CHECK(removexattr("f", "user.two") == 0);
    CHECK_ERR(removexattr("f", "user.two"), ENODATA);
    CHECK_ERR(getxattr("f", "user.two", buf, 9), ENODATA);
    CHECK_ERR(getxattr("f", "nospace", buf, 9), EOPNOTSUPP);
    CHECK_ERR(getxattr("absent", "user.one", buf, 9), ENOENT);
    CHECK_ERR(setxattr("f", "", "x", 1, 0), ERANGE);
    CHECK_ERR(setxattr("f", "user.x", "x", 1, 9), EINVAL);
    CHECK(symlink("f", "l") == 0 && getxattr("l", "user.one", buf, sizeof buf) == 6);
    CHECK_ERR(lsetxattr("l", "user.one", "x", 1, 0), EPERM);
    int fd = open("f", O_RDONLY);
    CHECK(fgetxattr(fd, "user.one", buf, sizeof buf) == 6 &&
          fsetxattr(fd, "user.fd", "f", 1, 0) == 0);
    CHECK(fremovexattr(fd, "user.fd") == 0 && flistxattr(fd, NULL, 0) >= 9);
    CHECK(mkdir("d", 0755) == 0 && setxattr("d", "user.dir", "d", 1, 0) == 0);
    return 0;
}
