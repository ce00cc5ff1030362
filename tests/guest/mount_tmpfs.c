/* mount(2) by root: tmpfs with limits, bind, remount, move, umount, and what /proc/self/mounts
 * says. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static int mounted(const char *what)
{
    char line[1024];
    int found = 0;
    FILE *f = fopen("/proc/self/mounts", "r");
    CHECK(f);
    while (fgets(line, sizeof line, f))
        found += strstr(line, what) != NULL;
    fclose(f);
    return found;
}

int main(void)
{
    struct stat st;
    struct statfs fs;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("m", 0755) == 0 && mkdir("n", 0755) == 0);
    make("m/below", "x");
    CHECK(mount("some", "m", "tmpfs", MS_NOSUID, "size=64k,nr_inodes=6,mode=700") == 0);
    CHECK_ERR(stat("m/below", &st), ENOENT);
    CHECK(stat("m", &st) == 0 && (st.st_mode & 0777) == 0700 && statfs("m", &fs) == 0 &&
          fs.f_blocks == 16);
    CHECK(mounted("some ") == 1);
    make("m/f", "hello");
    int fd = open("m/big", O_CREAT | O_RDWR, 0644);
    static char buf[100000];
    ssize_t n = write(fd, buf, sizeof buf);
    CHECK(n > 0 && n < (ssize_t)sizeof buf);
    CHECK_ERR(write(fd, buf, sizeof buf), ENOSPC);
    CHECK(ftruncate(fd, 0) == 0 && write(fd, buf, 20000) == 20000);
    CHECK(mkdir("m/d1", 0755) == 0 && mkdir("m/d2", 0755) == 0);
    CHECK_ERR(umount("m"), EBUSY);
    CHECK(mount("m/d1", "n", NULL, MS_BIND, NULL) == 0);
    CHECK(close(open("n/f", O_CREAT | O_WRONLY, 0644)) == 0);
    CHECK_ERR(mkdir("m/d3", 0755), ENOSPC);
    CHECK(stat("m/d1/f", &st) == 0);
    CHECK_ERR(rename("n/f", "m/f2"), EXDEV);
    CHECK_ERR(link("n/f", "m/f2"), EXDEV);
    CHECK_ERR(rmdir("n"), EBUSY);
    CHECK(mount(NULL, "n", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
    CHECK_ERR(open("n/new", O_CREAT | O_WRONLY, 0644), EROFS);
    CHECK_ERR(mkdir("n/new", 0755), EROFS);
    CHECK_ERR(open("n/f", O_WRONLY), EROFS);
    CHECK_ERR(unlink("n/f"), EROFS);
    CHECK_ERR(chmod("n/f", 0600), EROFS);
    CHECK_ERR(access("n/f", W_OK), EROFS);
    CHECK(open("n/f", O_RDONLY) >= 0);
    CHECK_ERR(umount("absent"), ENOENT);
    CHECK_ERR(umount("m/d2"), EINVAL);
    CHECK_ERR(mount("x", "m", "nosuchfs", 0, NULL), ENODEV);
    CHECK_ERR(mount("x", "m/f", "tmpfs", 0, NULL), ENOTDIR);
    CHECK_ERR(mount("x", "m/d2", "tmpfs", 0, "size=abc"), EINVAL);
    CHECK(umount2("n", MNT_DETACH) == 0 && umount2("m", MNT_DETACH) == 0 &&
          stat("m/below", &st) == 0);
    CHECK(pread(fd, buf, 10, 0) == 10 && mounted("some ") == 0);
    return 0;
}
