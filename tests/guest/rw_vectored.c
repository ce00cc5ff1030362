/* readv, writev, preadv, pwritev and their flags. */
#include "check.h"

#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#include <limits.h>
#include <sys/uio.h>

int main(void)
{
    char a[4], b[8], c[3];
    volatile int count;
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"three", 5}}, in[3] = {{a, 4}, {b, 8}, {c, 3}};
    CHECK(writev(fd, out, 3) == 8 && lseek(fd, 0, SEEK_SET) == 0 && readv(fd, in, 3) == 8);
    CHECK(!memcmp(a, "onet", 4) && !memcmp(b, "hree", 4));
    CHECK(pwritev(fd, out, 3, 100) == 8 && preadv(fd, in, 2, 100) == 8 &&
          lseek(fd, 0, SEEK_CUR) == 8);
    CHECK_ERR(readv(fd, in, count = -1), EINVAL);
    CHECK_ERR(readv(fd, in, count = 1025), EINVAL);
    CHECK(readv(fd, in, 0) == 0);
    CHECK_ERR(readv(fd, (void *)8, 1), EFAULT);
    CHECK_ERR(preadv(fd, in, 1, -1), EINVAL);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && preadv2(fd, in, 1, -1, 0) == 4 &&
          lseek(fd, 0, SEEK_CUR) == 4);
    CHECK(preadv2(fd, in, 1, 0, RWF_HIPRI) == 4 || errno == EOPNOTSUPP);
    CHECK_ERR(preadv2(fd, in, 1, 0, 0x4000), EOPNOTSUPP);
    CHECK(pwritev2(fd, out, 1, 0, RWF_DSYNC) == 3);
    CHECK(pwritev2(fd, out, 1, 0, RWF_APPEND) == 3 && lseek(fd, 0, SEEK_END) == 111);
    return 0;
}
