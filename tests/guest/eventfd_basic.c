// eventfd: counting, semaphores, limits, blocking, poll, fdinfo.
#include "expect.h"
#include <poll.h>
#include <sys/eventfd.h>

static int events(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    return p.revents;
}

int main(void)
{
    uint64_t v = 0;
    int e = eventfd(3, EFD_NONBLOCK);
    CHECK(e >= 0);
    CHECK_EQ(events(e), POLLIN | POLLOUT);
    CHECK_EQ(read(e, &v, 8), 8);
    CHECK_EQ(v, 3);
    CHECK_EQ(events(e), POLLOUT);
    CHECK_ERR(read(e, &v, 8), EAGAIN);
    CHECK_ERR(read(e, &v, 7), EINVAL);
    CHECK_ERR(write(e, &v, 4), EINVAL);
    v = UINT64_MAX;
    CHECK_ERR(write(e, &v, 8), EINVAL);
    v = UINT64_MAX - 1;
    CHECK_EQ(write(e, &v, 8), 8);
    CHECK_EQ(events(e), POLLIN);
    v = 1;
    CHECK_ERR(write(e, &v, 8), EAGAIN);
    CHECK_EQ(read(e, &v, 8), 8);
    CHECK_EQ(v, UINT64_MAX - 1);
    v = 0;
    CHECK_EQ(write(e, &v, 8), 8);
    CHECK_ERR(read(e, &v, 8), EAGAIN);
    int s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(read(s, &v, 8), 8);
    CHECK_EQ(v, 1);
    CHECK_EQ(read(s, &v, 8), 8);
    CHECK_ERR(read(s, &v, 8), EAGAIN);
    CHECK_ERR(eventfd(0, 0x40), EINVAL);

    int b = eventfd(0, 0);
    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(30);
        v = 5;
        _exit(write(b, &v, 8) != 8);
    }
    CHECK_EQ(read(b, &v, 8), 8);
    CHECK_EQ(v, 5);
    CHECK_EQ(check_wait(pid), 0);
    v = UINT64_MAX - 1;
    CHECK_EQ(write(b, &v, 8), 8);
    pid = fork();
    if (pid == 0) {
        check_sleep_ms(30);
        _exit(read(b, &v, 8) != 8);
    }
    v = 7;
    CHECK_EQ(write(b, &v, 8), 8); // waits for room
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(read(b, &v, 8), 8);
    CHECK_EQ(v, 7);
    return check_done();
}
