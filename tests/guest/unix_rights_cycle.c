// Sockets that hold each other only through messages in flight are collected: a pipe inside one is seen to close.
#include "expect.h"
#include <poll.h>
#include <sys/socket.h>

static void send_fd(int s, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK_EQ(sendmsg(s, &m, 0), 1);
}

int main(void)
{
    int a[2], b[2], p[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, a) | socketpair(AF_UNIX, SOCK_STREAM, 0, b) | pipe(p), 0);
    send_fd(a[0], p[1]); // the pipe's writing end waits in a[1]
    send_fd(a[0], a[1]); // ... and so does a[1] itself
    close(p[1]);
    struct pollfd pf = {p[0], POLLIN, 0};
    CHECK_EQ(poll(&pf, 1, 0), 0);
    close(a[0]);
    CHECK_EQ(poll(&pf, 1, 0), 0); // a[1] can still be read by us
    close(a[1]);
    close(b[0]), close(b[1]); // (a close of a socket is when Linux looks)
    CHECK_EQ(poll(&pf, 1, 3000), 1);
    CHECK_EQ(pf.revents, POLLHUP);
    close(p[0]);

    // Two that hold each other
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, a) | socketpair(AF_UNIX, SOCK_STREAM, 0, b) | pipe(p), 0);
    send_fd(a[0], b[1]);
    send_fd(b[0], a[1]);
    send_fd(b[0], p[1]);
    close(p[1]), close(a[0]), close(a[1]), close(b[0]);
    pf = (struct pollfd){p[0], POLLIN, 0};
    CHECK_EQ(poll(&pf, 1, 50), 0); // b[1] is ours
    close(b[1]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    close(a[0]), close(a[1]);
    CHECK_EQ(poll(&pf, 1, 3000), 1);

    // Deep: each socket waits in the next
    CHECK_EQ(pipe(p), 0);
    int inner[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, inner), 0);
    send_fd(inner[0], p[1]);
    close(p[1]);
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
        send_fd(a[0], inner[1]);
        close(inner[0]), close(inner[1]);
        inner[0] = a[0], inner[1] = a[1];
    }
    close(inner[0]), close(inner[1]);
    pf = (struct pollfd){p[0], POLLIN, 0};
    CHECK_EQ(poll(&pf, 1, 3000), 1);
    return check_done();
}
