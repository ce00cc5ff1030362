/* SCM_RIGHTS and its relatives: bounds, odd messages, limits. */
#include "expect.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static int a, b;

static char control[CMSG_SPACE(sizeof(int) * 300) + CMSG_SPACE(sizeof(struct ucred))];
static char byte = 'x';
static struct iovec one = {&byte, 1};

static struct cmsghdr *start(struct msghdr *m, int level, int type, size_t len)
{
    memset(control, 0, sizeof(control));
    *m = (struct msghdr){.msg_iov = &one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(len)};
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    return c;
}

static ssize_t send_fds(int fd, int count, int sock)
{
    struct msghdr m;
    struct cmsghdr *c = start(&m, SOL_SOCKET, SCM_RIGHTS, sizeof(int) * (unsigned)count);
    for (int n = 0; n < count; n++)
        ((int *)CMSG_DATA(c))[n] = fd;
    return sendmsg(sock, &m, MSG_DONTWAIT);
}

/* Receives with room for `room` descriptors; closes them. *ret_flags: msg_flags. */
static int receive_fds(int sock, int room, int *ret_flags)
{
    struct msghdr m = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room >= 0 ? control : NULL,
                       .msg_controllen = room >= 0 ? CMSG_LEN(sizeof(int) * (unsigned)room) : 0};
    CHECK_EQ(recvmsg(sock, &m, MSG_DONTWAIT), 1);
    *ret_flags = m.msg_flags;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c)
        return 0;
    CHECK_EQ(c->cmsg_type, SCM_RIGHTS);
    int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int n = 0; n < count; n++)
        close(((int *)CMSG_DATA(c))[n]);
    return count;
}

static void test_bounds(void)
{
    int flags;
    CHECK_EQ(send_fds(0, 253, b), 1);
    CHECK_EQ(receive_fds(a, 253, &flags), 253);
    CHECK_EQ(flags, 0);
    CHECK_ERR(send_fds(0, 254, b), EINVAL);
    CHECK_ERR(send_fds(999, 1, b), EBADF);
    CHECK_EQ(send_fds(0, 0, b), 1);
    CHECK_EQ(receive_fds(a, 4, &flags), 0);
    CHECK_EQ(send_fds(0, 5, b), 1);
    CHECK_EQ(receive_fds(a, 3, &flags), 3);
    CHECK_EQ(flags, MSG_CTRUNC);
    CHECK_EQ(send_fds(0, 5, b), 1);
    CHECK_EQ(receive_fds(a, 0, &flags), 0);
    CHECK_EQ(flags, MSG_CTRUNC);
    CHECK_EQ(send_fds(0, 5, b), 1);
    CHECK_EQ(receive_fds(a, -1, &flags), 0);
    CHECK_EQ(flags, MSG_CTRUNC);
}

static void test_odd(void)
{
    struct msghdr m;
    struct cmsghdr *c = start(&m, SOL_SOCKET, SCM_RIGHTS, 4);
    c->cmsg_len = 5;
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EINVAL);
    c->cmsg_len = 4000;
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EINVAL);
    start(&m, SOL_SOCKET, 77, 4);
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EINVAL);
    start(&m, 77, 1, 4); /* another level: passed over */
    CHECK_EQ(sendmsg(b, &m, MSG_DONTWAIT), 1);
    CHECK_EQ(recv(a, &byte, 1, 0), 1);
    start(&m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(struct ucred) - 1);
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EINVAL);
    c = start(&m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(struct ucred));
    *(struct ucred *)CMSG_DATA(c) = (struct ucred){99999999, 0, 0};
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), ESRCH);
    *(struct ucred *)CMSG_DATA(c) = (struct ucred){getpid(), (uid_t)-1, 0};
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EINVAL);
    m.msg_controllen = 3; /* too short to be one: none */
    CHECK_EQ(sendmsg(b, &m, MSG_DONTWAIT), 1);
    CHECK_EQ(recv(a, &byte, 1, 0), 1);
    m.msg_control = (void *)8;
    m.msg_controllen = 64;
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EFAULT);
    m.msg_controllen = (size_t)-1;
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), ENOBUFS);
    m.msg_controllen = 0;
    m.msg_iovlen = 1025;
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EMSGSIZE);
    CHECK_ERR(recvmsg(b, &m, MSG_DONTWAIT), EMSGSIZE);
    m.msg_iovlen = 1;
    m.msg_name = &m;
    m.msg_namelen = (socklen_t)-1;
    CHECK_ERR(sendmsg(b, &m, MSG_DONTWAIT), EINVAL);
}

/* An unprivileged user cannot have more in flight than it may have open. */
static void test_too_many(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit r = {64, 64};
        int fds[2], err = 0;
        socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &r), 0);
        CHECK_EQ(setuid(1234), 0);
        for (int n = 0; n < 9 && !err; n++)
            err = send_fds(fds[0], 20, fds[0]) < 0 ? errno : 0;
        CHECK_EQ(err, ETOOMANYREFS);
        fflush(stdout);
        _exit(check_done());
    }
    CHECK_EQ(check_wait(pid), 0);
}

/* Files come with the byte they were sent with; reads stop there. */
static void test_stream_boundaries(void)
{
    char buf[16];
    int flags;
    CHECK_EQ(send(b, "ab", 2, 0), 2);
    CHECK_EQ(send_fds(0, 1, b), 1);
    CHECK_EQ(send(b, "cd", 2, 0), 2);
    CHECK_EQ(recv(a, buf, 2, 0), 2);
    CHECK_EQ(receive_fds(a, 1, &flags), 1);
    CHECK_EQ(recv(a, buf, 16, 0), 2);
    CHECK_EQ(send_fds(0, 1, b), 1);
    CHECK_EQ(recv(a, buf, 1, 0), 1); /* without room: closed */
    CHECK_EQ(send_fds(0, 1, b), 1);
    CHECK_EQ(recv(a, buf, 1, MSG_PEEK), 1);
    CHECK_EQ(receive_fds(a, 1, &flags), 1);
}

static void test_close_on_exec(void)
{
    struct msghdr m = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    CHECK_EQ(send_fds(0, 1, b), 1);
    CHECK_EQ(recvmsg(a, &m, MSG_CMSG_CLOEXEC), 1);
    CHECK_EQ(m.msg_flags, MSG_CMSG_CLOEXEC);
    int fd = *(int *)CMSG_DATA(CMSG_FIRSTHDR(&m));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

int main(void)
{
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    a = fds[0];
    b = fds[1];
    test_bounds();
    test_odd();
    test_too_many();
    test_stream_boundaries();
    test_close_on_exec();
    return check_done();
}
