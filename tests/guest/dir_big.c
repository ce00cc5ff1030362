/* A directory of ten thousand files: made, listed, found, removed. */
#include "check.h"
#include <dirent.h>
#include <sys/stat.h>

int main(void)
{
    char name[32];
    struct stat st;
    CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "file-number-%d", i);
        int fd = open(name, O_CREAT | O_WRONLY | O_EXCL, 0644);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    DIR *d = opendir(".");
    int n = 0;
    while (readdir(d))
        n++;
    CHECK(n == 10002);
    for (int i = 0; i < 10000; i += 7) {
        snprintf(name, sizeof name, "file-number-%d", i);
        CHECK(stat(name, &st) == 0);
        snprintf(name, sizeof name, "file-absent-%d", i);
        CHECK_ERR(stat(name, &st), ENOENT);
    }
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "file-number-%d", i);
        CHECK(unlink(name) == 0);
    }
    CHECK(chdir("..") == 0 && rmdir("d") == 0);
    return 0;
}
