/* getdents64: every entry once, types, positions, rewinding, small buffers. */
#include "check.h"
#include <dirent.h>
#include <sys/stat.h>

static char seen[500];

static int count(DIR *d)
{
    int n = 0;
    struct dirent *e;
    memset(seen, 0, sizeof seen);
    while ((e = readdir(d))) {
        int i;
        if (sscanf(e->d_name, "n%d", &i) == 1) {
            CHECK(!seen[i]++);
            CHECK(e->d_type == DT_REG || e->d_type == DT_UNKNOWN);
            n++;
        }
    }
    return n;
}

int main(void)
{
    char name[16], buf[64];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "n%d", i);
        CHECK(mknod(name, S_IFREG | 0644, 0) == 0);
    }
    DIR *d = opendir(".");
    CHECK(d && count(d) == 500);
    rewinddir(d);
    CHECK(count(d) == 500);
    rewinddir(d);
    for (int i = 0; i < 100; i++)
        CHECK(readdir(d));
    long at = telldir(d);
    struct dirent *e = readdir(d);
    CHECK(e);
    char kept[256];
    strcpy(kept, e->d_name);
    CHECK(readdir(d));
    seekdir(d, at);
    CHECK((e = readdir(d)) && !strcmp(e->d_name, kept));
    rewinddir(d);
    while ((e = readdir(d)))
        if (e->d_name[0] == 'n')
            CHECK(unlink(e->d_name) == 0); /* removing while reading */
    rewinddir(d);
    CHECK(count(d) == 0);
    int fd = open(".", O_RDONLY);
    CHECK_ERR(syscall(SYS_getdents64, fd, buf, 10), EINVAL);
    CHECK(syscall(SYS_getdents64, fd, buf, 24) == 24);
    CHECK(syscall(SYS_getdents64, fd, buf, 64) > 0 && syscall(SYS_getdents64, fd, buf, 64) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && syscall(SYS_getdents64, fd, buf, 64) == 48);
    int file = open("x", O_CREAT | O_RDWR, 0644);
    CHECK_ERR(syscall(SYS_getdents64, file, buf, 64), ENOTDIR);
    CHECK_ERR(syscall(SYS_getdents64, -1, buf, 64), EBADF);
    return 0;
}
