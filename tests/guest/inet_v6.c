// AF_INET6: names, dual-stack sockets and mapped addresses, UDP control messages.
#include "inet.h"

static struct in6_addr mapped(uint32_t v4)
{
    struct in6_addr a = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}}};
    a.s6_addr32[3] = htonl(v4);
    return a;
}

static void plain(void)
{
    int l = socket(AF_INET6, SOCK_STREAM, 0), c = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 a;
    socklen_t len = sizeof a;
    char b[8];
    CHECK_EQ(bind6(l, in6addr_loopback, 0), 0);
    CHECK_EQ(listen(l, 5), 0);
    CHECK_EQ(connect6(c, in6addr_loopback, port_of(l)), 0);
    int s = accept(l, (struct sockaddr *)&a, &len);
    CHECK(s >= 0);
    CHECK_EQ(len, sizeof a);
    CHECK_EQ(a.sin6_family, AF_INET6);
    CHECK(IN6_IS_ADDR_LOOPBACK(&a.sin6_addr));
    CHECK_EQ(ntohs(a.sin6_port), port_of(c));
    CHECK_EQ(write(s, "six", 3), 3);
    CHECK_EQ(read(c, b, 8), 3);
    close(s);
    close(c);
    c = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(connect6(c, in6addr_any, port_of(l)), 0); /* this machine */
    close(c);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERR(connect4(c, INADDR_LOOPBACK, port_of(l)), ECONNREFUSED); /* bound to ::1 only */
    close(c);
    close(l);
}

static void dual(void)
{
    int l = socket(AF_INET6, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in6 a;
    struct sockaddr_in a4;
    socklen_t len = sizeof a;
    struct in6_addr lo4 = mapped(INADDR_LOOPBACK);
    CHECK_EQ(bind6(l, in6addr_any, 0), 0);
    CHECK_EQ(listen(l, 5), 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    int s = accept(l, (struct sockaddr *)&a, &len);
    CHECK(s >= 0);
    CHECK_EQ(len, sizeof a);
    CHECK(IN6_ARE_ADDR_EQUAL(&a.sin6_addr, &lo4));
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_DOMAIN), AF_INET6);
    CHECK_EQ(getsockname(s, (struct sockaddr *)&a, &len), 0);
    CHECK(IN6_ARE_ADDR_EQUAL(&a.sin6_addr, &lo4));
    len = sizeof a4;
    CHECK_EQ(getpeername(c, (struct sockaddr *)&a4, &len), 0);
    CHECK_EQ(a4.sin_family, AF_INET);
    CHECK_EQ(ntohl(a4.sin_addr.s_addr), INADDR_LOOPBACK);
    close(s);
    close(c);
    int l4 = listener4(1);
    c = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(connect6(c, lo4, port_of(l4)), 0); /* an IPv4 server through a mapped address */
    len = sizeof a;
    CHECK_EQ(getsockname(c, (struct sockaddr *)&a, &len), 0);
    CHECK(IN6_ARE_ADDR_EQUAL(&a.sin6_addr, &lo4));
    close(c);
    c = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(set_int(c, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    CHECK_ERR(connect6(c, lo4, port_of(l4)), ENETUNREACH);
    CHECK_ERR(bind6(c, lo4, 0), EINVAL);
    close(c);
    c = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(bind6(c, lo4, 0), 0);
    close(c);
    close(l4);
    close(l);
}

static void udp(void)
{
    int a = socket(AF_INET6, SOCK_DGRAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
    char buf[16], room[256];
    struct sockaddr_in6 from, to = in6(in6addr_loopback, 0);
    set_int(a, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    set_int(a, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    set_int(a, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    CHECK_EQ(bind6(a, in6addr_any, 0), 0);
    to.sin6_port = htons((uint16_t)port_of(a));
    set_int(b, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
    set_int(b, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
    CHECK_EQ(sendto(b, "v6", 2, 0, (struct sockaddr *)&to, sizeof to), 2);
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {&from, sizeof from, &iov, 1, room, sizeof room, 0};
    CHECK_EQ(recvmsg(a, &m, 0), 2);
    CHECK(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr));
    int seen = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_type == IPV6_PKTINFO) {
            CHECK(IN6_IS_ADDR_LOOPBACK(&((struct in6_pktinfo *)CMSG_DATA(h))->ipi6_addr));
            CHECK_EQ(((struct in6_pktinfo *)CMSG_DATA(h))->ipi6_ifindex, 1);
            seen |= 1;
        } else if (h->cmsg_type == IPV6_HOPLIMIT) {
            CHECK_EQ(*(int *)CMSG_DATA(h), 9);
            seen |= 2;
        } else if (h->cmsg_type == IPV6_TCLASS) {
            CHECK_EQ(*(int *)CMSG_DATA(h), 0x20);
            seen |= 4;
        }
    }
    CHECK_EQ(seen, 7);
    struct sockaddr_in to4 = in4(INADDR_LOOPBACK, port_of(a));
    CHECK_EQ(sendto(c, "v4", 2, 0, (struct sockaddr *)&to4, sizeof to4), 2);
    m.msg_controllen = sizeof room;
    CHECK_EQ(recvmsg(a, &m, 0), 2);
    CHECK(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    CHECK_EQ(sendto(b, "4a", 2, 0, (struct sockaddr *)&to4, sizeof to4), 2); /* sockaddr_in on an IPv6 socket */
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 2);
    to.sin6_addr = mapped(INADDR_LOOPBACK);
    CHECK_EQ(sendto(b, "4b", 2, 0, (struct sockaddr *)&to, sizeof to), 2);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 2);
    CHECK_ERR(sendto(b, "x", 1, 0, (struct sockaddr *)&to, 20), EINVAL);
    close(a);
    close(b);
    close(c);
}

int main(void)
{
    plain();
    dual();
    udp();
    return check_done();
}
