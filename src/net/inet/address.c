/*
 * Internet addresses: what kind one is, and sockaddr_in and sockaddr_in6 in and out. See inet.h.
 */
#include "net/inet/inet.h"
#include <string.h>

const struct in6_addr inet_any4 = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}}};

struct in6_addr inet_from_v4(uint32_t host_order)
{
    struct in6_addr a = inet_any4;
    a.s6_addr32[3] = htobe32(host_order);
    return a;
}

bool inet_is_any(const struct in6_addr *a)
{
    return IN6_IS_ADDR_UNSPECIFIED(a) || inet_same(a, &inet_any4);
}

bool inet_is_multicast(const struct in6_addr *a)
{
    return inet_is_v4(a) ? IN_MULTICAST(inet_v4(a)) : IN6_IS_ADDR_MULTICAST(a);
}

bool inet_is_broadcast(const struct in6_addr *a)
{
    return inet_is_v4(a) && (inet_v4(a) == INADDR_BROADCAST || inet_v4(a) == 0x7fffffff);
}

bool inet_is_loopback(const struct in6_addr *a)
{
    return inet_is_v4(a) ? inet_v4(a) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(a);
}

static int in4(const struct socket_name *name, struct inet_endpoint *ret)
{
    struct sockaddr_in sin;
    if (name->len < sizeof(sin))
        return -EINVAL;
    memcpy(&sin, name->bytes, sizeof(sin));
    *ret = (struct inet_endpoint){inet_from_v4(be32toh(sin.sin_addr.s_addr)), be16toh(sin.sin_port), 0};
    return sin.sin_family == AF_INET ? 0 : -EAFNOSUPPORT;
}

#define SIN6_LEN_RFC2133 24 /* without sin6_scope_id */

static int in6(const struct socket_name *name, struct inet_endpoint *ret)
{
    struct sockaddr_in6 sin6 = {0};
    if (name->len < SIN6_LEN_RFC2133)
        return -EINVAL;
    memcpy(&sin6, name->bytes, MIN(sizeof(sin6), (size_t)name->len));
    *ret = (struct inet_endpoint){sin6.sin6_addr, be16toh(sin6.sin6_port), 0};
    if (IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&sin6.sin6_addr))
        ret->scope = sin6.sin6_scope_id;
    return sin6.sin6_family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

int inet_name_in(const struct inet_socket *i, const struct socket_name *name, struct inet_endpoint *ret)
{
    return inet_is6(i) ? in6(name, ret) : in4(name, ret);
}

void inet_name_out(const struct inet_socket *i, const struct inet_endpoint *e, struct socket_name *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (inet_is6(i)) {
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
                                    .sin6_port = htobe16(e->port),
                                    .sin6_addr = e->addr,
                                    .sin6_scope_id = e->scope};
        ret->len = sizeof(sin6);
        memcpy(ret->bytes, &sin6, sizeof(sin6));
    } else {
        struct sockaddr_in sin = {.sin_family = AF_INET,
                                  .sin_port = htobe16(e->port),
                                  .sin_addr.s_addr = e->addr.s6_addr32[3]};
        ret->len = sizeof(sin);
        memcpy(ret->bytes, &sin, sizeof(sin));
    }
}
