/* Paths near PATH_MAX, deep trees walked relatively, and their removal. */
#include "check.h"
#include <limits.h>
#include <sys/stat.h>

int main(void)
{
    char path[PATH_MAX + 10], name[201];
    memset(name, 'd', 200);
    name[200] = '\0';
    for (int i = 0; i < 40; i++)
        CHECK(mkdir(name, 0755) == 0 && chdir(name) == 0);
    char *cwd = getcwd(NULL, 0);
    CHECK(cwd == NULL ? errno == ENAMETOOLONG : strlen(cwd) > 8000);
    for (int i = 0; i < 40; i++)
        CHECK(chdir("..") == 0 && rmdir(name) == 0);
    memset(path, '/', sizeof path);
    path[0] = '.';
    path[PATH_MAX - 1] = '\0';
    CHECK(access(path, F_OK) == 0);
    path[PATH_MAX - 1] = '/';
    path[PATH_MAX] = '\0';
    CHECK_ERR(access(path, F_OK), ENAMETOOLONG);
    memset(path, 'x', 300);
    path[300] = '\0';
    CHECK_ERR(access(path, F_OK), ENAMETOOLONG);
    strcpy(path + 256, "/y");
    CHECK_ERR(access(path, F_OK), ENAMETOOLONG);
    return 0;
}
