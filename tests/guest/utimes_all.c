/* utimensat, utimes, futimens: now, omit, errors, and what reads and writes do to time stamps. */
#include "check.h"
#include <sys/stat.h>
#include <sys/time.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static struct stat get(const char *name)
{
    struct stat st;
    CHECK(lstat(name, &st) == 0);
    return st;
}

int main(void)
{
    make("f", "x");
    CHECK(symlink("f", "l") == 0);
    struct timespec t[2] = {{1000, 111}, {2000, 222}};
    CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
    struct stat st = get("f");
    CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 111 && st.st_mtim.tv_sec == 2000 &&
          st.st_mtim.tv_nsec == 222);
    CHECK(st.st_ctim.tv_sec > 1000000);
    t[0].tv_nsec = UTIME_OMIT;
    t[1] = (struct timespec){3000, 0};
    CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0 && get("f").st_atim.tv_sec == 1000 &&
          get("f").st_mtim.tv_sec == 3000);
    t[0].tv_nsec = UTIME_NOW;
    t[1].tv_nsec = UTIME_OMIT;
    CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0 && get("f").st_atim.tv_sec > 1000000 &&
          get("f").st_mtim.tv_sec == 3000);
    t[0].tv_nsec = 1000000000;
    CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
    t[0] = t[1] = (struct timespec){-5, 500};
    CHECK(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW) == 0 && get("l").st_mtim.tv_sec == -5);
    CHECK(get("f").st_mtim.tv_sec == 3000);
    int fd = open("f", O_RDWR);
    CHECK(futimens(fd, NULL) == 0 && get("f").st_mtim.tv_sec > 1000000);
    struct timeval v[2] = {{10, 5}, {20, 6}};
    CHECK(utimes("f", v) == 0 && get("f").st_atim.tv_nsec == 5000 && get("f").st_mtim.tv_sec == 20);
    v[0].tv_usec = 1000000;
    CHECK_ERR(utimes("f", v), EINVAL);
    CHECK_ERR(utimensat(AT_FDCWD, "absent", NULL, 0), ENOENT);
    CHECK(write(fd, "y", 1) == 1 && get("f").st_mtim.tv_sec > 1000000);
    t[0] = t[1] = (struct timespec){50, 0};
    CHECK(mkdir("d", 0755) == 0 && utimensat(AT_FDCWD, "d", t, 0) == 0);
    make("d/x", "x");
    CHECK(get("d").st_mtim.tv_sec > 1000000);
    CHECK(utimensat(AT_FDCWD, "d", t, 0) == 0 && rename("d/x", "d/y") == 0 &&
          get("d").st_mtim.tv_sec > 1000000);
    CHECK(utimensat(AT_FDCWD, "d", t, 0) == 0 && unlink("d/y") == 0 &&
          get("d").st_mtim.tv_sec > 1000000);
    CHECK(utimensat(AT_FDCWD, "d", t, 0) == 0 && chmod("d", 0700) == 0 &&
          get("d").st_mtim.tv_sec == 50);
    CHECK(ftruncate(fd, 1) == 0 && futimens(fd, t) == 0 && ftruncate(fd, 0) == 0 &&
          get("f").st_mtim.tv_sec > 1000000);
    return 0;
}
