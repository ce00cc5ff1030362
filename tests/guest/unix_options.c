// SOL_SOCKET options on AF_UNIX sockets.
#include "expect.h"
#include <sys/socket.h>
#include <sys/un.h>

static int get(int s, int option)
{
    int v = -12345;
    socklen_t len = sizeof v;
    return getsockopt(s, SOL_SOCKET, option, &v, &len) == 0 && len == sizeof v ? v : -errno;
}

static int set(int s, int option, int v)
{
    return setsockopt(s, SOL_SOCKET, option, &v, sizeof v);
}

int main(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(get(s, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(get(d, SO_TYPE), SOCK_DGRAM);
    CHECK_EQ(get(s, SO_DOMAIN), AF_UNIX);
    CHECK_EQ(get(s, SO_PROTOCOL), 0);
    CHECK_EQ(get(s, SO_ERROR), 0);
    CHECK_EQ(get(s, SO_ACCEPTCONN), 0);
    CHECK_EQ(get(s, SO_SNDBUF), 212992);
    CHECK_EQ(set(s, SO_SNDBUF, 10000), 0);
    CHECK_EQ(get(s, SO_SNDBUF), 20000);
    CHECK_EQ(set(s, SO_SNDBUF, 1), 0);
    CHECK_EQ(get(s, SO_SNDBUF), 4608);
    CHECK_EQ(set(s, SO_RCVBUF, 50000), 0);
    CHECK_EQ(get(s, SO_RCVBUF), 100000);
    CHECK_EQ(set(s, SO_PASSCRED, 1), 0);
    CHECK_EQ(get(s, SO_PASSCRED), 1);
    CHECK_EQ(set(s, SO_REUSEADDR, 5), 0);
    CHECK_EQ(get(s, SO_REUSEADDR), 1);
    CHECK_EQ(set(s, SO_KEEPALIVE, 1), 0);
    CHECK_EQ(set(s, SO_BROADCAST, 1), 0);
    CHECK_EQ(get(s, SO_RCVLOWAT), 1);
    CHECK_EQ(set(s, SO_PRIORITY, 3), 0);
    CHECK_EQ(get(s, SO_PRIORITY), 3);
    struct linger l = {1, 7}, back = {0};
    socklen_t len = sizeof back;
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, &back, &len), 0);
    CHECK(back.l_onoff == 1 && back.l_linger == 7);
    CHECK_ERR(set(s, SO_TYPE, 1), ENOPROTOOPT);
    CHECK_ERR(set(s, 9999, 1), ENOPROTOOPT);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &l, 2), EINVAL);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_SNDBUF, (void *)8, 4), EFAULT);
    char one = 0;
    len = 1;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, &one, &len), 0);
    CHECK(len == 1 && one == SOCK_STREAM);
    int p[2];
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(set(p[0], SO_SNDBUF, 1), ENOTSOCK);
    CHECK_ERR(listen(p[0], 1), ENOTSOCK);
    CHECK_ERR(shutdown(s, 7), EINVAL);
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "x"};
    CHECK_EQ(bind(s, (void *)&a, sizeof a) | listen(s, 1), 0);
    CHECK_EQ(get(s, SO_ACCEPTCONN), 1);
    return check_done();
}
