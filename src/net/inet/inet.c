/*
 * What the internet protocols share: creation by type and protocol, names, ioctls. See inet.h.
 */
#include "net/inet/inet.h"
#include "kernel/cred.h"
#include "net/inet/packet.h"
#include "net/inet/tcp.h"
#include "net/netns.h"
#include <linux/capability.h>
#include <string.h>

/* ---- creation ---- */

static bool may_ping(const struct net_namespace *ns)
{
    const struct cred *c = current_cred();
    unsigned low = (unsigned)ns->sysctl.ping_group_range[0], high = (unsigned)ns->sysctl.ping_group_range[1];
    for (unsigned i = 0; i < c->group_count; i++)
        if (c->groups[i] >= low && c->groups[i] <= high)
            return true;
    return c->egid >= low && c->egid <= high;
}

static int create_raw(int domain, int protocol, struct socket **ret)
{
    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return -EINVAL;
    if (protocol == IPPROTO_IP)
        return -EPROTONOSUPPORT;
    if (!netns_capable(current_netns(), CAP_NET_RAW))
        return -EPERM;
    return raw_create(domain, SOCK_RAW, protocol, ret);
}

static int create_datagram(int domain, int protocol, struct socket **ret)
{
    int ping = domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    if (protocol == ping)
        return may_ping(current_netns()) ? raw_create(domain, SOCK_DGRAM, protocol, ret) : -EACCES;
    if (protocol != 0 && protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE)
        return -EPROTONOSUPPORT;
    return udp_create(domain, protocol ? protocol : IPPROTO_UDP, ret);
}

static int create(int domain, int type, int protocol, struct socket **ret)
{
    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return -EINVAL;
    switch (type) {
    case SOCK_STREAM:
        return protocol == 0 || protocol == IPPROTO_TCP ? tcp_create(domain, ret) : -EPROTONOSUPPORT;
    case SOCK_DGRAM:
        return create_datagram(domain, protocol, ret);
    case SOCK_RAW:
        return create_raw(domain, protocol, ret);
    default:
        return -ESOCKTNOSUPPORT;
    }
}

static int create4(int type, int protocol, struct socket **ret)
{
    return create(AF_INET, type, protocol, ret);
}

static int create6(int type, int protocol, struct socket **ret)
{
    return create(AF_INET6, type, protocol, ret);
}

static const struct socket_family families[] = {
    {AF_INET, "inet", create4},
    {AF_INET6, "inet6", create6},
};

void inet_init(void)
{
    inet_part_register();
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        socket_register(&families[i]);
}

/* ---- life ---- */

void inet_socket_init(struct inet_socket *i, struct net_namespace *ns, const struct socket_ops *ops, int domain,
                      int type, int protocol)
{
    socket_init_in(&i->socket, ns, ops, domain, type, protocol);
    spin_init(&i->lock);
    mutex_init(&i->send_lock);
    mutex_init(&i->receive_lock);
    i->net = inet_net_of(ns);
    list_init(&i->owner.link);
    i->uid = current_cred()->fsuid;
    i->state = TCP_CLOSE;
    inet_options_init(&i->options);
    if (domain == AF_INET)
        i->pair.local.addr = i->pair.remote.addr = inet_any4;
}

void inet_socket_fini(struct inet_socket *i)
{
    assert(!i->owner.port && !i->pair.node.link);
    inet_multicast_leave_all(i);
}

struct inet_table *inet_table_of(struct inet_socket *i)
{
    switch (i->socket.type) {
    case SOCK_STREAM:
        return &i->net->tables[TABLE_TCP];
    case SOCK_DGRAM:
        return &i->net->tables[i->socket.protocol == IPPROTO_UDP       ? TABLE_UDP
                               : i->socket.protocol == IPPROTO_UDPLITE ? TABLE_UDPLITE
                                                                       : TABLE_PING];
    default:
        return NULL;
    }
}

uint8_t inet_families(const struct inet_socket *i)
{
    if (inet_is_v4(&i->pair.local.addr))
        return INET_V4;
    if (!inet_is_any(&i->pair.local.addr) || inet_flag_get(i, IF6_ONLY))
        return INET_V6;
    return INET_V4 | INET_V6;
}

void inet_lock_two(struct inet_socket *a, struct inet_socket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock(a < b ? &b->lock : &a->lock);
}

void inet_unlock_two(struct inet_socket *a, struct inet_socket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

/* ---- names ---- */

int inet_name(struct socket *s, bool peer, struct socket_name *ret)
{
    struct inet_socket *i = inet_of(s);
    spin_lock(&i->lock);
    bool open = i->state != TCP_CLOSE && i->state != TCP_SYN_SENT;
    bool connected = s->type == SOCK_STREAM ? open && i->pair.remote.port : i->state == TCP_ESTABLISHED;
    struct inet_endpoint e = peer ? i->pair.remote : i->pair.local;
    spin_unlock(&i->lock);
    if (peer && !connected)
        return -ENOTCONN;
    inet_name_out(i, &e, ret);
    return 0;
}

int64_t inet_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    return -ENOTTY; /* those of interfaces and routes are the same for all families */
}
