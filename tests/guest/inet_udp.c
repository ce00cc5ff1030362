// UDP: names, connect and disconnect, sizes, truncation, peeking, control messages, errors of ports nobody has.
#include "inet.h"
#include <linux/errqueue.h>
#include <sys/uio.h>

static int udp(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static int bound(void)
{
    int s = udp();
    CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
    return s;
}

static ssize_t send_to(int s, const char *text, uint32_t addr, int port)
{
    struct sockaddr_in a = in4(addr, port);
    return sendto(s, text, strlen(text), 0, (struct sockaddr *)&a, sizeof a);
}

static void names(void)
{
    int a = bound(), b = udp();
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    char buf[32];
    CHECK_EQ(poll_now(a, ALL_EVENTS), POLLOUT);
    CHECK_ERR(send(b, "x", 1, 0), EDESTADDRREQ);
    CHECK_ERR(send_to(b, "x", INADDR_LOOPBACK, 0), EINVAL);
    CHECK_EQ(send_to(b, "hello", INADDR_LOOPBACK, port_of(a)), 5);
    CHECK_EQ(poll_for(a, POLLIN), POLLIN);
    CHECK_EQ(recvfrom(a, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 5);
    CHECK_EQ(len, sizeof from);
    CHECK_EQ(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(ntohs(from.sin_port), port_of(b));
    struct sockaddr_in self;
    CHECK_EQ(getsockname(b, (struct sockaddr *)&self, &len), 0);
    CHECK_EQ(self.sin_addr.s_addr, htonl(INADDR_ANY));
    CHECK_ERR(recv(a, buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send_to(b, "", INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 0); /* an empty datagram */
    struct sockaddr_in bad = in4(INADDR_LOOPBACK, port_of(a));
    CHECK_ERR(sendto(b, "x", 1, 0, (struct sockaddr *)&bad, 8), EINVAL);
    bad.sin_family = AF_UNIX;
    CHECK_ERR(sendto(b, "x", 1, 0, (struct sockaddr *)&bad, sizeof bad), EAFNOSUPPORT);
    bad.sin_family = AF_UNSPEC;
    CHECK_EQ(sendto(b, "x", 1, 0, (struct sockaddr *)&bad, sizeof bad), 1);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 1);
    CHECK_ERR(recv(a, buf, 1, MSG_OOB | MSG_DONTWAIT), EAGAIN == errno ? EAGAIN : EOPNOTSUPP);
    CHECK_ERR(send(b, "x", 1, MSG_OOB), EOPNOTSUPP);
    close(a);
    close(b);
}

static void connected(void)
{
    int a = bound(), b = udp(), c = bound();
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    char buf[32];
    CHECK_ERR(getpeername(b, (struct sockaddr *)&peer, &len), ENOTCONN);
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_EQ(getpeername(b, (struct sockaddr *)&peer, &len), 0);
    CHECK_EQ(ntohs(peer.sin_port), port_of(a));
    CHECK_EQ(getsockname(b, (struct sockaddr *)&peer, &len), 0);
    CHECK_EQ(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(send(b, "1", 1, 0), 1);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 1);
    CHECK_EQ(send_to(c, "stranger", INADDR_LOOPBACK, port_of(b)), 8);
    CHECK_ERR(recv(b, buf, sizeof buf, MSG_DONTWAIT), EAGAIN); /* only its peer is heard */
    CHECK_EQ(send_to(a, "friend", INADDR_LOOPBACK, port_of(b)), 6);
    CHECK_EQ(recv(b, buf, sizeof buf, 0), 6);
    CHECK_EQ(send_to(b, "x", INADDR_LOOPBACK, port_of(c)), 1); /* others can still be sent to */
    CHECK_EQ(recv(c, buf, sizeof buf, 0), 1);
    int port = port_of(b);
    CHECK_EQ(connect(b, &none, sizeof none), 0);
    CHECK_ERR(getpeername(b, (struct sockaddr *)&peer, &len), ENOTCONN);
    CHECK_EQ(port_of(b), 0);
    CHECK_ERR(send(b, "x", 1, 0), EDESTADDRREQ);
    CHECK(port_of(b) > 0); /* a send takes a port, whatever becomes of it */
    CHECK(port > 0);
    CHECK_EQ(connect4(b, INADDR_ANY, port_of(a)), 0);
    CHECK_EQ(send(b, "2", 1, 0), 1);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 1);
    close(a);
    close(b);
    close(c);
}

static void sizes(void)
{
    static char big[70000], got[70000];
    int a = bound(), b = udp();
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(a)), 0);
    set_int(a, SOL_SOCKET, SO_RCVBUF, 400000);
    memset(big, 'b', sizeof big);
    CHECK_EQ(send(b, big, 65507, 0), 65507);
    CHECK_EQ(recv(a, got, sizeof got, 0), 65507);
    CHECK_ERR(send(b, big, 65508, 0), EMSGSIZE);
    CHECK_ERR(send(b, big, 70000, 0), EMSGSIZE);
    CHECK_EQ(send(b, "0123456789", 10, 0), 10);
    CHECK_EQ(recv(a, got, 4, MSG_PEEK), 4);
    CHECK_EQ(recv(a, got, 4, MSG_TRUNC | MSG_PEEK), 10);
    int n = 0;
    CHECK_EQ(ioctl(a, FIONREAD, &n), 0);
    CHECK_EQ(n, 10);
    struct iovec iov = {got, 4};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    CHECK_EQ(recvmsg(a, &m, 0), 4);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_ERR(recv(a, got, 4, MSG_DONTWAIT), EAGAIN); /* the rest is gone */
    CHECK_EQ(ioctl(a, FIONREAD, &n), 0);
    CHECK_EQ(n, 0);
    for (int i = 0; i < 10000; i++)
        CHECK_EQ(send(b, big, 1000, 0), 1000); /* more than fits: dropped */
    int received = 0;
    while (recv(a, got, sizeof got, MSG_DONTWAIT) == 1000)
        received++;
    CHECK(received > 50 && received < 5000);
    close(a);
    close(b);
}

static void refused(void)
{
    int a = bound(), b = udp(), port = port_of(a);
    char buf[64], control[256];
    close(a);
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port), 0);
    CHECK_EQ(send(b, "x", 1, 0), 1);
    CHECK_EQ(poll_for(b, POLLERR) & POLLERR, POLLERR);
    CHECK_ERR(recv(b, buf, 1, MSG_DONTWAIT), ECONNREFUSED);
    CHECK_ERR(recv(b, buf, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(b, "x", 1, 0), 1);
    CHECK_EQ(poll_for(b, POLLERR) & POLLERR, POLLERR);
    CHECK_ERR(send(b, "x", 1, 0), ECONNREFUSED);
    CHECK_EQ(send(b, "x", 1, 0), 1);
    poll_for(b, POLLERR);
    CHECK_EQ(get_int(b, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    close(b);
    b = udp();
    CHECK_EQ(send_to(b, "x", INADDR_LOOPBACK, port), 1); /* not connected: nobody tells */
    CHECK_EQ(poll_now(b, ALL_EVENTS), POLLOUT);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(send_to(b, "lost", INADDR_LOOPBACK, port), 4);
    CHECK_EQ(poll_for(b, POLLERR) & POLLERR, POLLERR);
    struct iovec iov = {buf, sizeof buf};
    struct sockaddr_in to;
    struct msghdr m = {&to, sizeof to, &iov, 1, control, sizeof control, 0};
    CHECK_EQ(recvmsg(b, &m, MSG_ERRQUEUE), 4);
    CHECK(memcmp(buf, "lost", 4) == 0);
    CHECK_EQ(m.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    CHECK_EQ(ntohs(to.sin_port), port);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c != NULL && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
    struct sock_extended_err *e = (void *)CMSG_DATA(c);
    CHECK_EQ(e->ee_errno, ECONNREFUSED);
    CHECK_EQ(e->ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK_EQ(e->ee_type, 3);
    CHECK_EQ(e->ee_code, 3);
    CHECK_ERR(recvmsg(b, &m, MSG_ERRQUEUE), EAGAIN);
    close(b);
}

static void shut(void)
{
    int a = bound(), b = udp();
    char buf[8];
    CHECK_ERR(shutdown(b, SHUT_RDWR), ENOTCONN);
    close(b);
    b = udp();
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_ERR(shutdown(b, 3), EINVAL);
    CHECK_EQ(shutdown(b, SHUT_RD), 0);
    CHECK_EQ(poll_now(b, ALL_EVENTS), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(recv(b, buf, 8, 0), 0);
    CHECK_ERR(recv(b, buf, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(b, "x", 1, 0), 1);
    CHECK_EQ(shutdown(b, SHUT_WR), 0);
    CHECK_ERR(send(b, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(poll_now(b, ALL_EVENTS), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    close(a);
    close(b);
}

static void control(void)
{
    int a = bound(), b = udp();
    char buf[16], room[512];
    set_int(a, IPPROTO_IP, IP_PKTINFO, 1);
    set_int(a, IPPROTO_IP, IP_RECVTTL, 1);
    set_int(a, IPPROTO_IP, IP_RECVTOS, 1);
    set_int(a, IPPROTO_IP, IP_RECVORIGDSTADDR, 1);
    set_int(a, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    set_int(b, IPPROTO_IP, IP_TTL, 33);
    set_int(b, IPPROTO_IP, IP_TOS, 0x10);
    CHECK_EQ(send_to(b, "x", INADDR_LOOPBACK, port_of(a)), 1);
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    CHECK_EQ(recvmsg(a, &m, 0), 1);
    int seen = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo *p = (void *)CMSG_DATA(c);
            CHECK_EQ(c->cmsg_len, CMSG_LEN(sizeof *p));
            CHECK_EQ(p->ipi_ifindex, 1);
            CHECK_EQ(ntohl(p->ipi_addr.s_addr), INADDR_LOOPBACK);
            seen |= 1;
        }
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
            CHECK_EQ(*(int *)CMSG_DATA(c), 33);
            seen |= 2;
        }
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            CHECK_EQ(c->cmsg_len, CMSG_LEN(1));
            CHECK_EQ(*CMSG_DATA(c), 0x10);
            seen |= 4;
        }
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_ORIGDSTADDR) {
            CHECK_EQ(ntohs(((struct sockaddr_in *)CMSG_DATA(c))->sin_port), port_of(a));
            seen |= 8;
        }
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            seen |= 16;
    }
    CHECK_EQ(seen, 31);
    m.msg_controllen = 4;
    CHECK_EQ(send_to(b, "x", INADDR_LOOPBACK, port_of(a)), 1);
    CHECK_EQ(recvmsg(a, &m, 0), 1);
    CHECK_EQ(m.msg_flags, MSG_CTRUNC);
    /* TTL and source for one message */
    char out[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    struct sockaddr_in to = in4(INADDR_LOOPBACK, port_of(a)), from;
    struct msghdr o = {&to, sizeof to, &iov, 1, out, sizeof out, 0};
    struct cmsghdr *c = CMSG_FIRSTHDR(&o);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), IPPROTO_IP, IP_TTL};
    *(int *)CMSG_DATA(c) = 44;
    c = CMSG_NXTHDR(&o, c);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(struct in_pktinfo)), IPPROTO_IP, IP_PKTINFO};
    ((struct in_pktinfo *)CMSG_DATA(c))->ipi_spec_dst.s_addr = htonl(0x7f000009);
    iov.iov_len = 1;
    CHECK_EQ(sendmsg(b, &o, 0), 1);
    m.msg_controllen = sizeof room;
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    CHECK_EQ(recvmsg(a, &m, 0), 1);
    CHECK_EQ(ntohl(from.sin_addr.s_addr), 0x7f000009);
    for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
            CHECK_EQ(*(int *)CMSG_DATA(c), 44);
    c = CMSG_FIRSTHDR(&o);
    *(int *)CMSG_DATA(c) = 999;
    CHECK_ERR(sendmsg(b, &o, 0), EINVAL);
    close(a);
    close(b);
}

static void many(void)
{
    int a = bound(), b = udp();
    char buf[4][8];
    struct iovec iov[4];
    struct mmsghdr m[4] = {0};
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(a)), 0);
    for (int i = 0; i < 4; i++) {
        iov[i] = (struct iovec){buf[i], (size_t)i + 1};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    CHECK_EQ(sendmmsg(b, m, 4, 0), 4);
    CHECK_EQ(m[2].msg_len, 3);
    for (int i = 0; i < 4; i++)
        iov[i].iov_len = 8;
    CHECK_EQ(recvmmsg(a, m, 3, 0, NULL), 3);
    CHECK_EQ(m[1].msg_len, 2);
    CHECK_EQ(recvmmsg(a, m, 4, MSG_WAITFORONE, NULL), 1);
    CHECK_EQ(m[0].msg_len, 4);
    CHECK_ERR(recvmmsg(a, m, 4, MSG_DONTWAIT, NULL), EAGAIN);
    struct timespec ts = {0, -1};
    CHECK_ERR(recvmmsg(a, m, 4, 0, &ts), EINVAL);
    /* UDP_CORK: two writes, one datagram */
    CHECK_EQ(set_int(b, IPPROTO_UDP, 1, 1), 0);
    CHECK_EQ(write(b, "ab", 2), 2);
    CHECK_EQ(write(b, "cd", 2), 2);
    CHECK_ERR(recv(a, buf, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(set_int(b, IPPROTO_UDP, 1, 0), 0);
    CHECK_EQ(recv(a, buf, 8, 0), 4);
    CHECK_EQ(send(b, "x", 1, MSG_MORE), 1);
    CHECK_EQ(send(b, "yz", 2, 0), 2);
    CHECK_EQ(recv(a, buf, 8, 0), 3);
    /* UDP_SEGMENT: one write, three datagrams */
    CHECK_EQ(set_int(b, IPPROTO_UDP, 103, 4), 0);
    CHECK_EQ(write(b, "0123456789", 10), 10);
    CHECK_EQ(recv(a, buf, 8, 0), 4);
    CHECK_EQ(recv(a, buf, 8, 0), 4);
    CHECK_EQ(recv(a, buf, 8, 0), 2);
    close(a);
    close(b);
}

static void broadcast(void)
{
    int a = udp(), b = udp();
    char buf[8];
    CHECK_EQ(bind4(a, INADDR_ANY, 0), 0);
    CHECK_ERR(send_to(b, "x", 0x7fffffff, port_of(a)), EACCES);
    CHECK_EQ(set_int(b, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(send_to(b, "x", 0x7fffffff, port_of(a)), 1);
    CHECK_EQ(poll_for(a, POLLIN), POLLIN);
    CHECK_EQ(recv(a, buf, 8, 0), 1);
    close(a);
    close(b);
}

int main(void)
{
    names();
    connected();
    sizes();
    refused();
    shut();
    control();
    many();
    broadcast();
    return check_done();
}
