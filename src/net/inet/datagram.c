/*
 * Where a datagram goes, connecting and closing datagram sockets. See packet.h.
 */
#include "net/inet/backend.h"
#include "net/inet/packet.h"
#include "mm/uaccess.h"
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

/* ---- the control messages of a send ---- */

static int v4_control(struct inet_socket *i, int type, const char *data, size_t len, struct send_control *ret)
{
    struct in_pktinfo info;
    int value;
    if (type == IP_PKTINFO) {
        if (len != sizeof(info))
            return -EINVAL;
        memcpy(&info, data, sizeof(info));
        ret->interface = info.ipi_ifindex;
        ret->has_source = info.ipi_spec_dst.s_addr != 0;
        ret->source = inet_from_v4(be32toh(info.ipi_spec_dst.s_addr));
        return 0;
    }
    if (type != IP_TTL && type != IP_TOS)
        return type == IP_RETOPTS ? 0 : -EINVAL;
    if (len == sizeof(uint8_t) && type == IP_TOS) {
        ret->tos = (uint8_t)*data;
        return 0;
    }
    if (len != sizeof(value))
        return -EINVAL;
    memcpy(&value, data, sizeof(value));
    if (value < (type == IP_TTL) || value > 255)
        return -EINVAL;
    *(type == IP_TTL ? &ret->ttl : &ret->tos) = value;
    return 0;
}

static int v6_control(struct inet_socket *i, int type, const char *data, size_t len, struct send_control *ret)
{
    struct in6_pktinfo info;
    int value;
    switch (type) {
    case IPV6_PKTINFO:
    case IPV6_2292PKTINFO:
        if (len < sizeof(info))
            return -EINVAL;
        memcpy(&info, data, sizeof(info));
        ret->interface = (int)info.ipi6_ifindex;
        ret->has_source = !inet_is_any(&info.ipi6_addr);
        ret->source = info.ipi6_addr;
        return 0;
    case IPV6_HOPLIMIT:
    case IPV6_2292HOPLIMIT:
    case IPV6_TCLASS:
        if (len != sizeof(value))
            return -EINVAL;
        memcpy(&value, data, sizeof(value));
        if (value < -1 || value > 255)
            return -EINVAL;
        *(type == IPV6_TCLASS ? &ret->tos : &ret->ttl) = value;
        return 0;
    case IPV6_DONTFRAG:
        return len == sizeof(int) ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static int one_control(struct inet_socket *i, const struct cmsghdr *h, const char *data, size_t len,
                       struct send_control *ret)
{
    uint16_t segment;
    if (h->cmsg_level == SOL_SOCKET)
        return h->cmsg_type == SCM_RIGHTS || h->cmsg_type == SCM_CREDENTIALS || h->cmsg_type == SO_MARK ? 0 : -EINVAL;
    if (h->cmsg_level == IPPROTO_UDP && i->socket.protocol == IPPROTO_UDP) {
        if (h->cmsg_type != UDP_SEGMENT_OPTION || len != sizeof(segment))
            return -EINVAL;
        memcpy(&segment, data, sizeof(segment));
        ret->segment = segment;
        return 0;
    }
    if (h->cmsg_level == IPPROTO_IP)
        return v4_control(i, h->cmsg_type, data, len, ret);
    return h->cmsg_level == IPPROTO_IPV6 && inet_is6(i) ? v6_control(i, h->cmsg_type, data, len, ret) : 0;
}

int datagram_control(struct inet_socket *i, const struct socket_message *m, struct send_control *ret)
{
    struct cmsghdr h;
    const char *data;
    size_t at = 0, len;
    int err;
    *ret = (struct send_control){.ttl = -1, .tos = -1};
    while ((err = message_next_control(m, &at, &h, &data, &len)) > 0) {
        err = one_control(i, &h, data, len, ret);
        if (err < 0)
            return err;
    }
    return err;
}

/* ---- the destination ---- */

static int name_of_destination(struct datagram_socket *d, const struct socket_name *name, struct inet_endpoint *ret)
{
    struct inet_socket *i = &d->inet;
    int err = inet_name_in(i, name, ret);
    if (err == -EAFNOSUPPORT && !inet_is6(i) && name->addr.sa_family == AF_UNSPEC)
        err = 0;
    if (inet_is6(i) && name->len >= sizeof(sa_family_t) && name->addr.sa_family == AF_INET) {
        struct sockaddr_in sin;
        if (name->len < sizeof(sin))
            return -EINVAL;
        memcpy(&sin, name->bytes, sizeof(sin));
        *ret = (struct inet_endpoint){inet_from_v4(be32toh(sin.sin_addr.s_addr)), be16toh(sin.sin_port), 0};
        err = 0;
    }
    if (err < 0)
        return err;
    if (inet_is6(i) && inet_flag_get(i, IF6_ONLY) && inet_is_v4(&ret->addr))
        return -ENETUNREACH;
    return 0;
}

static void any_means_here(struct inet_socket *i, struct inet_endpoint *e)
{
    if (inet_is_any(&e->addr))
        e->addr = inet_is_v4(&e->addr) ? inet_from_v4(INADDR_LOOPBACK) : in6addr_loopback;
}

static int choose_device(const struct inet_socket *i, const struct in6_addr *to, const struct send_control *c)
{
    if (c->interface)
        return c->interface;
    if (i->device)
        return i->device;
    if (!inet_is_multicast(to))
        return inet_is_v4(to) ? i->options.unicast_if : i->options.unicast_if6;
    return inet_is_v4(to) ? i->options.multicast_if : i->options.multicast_if6;
}

static void choose_source(struct inet_socket *i, struct destination *ret)
{
    ret->from = i->pair.local;
    if (ret->control.has_source)
        ret->from.addr = ret->control.source;
    else if (inet_is_any(&ret->from.addr) || inet_is_v4(&ret->from.addr) != inet_is_v4(&ret->to.addr))
        ret->from.addr = ret->route.source;
    if (ret->route.reach == REACH_MULTICAST && inet_is_v4(&ret->to.addr) && i->options.multicast_source &&
        inet_is_any(&i->pair.local.addr))
        ret->from.addr = inet_from_v4(i->options.multicast_source);
}

int datagram_destination(struct datagram_socket *d, const struct socket_message *m, struct destination *ret)
{
    struct inet_socket *i = &d->inet;
    bool named = m->name && m->name->len > 0;
    if (named && inet_is6(i) && m->name->len >= sizeof(sa_family_t) && m->name->addr.sa_family == AF_UNSPEC)
        named = false;
    memset(ret, 0, sizeof(*ret));
    int err = named ? name_of_destination(d, m->name, &ret->to) : 0;
    if (err < 0)
        return err;
    if (!named) {
        if (i->state != TCP_ESTABLISHED)
            return -EDESTADDRREQ;
        ret->to = i->pair.remote;
    }
    ret->connected = i->state == TCP_ESTABLISHED && !named;
    err = datagram_control(i, m, &ret->control);
    if (err < 0)
        return err;
    any_means_here(i, &ret->to);
    err = inet_route_find(i->net, &ret->to.addr, choose_device(i, &ret->to.addr, &ret->control), &ret->route);
    if (inet_is_broadcast(&ret->to.addr) && !i->socket.broadcast && err == 0)
        return -EACCES;
    if (err < 0)
        return err;
    choose_source(i, ret);
    return 0;
}

void packet_address(struct packet *p, struct inet_socket *i, const struct destination *to)
{
    bool v4 = inet_is_v4(&to->to.addr), group = inet_is_multicast(&to->to.addr);
    int ttl = v4 ? (group ? i->options.multicast_ttl : i->options.ttl)
                 : (group ? i->options.multicast_hops6 : i->options.hops6);
    p->from = to->from;
    p->to = to->to;
    p->interface = to->route.interface;
    p->ttl = to->control.ttl >= 0 ? to->control.ttl : ttl >= 0 ? ttl : 64;
    p->tos = to->control.tos >= 0 ? to->control.tos : v4 ? i->options.tos : i->options.tclass6;
}

/* ---- connect ---- */

/* The bound address changes with a connection: what arrives is looked up by it. */
static void set_local(struct inet_socket *i, const struct in6_addr *addr)
{
    struct inet_table *t = inet_table_of(i);
    if (t)
        spin_lock(&t->lock);
    i->pair.local.addr = *addr;
    i->owner.addr = *addr;
    i->owner.families = inet_families(i);
    if (t)
        spin_unlock(&t->lock);
}

static void disconnect(struct inet_socket *i)
{
    struct in6_addr any = inet_is6(i) ? in6addr_any : inet_any4;
    if (!i->bound_port)
        inet_port_leave(i);
    spin_lock(&i->lock);
    i->state = TCP_CLOSE;
    i->pair.remote = (struct inet_endpoint){.addr = any};
    if (!i->bound_port)
        i->pair.local.port = 0;
    spin_unlock(&i->lock);
    if (!i->bound_address)
        set_local(i, &any);
}

static int connect_to(struct datagram_socket *d, const struct inet_endpoint *to)
{
    struct inet_socket *i = &d->inet;
    struct inet_route route;
    struct send_control none = {0};
    int err = inet_route_find(i->net, &to->addr, choose_device(i, &to->addr, &none), &route);
    if (err == 0 && inet_is_broadcast(&to->addr) && !i->socket.broadcast)
        err = -EACCES;
    if (err < 0)
        return err;
    if (route.reach == REACH_OUTSIDE || (i->socket.type == SOCK_DGRAM && inet_is_host_resolver(i->net, to))) {
        err = inet_outside_open(i);
        if (err == 0)
            err = i->outside->ops->connect(i->outside, to);
        if (err < 0)
            return err;
    }
    if (inet_is_any(&i->pair.local.addr))
        set_local(i, &route.source);
    spin_lock(&i->lock);
    i->pair.remote = *to;
    i->state = TCP_ESTABLISHED;
    spin_unlock(&i->lock);
    return 0;
}

int datagram_connect(struct socket *s, const struct socket_name *name, bool nonblock)
{
    struct datagram_socket *d = datagram_of(s);
    struct inet_endpoint to;
    MUTEX_GUARD(&d->inet.send_lock);
    if (name->addr.sa_family == AF_UNSPEC) {
        disconnect(&d->inet);
        return 0;
    }
    if (s->type == SOCK_DGRAM && !d->inet.owner.port && inet_autobind(&d->inet) < 0)
        return -EAGAIN;
    int err = inet_name_in(&d->inet, name, &to);
    if (err == 0 && inet_is6(&d->inet) && inet_flag_get(&d->inet, IF6_ONLY) && inet_is_v4(&to.addr))
        err = -ENETUNREACH;
    if (err < 0)
        return err;
    any_means_here(&d->inet, &to);
    return connect_to(d, &to);
}

/* ---- the rest ---- */

int datagram_shutdown(struct socket *s, int how)
{
    struct inet_socket *i = inet_of(s);
    i->shutdown |= (how != SHUT_WR ? RECEIVE_SHUT : 0) | (how != SHUT_RD ? SEND_SHUT : 0);
    uint32_t hup = i->shutdown == (RECEIVE_SHUT | SEND_SHUT) ? EPOLLHUP : 0;
    wake_poll(&s->readers, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | hup);
    wake_poll(&s->writers, EPOLLOUT | EPOLLWRNORM | hup);
    return i->state == TCP_ESTABLISHED ? 0 : -ENOTCONN;
}

void datagram_release(struct socket *s)
{
    struct inet_socket *i = inet_of(s);
    if (i->outside)
        i->outside->ops->close(i->outside);
    inet_port_leave(i);
    wake_poll(&s->readers, EPOLLHUP);
}

int datagram_no_listen(struct socket *s, int backlog)
{
    return -EOPNOTSUPP;
}

int datagram_no_accept(struct socket *s, bool nonblock, struct socket **ret)
{
    return -EOPNOTSUPP;
}

int64_t datagram_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct datagram_socket *d = datagram_of(s);
    int n = 0;
    if (cmd == FIONREAD) {
        spin_lock(&d->inet.lock);
        struct packet *p = list_first(&d->queue, struct packet, link);
        n = p ? (int)(p->len - p->offset) : 0;
        spin_unlock(&d->inet.lock);
        return put_user(&n, arg);
    }
    return cmd == SIOCOUTQ ? put_user(&n, arg) : inet_ioctl(s, cmd, arg);
}
