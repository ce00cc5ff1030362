// What tee has shared is not changed by later writes; sendfile to a pipe and from a file.
#include "expect.h"
#include <sys/sendfile.h>

int main(void)
{
    int p[2], q[2];
    char buf[64] = {0};
    CHECK_EQ(pipe(p) | pipe(q), 0);
    CHECK_EQ(write(p[1], "one", 3), 3);
    CHECK_EQ(tee(p[0], q[1], 100, 0), 3);
    CHECK_EQ(write(p[1], "two", 3), 3);
    CHECK_EQ(write(q[1], "TWO", 3), 3);
    CHECK_EQ(read(p[0], buf, sizeof buf), 6);
    CHECK(memcmp(buf, "onetwo", 6) == 0);
    CHECK_EQ(read(q[0], buf, sizeof buf), 6);
    CHECK(memcmp(buf, "oneTWO", 6) == 0);
    int f = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(f, "0123456789", 10), 10);
    off_t off = 2;
    CHECK_EQ(sendfile(p[1], f, &off, 5), 5);
    CHECK_EQ(off, 7);
    CHECK_EQ(read(p[0], buf, sizeof buf), 5);
    CHECK(memcmp(buf, "23456", 5) == 0);
    CHECK_EQ(tee(p[0], q[1], 0, 0), 0);
    CHECK_ERR(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    return check_done();
}
