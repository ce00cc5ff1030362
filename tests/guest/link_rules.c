/* link and unlink: counts, directories, trailing slashes, life after the last name. */
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
    char buf[8];
    make("f", "abc");
    CHECK(link("f", "g") == 0 && stat("g", &st) == 0 && st.st_nlink == 2);
    CHECK_ERR(link("f", "g"), EEXIST);
    CHECK_ERR(link("absent", "h"), ENOENT);
    CHECK(mkdir("d", 0755) == 0);
    CHECK_ERR(link("d", "e"), EPERM);
    CHECK_ERR(link("f", "d/x/y"), ENOENT);
    CHECK_ERR(link("f", "new/"), ENOENT);
    CHECK(symlink("f", "l") == 0 && link("l", "l2") == 0 && lstat("l2", &st) == 0 &&
          S_ISLNK(st.st_mode));
    CHECK(linkat(AT_FDCWD, "l", AT_FDCWD, "l3", AT_SYMLINK_FOLLOW) == 0 && lstat("l3", &st) == 0 &&
          S_ISREG(st.st_mode));
    CHECK_ERR(linkat(AT_FDCWD, "f", AT_FDCWD, "z", 0x40000000), EINVAL);
    CHECK_ERR(unlink("d"), EISDIR);
    CHECK_ERR(unlink("f/"), ENOTDIR);
    CHECK_ERR(unlink("d/"), EISDIR);
    CHECK_ERR(unlink("absent"), ENOENT);
    CHECK_ERR(unlink("."), EISDIR);
    int fd = open("f", O_RDWR);
    CHECK(unlink("f") == 0 && unlink("g") == 0 && unlink("l3") == 0 && fstat(fd, &st) == 0 &&
          st.st_nlink == 0);
    CHECK(pread(fd, buf, 8, 0) == 3 && pwrite(fd, "def", 3, 3) == 3 && pread(fd, buf, 8, 0) == 6);
    CHECK_ERR(open("f", O_RDONLY), ENOENT);
    if (geteuid() == 0)
        CHECK_ERR(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH), ENOENT);
    CHECK_ERR(unlinkat(AT_FDCWD, "d", 0x40), EINVAL);
    CHECK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0);
    return 0;
}
