// select with high descriptors and with sets beyond FD_SETSIZE; O_PATH and closed descriptors.
#include "expect.h"
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

int main(void)
{
    int p[2];
    struct rlimit lim = {1500, 1500};
    setrlimit(RLIMIT_NOFILE, &lim);
    CHECK_EQ(pipe(p), 0);
    int high = fcntl(p[0], F_DUPFD, 1400);
    if (high < 0) {
        printf("cannot have descriptor 1400: %d\n", errno);
        return 1;
    }
    static unsigned long set[32]; // 2048 bits
    set[high / 64] |= 1UL << (high % 64);
    struct timeval tv = {0, 0};
    CHECK_EQ(syscall(SYS_select, high + 1, set, NULL, NULL, &tv), 0);
    CHECK_EQ(set[high / 64], 0);
    CHECK_EQ(write(p[1], "x", 1), 1);
    set[high / 64] |= 1UL << (high % 64);
    CHECK_EQ(syscall(SYS_select, high + 1, set, NULL, NULL, &tv), 1);
    CHECK(set[high / 64] >> (high % 64) & 1);
    close(high);
    CHECK_ERR(syscall(SYS_select, high + 1, set, NULL, NULL, &tv), EBADF);
    memset(set, 0, sizeof set);
    int path = open(".", O_PATH);
    set[0] |= 1UL << path;
    CHECK_EQ(syscall(SYS_select, path + 1, set, NULL, NULL, &tv), 1);
    return check_done();
}
