/* mkdir and rmdir: errors, link counts, and directories that were removed while in use. */
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
    char buf[4096];
    CHECK(mkdir("d", 0755) == 0);
    CHECK_ERR(mkdir("d", 0755), EEXIST);
    CHECK_ERR(mkdir("d/", 0755), EEXIST);
    CHECK_ERR(mkdir(".", 0755), EEXIST);
    CHECK_ERR(mkdir("/", 0755), EEXIST);
    CHECK_ERR(mkdir("a/b", 0755), ENOENT);
    CHECK(mkdir("slash/", 0755) == 0 && rmdir("slash/") == 0);
    make("f", "x");
    CHECK_ERR(mkdir("f", 0755), EEXIST);
    CHECK_ERR(mkdir("f/x", 0755), ENOTDIR);
    CHECK_ERR(rmdir("f"), ENOTDIR);
    CHECK_ERR(rmdir("absent"), ENOENT);
    CHECK_ERR(rmdir("."), EINVAL);
    CHECK_ERR(rmdir("d/."), EINVAL);
    CHECK_ERR(rmdir("d/.."), ENOTEMPTY);
    CHECK(mkdir("d/x", 0755) == 0);
    CHECK_ERR(rmdir("d"), ENOTEMPTY);
    CHECK(symlink("d", "l") == 0);
    CHECK_ERR(rmdir("l"), ENOTDIR);
    CHECK_ERR(rmdir("l/"), ENOTDIR);
    CHECK(chdir("d/x") == 0 && rmdir("../x") == 0);
    CHECK(getcwd(buf, sizeof buf) == NULL && errno == ENOENT);
    CHECK_ERR(open("new", O_CREAT | O_WRONLY, 0644), ENOENT);
    CHECK_ERR(mkdir("new", 0755), ENOENT);
    CHECK(stat(".", &st) == 0 && st.st_nlink == 0);
    CHECK(stat("..", &st) == 0 && chdir("..") == 0 && chdir("..") == 0 && rmdir("d") == 0);
    return 0;
}
