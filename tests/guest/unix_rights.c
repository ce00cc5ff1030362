// SCM_RIGHTS: files travel, share their position, get O_CLOEXEC if asked; truncation; stream borders.
#include "expect.h"
#include <sys/socket.h>

static ssize_t send_fds(int s, const int *fds, size_t n, const char *data, size_t len)
{
    char control[CMSG_SPACE(300 * sizeof(int))] = {0};
    struct iovec v = {(void *)data, len};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};
    m.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    return sendmsg(s, &m, 0);
}

static struct msghdr got;

static ssize_t recv_fds(int s, int *fds, size_t room, size_t *count, int flags)
{
    static char control[4096], data[100];
    static struct iovec v = {data, sizeof data};
    got = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    ssize_t n = recvmsg(s, &got, flags);
    *count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&got); n >= 0 && c; c = CMSG_NXTHDR(&got, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            *count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(c), *count * sizeof(int));
        }
    return n;
}

int main(void)
{
    int s[2], fds[300], p[2];
    size_t n;
    char c;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    int f = open("file", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(f, "0123456789", 10), 10);
    CHECK_EQ(lseek(f, 4, SEEK_SET), 4);
    CHECK_EQ(send_fds(s[0], &f, 1, "x", 1), 1);
    CHECK_EQ(recv_fds(s[1], fds, 100, &n, 0), 1);
    CHECK_EQ(n, 1);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(c, '4');
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 5); // one open file, two numbers
    CHECK_EQ(fcntl(fds[0], F_GETFD), 0);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(send_fds(s[0], p, 2, "y", 1), 1);
    CHECK_EQ(recv_fds(s[1], fds, 100, &n, MSG_CMSG_CLOEXEC), 1);
    CHECK_EQ(n, 2);
    CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
    close(p[0]), close(p[1]);
    CHECK_EQ(write(fds[1], "z", 1), 1);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    close(fds[1]);
    CHECK_EQ(read(fds[0], &c, 1), 0);
    close(fds[0]);

    // A file is delivered with the first byte of its message, and stops the read behind it
    CHECK_EQ(write(s[0], "aa", 2), 2);
    CHECK_EQ(send_fds(s[0], &f, 1, "bb", 2), 2);
    CHECK_EQ(write(s[0], "cc", 2), 2);
    CHECK_EQ(recv_fds(s[1], fds, 100, &n, MSG_PEEK), 4);
    CHECK_EQ(n, 1);
    close(fds[0]);
    CHECK_EQ(recv_fds(s[1], fds, 100, &n, 0), 4);
    CHECK_EQ(n, 1);
    close(fds[0]);
    CHECK_EQ(recv_fds(s[1], fds, 100, &n, 0), 2);
    CHECK_EQ(n, 0);

    // Room for one of two: the other is closed
    int two[2] = {f, f};
    CHECK_EQ(send_fds(s[0], two, 2, "d", 1), 1);
    CHECK_EQ(recv_fds(s[1], fds, CMSG_LEN(sizeof(int)), &n, 0), 1);
    CHECK_EQ(n, 1);
    CHECK(got.msg_flags & MSG_CTRUNC);
    close(fds[0]);
    CHECK_EQ(send_fds(s[0], two, 2, "d", 1), 1);
    CHECK_EQ(recv_fds(s[1], fds, 0, &n, 0), 1);
    CHECK(n == 0 && got.msg_flags & MSG_CTRUNC);
    CHECK_EQ(send_fds(s[0], two, 1, "d", 1), 1);
    CHECK_EQ(read(s[1], &c, 1), 1); // read drops the file

    int bad = 999, many[300];
    CHECK_ERR(send_fds(s[0], &bad, 1, "x", 1), EBADF);
    for (int i = 0; i < 300; i++)
        many[i] = f;
    CHECK_ERR(send_fds(s[0], many, 254, "x", 1), EINVAL);
    CHECK_EQ(send_fds(s[0], many, 253, "x", 1), 1);
    CHECK_EQ(recv_fds(s[1], fds, 4096, &n, 0), 1);
    CHECK_EQ(n, 253);
    for (int i = 0; i < 253; i++)
        CHECK_EQ(close(fds[i]), 0);
    int next = dup(f);
    CHECK(next < 10); // nothing leaked
    return check_done();
}
