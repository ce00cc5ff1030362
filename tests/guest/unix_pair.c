// Socket pairs of all three types: bytes, borders, end of stream, shutdown, what poll and fstat say.
#include "expect.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int events(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    poll(&p, 1, 0);
    return p.revents;
}

static void stream(void)
{
    int s[2], n;
    char buf[100];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(events(s[0]), POLLOUT);
    CHECK_EQ(write(s[0], "hello", 5), 5);
    CHECK_EQ(send(s[0], "world", 5, 0), 5);
    CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
    CHECK_EQ(n, 10);
    CHECK_EQ(events(s[1]), POLLIN | POLLOUT);
    CHECK_EQ(recv(s[1], buf, 3, MSG_PEEK), 3);
    CHECK_EQ(read(s[1], buf, sizeof buf), 10);
    CHECK(memcmp(buf, "helloworld", 10) == 0);
    CHECK_ERR(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(write(s[1], "back", 4), 4);
    CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_EQ(read(s[1], buf, 1), 0);
    CHECK_EQ(events(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(read(s[0], buf, sizeof buf), 4);
    close(s[1]);
    CHECK_EQ(events(s[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(s[0], buf, 1), 0);
    CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(s[0]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(write(s[0], "unread", 6), 6);
    close(s[1]);
    CHECK_ERR(read(s[0], buf, 1), ECONNRESET);
    CHECK_EQ(read(s[0], buf, 1), 0);
    close(s[0]);
}

static void dgram(int type)
{
    int s[2];
    char buf[100];
    CHECK_EQ(socketpair(AF_UNIX, type, 0, s), 0);
    CHECK_EQ(send(s[0], "one", 3, 0), 3);
    CHECK_EQ(send(s[0], "two2", 4, 0), 4);
    CHECK_EQ(send(s[0], "", 0, 0), 0);
    CHECK_EQ(recv(s[1], buf, sizeof buf, MSG_PEEK), 3);
    CHECK_EQ(recv(s[1], buf, 2, 0), 2);
    CHECK_EQ(recv(s[1], buf, 1, MSG_TRUNC), 4);
    CHECK_EQ(recv(s[1], buf, 10, 0), 0);
    CHECK_ERR(recv(s[1], buf, 10, MSG_DONTWAIT), EAGAIN);
    static char big[300000];
    CHECK_ERR(send(s[0], big, sizeof big, 0), EMSGSIZE);
    CHECK_EQ(send(s[0], big, 100000, 0), 100000);
    CHECK_EQ(recv(s[1], big, sizeof big, 0), 100000);
    close(s[1]);
    if (type == SOCK_DGRAM)
        CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), ECONNREFUSED);
    else
        CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(s[0]);
}

int main(void)
{
    int s[2];
    struct stat st;
    stream();
    dgram(SOCK_DGRAM);
    dgram(SOCK_SEQPACKET);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s), 0);
    CHECK_EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(s[1], F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(fstat(s[0], &st), 0);
    CHECK_EQ(st.st_mode, S_IFSOCK | 0777);
    char path[64], link[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s[0]);
    ssize_t n = readlink(path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    snprintf(path, sizeof path, "socket:[%lu]", (unsigned long)st.st_ino);
    CHECK(strcmp(path, link) == 0);
    CHECK_ERR(lseek(s[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERR(socketpair(AF_UNIX, 77, 0, s), EINVAL);
    CHECK_ERR(socketpair(AF_UNIX, SOCK_STREAM, 5, s), EPROTONOSUPPORT);
    CHECK_ERR(socketpair(AF_UNIX, SOCK_RDM, 0, s), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
    return check_done();
}
