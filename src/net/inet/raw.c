/*
 * Raw sockets, and ICMP echo sockets (SOCK_DGRAM with IPPROTO_ICMP): raw(7), icmp(7).
 *
 * What is sent to one of our own addresses is given to the raw sockets of its protocol; an echo request is answered
 * on the spot, as the addressed machine would. An IPv4 raw socket gets the IP header as well, an IPv6 one does not.
 */
#include "net/inet/backend.h"
#include "net/inet/packet.h"
#include "net/netns.h"
#include "vfs/uio.h"
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <stdlib.h>
#include <string.h>

#define RAW_MAX 65535
#define ICMP_FILTER_OPTION 1
#define ICMP6_FILTER_OPTION 1

static uint16_t checksum(const void *data, size_t len, uint32_t sum)
{
    const unsigned char *at = data;
    for (size_t k = 0; k + 1 < len; k += 2)
        sum += (uint32_t)at[k] << 8 | at[k + 1];
    if (len & 1)
        sum += (uint32_t)at[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htobe16((uint16_t)~sum);
}

/* ---- giving it to the raw sockets ---- */

/* An IPv4 header in front of the bytes: a packet with `offset` 0. */
static struct packet *with_header(const struct packet *p, int protocol)
{
    struct packet *whole = packet_new(sizeof(struct iphdr) + p->len);
    if (!whole)
        return NULL;
    uint32_t cost = whole->cost, len = whole->len;
    memcpy(whole, p, sizeof(*p));
    list_init(&whole->link);
    whole->cost = cost;
    whole->len = len;
    struct iphdr ip = {
        .version = 4,
        .ihl = 5,
        .tos = (uint8_t)p->tos,
        .tot_len = htobe16((uint16_t)len),
        .ttl = (uint8_t)p->ttl,
        .protocol = (uint8_t)protocol,
        .saddr = p->from.addr.s6_addr32[3],
        .daddr = p->to.addr.s6_addr32[3],
    };
    ip.check = checksum(&ip, sizeof(ip), 0);
    memcpy(whole->data, &ip, sizeof(ip));
    memcpy(whole->data + sizeof(ip), p->data, p->len);
    return whole;
}

static bool filtered(struct datagram_socket *d, const struct packet *p)
{
    unsigned type = p->len > 0 ? (unsigned char)p->data[0] : 0;
    if (d->inet.socket.protocol == IPPROTO_ICMP)
        return type < 32 && (d->icmp_filter[0] >> type & 1);
    return d->inet.socket.protocol == IPPROTO_ICMPV6 && (d->icmp_filter[type >> 5] >> (type & 31) & 1);
}

static bool wants(struct datagram_socket *d, const struct packet *p, int protocol)
{
    struct inet_socket *i = &d->inet;
    if (i->socket.type != SOCK_RAW || i->socket.protocol != protocol ||
        (i->socket.domain == AF_INET) != inet_is_v4(&p->to.addr))
        return false;
    if (!inet_is_any(&i->pair.local.addr) && !inet_same(&i->pair.local.addr, &p->to.addr))
        return false;
    if (i->state == TCP_ESTABLISHED && !inet_same(&i->pair.remote.addr, &p->from.addr))
        return false;
    return (!i->device || i->device == p->interface) && !filtered(d, p);
}

#define RECEIVERS_MAX 64

static unsigned find_receivers(struct inet_net *net, const struct packet *p, int protocol,
                               struct inet_socket **ret)
{
    struct socket *s;
    unsigned n = 0;
    if (!net->raw_sockets)
        return 0;
    spin_lock(&net->ns->sockets_lock);
    list_for_each(s, &net->ns->sockets, ns_link) {
        if (s->type != SOCK_RAW || (s->domain != AF_INET && s->domain != AF_INET6) || n == RECEIVERS_MAX)
            continue;
        if (wants(datagram_of(s), p, protocol) && refcount_get_unless_zero(&s->ref))
            ret[n++] = inet_of(s);
    }
    spin_unlock(&net->ns->sockets_lock);
    return n;
}

static void give_to_raw(struct inet_net *net, const struct packet *p, int protocol)
{
    struct inet_socket *receivers[RECEIVERS_MAX];
    unsigned n = find_receivers(net, p, protocol, receivers);
    for (unsigned k = 0; k < n; k++) {
        struct packet *copy = inet_is_v4(&p->to.addr) ? with_header(p, protocol) : packet_copy(p);
        if (copy)
            packet_queue(container_of(receivers[k], struct datagram_socket, inet), copy);
        socket_put(&receivers[k]->socket);
    }
}

/* ---- ICMP ---- */

/* The checksum of ICMPv6 covers addresses, too. */
static uint32_t pseudo_header(const struct packet *p)
{
    uint32_t sum = p->len + IPPROTO_ICMPV6;
    const struct in6_addr *addrs[2] = {&p->from.addr, &p->to.addr};
    for (unsigned a = 0; a < 2; a++)
        for (unsigned k = 0; k < 16; k += 2)
            sum += (uint32_t)addrs[a]->s6_addr[k] << 8 | addrs[a]->s6_addr[k + 1];
    return sum;
}

static void set_checksum(struct packet *p)
{
    struct icmphdr h;
    memcpy(&h, p->data, sizeof(h));
    h.checksum = 0;
    memcpy(p->data, &h, sizeof(h));
    h.checksum = checksum(p->data, p->len, inet_is_v4(&p->to.addr) ? 0 : pseudo_header(p));
    memcpy(p->data, &h, sizeof(h));
}

static bool is_echo_request(const struct packet *p)
{
    unsigned char type = p->len >= sizeof(struct icmphdr) ? (unsigned char)p->data[0] : 0;
    return type == (inet_is_v4(&p->to.addr) ? ICMP_ECHO : ICMPV6_ECHO_REQUEST);
}

/* The echo socket that has the identifier gets the reply. */
static void give_to_ping(struct inet_net *net, const struct packet *reply)
{
    struct inet_endpoint to = reply->to;
    struct icmphdr h;
    memcpy(&h, reply->data, sizeof(h));
    to.port = be16toh(h.un.echo.id);
    struct inet_socket *i = inet_find_datagram(net, TABLE_PING, &to, &reply->from, reply->interface);
    if (!i)
        return;
    struct packet *copy = packet_copy(reply);
    if (copy)
        packet_queue(container_of(i, struct datagram_socket, inet), copy);
    socket_put(&i->socket);
}

static void answer_echo(struct inet_net *net, const struct packet *request, int protocol)
{
    struct packet *reply = packet_copy(request);
    if (!reply)
        return;
    reply->from = request->to;
    reply->to = request->from;
    reply->from.port = reply->to.port = 0;
    reply->ttl = 64;
    reply->data[0] = inet_is_v4(&request->to.addr) ? ICMP_ECHOREPLY : (char)ICMPV6_ECHO_REPLY;
    set_checksum(reply);
    net->counters.icmp_out++;
    net->counters.icmp_in++;
    give_to_raw(net, reply, protocol);
    give_to_ping(net, reply);
    free(reply);
}

static void deliver(struct inet_net *net, struct packet *p, int protocol)
{
    give_to_raw(net, p, protocol);
    if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
        net->counters.icmp_in++;
        net->counters.icmp_out++;
        if (is_echo_request(p) && !(protocol == IPPROTO_ICMP && net->ns->sysctl.icmp_echo_ignore_all)) {
            net->counters.icmp_in_echos++;
            answer_echo(net, p, protocol);
        }
    }
    free(p);
}

/* ---- sending ---- */

static int take_bytes(struct socket_message *m, struct packet **ret)
{
    size_t len = m->data->remaining;
    struct packet *p = len <= RAW_MAX ? packet_new(len) : NULL;
    if (!p)
        return len <= RAW_MAX ? -ENOBUFS : -EMSGSIZE;
    if (len > 0 && uio_take(m->data, p->data, len) != (ssize_t)len) {
        free(p);
        return -EFAULT;
    }
    *ret = p;
    return 0;
}

/* An echo socket sends echo requests only, and its port is the identifier. */
static int prepare_ping(struct datagram_socket *d, struct packet *p)
{
    struct icmphdr h;
    bool v4 = inet_is_v4(&p->to.addr);
    if (p->len < sizeof(h))
        return -EINVAL;
    memcpy(&h, p->data, sizeof(h));
    if (h.type != (v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST) || h.code != 0)
        return -EINVAL;
    h.un.echo.id = htobe16(d->inet.pair.local.port);
    memcpy(p->data, &h, sizeof(h));
    set_checksum(p);
    return 0;
}

/* IP_HDRINCL: the header is the guest's; what follows it is the payload. */
static int strip_header(struct packet *p, int *ret_protocol)
{
    struct iphdr ip;
    if (p->len < sizeof(ip))
        return -EINVAL;
    memcpy(&ip, p->data, sizeof(ip));
    size_t header = ip.ihl * 4u;
    if (header < sizeof(ip) || header > p->len)
        return -EINVAL;
    p->ttl = ip.ttl;
    p->tos = ip.tos;
    if (ip.saddr)
        p->from.addr = inet_from_v4(be32toh(ip.saddr));
    p->len -= (uint32_t)header;
    memmove(p->data, p->data + header, p->len);
    *ret_protocol = ip.protocol;
    return 0;
}

/* IPV6_CHECKSUM, and ICMPv6 always. */
static int put_checksum6(struct datagram_socket *d, struct packet *p)
{
    int at = d->inet.socket.protocol == IPPROTO_ICMPV6 ? 2 : d->checksum_offset;
    if (at < 0 || d->inet.socket.domain != AF_INET6)
        return 0;
    if ((size_t)at + 2 > p->len)
        return -EINVAL;
    uint16_t sum = 0;
    memcpy(p->data + at, &sum, sizeof(sum));
    uint32_t seed = pseudo_header(p) - IPPROTO_ICMPV6 + (uint32_t)d->inet.socket.protocol;
    sum = checksum(p->data, p->len, seed);
    memcpy(p->data + at, &sum, sizeof(sum));
    return 0;
}

static ssize_t send_locked(struct datagram_socket *d, struct socket_message *m)
{
    struct destination to;
    struct packet *p;
    int protocol = d->inet.socket.protocol;
    size_t len = m->data->remaining;
    int err = datagram_destination(d, m, &to);
    if (err == 0 && d->inet.socket.type == SOCK_DGRAM && !d->inet.owner.port)
        err = inet_autobind(&d->inet);
    if (err < 0)
        return err;
    if (to.route.reach == REACH_OUTSIDE) {
        err = inet_outside_open(&d->inet);
        return err < 0 ? err : d->inet.outside->ops->send(d->inet.outside, m);
    }
    err = take_bytes(m, &p);
    if (err < 0)
        return err;
    to.to.port = to.from.port = 0;
    packet_address(p, &d->inet, &to);
    if (d->inet.socket.type == SOCK_DGRAM)
        err = prepare_ping(d, p);
    else if (inet_flag_get(&d->inet, IF_HDRINCL) && !inet_is6(&d->inet))
        err = strip_header(p, &protocol);
    else
        err = put_checksum6(d, p);
    if (err < 0) {
        free(p);
        return err;
    }
    deliver(d->inet.net, p, protocol);
    return (ssize_t)len;
}

static ssize_t raw_send(struct socket *s, struct socket_message *m)
{
    struct datagram_socket *d = datagram_of(s);
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->data->remaining > RAW_MAX)
        return -EMSGSIZE;
    if (d->inet.shutdown & SEND_SHUT)
        return socket_broken_pipe(m->flags);
    int err = socket_take_error(s);
    if (err < 0)
        return err;
    mutex_lock(&d->inet.send_lock);
    ssize_t result = send_locked(d, m);
    mutex_unlock(&d->inet.send_lock);
    return result;
}

static ssize_t raw_receive(struct socket *s, struct socket_message *m)
{
    struct datagram_socket *d = datagram_of(s);
    return UNLIKELY(d->inet.outside) ? d->inet.outside->ops->receive(d->inet.outside, m) : datagram_receive(d, m);
}

/* A raw socket has no port: bind(2) names an address only. */
static int raw_bind(struct socket *s, const struct socket_name *name)
{
    struct inet_socket *i = inet_of(s);
    struct inet_endpoint e;
    if (s->type != SOCK_RAW)
        return inet_bind(s, name);
    int err = inet_name_in(i, name, &e);
    if (err < 0)
        return err;
    if (!inet_flag_get(i, IF_FREEBIND) && !inet_address_is_bindable(i->net, &e.addr))
        return -EADDRNOTAVAIL;
    spin_lock(&i->lock);
    i->pair.local = (struct inet_endpoint){e.addr, (uint16_t)s->protocol, e.scope};
    i->bound_address = !inet_is_any(&e.addr);
    spin_unlock(&i->lock);
    return 0;
}

/* ---- options ---- */

static size_t filter_size(const struct socket *s)
{
    return s->protocol == IPPROTO_ICMPV6 ? sizeof(((struct datagram_socket *)0)->icmp_filter) : sizeof(uint32_t);
}

static bool is_filter_option(const struct socket *s, int level, int option)
{
    if (s->type != SOCK_RAW || option != ICMP_FILTER_OPTION)
        return false;
    return (level == SOL_RAW && s->protocol == IPPROTO_ICMP) || (level == IPPROTO_ICMPV6 && s->protocol == level);
}

static int set_checksum_offset(struct datagram_socket *d, const void *value, socklen_t len)
{
    int offset;
    if (len < sizeof(offset))
        return -EINVAL;
    memcpy(&offset, value, sizeof(offset));
    if (d->inet.socket.protocol == IPPROTO_ICMPV6 || (offset > 0 && offset & 1))
        return -EINVAL;
    d->checksum_offset = offset < 0 ? -1 : offset;
    return 0;
}

static int raw_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    struct datagram_socket *d = datagram_of(s);
    bool raw6 = s->type == SOCK_RAW && s->domain == AF_INET6;
    if (is_filter_option(s, level, option)) {
        spin_lock(&d->inet.lock);
        memcpy(d->icmp_filter, value, MIN((size_t)len, filter_size(s)));
        spin_unlock(&d->inet.lock);
        return 0;
    }
    if (raw6 && (level == IPPROTO_IPV6 || level == SOL_RAW) && option == IPV6_CHECKSUM)
        return set_checksum_offset(d, value, len);
    return inet_set_option(s, level, option, value, len);
}

static int raw_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    struct datagram_socket *d = datagram_of(s);
    bool raw6 = s->type == SOCK_RAW && s->domain == AF_INET6;
    if (is_filter_option(s, level, option))
        return inet_option_give(d->icmp_filter, filter_size(s), value, len);
    if (raw6 && (level == IPPROTO_IPV6 || level == SOL_RAW) && option == IPV6_CHECKSUM)
        return inet_option_give_int(s->protocol == IPPROTO_ICMPV6 ? 2 : (int)d->checksum_offset, value, len);
    return inet_get_option(s, level, option, value, len);
}

static void raw_release(struct socket *s)
{
    if (s->type == SOCK_RAW)
        inet_of(s)->net->raw_sockets--;
    datagram_release(s);
}

static const struct socket_ops raw_ops = {
    .bind = raw_bind,
    .connect = datagram_connect,
    .listen = datagram_no_listen,
    .accept = datagram_no_accept,
    .name = inet_name,
    .shutdown = datagram_shutdown,
    .send = raw_send,
    .receive = raw_receive,
    .poll = datagram_poll,
    .ioctl = datagram_ioctl,
    .set_option = raw_set_option,
    .get_option = raw_get_option,
    .release = raw_release,
    .free = datagram_socket_free,
};

int raw_create(int domain, int type, int protocol, struct socket **ret)
{
    struct datagram_socket *d = datagram_new(&raw_ops, domain, type, protocol);
    if (!d)
        return -ENOMEM;
    if (type == SOCK_RAW) {
        d->inet.pair.local.port = (uint16_t)protocol; /* as Linux shows it */
        d->inet.net->raw_sockets++;
    }
    if (type == SOCK_RAW && protocol == IPPROTO_RAW)
        d->inet.options.flags |= 1ULL << IF_HDRINCL;
    *ret = &d->inet.socket;
    return 0;
}
