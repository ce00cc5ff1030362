// Corners of TCP and UDP: self-connect, TCP_DEFER_ACCEPT, TCP_LINGER2, TCP_INQ, SIOCGSTAMP, accept's inheritance.
#include "inet.h"
#include <linux/sockios.h>
#include <sys/time.h>
#include <sys/uio.h>

static void self_connect(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    char b[8];
    CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(s)), 0);
    CHECK_EQ(write(s, "me", 2), 2);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    CHECK_EQ(read(s, b, 8), 2);
    CHECK_EQ(shutdown(s, SHUT_WR), 0);
    CHECK_EQ(read(s, b, 8), 0);
    close(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(s)), 0);
    CHECK_EQ(write(s, "me", 2), 2);
    close(s);
}

static void defer_accept(void)
{
    int l = listener4(5), c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1), 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    CHECK_EQ(poll_now(l, POLLIN), 0);
    CHECK_EQ(write(c, "x", 1), 1);
    CHECK_EQ(poll_for(l, POLLIN), POLLIN);
    int s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    close(s);
    close(c);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    struct pollfd p = {.fd = l, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 5000), 1); /* after a while without bytes as well */
    s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    close(s);
    close(c);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    close(l);
    close(c);
}

static void linger2(void)
{
    int l = listener4(5), port = port_of(l), c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port), 0);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(set_int(s, IPPROTO_TCP, TCP_LINGER2, 1), 0);
    close(l);
    close(s); /* FIN_WAIT2: the client does not close */
    check_sleep_ms(100);
    l = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERR(bind4(l, INADDR_LOOPBACK, port), EADDRINUSE);
    check_sleep_ms(1500);
    CHECK_EQ(bind4(l, INADDR_LOOPBACK, port), 0);
    close(l);
    close(c);
}

static void inquiry(void)
{
    int c, s;
    char b[8], control[64];
    struct iovec iov = {b, 2};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    tcp_pair(&c, &s);
    CHECK_EQ(set_int(s, IPPROTO_TCP, TCP_INQ, 1), 0);
    CHECK_EQ(write(c, "12345", 5), 5);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    CHECK_EQ(recvmsg(s, &m, 0), 2);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    CHECK(h && h->cmsg_level == IPPROTO_TCP && h->cmsg_type == TCP_CM_INQ);
    if (h)
        CHECK_EQ(*(int *)CMSG_DATA(h), 3);
    close(c);
    close(s);
}

static void stamp(void)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval tv, before, after;
    char buf[4];
    CHECK_ERR(ioctl(a, SIOCGSTAMP, &tv), ENOENT);
    CHECK_EQ(bind4(a, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(a)), 0);
    gettimeofday(&before, NULL);
    CHECK_EQ(send(b, "x", 1, 0), 1);
    CHECK_EQ(recv(a, buf, 4, 0), 1);
    CHECK_EQ(ioctl(a, SIOCGSTAMP, &tv), 0);
    gettimeofday(&after, NULL);
    CHECK(tv.tv_sec >= before.tv_sec - 1 && tv.tv_sec <= after.tv_sec + 1);
    close(a);
    close(b);
}

static void inherited(void)
{
    int l = listener4(5), c = socket(AF_INET, SOCK_STREAM, 0);
    set_int(l, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(l, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(l, IPPROTO_TCP, TCP_KEEPIDLE, 77);
    set_int(l, IPPROTO_TCP, TCP_USER_TIMEOUT, 1234);
    set_int(l, IPPROTO_IP, IP_TTL, 50);
    struct linger lg = {1, 3}, got = {0};
    socklen_t len = sizeof got;
    setsockopt(l, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(get_int(l, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, &got, &len), 0);
    CHECK_EQ(got.l_linger, 3);
    CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_MAXSEG) > 1000, 1);
    close(s);
    close(c);
    close(l);
}

static void bad_memory(void)
{
    int c, s;
    char b[4];
    tcp_pair(&c, &s);
    CHECK_ERR(send(c, (void *)8, 4, 0), EFAULT);
    CHECK_EQ(write(c, "abcd", 4), 4);
    CHECK_ERR(recv(s, (void *)8, 4, 0), EFAULT);
    CHECK_ERR(recv(s, (void *)-4096L, 4, 0), EFAULT);
    CHECK_ERR(ioctl(s, FIONREAD, 8), EFAULT);
    CHECK_ERR(ioctl(s, 0x12345678, 8), ENOTTY);
    struct msghdr m = {.msg_iov = (void *)8, .msg_iovlen = 1};
    CHECK_ERR(sendmsg(c, &m, 0), EFAULT);
    m.msg_iovlen = 2000;
    CHECK_ERR(sendmsg(c, &m, 0), EMSGSIZE);
    CHECK_ERR(sendmsg(c, (void *)8, 0), EFAULT);
    CHECK_ERR(recvmsg(s, (void *)8, 0), EFAULT);
    (void)b;
    close(c);
    close(s);
}

static void fast_open(void)
{
    int l = listener4(5), c = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = in4(INADDR_LOOPBACK, port_of(l));
    char b[8];
    CHECK_EQ(sendto(c, "fast", 4, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to), 4);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(read(s, b, 8), 4);
    CHECK_ERR(sendto(c, "again", 5, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to), EISCONN);
    close(s);
    close(c);
    close(l);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    self_connect();
    defer_accept();
    linger2();
    inquiry();
    stamp();
    inherited();
    bad_memory();
    fast_open();
    return check_done();
}
