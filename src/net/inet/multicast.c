/*
 * Memberships in multicast groups, with or without a list of sources: ip(7), ipv6(7), RFC 3678.
 *
 * A membership is the pair of a group and an interface. Nothing is told to any router: what arrives is what sockets
 * of the sandbox send with IP_MULTICAST_LOOP. For IPv4 a socket without memberships gets the datagrams of groups
 * that others have joined (IP_MULTICAST_ALL), as on Linux.
 */
#include "net/inet/inet.h"
#include "net/netns.h"
#include <stdlib.h>
#include <string.h>

#define SOURCES_MAX 64
#define GROUPS_MAX 20 /* net.ipv4.igmp_max_memberships; for IPv6 bounded as well */

struct inet_membership {
    struct inet_membership *next;
    struct in6_addr group;
    int interface;
    bool exclude;              /* the sources listed are not wanted; otherwise only they are */
    unsigned source_count;
    struct in6_addr sources[];
};

bool inet_multicast_wants(struct inet_socket *i, const struct in6_addr *group, const struct in6_addr *from,
                          int interface)
{
    bool v4 = inet_is_v4(group);
    for (struct inet_membership *m = i->memberships; m; m = m->next) {
        if (!inet_same(&m->group, group) || (m->interface && m->interface != interface))
            continue;
        for (unsigned k = 0; k < m->source_count; k++)
            if (inet_same(&m->sources[k], from))
                return !m->exclude;
        return m->exclude;
    }
    return inet_flag_get(i, v4 ? IF_MULTICAST_ALL : IF6_MULTICAST_ALL);
}

void inet_multicast_leave_all(struct inet_socket *i)
{
    while (i->memberships) {
        struct inet_membership *m = i->memberships;
        i->memberships = m->next;
        free(m);
    }
}

/* Where it is pointed to from; *NULL when there is none. i->lock held. */
static struct inet_membership **find(struct inet_socket *i, const struct in6_addr *group, int interface)
{
    struct inet_membership **at = &i->memberships;
    while (*at && !(inet_same(&(*at)->group, group) && (*at)->interface == interface))
        at = &(*at)->next;
    return at;
}

static unsigned count(const struct inet_socket *i)
{
    unsigned n = 0;
    for (const struct inet_membership *m = i->memberships; m; m = m->next)
        n++;
    return n;
}

static int join(struct inet_socket *i, const struct in6_addr *group, int interface, bool exclude,
                const struct in6_addr *source)
{
    struct inet_membership *m = calloc(1, sizeof(*m) + SOURCES_MAX * sizeof(m->sources[0]));
    if (!m)
        return -ENOMEM;
    *m = (struct inet_membership){.group = *group, .interface = interface, .exclude = exclude};
    if (source)
        m->sources[m->source_count++] = *source;
    int err = 0;
    spin_lock(&i->lock);
    if (*find(i, group, interface)) {
        err = -EADDRINUSE;
    } else if (count(i) >= GROUPS_MAX) {
        err = -ENOBUFS;
    } else {
        m->next = i->memberships;
        i->memberships = m;
    }
    spin_unlock(&i->lock);
    if (err < 0)
        free(m);
    return err;
}

static int leave(struct inet_socket *i, const struct in6_addr *group, int interface)
{
    spin_lock(&i->lock);
    struct inet_membership **at = &i->memberships, *m;
    while (*at && !(inet_same(&(*at)->group, group) && (!interface || (*at)->interface == interface)))
        at = &(*at)->next;
    m = *at;
    if (m)
        *at = m->next;
    spin_unlock(&i->lock);
    free(m);
    return m ? 0 : -EADDRNOTAVAIL;
}

/* ---- lists of sources ---- */

static int find_source(const struct inet_membership *m, const struct in6_addr *source)
{
    for (unsigned k = 0; k < m->source_count; k++)
        if (inet_same(&m->sources[k], source))
            return (int)k;
    return -1;
}

/* One source more or less. `exclude`: of the kind of list that the option is about. */
static int change_source_locked(struct inet_membership *m, const struct in6_addr *source, bool add, bool exclude)
{
    if (m->exclude != exclude) {
        if (m->source_count > 0 || exclude)
            return -EINVAL;
        m->exclude = exclude;
    }
    int at = find_source(m, source);
    if (add) {
        if (at >= 0)
            return -EADDRNOTAVAIL;
        if (m->source_count == SOURCES_MAX)
            return -ENOBUFS;
        m->sources[m->source_count++] = *source;
        return 0;
    }
    if (at < 0)
        return -EADDRNOTAVAIL;
    m->sources[at] = m->sources[--m->source_count];
    return 0;
}

static int change_source(struct inet_socket *i, const struct in6_addr *group, int interface,
                         const struct in6_addr *source, bool add, bool exclude)
{
    struct inet_membership *gone = NULL;
    spin_lock(&i->lock);
    struct inet_membership **at = find(i, group, interface), *m = *at;
    bool absent = !m;
    int err = m ? change_source_locked(m, source, add, exclude) : -EINVAL;
    if (err == 0 && !m->exclude && m->source_count == 0) { /* nobody is listened to any more */
        gone = m;
        *at = m->next;
    }
    spin_unlock(&i->lock);
    free(gone);
    return absent && add && !exclude ? join(i, group, interface, false, source) : err;
}

/* ---- the interface ---- */

static int check_group(const struct in6_addr *group)
{
    return inet_is_multicast(group) ? 0 : -EINVAL;
}

/* An interface that has the address, or the number, or that the group is routed to. */
static int choose_interface(struct inet_socket *i, const struct in6_addr *group, int number, uint32_t address, int *ret)
{
    char name[NET_NAME_LEN];
    struct inet_route route;
    *ret = number;
    if (number)
        return inet_interface_name(i->net, number, name);
    if (address) {
        struct in6_addr a = inet_from_v4(address);
        *ret = inet_interface_of(i->net, &a);
        return *ret ? 0 : -ENODEV;
    }
    int err = inet_route_find(i->net, group, 0, &route);
    *ret = err == 0 ? route.interface : 0;
    return err < 0 ? -ENODEV : 0;
}

/* ---- the options ---- */

static int set_membership4(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    struct ip_mreqn req = {0};
    int interface;
    if (len < sizeof(struct ip_mreq))
        return -EINVAL;
    memcpy(&req, value, MIN((size_t)len, sizeof(req)));
    if (len < sizeof(req))
        req.imr_ifindex = 0;
    struct in6_addr group = inet_from_v4(be32toh(req.imr_multiaddr.s_addr));
    int err = check_group(&group);
    if (err == 0)
        err = choose_interface(i, &group, req.imr_ifindex, be32toh(req.imr_address.s_addr), &interface);
    if (option == IP_DROP_MEMBERSHIP) {
        if (err == -ENODEV && !req.imr_ifindex && !req.imr_address.s_addr)
            return leave(i, &group, 0);
        return err < 0 ? (err == -EINVAL ? -EADDRNOTAVAIL : err) : leave(i, &group, interface);
    }
    return err < 0 ? err : join(i, &group, interface, true, NULL);
}

static int set_source4(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    struct ip_mreq_source req;
    int interface;
    if (len != sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    struct in6_addr group = inet_from_v4(be32toh(req.imr_multiaddr.s_addr));
    struct in6_addr source = inet_from_v4(be32toh(req.imr_sourceaddr.s_addr));
    int err = check_group(&group);
    if (err == 0)
        err = choose_interface(i, &group, 0, be32toh(req.imr_interface.s_addr), &interface);
    if (err < 0)
        return err;
    return change_source(i, &group, interface, &source,
                         option == IP_ADD_SOURCE_MEMBERSHIP || option == IP_BLOCK_SOURCE,
                         option == IP_BLOCK_SOURCE || option == IP_UNBLOCK_SOURCE);
}

static int set_membership6(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    struct ipv6_mreq req;
    int interface;
    if (len < sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    int err = check_group(&req.ipv6mr_multiaddr);
    if (err < 0 || inet_is_v4(&req.ipv6mr_multiaddr))
        return option == IPV6_ADD_MEMBERSHIP ? -EINVAL : -EADDRNOTAVAIL;
    err = choose_interface(i, &req.ipv6mr_multiaddr, (int)req.ipv6mr_interface, 0, &interface);
    if (option == IPV6_ADD_MEMBERSHIP)
        return err < 0 ? err : join(i, &req.ipv6mr_multiaddr, interface, true, NULL);
    return leave(i, &req.ipv6mr_multiaddr, err < 0 ? 0 : interface);
}

/* A group or source of RFC 3678's requests, which are of both families. */
static int storage_in(const struct sockaddr_storage *from, struct in6_addr *ret)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;
    if (from->ss_family == AF_INET) {
        memcpy(&sin, from, sizeof(sin));
        *ret = inet_from_v4(be32toh(sin.sin_addr.s_addr));
        return 0;
    }
    memcpy(&sin6, from, sizeof(sin6));
    *ret = sin6.sin6_addr;
    return from->ss_family == AF_INET6 ? 0 : -EADDRNOTAVAIL;
}

static int set_group(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    struct group_req req;
    struct in6_addr group;
    int interface;
    if (len < sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    int err = storage_in(&req.gr_group, &group);
    if (err == 0)
        err = check_group(&group);
    if (err == 0)
        err = choose_interface(i, &group, (int)req.gr_interface, 0, &interface);
    if (err < 0)
        return err;
    return option == MCAST_JOIN_GROUP ? join(i, &group, interface, true, NULL) : leave(i, &group, interface);
}

static int set_group_source(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    struct group_source_req req;
    struct in6_addr group, source;
    int interface;
    if (len < sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    int err = storage_in(&req.gsr_group, &group);
    if (err == 0)
        err = storage_in(&req.gsr_source, &source);
    if (err == 0)
        err = check_group(&group);
    if (err == 0)
        err = choose_interface(i, &group, (int)req.gsr_interface, 0, &interface);
    if (err < 0)
        return err;
    return change_source(i, &group, interface, &source,
                         option == MCAST_JOIN_SOURCE_GROUP || option == MCAST_BLOCK_SOURCE,
                         option == MCAST_BLOCK_SOURCE || option == MCAST_UNBLOCK_SOURCE);
}

/* IP_MULTICAST_IF: an address, or an address and a number. */
static int set_multicast_if(struct inet_socket *i, const void *value, socklen_t len)
{
    struct ip_mreqn req = {0};
    char name[NET_NAME_LEN];
    if (len < sizeof(struct in_addr))
        return -EINVAL;
    if (len >= sizeof(req))
        memcpy(&req, value, sizeof(req));
    else if (len >= sizeof(struct ip_mreq))
        memcpy(&req, value, sizeof(struct ip_mreq));
    else
        memcpy(&req.imr_address, value, sizeof(req.imr_address));
    uint32_t address = be32toh(req.imr_address.s_addr);
    int number = req.imr_ifindex;
    if (!number && address) {
        struct in6_addr a = inet_from_v4(address);
        number = inet_interface_of(i->net, &a);
        if (!number)
            return -EADDRNOTAVAIL;
    } else if (number && inet_interface_name(i->net, number, name) < 0) {
        return -EADDRNOTAVAIL;
    }
    if (number && i->device && i->device != number)
        return -EINVAL;
    i->options.multicast_if = number;
    i->options.multicast_source = address;
    return 0;
}

int inet_multicast_set(struct inet_socket *i, int level, int option, const void *value, socklen_t len)
{
    if (option >= MCAST_JOIN_GROUP && option <= MCAST_LEAVE_SOURCE_GROUP && option != MCAST_MSFILTER) {
        bool plain = option == MCAST_JOIN_GROUP || option == MCAST_LEAVE_GROUP;
        if (i->socket.type == SOCK_STREAM)
            return -EPROTO;
        return plain ? set_group(i, option, value, len) : set_group_source(i, option, value, len);
    }
    if (level == IPPROTO_IPV6) {
        if (option != IPV6_ADD_MEMBERSHIP && option != IPV6_DROP_MEMBERSHIP)
            return -ENOPROTOOPT;
        return i->socket.type == SOCK_STREAM ? -EPROTO : set_membership6(i, option, value, len);
    }
    switch (option) {
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
        return i->socket.type == SOCK_STREAM ? -EPROTO : set_membership4(i, option, value, len);
    case IP_ADD_SOURCE_MEMBERSHIP:
    case IP_DROP_SOURCE_MEMBERSHIP:
    case IP_BLOCK_SOURCE:
    case IP_UNBLOCK_SOURCE:
        return set_source4(i, option, value, len);
    case IP_MULTICAST_IF:
        return i->socket.type == SOCK_STREAM ? -EINVAL : set_multicast_if(i, value, len);
    default:
        return -ENOPROTOOPT;
    }
}

int inet_multicast_get(struct inet_socket *i, int level, int option, void *value, socklen_t *len)
{
    struct in_addr address = {htobe32(i->options.multicast_source)};
    if (level != IPPROTO_IP || option != IP_MULTICAST_IF)
        return -ENOPROTOOPT;
    return inet_option_give(&address, sizeof(address), value, len);
}
