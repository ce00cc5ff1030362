/* Descriptors: the lowest free number, EMFILE at the limit, and nothing created when the table is
 * full. */
#include "check.h"
#include <sys/resource.h>

int main(void)
{
    int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY);
    CHECK(a >= 0 && b == a + 1 && close(a) == 0 && open("/dev/null", O_RDONLY) == a);
    CHECK_ERR(close(1000), EBADF);
    struct rlimit r = {32, 32};
    CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0);
    int n = 0;
    while (open("/dev/null", O_RDONLY) >= 0)
        n++;
    CHECK(errno == EMFILE && n > 10);
    CHECK_ERR(open("made", O_CREAT | O_WRONLY, 0644), EMFILE);
    CHECK_ERR(access("made", F_OK), ENOENT);
    CHECK_ERR(dup(a), EMFILE);
    CHECK_ERR(fcntl(a, F_DUPFD, 5), EMFILE);
    CHECK(dup2(a, 31) == 31 && dup2(31, 31) == 31);
    CHECK_ERR(dup2(a, 32), EBADF);
    CHECK_ERR(dup3(a, a, 0), EINVAL);
    for (int i = 3; i < 32; i++)
        close(i);
    for (int i = 0; i < 20000; i++) {
        int fd = open("churn", O_CREAT | O_RDWR, 0644);
        CHECK(fd == 3 && close(fd) == 0);
    }
    return 0;
}
