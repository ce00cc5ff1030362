// Options of SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP and IPPROTO_IPV6: defaults, bounds, sizes, errors.
#include "inet.h"
#include <linux/filter.h>

static void general(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDBUF), 16384);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVBUF), 131072);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_SNDBUF), 212992);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_RCVBUF), 212992);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_SNDBUF, 20000), 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDBUF), 40000);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_SNDBUF, 0), 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDBUF), 4608);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_RCVBUF, 0), 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVBUF), 2304);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDLOWAT), 1);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_SNDLOWAT, 1) == -1 && errno == ENOPROTOOPT, 1);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVLOWAT), 1);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 0), 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVLOWAT), 1);
    CHECK_ERR(set_int(s, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
    CHECK_ERR(set_int(s, SOL_SOCKET, SO_ACCEPTCONN, 1), ENOPROTOOPT);
    CHECK_ERR(set_int(s, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
    CHECK_EQ(get_int(s, SOL_SOCKET, 9999), -ENOPROTOOPT);
    CHECK_EQ(get_int(s, 9999, 1), -EOPNOTSUPP);
    char c = 1;
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &c, 1), EINVAL);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4), EFAULT);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_KEEPALIVE, 7), 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_PRIORITY, 3), 0);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_PRIORITY), 3);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_INCOMING_CPU), -1);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_PEEK_OFF), -1);
    CHECK_EQ(set_int(u, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_TIMESTAMP), 1);
    CHECK_EQ(set_int(u, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_TIMESTAMP), 0);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_TIMESTAMPNS), 1);
    CHECK_EQ(set_int(u, SOL_SOCKET, SO_TIMESTAMP, 0), 0);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_TIMESTAMPNS), 0);
    CHECK_EQ(get_int(u, SOL_SOCKET, SO_BSDCOMPAT), 0);
    uint64_t cookie = 0, other = 0;
    socklen_t len = sizeof cookie;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
    CHECK_EQ(getsockopt(u, SOL_SOCKET, SO_COOKIE, &other, &len), 0);
    CHECK(cookie != other);
    len = 4;
    CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_COOKIE, &cookie, &len), EINVAL);
    len = (socklen_t)-1;
    CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_TYPE, &cookie, &len), EINVAL);
    int v = -1;
    len = 2;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &len), 0);
    CHECK_EQ(len, 2);
    CHECK_EQ(v & 0xffff, SOCK_STREAM);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_PASSCRED, 1) == 0 || errno == EOPNOTSUPP, 1);
    close(s);
    close(u);
}

static void linger_and_time(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct linger l = {1, 5};
    struct timeval tv = {1, 500000};
    socklen_t len = sizeof l;
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    l = (struct linger){0};
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &len), 0);
    CHECK_EQ(l.l_onoff, 1);
    CHECK_EQ(l.l_linger, 5);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
    tv = (struct timeval){0};
    len = sizeof tv;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
    CHECK_EQ(tv.tv_sec, 1);
    CHECK_EQ(tv.tv_usec, 500000);
    tv.tv_usec = 1000000;
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), EDOM);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, 8), EINVAL);
    close(s);
}

static void tcp(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    static const struct {
        int option, initial, good, low, high;
    } numbers[] = {
        {TCP_KEEPIDLE, 7200, 100, 0, 32768},     {TCP_KEEPINTVL, 75, 10, 0, 32768}, {TCP_KEEPCNT, 9, 5, 0, 128},
        {TCP_SYNCNT, 6, 3, 0, 128},              {TCP_USER_TIMEOUT, 0, 1000, -1, -5}, {TCP_NODELAY, 0, 1, 999, 999},
        {TCP_CORK, 0, 1, 999, 999},              {TCP_QUICKACK, 1, 0, 999, 999},    {TCP_MAXSEG, 536, 1000, 87, 32768},
        {TCP_LINGER2, 60, 30, 999, 999},         {TCP_WINDOW_CLAMP, 0, 10000, 999, 999},
        {TCP_DEFER_ACCEPT, 0, 7, 999, 999},      {TCP_FASTOPEN, 0, 5, -1, -2},      {TCP_FASTOPEN_CONNECT, 0, 1, 2, -1},
        {TCP_INQ, 0, 1, 2, -1},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int o = numbers[i].option;
        if (get_int(s, IPPROTO_TCP, o) != numbers[i].initial)
            printf("option %d: initial %d\n", o, get_int(s, IPPROTO_TCP, o)), check_failures++;
        if (set_int(s, IPPROTO_TCP, o, numbers[i].good) != 0 || get_int(s, IPPROTO_TCP, o) != numbers[i].good)
            printf("option %d: %d is not kept: %d\n", o, numbers[i].good, get_int(s, IPPROTO_TCP, o)), check_failures++;
        if (numbers[i].low != 999) {
            CHECK_ERR(set_int(s, IPPROTO_TCP, o, numbers[i].low), EINVAL);
            CHECK_ERR(set_int(s, IPPROTO_TCP, o, numbers[i].high), EINVAL);
        }
    }
    CHECK_EQ(set_int(s, IPPROTO_TCP, TCP_LINGER2, -5), 0);
    CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_LINGER2), -1);
    CHECK_EQ(set_int(s, IPPROTO_TCP, TCP_DEFER_ACCEPT, 4), 0);
    CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_DEFER_ACCEPT), 7);
    char name[32] = "x";
    socklen_t len = sizeof name;
    CHECK_EQ(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    CHECK_EQ(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    CHECK_EQ(len, 16);
    CHECK(strcmp(name, "reno") == 0);
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8), ENOENT);
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
    CHECK_ERR(set_int(s, IPPROTO_TCP, 999, 1), ENOPROTOOPT);
    CHECK_EQ(get_int(s, IPPROTO_TCP, 999), -ENOPROTOOPT);
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, name, 1), EINVAL);
    struct tcp_info info;
    len = 4;
    CHECK_EQ(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    CHECK_EQ(len, 4);
    CHECK_EQ(info.tcpi_state, TCP_CLOSE);
    close(s);
    int u = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERR(set_int(u, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
    CHECK_EQ(get_int(u, IPPROTO_TCP, TCP_NODELAY), -EOPNOTSUPP);
    close(u);
}

static void ip(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TTL), 64);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_TTL, 10), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TTL), 10);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_TTL, -1), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TTL), 64);
    CHECK_ERR(set_int(u, IPPROTO_IP, IP_TTL, 0), EINVAL);
    CHECK_ERR(set_int(u, IPPROTO_IP, IP_TTL, 256), EINVAL);
    CHECK_ERR(setsockopt(u, IPPROTO_IP, IP_TTL, "", 0), EINVAL);
    char c = 20;
    CHECK_EQ(setsockopt(u, IPPROTO_IP, IP_TTL, &c, 1), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TTL), 20);
    socklen_t len = 1;
    c = 0;
    CHECK_EQ(getsockopt(u, IPPROTO_IP, IP_TTL, &c, &len), 0);
    CHECK_EQ(len, 1);
    CHECK_EQ(c, 20);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TOS), 0);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_TOS, 0x17), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TOS), 0x17);
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_TOS, 0x17), 0);
    CHECK_EQ(get_int(s, IPPROTO_IP, IP_TOS), 0x14);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_TOS, 0x1ff), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TOS), 0xff);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MULTICAST_TTL), 1);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_MULTICAST_TTL, -1), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MULTICAST_TTL), 1);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_MULTICAST_TTL, 0), 0);
    CHECK_ERR(set_int(u, IPPROTO_IP, IP_MULTICAST_TTL, 256), EINVAL);
    CHECK_ERR(set_int(s, IPPROTO_IP, IP_MULTICAST_TTL, 5), EINVAL);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_MULTICAST_LOOP, 0), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MULTICAST_ALL), 1);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
    CHECK_ERR(set_int(u, IPPROTO_IP, IP_MTU_DISCOVER, 6), EINVAL);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_MTU), -ENOTCONN);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_PKTINFO, 5), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_PKTINFO), 1);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_RECVERR), 1);
    CHECK_ERR(set_int(u, IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_HDRINCL), 0);
    CHECK_ERR(set_int(u, IPPROTO_IP, 999, 1), ENOPROTOOPT);
    CHECK_ERR(set_int(u, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    CHECK_EQ(connect4(u, INADDR_LOOPBACK, 9), 0);
    CHECK(get_int(u, IPPROTO_IP, IP_MTU) >= 65535);
    close(s);
    close(u);
}

static void ip6(void)
{
    int s = socket(AF_INET6, SOCK_STREAM, 0), u = socket(AF_INET6, SOCK_DGRAM, 0);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    CHECK_EQ(set_int(u, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5), 0);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 5);
    CHECK_EQ(set_int(u, IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1), 0);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    CHECK_ERR(set_int(u, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 1);
    CHECK_ERR(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1), ENOPROTOOPT);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 1);
    CHECK_ERR(set_int(u, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 2), EINVAL);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_TCLASS), 0);
    CHECK_EQ(set_int(u, IPPROTO_IPV6, IPV6_TCLASS, 0x20), 0);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_TCLASS), 0x20);
    CHECK_ERR(set_int(u, IPPROTO_IPV6, IPV6_TCLASS, 256), EINVAL);
    CHECK_EQ(set_int(u, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    CHECK_EQ(set_int(u, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    CHECK_ERR(setsockopt(u, IPPROTO_IPV6, IPV6_TCLASS, "x", 1), EINVAL);
    CHECK_ERR(set_int(u, IPPROTO_IPV6, 999, 1), ENOPROTOOPT);
    CHECK_EQ(set_int(u, IPPROTO_IP, IP_TTL, 7), 0); /* for IPv4 packets of it */
    CHECK_EQ(get_int(u, IPPROTO_IP, IP_TTL), 7);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT);
    CHECK_EQ(get_int(u, IPPROTO_IPV6, IPV6_MTU), -ENOTCONN);
    close(s);
    close(u);
}

static void device(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    char name[16] = {0};
    socklen_t len = sizeof name;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
    CHECK_EQ(len, 0);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
    len = sizeof name;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
    CHECK_EQ(len, 3);
    CHECK(strcmp(name, "lo") == 0);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nonesuch", 9), ENODEV);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
    close(s);
}

static void filter(void)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), /* the first byte after the UDP header */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 10),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog prog = {4, code};
    char buf[32];
    CHECK_ERR(set_int(a, SOL_SOCKET, SO_DETACH_FILTER, 0), ENOENT);
    CHECK_EQ(setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog), 0);
    CHECK_EQ(bind4(a, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_EQ(send(b, "no", 2, 0), 2);
    CHECK_EQ(send(b, "yes, this one", 13, 0), 13);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 2); /* cut to 10 with the header */
    CHECK_EQ(set_int(a, SOL_SOCKET, SO_DETACH_FILTER, 0), 0);
    CHECK_EQ(send(b, "no", 2, 0), 2);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 2);
    prog.len = 0;
    CHECK_ERR(setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog), EINVAL);
    CHECK_ERR(setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &prog, 4), EINVAL);
    close(a);
    close(b);
}

int main(void)
{
    general();
    linger_and_time();
    tcp();
    ip();
    ip6();
    device();
    filter();
    return check_done();
}
