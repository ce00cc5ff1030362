/* statx: its fields, flags and errors. */
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
    struct statx x;
    struct stat st;
    make("f", "12345");
    CHECK(symlink("f", "l") == 0 && stat("f", &st) == 0);
    CHECK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &x) == 0);
    CHECK((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS && x.stx_size == 5 &&
          x.stx_ino == st.st_ino);
    CHECK(x.stx_mode == st.st_mode && makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev &&
          x.stx_nlink == 1);
    CHECK(x.stx_mtime.tv_sec == st.st_mtim.tv_sec &&
          x.stx_mtime.tv_nsec == (unsigned)st.st_mtim.tv_nsec);
    CHECK(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x) == 0 && S_ISLNK(x.stx_mode));
    int fd = open("f", O_RDONLY);
    CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x) == 0 && x.stx_size == 5);
    CHECK(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_SIZE, &x) == 0);
    CHECK_ERR(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &x),
              EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "f", 0x4, STATX_SIZE, &x), EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "f", 0, 0x80000000u, &x), EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "", 0, STATX_SIZE, &x), ENOENT);
    CHECK(statx(AT_FDCWD, "/dev/null", 0, STATX_BASIC_STATS, &x) == 0 && x.stx_rdev_major == 1 &&
          x.stx_rdev_minor == 3);
    return 0;
}
