/*
 * For guest tests of internet sockets: addresses on the loopback interface, connected pairs.
 */
#pragma once
#include "expect.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static inline struct sockaddr_in in4(uint32_t addr, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(addr);
    return a;
}

static inline struct sockaddr_in6 in6(struct in6_addr addr, int port)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = addr};
    return a;
}

static inline int bind4(int s, uint32_t addr, int port)
{
    struct sockaddr_in a = in4(addr, port);
    return bind(s, (struct sockaddr *)&a, sizeof a);
}

static inline int bind6(int s, struct in6_addr addr, int port)
{
    struct sockaddr_in6 a = in6(addr, port);
    return bind(s, (struct sockaddr *)&a, sizeof a);
}

static inline int connect4(int s, uint32_t addr, int port)
{
    struct sockaddr_in a = in4(addr, port);
    return connect(s, (struct sockaddr *)&a, sizeof a);
}

static inline int connect6(int s, struct in6_addr addr, int port)
{
    struct sockaddr_in6 a = in6(addr, port);
    return connect(s, (struct sockaddr *)&a, sizeof a);
}

static inline int port_of(int s)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    if (getsockname(s, (struct sockaddr *)&a, &len) < 0)
        return -1;
    return ntohs(((struct sockaddr_in *)&a)->sin_port); /* the same place in both families */
}

/* A listener on 127.0.0.1 and any port. */
static inline int listener4(int backlog)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(listen(s, backlog), 0);
    return s;
}

/* Two ends of a TCP connection. */
static inline void tcp_pair(int *client, int *server)
{
    int l = listener4(1);
    *client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect4(*client, INADDR_LOOPBACK, port_of(l)), 0);
    *server = accept(l, NULL, NULL);
    CHECK(*server >= 0);
    close(l);
}

static inline int poll_now(int s, int events)
{
    struct pollfd p = {.fd = s, .events = (short)events};
    poll(&p, 1, 0);
    return p.revents;
}

/* Waits up to a second for any of the events. */
static inline int poll_for(int s, int events)
{
    struct pollfd p = {.fd = s, .events = (short)events};
    poll(&p, 1, 1000);
    return p.revents;
}

static inline int get_int(int s, int level, int option)
{
    int v = -12345;
    socklen_t len = sizeof v;
    return getsockopt(s, level, option, &v, &len) == 0 ? v : -errno;
}

static inline int set_int(int s, int level, int option, int v)
{
    return setsockopt(s, level, option, &v, sizeof v);
}

static inline int tcp_state(int s)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_state : -errno;
}

#define ALL_EVENTS (POLLIN | POLLOUT | POLLPRI | POLLRDHUP)
