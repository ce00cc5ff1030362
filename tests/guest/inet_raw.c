// Raw sockets and ICMP echo: who may, what is received, filters.
#include "inet.h"
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

static uint16_t checksum(const void *data, size_t len)
{
    const uint16_t *at = data;
    uint32_t sum = 0;
    for (; len > 1; len -= 2)
        sum += *at++;
    if (len)
        sum += *(const unsigned char *)at;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void echo(void)
{
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    struct {
        struct icmphdr h;
        char data[8];
    } m = {.h = {.type = ICMP_ECHO}, .data = "pingpon"};
    struct sockaddr_in to = in4(INADDR_LOOPBACK, 0), from;
    socklen_t len = sizeof from;
    char buf[256];
    CHECK(s >= 0);
    m.h.un.echo.id = htons(4711);
    m.h.un.echo.sequence = htons(1);
    m.h.checksum = checksum(&m, sizeof m);
    CHECK_EQ(sendto(s, &m, sizeof m, 0, (struct sockaddr *)&to, sizeof to), sizeof m);
    int replies = 0;
    for (int i = 0; i < 2; i++) { /* the request as well as the reply is for this machine */
        CHECK_EQ(poll_for(s, POLLIN), POLLIN);
        ssize_t n = recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
        CHECK_EQ(n, sizeof(struct iphdr) + sizeof m);
        struct iphdr *ip = (void *)buf;
        CHECK_EQ(ip->version, 4);
        CHECK_EQ(ip->protocol, IPPROTO_ICMP);
        CHECK_EQ(ntohl(ip->saddr), INADDR_LOOPBACK);
        struct icmphdr *h = (void *)(buf + sizeof *ip);
        CHECK_EQ(checksum(h, sizeof m), 0);
        if (h->type == ICMP_ECHOREPLY) {
            CHECK_EQ(ntohs(h->un.echo.id), 4711);
            replies++;
        }
    }
    CHECK_EQ(replies, 1);
    uint32_t filter = ~(1u << ICMP_ECHOREPLY);
    CHECK_EQ(setsockopt(s, SOL_RAW, 1, &filter, sizeof filter), 0);
    CHECK_EQ(sendto(s, &m, sizeof m, 0, (struct sockaddr *)&to, sizeof to), sizeof m);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    CHECK(recv(s, buf, sizeof buf, 0) > 0);
    CHECK_EQ(((struct icmphdr *)(buf + sizeof(struct iphdr)))->type, ICMP_ECHOREPLY);
    CHECK_ERR(recv(s, buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
    close(s);
}

static void echo6(void)
{
    int s = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    struct icmp6_hdr m = {.icmp6_type = ICMP6_ECHO_REQUEST};
    struct sockaddr_in6 to = in6(in6addr_loopback, 0);
    struct icmp6_filter f;
    char buf[256];
    m.icmp6_id = htons(99);
    ICMP6_FILTER_SETBLOCKALL(&f);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
    CHECK_EQ(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof f), 0);
    CHECK_EQ(sendto(s, &m, sizeof m, 0, (struct sockaddr *)&to, sizeof to), sizeof m);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    CHECK_EQ(recv(s, buf, sizeof buf, 0), sizeof m); /* without the IP header */
    CHECK_EQ(((struct icmp6_hdr *)buf)->icmp6_type, ICMP6_ECHO_REPLY);
    CHECK_EQ(ntohs(((struct icmp6_hdr *)buf)->icmp6_id), 99);
    close(s);
}

static void own_protocol(void)
{
    int a = socket(AF_INET, SOCK_RAW, 253), b = socket(AF_INET, SOCK_RAW, 253);
    char buf[64];
    CHECK_EQ(bind4(a, 0x7f000003, 0), 0);
    CHECK_EQ(connect4(b, 0x7f000003, 0), 0);
    CHECK_EQ(send(b, "raw", 3, 0), 3);
    CHECK_EQ(poll_for(a, POLLIN), POLLIN);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 23);
    CHECK(memcmp(buf + 20, "raw", 3) == 0);
    CHECK_ERR(listen(a, 1), EOPNOTSUPP);
    CHECK_EQ(get_int(a, IPPROTO_IP, IP_HDRINCL), 0);
    CHECK_EQ(set_int(a, IPPROTO_IP, IP_HDRINCL, 1), 0);
    CHECK_EQ(get_int(a, IPPROTO_IP, IP_HDRINCL), 1);
    close(a);
    close(b);
    CHECK_ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
    int r = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    CHECK_EQ(get_int(r, IPPROTO_IP, IP_HDRINCL), 1);
    close(r);
}

static void permissions(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setuid(1000) != 0)
            _exit(9);
        CHECK_ERR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
        CHECK_ERR(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), EPERM);
        _exit(check_done());
    }
    CHECK_EQ(check_wait(pid), 0);
}

int main(void)
{
    if (getuid() != 0)
        return 0;
    permissions();
    echo();
    echo6();
    own_protocol();
    return check_done();
}
