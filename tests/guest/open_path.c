/* O_PATH: a place without rights: fstat, fchdir, *at and /proc/self/fd work, reading does not. */
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
    char buf[8], name[64];
    make("f", "abc");
    CHECK(symlink("f", "l") == 0 && mkdir("d", 0700) == 0 && chmod("f", 0) == 0);
    int p = open("f", O_PATH);
    CHECK(p >= 0 && fstat(p, &st) == 0 && st.st_size == 3);
    CHECK_ERR(read(p, buf, 1), EBADF);
    CHECK_ERR(fchmod(p, 0600), EBADF);
    CHECK_ERR(lseek(p, 0, SEEK_SET), EBADF);
    CHECK_ERR(ftruncate(p, 0), EBADF);
    CHECK(chmod("f", 0644) == 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", p);
    int again = open(name, O_RDONLY);
    CHECK(again >= 0 && read(again, buf, 8) == 3);
    int l = open("l", O_PATH | O_NOFOLLOW);
    CHECK(l >= 0 && fstat(l, &st) == 0 && S_ISLNK(st.st_mode));
    ssize_t n = readlinkat(l, "", buf, sizeof buf);
    CHECK(n == 1 && buf[0] == 'f');
    int d = open("d", O_PATH | O_DIRECTORY);
    CHECK(d >= 0 && fchdir(d) == 0 && mkdirat(d, "sub", 0700) == 0 && access("sub", F_OK) == 0);
    CHECK(fchdir(open("..", O_PATH)) == 0 && access("d/sub", F_OK) == 0);
    CHECK_ERR(openat(p, "x", O_RDONLY), ENOTDIR);
    int copy = dup(p);
    CHECK(copy >= 0 && fcntl(copy, F_GETFL) == O_PATH);
    return 0;
}
