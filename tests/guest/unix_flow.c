// Flow control: a full stream, blocking writers, MSG_WAITALL, time limits, datagram queues.
#include "expect.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

static char big[1 << 20];

static int child_sum(int s)
{
    long total = 0;
    ssize_t n;
    char buf[7000];
    while ((n = read(s, buf, sizeof buf)) > 0)
        total += n;
    return total == sizeof big ? 0 : 1;
}

int main(void)
{
    int s[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(s[0]);
        _exit(child_sum(s[1]));
    }
    close(s[1]);
    CHECK_EQ(write(s[0], big, sizeof big), sizeof big); // waits for the reader
    close(s[0]);
    CHECK_EQ(check_wait(pid), 0);

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 10; i++) {
            check_sleep_ms(5);
            if (write(s[0], big, 100) != 100)
                _exit(1);
        }
        _exit(0);
    }
    CHECK_EQ(recv(s[1], big, 1000, MSG_WAITALL), 1000);
    CHECK_EQ(check_wait(pid), 0);
    struct timeval tv = {0, 50000}, back;
    socklen_t len = sizeof back;
    CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
    CHECK_EQ(getsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &back, &len), 0);
    CHECK(len == sizeof back && back.tv_usec >= 50000 && back.tv_usec < 60000);
    double t = check_now();
    CHECK_ERR(read(s[1], big, 1), EAGAIN);
    CHECK(check_now() - t >= 0.049);
    CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
    ssize_t n = write(s[0], big, sizeof big); // as much as fits, then the time is over
    CHECK(n > 0 && n < (ssize_t)sizeof big);
    CHECK_ERR(write(s[0], big, 1), EAGAIN);
    struct pollfd p = {s[0], POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);

    // A datagram receiver takes about ten from strangers
    struct sockaddr a = {.sa_family = AF_UNIX};
    int d = socket(AF_UNIX, SOCK_DGRAM, 0), e = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_storage name;
    len = sizeof name;
    CHECK_EQ(bind(d, &a, sizeof a.sa_family), 0);
    CHECK_EQ(getsockname(d, (void *)&name, &len), 0);
    CHECK_EQ(connect(e, (void *)&name, len), 0);
    int sent = 0;
    while (sent < 10000 && send(e, "x", 1, 0) == 1)
        sent++;
    CHECK(sent >= 10 && sent < 10000 && errno == EAGAIN);
    p = (struct pollfd){e, POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    pid = fork();
    if (pid == 0) {
        check_sleep_ms(40);
        for (int i = 0; i < sent; i++)
            if (read(d, big, 10) != 1)
                _exit(1);
        _exit(0);
    }
    CHECK_EQ(poll(&p, 1, 3000), 1);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(send(e, "y", 1, 0), 1);
    return check_done();
}
