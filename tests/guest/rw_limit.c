/* RLIMIT_FSIZE: writes stop there, SIGXFSZ and EFBIG. */
#include "check.h"
#include <sys/resource.h>
#include <sys/stat.h>

static volatile int got;
static void on_xfsz(int sig)
{
    got++;
}

int main(void)
{
    char buf[2000] = {0};
    struct rlimit r = {1000, RLIM_INFINITY};
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    signal(SIGXFSZ, on_xfsz);
    CHECK(setrlimit(RLIMIT_FSIZE, &r) == 0);
    CHECK(write(fd, buf, 2000) == 1000 && got == 0);
    CHECK_ERR(write(fd, buf, 1), EFBIG);
    CHECK(got == 1);
    CHECK_ERR(ftruncate(fd, 1001), EFBIG);
    CHECK(got == 2 && ftruncate(fd, 10) == 0 && pwrite(fd, buf, 100, 990) == 10);
    return 0;
}
