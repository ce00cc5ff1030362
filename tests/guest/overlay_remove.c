/* Names of the root image can be removed, replaced, renamed and made again; directories list
 * right. */
#include "check.h"
#include <dirent.h>
#include <sys/stat.h>

static int count(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;
    CHECK(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void tree(void)
{
    CHECK(mkdir("img", 0755) == 0 && mkdir("img/sub", 0755) == 0 &&
          mkdir("img/sub/deep", 0755) == 0);
    CHECK(mknod("img/a", S_IFREG | 0644, 0) == 0 && mknod("img/b", S_IFREG | 0644, 0) == 0);
    CHECK(mknod("img/sub/x", S_IFREG | 0644, 0) == 0 && mknod("img/sub/y", S_IFREG | 0644, 0) == 0);
}

static void change(const char *base)
{
    struct stat st;
    char name[512], to[512];
    CHECK(chdir(base) == 0);
    int all = count(".");
    CHECK(unlink("a") == 0 && count(".") == all - 1);
    CHECK_ERR(stat("a", &st), ENOENT);
    CHECK_ERR(unlink("a"), ENOENT);
    CHECK(mkdir("a", 0755) == 0 && stat("a", &st) == 0 && S_ISDIR(st.st_mode) && count("a") == 0 &&
          count(".") == all);
    CHECK(rmdir("a") == 0 && symlink("b", "a") == 0 && unlink("a") == 0 && count(".") == all - 1);
    CHECK(rename("b", "a") == 0 && count(".") == all - 1);
    CHECK_ERR(stat("b", &st), ENOENT);
    CHECK_ERR(rmdir("sub"), ENOTEMPTY);
    CHECK(rename("sub", "sub2") == 0 && count("sub2") == 3 && stat("sub2/deep", &st) == 0);
    CHECK_ERR(stat("sub", &st), ENOENT);
    CHECK(mkdir("sub", 0755) == 0 && count("sub") == 0);
    CHECK(unlink("sub2/x") == 0 && unlink("sub2/y") == 0 && rmdir("sub2/deep") == 0 &&
          count("sub2") == 0);
    CHECK(rename("sub", "sub2") == 0 && rmdir("sub2") == 0 && count(".") == all - 2);
    snprintf(name, sizeof name, "%d", all);
    snprintf(to, sizeof to, "%d.new", all);
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    CHECK(fd >= 0 && rename(name, to) == 0 && unlink(to) == 0);
    CHECK(link("a", "hard") == 0 && unlink("a") == 0 && stat("hard", &st) == 0 &&
          st.st_nlink == 1 && unlink("hard") == 0);
}

int main(void)
{
    tree();
    change("img");
    return 0;
}
