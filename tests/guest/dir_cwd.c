/* chdir, fchdir, getcwd, and relative paths through them. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    char base[4096], buf[4096];
    CHECK(getcwd(base, sizeof base) != NULL && mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
    CHECK(symlink("a/b", "l") == 0 && chdir("l") == 0 && getcwd(buf, sizeof buf) != NULL);
    CHECK(!strncmp(buf, base, strlen(base)) && !strcmp(buf + strlen(base), "/a/b"));
    CHECK(chdir("..") == 0 && getcwd(buf, sizeof buf) && !strcmp(buf + strlen(base), "/a"));
    make("f", "x");
    CHECK(access("../a/f", F_OK) == 0 && access("./b/../f", F_OK) == 0);
    CHECK_ERR(chdir("f"), ENOTDIR);
    CHECK_ERR(chdir("absent"), ENOENT);
    CHECK_ERR(chdir(""), ENOENT);
    int fd = open("b", O_RDONLY);
    CHECK(fchdir(fd) == 0 && getcwd(buf, sizeof buf) && !strcmp(buf + strlen(base), "/a/b"));
    CHECK_ERR(fchdir(open("../f", O_RDONLY)), ENOTDIR);
    CHECK_ERR(syscall(SYS_getcwd, buf, 3), ERANGE);
    CHECK(syscall(SYS_getcwd, buf, sizeof buf) == (long)strlen(buf) + 1);
    CHECK(chdir("/") == 0 && chdir("../..") == 0 && getcwd(buf, sizeof buf) && !strcmp(buf, "/"));
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(chdir("/tmp") == 0);
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(getcwd(buf, sizeof buf) && !strcmp(buf, "/"));
    return 0;
}
