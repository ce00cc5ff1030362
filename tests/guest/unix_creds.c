// SO_PEERCRED, SO_PASSCRED, SCM_CREDENTIALS.
#include "expect.h"
#include <sys/socket.h>
#include <sys/un.h>

static int recv_cred(int s, struct ucred *ret)
{
    char control[100], data[10];
    struct iovec v = {data, sizeof data};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(s, &m, 0) < 0)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            CHECK_EQ(c->cmsg_len, CMSG_LEN(sizeof *ret));
            memcpy(ret, CMSG_DATA(c), sizeof *ret);
            return 1;
        }
    return 0;
}

static ssize_t send_cred(int s, struct ucred u)
{
    char control[CMSG_SPACE(sizeof u)] = {0};
    struct iovec v = {"c", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    c->cmsg_len = CMSG_LEN(sizeof u);
    memcpy(CMSG_DATA(c), &u, sizeof u);
    return sendmsg(s, &m, 0);
}

int main(void)
{
    int s[2], on = 1;
    struct ucred u = {0};
    socklen_t len = sizeof u;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len), 0);
    CHECK(len == sizeof u && u.pid == getpid() && u.uid == getuid() && u.gid == getgid());
    CHECK_EQ(write(s[0], "x", 1), 1);
    CHECK_EQ(recv_cred(s[1], &u), 0);
    CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(write(s[0], "x", 1) != 1);
    CHECK_EQ(recv_cred(s[1], &u), 1);
    CHECK_EQ(u.pid, pid);
    CHECK_EQ(u.uid, getuid());
    check_wait(pid);
    CHECK_EQ(send_cred(s[0], (struct ucred){getpid(), getuid(), getgid()}), 1);
    CHECK_EQ(recv_cred(s[1], &u), 1);
    CHECK_EQ(u.pid, getpid());
    pid = fork();
    if (pid == 0) {
        if (setuid(1234) == 0) { // an ordinary user cannot claim to be another
            CHECK_ERR(send_cred(s[0], (struct ucred){getpid(), 0, getgid()}), EPERM);
            CHECK_ERR(send_cred(s[0], (struct ucred){getppid(), 1234, getgid()}), EPERM);
            CHECK_EQ(send_cred(s[0], (struct ucred){getpid(), 1234, getgid()}), 1);
        } else if (write(s[0], "y", 1) != 1) {
            _exit(1);
        }
        fflush(stdout);
        _exit(check_failures);
    }
    CHECK_EQ(recv_cred(s[1], &u), 1);
    CHECK_EQ(u.pid, pid);
    CHECK_EQ(check_wait(pid), 0);

    // A connection shows the listener's credentials to the client and the client's to the server
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "sock"};
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(l, (void *)&a, sizeof a) | listen(l, 3), 0);
    len = sizeof u;
    int fresh = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(getsockopt(fresh, SOL_SOCKET, SO_PEERCRED, &u, &len), 0);
    CHECK(u.pid == 0 && u.uid == (uid_t)-1);
    int ready[2];
    CHECK_EQ(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        char c;
        int k = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(connect(k, (void *)&a, sizeof a) != 0 || read(ready[0], &c, 1) != 1);
    }
    int k = accept(l, NULL, NULL);
    CHECK_EQ(getsockopt(k, SOL_SOCKET, SO_PEERCRED, &u, &len), 0);
    CHECK_EQ(u.pid, pid);
    CHECK_EQ(write(ready[1], "x", 1), 1);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(connect(fresh, (void *)&a, sizeof a), 0);
    CHECK_EQ(getsockopt(fresh, SOL_SOCKET, SO_PEERCRED, &u, &len), 0);
    CHECK_EQ(u.pid, getpid());
    return check_done();
}
