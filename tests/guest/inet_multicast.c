// Multicast on the loopback interface: membership, IP_MULTICAST_LOOP, sources, errors.
#include "inet.h"
#include <net/if.h>

#define GROUP 0xefff0102u /* 239.255.1.2 */

static int receiver(int port)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    set_int(s, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind4(s, INADDR_ANY, port), 0);
    return s;
}

static int membership(int s, int option, uint32_t group)
{
    struct ip_mreqn m = {{htonl(group)}, {htonl(INADDR_ANY)}, 1};
    return setsockopt(s, IPPROTO_IP, option, &m, sizeof m);
}

static int use_lo(int s)
{
    struct ip_mreqn m = {.imr_ifindex = 1};
    return setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m);
}

static void groups(void)
{
    int a = receiver(0), b = receiver(port_of(a)), s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = in4(GROUP, port_of(a));
    char buf[8];
    CHECK_EQ(use_lo(s), 0);
    CHECK_ERR(membership(a, IP_DROP_MEMBERSHIP, GROUP), EADDRNOTAVAIL);
    CHECK_ERR(membership(a, IP_ADD_MEMBERSHIP, 0x01020304), EINVAL);
    CHECK_EQ(membership(a, IP_ADD_MEMBERSHIP, GROUP), 0);
    CHECK_ERR(membership(a, IP_ADD_MEMBERSHIP, GROUP), EADDRINUSE);
    CHECK_EQ(membership(b, IP_ADD_MEMBERSHIP, GROUP), 0);
    CHECK_EQ(sendto(s, "all", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_EQ(poll_for(a, POLLIN), POLLIN);
    CHECK_EQ(poll_for(b, POLLIN), POLLIN);
    CHECK_EQ(recv(a, buf, 8, MSG_DONTWAIT), 3);
    CHECK_EQ(recv(b, buf, 8, MSG_DONTWAIT), 3);
    CHECK_EQ(membership(b, IP_DROP_MEMBERSHIP, GROUP), 0);
    set_int(b, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    CHECK_EQ(sendto(s, "one", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_EQ(recv(a, buf, 8, 0), 3);
    CHECK_ERR(recv(b, buf, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0), 0);
    CHECK_EQ(sendto(s, "nil", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_MULTICAST_LOOP, 1), 0);
    struct ip_mreq_source src = {{htonl(GROUP + 1)}, {htonl(INADDR_LOOPBACK)}, {htonl(0x7f000005)}};
    to.sin_addr.s_addr = htonl(GROUP + 1);
    CHECK_EQ(setsockopt(b, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &src, sizeof src), 0);
    CHECK_EQ(sendto(s, "src", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_ERR(recv(b, buf, 8, MSG_DONTWAIT), EAGAIN); /* from 127.0.0.1 */
    close(a);
    close(b);
    close(s);
}

static void errors(void)
{
    int t = socket(AF_INET, SOCK_STREAM, 0), s = socket(AF_INET, SOCK_DGRAM, 0);
    struct ip_mreqn m = {{htonl(GROUP)}, {htonl(INADDR_ANY)}, 1};
    CHECK_ERR(setsockopt(t, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), EPROTO);
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 4), EINVAL);
    m.imr_ifindex = 9999;
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), ENODEV);
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m), EADDRNOTAVAIL);
    struct in_addr none = {htonl(0x01020304)}, lo = {htonl(INADDR_LOOPBACK)}, got;
    socklen_t len = sizeof got;
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &none, sizeof none), EADDRNOTAVAIL);
    CHECK_EQ(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo), 0);
    CHECK_EQ(getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &got, &len), 0);
    CHECK_EQ(got.s_addr, lo.s_addr);
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &lo, 1), EINVAL);
    close(t);
    close(s);
}

static void v6(void)
{
    int a = socket(AF_INET6, SOCK_DGRAM, 0), s = socket(AF_INET6, SOCK_DGRAM, 0);
    struct ipv6_mreq m = {.ipv6mr_interface = 1};
    char buf[8];
    inet_pton(AF_INET6, "ff01::1234", &m.ipv6mr_multiaddr);
    CHECK_EQ(bind6(a, in6addr_any, 0), 0);
    CHECK_EQ(setsockopt(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), 0);
    CHECK_ERR(setsockopt(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), EADDRINUSE);
    CHECK_EQ(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1), 0);
    CHECK_EQ(get_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF), 1);
    CHECK_ERR(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 9999), ENODEV);
    struct sockaddr_in6 to = in6(m.ipv6mr_multiaddr, port_of(a));
    /* Some machines have a route for it, others not. */
    ssize_t n = sendto(s, "six", 3, 0, (struct sockaddr *)&to, sizeof to);
    CHECK(n == 3 || errno == ENETUNREACH);
    if (n == 3)
        CHECK_EQ(recv(a, buf, 8, 0), 3);
    CHECK_EQ(setsockopt(a, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &m, sizeof m), 0);
    CHECK_ERR(setsockopt(a, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &m, sizeof m), EADDRNOTAVAIL);
    close(a);
    close(s);
}

int main(void)
{
    groups();
    errors();
    v6();
    return check_done();
}
