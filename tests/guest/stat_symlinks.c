/* Symbolic links: chains, loops of forty, relative and absolute texts, links to directories in the
 * middle. */
#include "check.h"
#include <limits.h>
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    struct stat st;
    char buf[PATH_MAX], name[16], to[16];
    make("end", "x");
    for (int i = 0; i < 45; i++) {
        snprintf(name, sizeof name, "s%d", i);
        snprintf(to, sizeof to, i ? "s%d" : "end", i - 1);
        CHECK(symlink(to, name) == 0);
    }
    CHECK(stat("s39", &st) == 0 && st.st_size == 1);
    CHECK_ERR(stat("s40", &st), ELOOP);
    CHECK(lstat("s44", &st) == 0 && st.st_size == 3);
    CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && symlink("a/b", "ab") == 0);
    make("a/b/f", "yy");
    CHECK(stat("ab/f", &st) == 0 && st.st_size == 2 && stat("ab/../b/f", &st) == 0);
    CHECK(getcwd(buf, sizeof buf) != NULL && strlen(buf) + 4 < sizeof buf);
    strcat(buf, "/a/b");
    CHECK(symlink(buf, "abs") == 0 && stat("abs/f", &st) == 0 && lstat("abs/", &st) == 0 &&
          S_ISDIR(st.st_mode));
    CHECK(readlink("ab", buf, sizeof buf) == 3 && !memcmp(buf, "a/b", 3));
    CHECK(readlink("ab", buf, 2) == 2 && !memcmp(buf, "a/", 2));
    CHECK_ERR(readlink("end", buf, sizeof buf), EINVAL);
    CHECK_ERR(readlink("ab", buf, 0), EINVAL);
    CHECK_ERR(symlink("x", "ab"), EEXIST);
    CHECK_ERR(symlink("", "empty"), ENOENT);
    CHECK_ERR(symlink("x", "new/"), ENOENT);
    char long_text[PATH_MAX + 1];
    memset(long_text, 'a', PATH_MAX);
    long_text[PATH_MAX] = '\0';
    CHECK_ERR(symlink(long_text, "long"), ENAMETOOLONG);
    CHECK(symlink("end/", "slash") == 0);
    CHECK_ERR(stat("slash", &st), ENOTDIR);
    CHECK(unlink("ab") == 0 && stat("a/b/f", &st) == 0);
    return 0;
}
