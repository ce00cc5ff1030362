/* overlay as a guest mounts it: options, several lower layers, copy-up, whiteouts and opaque
 * directories in the upper directory, and finding all of it again at the next mount. */
#include "check.h"
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static void put(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int has(const char *path, const char *text)
{
    char buf[64] = {0};
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return 0;
    CHECK(read(fd, buf, sizeof(buf) - 1) >= 0);
    close(fd);
    return strcmp(buf, text) == 0;
}

static int entries(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    CHECK(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void test_errors(void)
{
    CHECK_ERR(mount("o", "m", "overlay", 0, NULL), EINVAL);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=l1"), EINVAL);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u"), EINVAL);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=absent,upperdir=u,workdir=w"), ENOENT);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=l1/f,upperdir=u,workdir=w"), EINVAL);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=u"), EINVAL);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=u/in"), EINVAL);
    CHECK_ERR(mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=w,nonsense"), EINVAL);
}

static void test_lowers(void)
{
    CHECK(mount("o", "m", "overlay", 0, "lowerdir=l1:l2") == 0);
    CHECK(has("m/f", "l1") && has("m/only2", "l2") && has("m/d/one", "1") && has("m/d/two", "2"));
    CHECK(entries("m") == 5 && entries("m/d") == 2);
    CHECK_ERR(mkdir("m/x", 0755), EROFS);
    CHECK_ERR(unlink("m/f"), EROFS);
    CHECK_ERR(open("m/f", O_WRONLY), EROFS);
    CHECK(umount("m") == 0);
}

static const char all[] = "lowerdir=l1:l2,upperdir=u,workdir=w";

static void test_upper(void)
{
    struct stat st;
    struct statfs fs;
    char value[4];
    CHECK(mount("o", "m", "overlay", 0, all) == 0);
    CHECK(statfs("m", &fs) == 0 && fs.f_type == 0x794c7630);
    CHECK(has("m/f", "l1"));
    put("m/f", "changed");
    CHECK(has("m/f", "changed") && has("u/f", "changed") && has("l1/f", "l1"));
    put("m/new", "new");
    CHECK(has("u/new", "new"));
    CHECK(unlink("m/only2") == 0 && access("m/only2", F_OK) == -1);
    CHECK(lstat("u/only2", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
    put("m/d/three", "3");
    CHECK(entries("m/d") == 3 && entries("u/d") == 1);
    /* Removed and made anew, a directory shows nothing of what was there. */
    CHECK(unlink("m/gone/x") == 0 && rmdir("m/gone") == 0 && mkdir("m/gone", 0755) == 0 && entries("m/gone") == 0);
    CHECK(getxattr("u/gone", "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y');
    CHECK_ERR(rename("m/d", "m/e"), EXDEV);
    CHECK(mkdir("m/own", 0755) == 0 && rename("m/own", "m/own2") == 0 && access("u/own2", F_OK) == 0);
    CHECK(rename("m/new", "m/newer") == 0 && has("u/newer", "new"));
    CHECK(umount("m") == 0);
}

static void test_again(void)
{
    CHECK(mount("o", "m", "overlay", 0, all) == 0);
    CHECK(has("m/f", "changed") && has("m/newer", "new") && access("m/only2", F_OK) == -1);
    CHECK(entries("m/d") == 3 && has("m/d/one", "1") && has("m/d/three", "3") && entries("m/gone") == 0);
    CHECK(access("m/own2", F_OK) == 0);
    put("m/only2", "back");
    CHECK(has("u/only2", "back") && has("l2/only2", "l2"));
    CHECK(unlink("m/d/one") == 0 && entries("m/d") == 2);
    CHECK(umount("m") == 0);
    CHECK(mount("o", "m", "overlay", MS_RDONLY, all) == 0);
    CHECK(has("m/only2", "back") && access("m/d/one", F_OK) == -1);
    CHECK_ERR(mkdir("m/x", 0755), EROFS);
    CHECK(umount("m") == 0);
}

int main(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("top", 0755) == 0 && mount("top", "top", "tmpfs", 0, NULL) == 0 && chdir("top") == 0);
    CHECK(mkdir("l1", 0755) == 0 && mkdir("l2", 0755) == 0 && mkdir("u", 0755) == 0 && mkdir("w", 0755) == 0);
    CHECK(mkdir("m", 0755) == 0 && mkdir("l1/d", 0755) == 0 && mkdir("l2/d", 0755) == 0 && mkdir("l2/gone", 0755) == 0);
    CHECK(mkdir("u/in", 0755) == 0);
    put("l1/f", "l1");
    put("l2/f", "l2");
    put("l2/only2", "l2");
    put("l1/d/one", "1");
    put("l2/d/two", "2");
    put("l2/gone/x", "x");
    put("l1/last", "");
    test_errors();
    CHECK(rmdir("u/in") == 0);
    test_lowers();
    test_upper();
    test_again();
    return 0;
}
