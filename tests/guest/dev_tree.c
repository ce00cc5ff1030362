/* What lies in /dev: nodes, links, mount points; a node means what its number means wherever it is made. */
#include "check.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void check_link(const char *path, const char *want)
{
    char text[256];
    ssize_t n = readlink(path, text, sizeof(text) - 1);
    CHECK(n > 0);
    text[n] = 0;
    CHECK(strcmp(text, want) == 0);
}

int main(void)
{
    struct stat st;
    check_link("/dev/fd", "/proc/self/fd");
    check_link("/dev/stdin", "/proc/self/fd/0");
    check_link("/dev/stdout", "/proc/self/fd/1");
    check_link("/dev/stderr", "/proc/self/fd/2");
    CHECK(stat("/dev/tty", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 0));
    CHECK(stat("/dev/ptmx", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2));
    CHECK(stat("/dev/shm", &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 01777);
    CHECK(stat("/dev/pts", &st) == 0 && S_ISDIR(st.st_mode));
    int fd = open("/dev/shm/picket-test", O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(fd >= 0 && unlink("/dev/shm/picket-test") == 0);
    if (setsid() >= 0 || fork() == 0) {
        setsid();
        CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
    }
    CHECK_ERR(open("/dev/null/x", O_RDONLY), ENOTDIR);
    return 0;
}
