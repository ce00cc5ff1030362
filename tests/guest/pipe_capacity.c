// How much fits into a pipe, its size, and that a write of at most PIPE_BUF bytes is all or nothing.
#include "expect.h"

static char page[65536 * 2];

int main(void)
{
    int p[2];
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_EQ(fcntl(p[1], F_GETPIPE_SZ), 65536);
    CHECK_EQ(write(p[1], page, sizeof page), 65536);
    CHECK_ERR(write(p[1], page, 1), EAGAIN);
    CHECK_EQ(read(p[0], page, 1), 1);
    CHECK_ERR(write(p[1], page, 1), EAGAIN); // the first buffer is still in use
    CHECK_EQ(read(p[0], page, 4095), 4095);
    CHECK_EQ(write(p[1], page, 4096), 4096);
    CHECK_EQ(read(p[0], page, 100), 100);
    CHECK_ERR(write(p[1], page, 4096), EAGAIN);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 100000), 131072);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 131072);
    CHECK_EQ(write(p[1], page, sizeof page), 65536);
    CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
    while (read(p[0], page, sizeof page) > 0)
        ;
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 1), 4096);
    CHECK_EQ(write(p[1], page, 5000), 4096);
    CHECK_EQ(read(p[0], page, 5000), 4096);
    for (int i = 0; i < 4096; i++) // small writes share a buffer
        CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(write(p[1], "x", 1), EAGAIN);
    CHECK_EQ(read(p[0], page, sizeof page), 4096);
    CHECK_ERR(fcntl(0, F_GETPIPE_SZ), EBADF);
    return check_done();
}
