/* unix(7): options, ioctls and control messages beyond the plain ones. */
#include "expect.h"
#include <grp.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_PEERPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

static int a, b;

static void pair(int type)
{
    int fds[2];
    close(a);
    close(b);
    CHECK_EQ(socketpair(AF_UNIX, type, 0, fds), 0);
    a = fds[0];
    b = fds[1];
}

static void set(int fd, int option, int value)
{
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)), 0);
}

static int get(int fd, int option)
{
    int value = -99;
    socklen_t len = sizeof(value);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, option, &value, &len), 0);
    return value;
}

/* ---- SO_PEEK_OFF ---- */

static void test_peek_off(void)
{
    char buf[16] = "";
    pair(SOCK_STREAM);
    CHECK_EQ(get(a, SO_PEEK_OFF), -1);
    set(a, SO_PEEK_OFF, 0);
    CHECK_EQ(get(a, SO_PEEK_OFF), 0);
    CHECK_EQ(send(b, "abc", 3, 0), 3);
    CHECK_EQ(send(b, "def", 3, 0), 3);
    CHECK_EQ(recv(a, buf, 2, MSG_PEEK), 2);
    CHECK(memcmp(buf, "ab", 2) == 0);
    CHECK_EQ(get(a, SO_PEEK_OFF), 2);
    CHECK_EQ(recv(a, buf, 3, MSG_PEEK), 3);
    CHECK(memcmp(buf, "cde", 3) == 0);
    CHECK_EQ(get(a, SO_PEEK_OFF), 5);
    CHECK_EQ(recv(a, buf, 2, 0), 2);
    CHECK(memcmp(buf, "ab", 2) == 0);
    CHECK_EQ(get(a, SO_PEEK_OFF), 3);
    CHECK_EQ(recv(a, buf, 10, MSG_PEEK), 1);
    CHECK(buf[0] == 'f');
    CHECK_ERR(recv(a, buf, 10, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(recv(a, buf, 10, 0), 4);
    CHECK_EQ(get(a, SO_PEEK_OFF), 0);
    set(a, SO_PEEK_OFF, -1);
    CHECK_EQ(send(b, "xy", 2, 0), 2);
    CHECK_EQ(recv(a, buf, 1, MSG_PEEK), 1);
    CHECK_EQ(recv(a, buf, 1, MSG_PEEK), 1);
    CHECK(buf[0] == 'x');
    pair(SOCK_DGRAM);
    set(a, SO_PEEK_OFF, 1);
    CHECK_EQ(send(b, "abcd", 4, 0), 4);
    CHECK_EQ(send(b, "efgh", 4, 0), 4);
    CHECK_EQ(recv(a, buf, 2, MSG_PEEK), 2);
    CHECK(memcmp(buf, "bc", 2) == 0);
    CHECK_EQ(recv(a, buf, 10, MSG_PEEK), 1);
    CHECK(buf[0] == 'd');
    CHECK_EQ(recv(a, buf, 10, MSG_PEEK), 4);
    CHECK(memcmp(buf, "efgh", 4) == 0);
    CHECK_EQ(recv(a, buf, 10, 0), 4);
    CHECK(memcmp(buf, "abcd", 4) == 0);
}

/* ---- MSG_OOB ---- */

static void test_oob(void)
{
    char buf[16] = "";
    int mark;
    struct pollfd p;
    pair(SOCK_STREAM);
    CHECK_ERR(recv(a, buf, 1, MSG_OOB | MSG_DONTWAIT), EINVAL);
    CHECK_EQ(send(b, "hello", 5, MSG_OOB), 5);
    p = (struct pollfd){.fd = a, .events = POLLIN | POLLPRI};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN | POLLPRI);
    CHECK_EQ(ioctl(a, SIOCATMARK, &mark), 0);
    CHECK_EQ(mark, 0);
    CHECK_EQ(recv(a, buf, 10, 0), 4); /* up to the mark */
    CHECK(memcmp(buf, "hell", 4) == 0);
    CHECK_EQ(ioctl(a, SIOCATMARK, &mark), 0);
    CHECK_EQ(mark, 1);
    CHECK_EQ(recv(a, buf, 10, MSG_OOB | MSG_PEEK), 1);
    CHECK(buf[0] == 'o');
    CHECK_EQ(recv(a, buf, 10, MSG_OOB), 1);
    CHECK(buf[0] == 'o');
    CHECK_ERR(recv(a, buf, 10, MSG_OOB), EINVAL);
    CHECK_ERR(recv(a, buf, 10, MSG_DONTWAIT), EAGAIN);
    /* in line */
    set(a, SO_OOBINLINE, 1);
    CHECK_EQ(send(b, "abc", 3, MSG_OOB), 3);
    CHECK_EQ(send(b, "de", 2, 0), 2);
    CHECK_EQ(recv(a, buf, 10, 0), 2);
    CHECK_EQ(recv(a, buf, 10, 0), 3);
    CHECK(memcmp(buf, "cde", 3) == 0);
    CHECK_ERR(recv(a, buf, 1, MSG_OOB), EINVAL);
    set(a, SO_OOBINLINE, 0);
    /* passed over */
    CHECK_EQ(send(b, "x", 1, MSG_OOB), 1);
    CHECK_EQ(send(b, "yz", 2, 0), 2);
    CHECK_EQ(recv(a, buf, 10, 0), 2);
    CHECK(memcmp(buf, "yz", 2) == 0);
    /* a second one replaces the first, whose byte stays in the stream */
    CHECK_EQ(send(b, "1", 1, MSG_OOB), 1);
    CHECK_EQ(send(b, "2", 1, MSG_OOB), 1);
    CHECK_EQ(recv(a, buf, 10, 0), 1);
    CHECK(buf[0] == '1');
    CHECK_EQ(recv(a, buf, 10, MSG_OOB), 1);
    CHECK(buf[0] == '2');
    pair(SOCK_DGRAM);
    CHECK_ERR(send(b, "x", 1, MSG_OOB), EOPNOTSUPP);
    CHECK_ERR(recv(a, buf, 1, MSG_OOB), EOPNOTSUPP);
    pair(SOCK_SEQPACKET);
    CHECK_ERR(send(b, "x", 1, MSG_OOB), EOPNOTSUPP);
    CHECK_ERR(recv(a, buf, 1, MSG_OOB), EOPNOTSUPP);
}

/* ---- who is at the other end ---- */

static void test_peer(void)
{
    gid_t groups[4] = {7, 3, 5}, got[8];
    socklen_t len = sizeof(got);
    CHECK_EQ(setgroups(3, groups), 0);
    pair(SOCK_STREAM);
    CHECK_EQ(getsockopt(a, SOL_SOCKET, SO_PEERGROUPS, got, &len), 0);
    CHECK_EQ(len, 3 * sizeof(gid_t));
    CHECK_EQ(got[0], 3);
    CHECK_EQ(got[1], 5);
    CHECK_EQ(got[2], 7);
    len = 4;
    CHECK_ERR(getsockopt(a, SOL_SOCKET, SO_PEERGROUPS, got, &len), ERANGE);
    CHECK_EQ(len, 3 * sizeof(gid_t));
    int fd = -1;
    len = sizeof(fd);
    CHECK_EQ(getsockopt(a, SOL_SOCKET, SO_PEERPIDFD, &fd, &len), 0);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    close(fd);
    struct ucred c;
    len = sizeof(c);
    CHECK_EQ(getsockopt(a, SOL_SOCKET, SO_PEERCRED, &c, &len), 0);
    CHECK_EQ(c.pid, getpid());
    CHECK_ERR(setsockopt(a, SOL_SOCKET, SO_PEERCRED, &c, sizeof(c)), ENOPROTOOPT);
    int alone = socket(AF_UNIX, SOCK_STREAM, 0);
    len = sizeof(c);
    CHECK_EQ(getsockopt(alone, SOL_SOCKET, SO_PEERCRED, &c, &len), 0);
    CHECK_EQ(c.pid, 0);
    CHECK_EQ(c.uid, (uid_t)-1);
    len = sizeof(fd);
    CHECK_ERR(getsockopt(alone, SOL_SOCKET, SO_PEERPIDFD, &fd, &len), ENODATA);
    len = sizeof(got);
    CHECK_ERR(getsockopt(alone, SOL_SOCKET, SO_PEERGROUPS, got, &len), ENODATA);
    CHECK_EQ(get(alone, SO_DOMAIN), AF_UNIX);
    CHECK_EQ(get(alone, SO_PROTOCOL), 0);
    CHECK_EQ(get(alone, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(get(alone, SO_ACCEPTCONN), 0);
    close(alone);
}

static void test_pass_pidfd(void)
{
    char buf[4], control[256];
    struct iovec v = {buf, sizeof(buf)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    pair(SOCK_DGRAM);
    CHECK_EQ(get(a, SO_PASSPIDFD), 0);
    set(a, SO_PASSPIDFD, 1);
    set(a, SO_PASSCRED, 1);
    CHECK_EQ(get(a, SO_PASSPIDFD), 1);
    CHECK_EQ(send(b, "x", 1, 0), 1);
    CHECK_EQ(recvmsg(a, &m, 0), 1);
    int creds = 0, pidfds = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        creds += c->cmsg_type == SCM_CREDENTIALS;
        if (c->cmsg_type != SCM_PIDFD)
            continue;
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        CHECK_EQ(c->cmsg_len, CMSG_LEN(sizeof(int)));
        CHECK(fd >= 0);
        close(fd);
        pidfds++;
    }
    CHECK_EQ(creds, 1);
    CHECK_EQ(pidfds, 1);
}

/* ---- ioctls ---- */

static void test_ioctls(void)
{
    int n = -1;
    pair(SOCK_STREAM);
    CHECK_EQ(send(b, "abcd", 4, 0), 4);
    CHECK_EQ(ioctl(a, SIOCINQ, &n), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(ioctl(a, FIONREAD, &n), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(ioctl(b, SIOCOUTQ, &n), 0);
    CHECK(n > 0);
    CHECK_EQ(ioctl(a, SIOCOUTQ, &n), 0);
    CHECK_EQ(n, 0);
    pair(SOCK_SEQPACKET);
    CHECK_EQ(send(b, "abcd", 4, 0), 4);
    CHECK_EQ(send(b, "efg", 3, 0), 3);
    CHECK_EQ(ioctl(a, SIOCINQ, &n), 0);
    CHECK_EQ(n, 7);
    pair(SOCK_DGRAM);
    CHECK_EQ(send(b, "abcd", 4, 0), 4);
    CHECK_EQ(send(b, "efg", 3, 0), 3);
    CHECK_EQ(ioctl(a, SIOCINQ, &n), 0);
    CHECK_EQ(n, 4);
    n = 1;
    CHECK_EQ(ioctl(a, FIONBIO, &n), 0);
    CHECK(fcntl(a, F_GETFL) & O_NONBLOCK);
    CHECK_ERR(ioctl(a, 0x12345, &n), ENOTTY);
    CHECK_ERR(ioctl(a, SIOCINQ, (void *)1), EFAULT);
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    CHECK_EQ(bind(listening, (struct sockaddr *)&name, 2), 0);
    CHECK_ERR(ioctl(listening, 0x89E0 + 0, 0), ENOENT); /* SIOCUNIXFILE */
    CHECK_EQ(listen(listening, 1), 0);
    CHECK_ERR(ioctl(listening, SIOCINQ, &n), EINVAL);
    close(listening);
}

/* ---- buffers and flags ---- */

static void test_flags(void)
{
    char buf[64];
    pair(SOCK_STREAM);
    CHECK_EQ(send(b, "abc", 3, MSG_MORE | MSG_CONFIRM | MSG_DONTROUTE | MSG_EOR), 3);
    CHECK_EQ(recv(a, buf, 2, MSG_TRUNC), 2);
    CHECK_EQ(recv(a, buf, 64, MSG_DONTWAIT | MSG_WAITALL), 1);
    CHECK_ERR(recv(a, buf, 64, MSG_ERRQUEUE | MSG_DONTWAIT), EAGAIN);
    CHECK_ERR(recv(a, buf, 0, MSG_DONTWAIT), EAGAIN);
    CHECK_ERR(sendto(b, "x", 1, 0, (struct sockaddr *)&(struct sockaddr_un){.sun_family = AF_UNIX}, 3), EISCONN);
    pair(SOCK_SEQPACKET);
    struct iovec v = {buf, 2};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    CHECK_EQ(send(b, "abc", 3, 0), 3);
    CHECK_EQ(recvmsg(a, &m, 0), 2);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_EQ(send(b, "abc", 3, 0), 3);
    CHECK_EQ(recv(a, buf, 1, MSG_TRUNC | MSG_PEEK), 3);
    CHECK_EQ(recv(a, buf, 8, 0), 3);
    CHECK_EQ(send(b, "", 0, 0), 0);
    CHECK_EQ(recv(a, buf, 8, 0), 0);
    CHECK_EQ(send(b, "z", 1, 0), 1);
    CHECK_EQ(shutdown(b, SHUT_WR), 0);
    CHECK_EQ(recv(a, buf, 8, 0), 1);
    CHECK_EQ(recv(a, buf, 8, 0), 0);
    CHECK_ERR(send(b, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERR(shutdown(a, 3), EINVAL);
    pair(SOCK_DGRAM);
    char *big = calloc(1, 4000000);
    CHECK_ERR(send(b, big, 4000000, 0), EMSGSIZE);
    free(big);
    CHECK_EQ(send(b, "", 0, 0), 0);
    CHECK_EQ(recv(a, buf, 8, 0), 0);
    CHECK_EQ(shutdown(a, SHUT_RD), 0);
    CHECK_ERR(send(b, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(recv(a, buf, 8, 0), 0);
    close(a);
    CHECK_ERR(send(b, "x", 1, MSG_NOSIGNAL), ECONNREFUSED);
    CHECK_ERR(send(b, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    a = -1;
}

int main(void)
{
    a = b = -1;
    test_peek_off();
    test_oob();
    test_peer();
    test_pass_pidfd();
    test_ioctls();
    test_flags();
    return check_done();
}
