/*
 * UDP: udp(7). A datagram is copied from the guest into a packet and put on the queues of those it is for. When
 * nobody has the port, what would be an ICMP message elsewhere is told to the sender at once.
 */
#include "net/inet/backend.h"
#include "net/inet/packet.h"
#include "vfs/uio.h"
#include <linux/icmp.h>
#include <stdlib.h>
#include <string.h>

#define UDP_MAX_V4 65507
#define UDP_MAX_V6 65527
#define UDP_SEGMENTS_MAX 128
#define MEMBERS_MAX 64 /* receivers of one multicast datagram */

static bool is_lite(const struct datagram_socket *d)
{
    return d->inet.socket.protocol == IPPROTO_UDPLITE;
}

static enum inet_table_kind table_kind(const struct datagram_socket *d)
{
    return is_lite(d) ? TABLE_UDPLITE : TABLE_UDP;
}

/* ---- nobody there ---- */

static void port_unreachable(struct datagram_socket *d, const struct packet *p)
{
    struct inet_socket *i = &d->inet;
    bool v4 = inet_is_v4(&p->to.addr);
    bool wanted = inet_flag_get(i, inet_is6(i) ? IF6_RECVERR : IF_RECVERR);
    i->net->counters.udp_no_ports++;
    i->net->counters.icmp_out_unreachable++;
    if (!wanted && i->state != TCP_ESTABLISHED)
        return;
    if (wanted) {
        struct packet *e = packet_copy(p);
        if (e) {
            e->error = (struct sock_extended_err){
                .ee_errno = ECONNREFUSED,
                .ee_origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
                .ee_type = v4 ? ICMP_DEST_UNREACH : 1,
                .ee_code = v4 ? ICMP_PORT_UNREACH : 4,
            };
            e->from = p->to; /* the offender */
            packet_error(d, e);
        }
    }
    i->socket.error = ECONNREFUSED;
    wake_poll(&i->socket.readers, EPOLLERR);
    wake_poll(&i->socket.writers, EPOLLERR);
}

/* ---- delivering ---- */

static void deliver_one(struct datagram_socket *d, struct packet *p)
{
    struct inet_net *net = d->inet.net;
    struct inet_socket *to = inet_find_datagram(net, table_kind(d), &p->to, &p->from, p->interface);
    if (!to) {
        port_unreachable(d, p);
        free(p);
        return;
    }
    net->counters.udp_in++;
    packet_queue(container_of(to, struct datagram_socket, inet), p);
    socket_put(&to->socket);
}

static void deliver_to_group(struct datagram_socket *d, struct packet *p)
{
    struct inet_socket *members[MEMBERS_MAX];
    unsigned n =
        inet_find_members(d->inet.net, table_kind(d), &p->to, &p->from, p->interface, members, MEMBERS_MAX);
    for (unsigned k = 0; k < n; k++) {
        struct packet *copy = packet_copy(p);
        if (copy)
            packet_queue(container_of(members[k], struct datagram_socket, inet), copy);
        socket_put(&members[k]->socket);
    }
    free(p);
}

static bool loops_back(const struct datagram_socket *d, const struct packet *p)
{
    return inet_flag_get(&d->inet, inet_is_v4(&p->to.addr) ? IF_MULTICAST_LOOP : IF6_MULTICAST_LOOP);
}

static void deliver(struct datagram_socket *d, struct packet *p, enum inet_reach reach)
{
    d->inet.net->counters.udp_out++;
    if (reach == REACH_LOCAL)
        deliver_one(d, p);
    else if (reach == REACH_MULTICAST && !loops_back(d, p))
        free(p);
    else
        deliver_to_group(d, p);
}

/* ---- sending ---- */

/* UDP_SEGMENT: many datagrams in one call. */
static ssize_t send_segments(struct datagram_socket *d, struct socket_message *m, const struct destination *to,
                             size_t segment)
{
    size_t total = m->data->remaining;
    if (total > segment * UDP_SEGMENTS_MAX)
        return -EINVAL;
    while (m->data->remaining > 0) {
        size_t n = MIN(segment, m->data->remaining);
        struct packet *p = packet_new(n);
        if (!p)
            return -ENOBUFS;
        packet_address(p, &d->inet, to);
        if (uio_take(m->data, p->data, n) != (ssize_t)n) {
            free(p);
            return -EFAULT;
        }
        deliver(d, p, to->route.reach);
    }
    return (ssize_t)total;
}

static int take_bytes(struct socket_message *m, size_t max, struct packet **ret)
{
    size_t len = m->data->remaining;
    if (len > max)
        return -EMSGSIZE;
    struct packet *p = packet_new(len);
    if (!p)
        return -ENOBUFS;
    if (len > 0 && uio_take(m->data, p->data, len) != (ssize_t)len) {
        free(p);
        return -EFAULT;
    }
    *ret = p;
    return 0;
}

/* UDP_CORK, MSG_MORE: adds to what waits. Consumes p. send_lock held. */
static int add_to_cork(struct datagram_socket *d, struct packet *p, size_t max)
{
    struct packet *old = d->corked;
    if (!old) {
        d->corked = p;
        return 0;
    }
    size_t len = (size_t)old->len + p->len;
    struct packet *both = len <= max ? packet_new(len) : NULL;
    if (!both) {
        free(p);
        return len > max ? -EMSGSIZE : -ENOBUFS;
    }
    uint32_t cost = both->cost;
    memcpy(both, old, sizeof(*old) + old->len);
    list_init(&both->link);
    both->len = (uint32_t)len;
    both->cost = cost;
    memcpy(both->data + old->len, p->data, p->len);
    free(old);
    free(p);
    d->corked = both;
    return 0;
}

static enum inet_reach reach_of(struct datagram_socket *d, const struct packet *p)
{
    struct inet_route route;
    return inet_route_find(d->inet.net, &p->to.addr, p->interface, &route) == 0 ? route.reach : REACH_LOCAL;
}

static void push_cork(struct datagram_socket *d)
{
    struct packet *p = d->corked;
    d->corked = NULL;
    if (p)
        deliver(d, p, reach_of(d, p));
}

static ssize_t send_plain(struct datagram_socket *d, struct socket_message *m, const struct destination *to)
{
    size_t max = inet_is_v4(&to->to.addr) ? UDP_MAX_V4 : UDP_MAX_V6;
    size_t len = m->data->remaining;
    struct packet *p;
    int err = take_bytes(m, max, &p);
    if (err < 0)
        return err;
    packet_address(p, &d->inet, to);
    bool more = d->cork || (m->flags & MSG_MORE);
    if (!more && !d->corked) {
        deliver(d, p, to->route.reach);
        return (ssize_t)len;
    }
    err = add_to_cork(d, p, max);
    if (err == 0 && !more)
        push_cork(d);
    return err < 0 ? err : (ssize_t)len;
}

static ssize_t udp_send_locked(struct datagram_socket *d, struct socket_message *m)
{
    struct destination to;
    int err = d->inet.owner.port ? 0 : inet_autobind(&d->inet);
    if (err == 0)
        err = datagram_destination(d, m, &to);
    if (err == 0 && to.to.port == 0)
        err = -EINVAL;
    if (err < 0)
        return err;
    to.from.port = d->inet.pair.local.port;
    if (to.route.reach == REACH_OUTSIDE || inet_is_host_resolver(d->inet.net, &to.to)) {
        err = inet_outside_open(&d->inet);
        return err < 0 ? err : d->inet.outside->ops->send(d->inet.outside, m);
    }
    int segment = to.control.segment ? to.control.segment : d->segment;
    if (segment && m->data->remaining > (size_t)segment)
        return send_segments(d, m, &to, (size_t)segment);
    return send_plain(d, m, &to);
}

static ssize_t udp_send(struct socket *s, struct socket_message *m)
{
    struct datagram_socket *d = datagram_of(s);
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->data->remaining > DATAGRAM_MAX)
        return -EMSGSIZE;
    if (d->inet.shutdown & SEND_SHUT)
        return socket_broken_pipe(m->flags);
    int err = socket_take_error(s);
    if (err < 0)
        return err;
    mutex_lock(&d->inet.send_lock);
    ssize_t result = udp_send_locked(d, m);
    mutex_unlock(&d->inet.send_lock);
    return result;
}

static ssize_t udp_receive(struct socket *s, struct socket_message *m)
{
    struct datagram_socket *d = datagram_of(s);
    if (UNLIKELY(d->inet.outside))
        return d->inet.outside->ops->receive(d->inet.outside, m);
    return datagram_receive(d, m);
}

static uint32_t udp_poll(struct socket *s, struct poll_table *table)
{
    struct datagram_socket *d = datagram_of(s);
    uint32_t events = datagram_poll(s, table);
    if (UNLIKELY(d->inet.outside))
        events |= d->inet.outside->ops->poll(d->inet.outside, table);
    return events;
}

/* ---- options ---- */

static int set_cork(struct datagram_socket *d, bool on)
{
    mutex_lock(&d->inet.send_lock);
    d->cork = on;
    if (!on)
        push_cork(d);
    mutex_unlock(&d->inet.send_lock);
    return 0;
}

#define UDP_HEADER 8

/* How much of a UDP-Lite datagram its checksum covers: the header at least. */
static int set_coverage(struct datagram_socket *d, int option, int value)
{
    if (!is_lite(d))
        return -ENOPROTOOPT;
    if (value != 0 && value < UDP_HEADER)
        value = UDP_HEADER;
    value = MIN(value, (int)UINT16_MAX);
    *(option == UDPLITE_SEND_CSCOV_OPTION ? &d->send_coverage : &d->receive_coverage) = value;
    return 0;
}

static int udp_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    struct datagram_socket *d = datagram_of(s);
    int v;
    if (level != s->protocol && level != IPPROTO_UDP)
        return inet_set_option(s, level, option, value, len);
    if (len < sizeof(v))
        return -EINVAL;
    memcpy(&v, value, sizeof(v));
    switch (option) {
    case UDP_CORK_OPTION:
        return set_cork(d, v != 0);
    case UDP_SEGMENT_OPTION:
        if (v < 0 || v > UINT16_MAX)
            return -EINVAL;
        d->segment = v;
        return 0;
    case UDP_GRO_OPTION:
        d->gro = v != 0;
        return 0;
    case UDP_NO_CHECK6_TX_OPTION:
        d->no_check_tx = v != 0;
        return 0;
    case UDP_NO_CHECK6_RX_OPTION:
        d->no_check_rx = v != 0;
        return 0;
    case UDPLITE_SEND_CSCOV_OPTION:
    case UDPLITE_RECV_CSCOV_OPTION:
        return set_coverage(d, option, v);
    default:
        return -ENOPROTOOPT;
    }
}

static int udp_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    struct datagram_socket *d = datagram_of(s);
    int v;
    if (level != s->protocol && level != IPPROTO_UDP)
        return inet_get_option(s, level, option, value, len);
    switch (option) {
    case UDP_CORK_OPTION:
        return inet_option_give_int(d->cork, value, len);
    case UDP_SEGMENT_OPTION:
        return inet_option_give_int(d->segment, value, len);
    case UDP_GRO_OPTION:
        return inet_option_give_int(d->gro, value, len);
    case UDP_NO_CHECK6_TX_OPTION:
        return inet_option_give_int(d->no_check_tx, value, len);
    case UDP_NO_CHECK6_RX_OPTION:
        return inet_option_give_int(d->no_check_rx, value, len);
    case UDP_ENCAP_OPTION:
        return inet_option_give_int(0, value, len);
    case UDPLITE_SEND_CSCOV_OPTION:
    case UDPLITE_RECV_CSCOV_OPTION:
        v = option == UDPLITE_SEND_CSCOV_OPTION ? d->send_coverage : d->receive_coverage;
        return inet_option_give_int(v, value, len);
    default:
        return -ENOPROTOOPT;
    }
}

static const struct socket_ops udp_ops = {
    .bind = inet_bind,
    .connect = datagram_connect,
    .listen = datagram_no_listen,
    .accept = datagram_no_accept,
    .name = inet_name,
    .shutdown = datagram_shutdown,
    .send = udp_send,
    .receive = udp_receive,
    .poll = udp_poll,
    .ioctl = datagram_ioctl,
    .set_option = udp_set_option,
    .get_option = udp_get_option,
    .release = datagram_release,
    .free = datagram_socket_free,
};

int udp_create(int domain, int protocol, struct socket **ret)
{
    struct datagram_socket *d = datagram_new(&udp_ops, domain, SOCK_DGRAM, protocol);
    if (!d)
        return -ENOMEM;
    *ret = &d->inet.socket;
    return 0;
}
