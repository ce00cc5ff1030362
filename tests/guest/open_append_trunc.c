/* O_APPEND writes at the end whatever the position; O_TRUNC empties, but not without the right to
 * write. */
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
    char buf[16];
    make("f", "12345");
    int fd = open("f", O_RDWR | O_APPEND);
    CHECK(fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 && write(fd, "67", 2) == 2);
    CHECK(lseek(fd, 0, SEEK_CUR) == 7 && pread(fd, buf, 16, 0) == 7 && !memcmp(buf, "1234567", 7));
    CHECK(pwrite(fd, "8", 1, 0) == 1 && pread(fd, buf, 16, 0) == 8 &&
          buf[7] == '8'); /* as pwrite(2) says of Linux */
    CHECK(fcntl(fd, F_SETFL, 0) == 0 && pwrite(fd, "X", 1, 0) == 1 && pread(fd, buf, 1, 0) == 1 &&
          buf[0] == 'X');
    CHECK(close(fd) == 0);
    CHECK((fd = open("f", O_WRONLY | O_TRUNC)) >= 0 && fstat(fd, &st) == 0 && st.st_size == 0 &&
          close(fd) == 0);
    make("f", "abc");
    CHECK((fd = open("f", O_RDONLY | O_TRUNC)) >= 0 && fstat(fd, &st) == 0 && st.st_size == 0 &&
          close(fd) == 0);
    CHECK((fd = open("f", O_RDONLY)) >= 0);
    CHECK_ERR(write(fd, "x", 1), EBADF);
    CHECK_ERR(ftruncate(fd, 1), EINVAL);
    CHECK(close(fd) == 0 && (fd = open("f", O_WRONLY)) >= 0);
    CHECK_ERR(read(fd, buf, 1), EBADF);
    CHECK((fd = open(".", O_RDONLY)) >= 0);
    CHECK_ERR(read(fd, buf, 1), EISDIR);
    CHECK_ERR(write(fd, buf, 1), EBADF);
    return 0;
}
