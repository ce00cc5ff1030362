/* access and faccessat: real ids, effective ids, root, absent files. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static int as_user(void)
{
    CHECK(setgid(5000) == 0 && setuid(5000) == 0);
    CHECK(access("pub", R_OK) == 0);
    CHECK_ERR(access("pub", W_OK), EACCES);
    CHECK_ERR(access("pub", X_OK), EACCES);
    CHECK_ERR(access("priv", R_OK), EACCES);
    CHECK(access("priv", F_OK) == 0);
    CHECK_ERR(access("closed/x", F_OK), EACCES);
    CHECK_ERR(open("priv", O_RDONLY), EACCES);
    CHECK_ERR(open("pub", O_WRONLY), EACCES);
    CHECK_ERR(open("pub", O_RDONLY | O_TRUNC), EACCES);
    CHECK_ERR(open("new", O_CREAT | O_WRONLY, 0644), EACCES);
    CHECK_ERR(mkdir("newdir", 0755), EACCES);
    CHECK_ERR(unlink("pub"), EACCES);
    CHECK_ERR(rename("pub", "pub2"), EACCES);
    CHECK_ERR(truncate("pub", 0), EACCES);
    CHECK_ERR(open("closed", O_RDONLY), EACCES);
    CHECK_ERR(chdir("closed"), EACCES);
    CHECK_ERR(open("exec", O_RDONLY | O_NOATIME), EPERM);
    CHECK(access("exec", X_OK) == 0);
    return 0;
}

int main(void)
{
    make("pub", "x");
    make("priv", "x");
    make("exec", "x");
    CHECK(chmod("priv", 0600) == 0 && chmod("exec", 0755) == 0 && mkdir("closed", 0700) == 0);
    make("closed/x", "x");
    CHECK(access("pub", R_OK | W_OK) == 0);
    CHECK_ERR(access("pub", X_OK), EACCES);
    CHECK(access("exec", R_OK | X_OK) == 0 && access("closed", X_OK) == 0);
    CHECK_ERR(access("absent", F_OK), ENOENT);
    CHECK_ERR(access("pub", 8), EINVAL);
    CHECK_ERR(access("pub/x", F_OK), ENOTDIR);
    CHECK(faccessat(AT_FDCWD, "pub", R_OK, AT_EACCESS) == 0);
    CHECK(symlink("absent", "dangling") == 0);
    CHECK_ERR(access("dangling", F_OK), ENOENT);
    CHECK((int)syscall(439, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK_ERR((int)syscall(439, AT_FDCWD, "pub", F_OK, 0x1), EINVAL);
    if (geteuid() != 0)
        return 0;
    CHECK(chmod(".", 0755) == 0);
    exits_with(child(as_user), 0);
    return 0;
}
