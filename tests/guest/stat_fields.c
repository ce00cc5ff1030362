/* stat, lstat, fstat, fstatat agree and show sizes, links and types. */
#include "check.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    struct stat a, b, c;
    make("f", "hello");
    CHECK(symlink("f", "l") == 0 && link("f", "h") == 0 && mkdir("d", 0711) == 0 &&
          mkfifo("p", 0600) == 0);
    CHECK(stat("f", &a) == 0 && lstat("l", &b) == 0 && stat("l", &c) == 0);
    CHECK(S_ISREG(a.st_mode) && S_ISLNK(b.st_mode) && b.st_size == 1 && a.st_ino == c.st_ino &&
          a.st_dev == c.st_dev);
    CHECK(a.st_nlink == 2 && a.st_size == 5 && a.st_blksize >= 512 && a.st_uid == geteuid());
    int fd = open("h", O_RDONLY);
    CHECK(fstat(fd, &b) == 0 && b.st_ino == a.st_ino && fstatat(fd, "", &c, AT_EMPTY_PATH) == 0 &&
          c.st_ino == a.st_ino);
    CHECK(stat("p", &a) == 0 && S_ISFIFO(a.st_mode) && a.st_size == 0);
    CHECK(stat("d", &a) == 0 && S_ISDIR(a.st_mode) && (a.st_mode & 0777) == 0711);
    CHECK(stat("/dev/null", &a) == 0 && S_ISCHR(a.st_mode) && a.st_rdev == makedev(1, 3));
    CHECK(stat("d/.", &a) == 0 && stat("d/../d", &b) == 0 && a.st_ino == b.st_ino);
    int d = open("d", O_RDONLY);
    CHECK(fstatat(d, "../f", &a, 0) == 0 && fstatat(d, "../l", &b, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISLNK(b.st_mode));
    CHECK_ERR(fstatat(d, "../f", &a, 0x40000000), EINVAL);
    CHECK_ERR(fstatat(fd, "x", &a, 0), ENOTDIR);
    CHECK_ERR(fstatat(d, "", &a, 0), ENOENT);
    CHECK_ERR(fstatat(-5, "f", &a, 0), EBADF);
    CHECK_ERR(stat("f/", &a), ENOTDIR);
    CHECK_ERR(stat("l/", &a), ENOTDIR);
    CHECK_ERR(stat("absent", &a), ENOENT);
    CHECK_ERR(stat("f", (struct stat *)8), EFAULT);
    CHECK(stat("//d///", &a) == -1 && stat("./d///", &a) == 0 && stat("/", &a) == 0 &&
          stat("/..", &b) == 0);
    CHECK(a.st_ino == b.st_ino);
    return 0;
}
