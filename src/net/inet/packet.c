/*
 * Datagrams: queues, receiving with control messages, the queue of errors. See packet.h; where they go is in
 * datagram.c.
 */
#include "net/inet/packet.h"
#include "base/cleanup.h"
#include "net/filter.h"
#include "net/netns.h"
#include "vfs/uio.h"
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct packet *packet_new(size_t len)
{
    struct packet *p = malloc(sizeof(*p) + len);
    if (!p)
        return NULL;
    *p = (struct packet){.len = (uint32_t)len, .cost = (uint32_t)len + PACKET_COST, .ttl = -1};
    list_init(&p->link);
    return p;
}

struct packet *packet_copy(const struct packet *p)
{
    struct packet *copy = packet_new(p->len);
    if (!copy)
        return NULL;
    memcpy(copy, p, sizeof(*p) + p->len);
    list_init(&copy->link);
    return copy;
}

/* ---- queues ---- */

#define UDP_HEADER 8

/* The filter of a UDP socket sees the header before the bytes, and may cut the datagram short. */
static bool passes_filter(struct socket *s, struct packet *p)
{
    size_t header = s->protocol == IPPROTO_UDP ? UDP_HEADER : 0;
    size_t len = p->len + header;
    CLEANUP_FREE unsigned char *whole = calloc(1, len + 1);
    if (!whole)
        return false;
    if (header) {
        uint16_t fields[4] = {htobe16(p->from.port), htobe16(p->to.port), htobe16((uint16_t)len), 0};
        memcpy(whole, fields, sizeof(fields));
    }
    memcpy(whole + header, p->data, p->len);
    size_t keep = socket_filter_run(s, whole, len);
    if (keep == 0)
        return false;
    p->len = (uint32_t)MAX(keep > header ? keep - header : 0, (size_t)p->offset);
    return true;
}

bool packet_queue(struct datagram_socket *to, struct packet *p)
{
    struct socket *s = &to->inet.socket;
    bool fits = !UNLIKELY(s->filter) || passes_filter(s, p);
    if (s->timestamps || s->timestamps_ns)
        p->time = now_realtime();
    spin_lock(&to->inet.lock);
    if (fits && to->queue_cost > (uint32_t)s->receive_buffer) {
        fits = false;
        to->drops++;
        to->inet.net->counters.udp_receive_overflows++;
    }
    if (fits) {
        list_add_tail(&to->queue, &p->link);
        to->queue_cost += p->cost;
        to->queue_bytes += p->len - p->offset;
    }
    spin_unlock(&to->inet.lock);
    if (!fits)
        free(p);
    else
        wake_poll(&s->readers, EPOLLIN | EPOLLRDNORM | EPOLLRDBAND);
    return fits;
}

void packet_error(struct datagram_socket *to, struct packet *p)
{
    struct socket *s = &to->inet.socket;
    spin_lock(&to->inet.lock);
    bool fits = to->error_cost + p->cost < (uint32_t)s->receive_buffer;
    if (fits) {
        list_add_tail(&to->errors, &p->link);
        to->error_cost += p->cost;
    }
    spin_unlock(&to->inet.lock);
    if (fits)
        wake_poll(&s->readers, EPOLLERR | EPOLLPRI);
    else
        free(p);
}

static struct packet *first_packet(struct datagram_socket *d)
{
    spin_lock(&d->inet.lock);
    struct packet *p = list_first(&d->queue, struct packet, link);
    spin_unlock(&d->inet.lock);
    return p;
}

static void unqueue(struct datagram_socket *d, struct packet *p)
{
    spin_lock(&d->inet.lock);
    list_del(&p->link);
    d->queue_cost -= p->cost;
    d->queue_bytes -= p->len - p->offset;
    spin_unlock(&d->inet.lock);
    free(p);
}

/* ---- control messages ---- */

static void give_int(struct socket_message *m, int level, int type, int value)
{
    message_put_control(m, level, type, &value, sizeof(value));
}

static void give_pktinfo(struct inet_socket *i, struct socket_message *m, const struct packet *p)
{
    struct in_pktinfo info = {.ipi_ifindex = p->interface};
    info.ipi_addr.s_addr = info.ipi_spec_dst.s_addr = p->to.addr.s6_addr32[3];
    if (inet_is_multicast(&p->to.addr) || inet_is_broadcast(&p->to.addr))
        info.ipi_spec_dst.s_addr = htobe32(inet_interface_address(i->net, p->interface));
    message_put_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void give_v4(struct inet_socket *i, struct socket_message *m, const struct packet *p)
{
    uint8_t tos = (uint8_t)p->tos;
    if (inet_flag_get(i, IF_PKTINFO))
        give_pktinfo(i, m, p);
    if (inet_flag_get(i, IF_RECVTTL))
        give_int(m, IPPROTO_IP, IP_TTL, p->ttl);
    if (inet_flag_get(i, IF_RECVTOS))
        message_put_control(m, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    if (inet_flag_get(i, IF_RECVORIGDSTADDR)) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htobe16(p->to.port)};
        to.sin_addr.s_addr = p->to.addr.s6_addr32[3];
        message_put_control(m, IPPROTO_IP, IP_ORIGDSTADDR, &to, sizeof(to));
    }
}

static void give_v6(struct inet_socket *i, struct socket_message *m, const struct packet *p)
{
    struct in6_pktinfo info = {p->to.addr, (unsigned)p->interface};
    bool v4 = inet_is_v4(&p->to.addr);
    if (inet_flag_get(i, IF6_PKTINFO))
        message_put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    if (inet_flag_get(i, IF6_OLD_PKTINFO))
        message_put_control(m, IPPROTO_IPV6, IPV6_2292PKTINFO, &info, sizeof(info));
    if (inet_flag_get(i, IF6_HOPLIMIT) && !v4)
        give_int(m, IPPROTO_IPV6, IPV6_HOPLIMIT, p->ttl);
    if (inet_flag_get(i, IF6_OLD_HOPLIMIT) && !v4)
        give_int(m, IPPROTO_IPV6, IPV6_2292HOPLIMIT, p->ttl);
    if (inet_flag_get(i, IF6_TCLASS) && !v4)
        give_int(m, IPPROTO_IPV6, IPV6_TCLASS, p->tos);
    if (inet_flag_get(i, IF6_ORIGDSTADDR)) {
        struct socket_name name;
        inet_name_out(i, &p->to, &name);
        message_put_control(m, IPPROTO_IPV6, IPV6_ORIGDSTADDR, name.bytes, name.len);
    }
}

static void give_control(struct datagram_socket *d, struct socket_message *m, const struct packet *p)
{
    struct inet_socket *i = &d->inet;
    socket_give_timestamp(&i->socket, m, p->time);
    if (i->socket.overflow_wanted && d->drops) {
        uint32_t drops = d->drops;
        message_put_control(m, SOL_SOCKET, SO_RXQ_OVFL, &drops, sizeof(drops));
    }
    if (d->gro && p->segment)
        give_int(m, IPPROTO_UDP, UDP_GRO_OPTION, (int)p->segment);
    if (!i->options.flags)
        return;
    if (inet_is6(i))
        give_v6(i, m, p);
    if (inet_is_v4(&p->to.addr))
        give_v4(i, m, p);
}

/* ---- the queue of errors ---- */

static void give_error(struct inet_socket *i, struct socket_message *m, const struct packet *p)
{
    struct {
        struct sock_extended_err error;
        union {
            struct sockaddr_in v4;
            struct sockaddr_in6 v6;
        } offender;
    } e = {.error = p->error};
    size_t len = sizeof(e.error) + (inet_is6(i) ? sizeof(e.offender.v6) : sizeof(e.offender.v4));
    if (p->error.ee_origin != SO_EE_ORIGIN_LOCAL) {
        struct socket_name name;
        struct inet_endpoint offender = {.addr = p->from.addr};
        inet_name_out(i, &offender, &name);
        memcpy(&e.offender, name.bytes, name.len);
    }
    if (inet_is6(i))
        message_put_control(m, IPPROTO_IPV6, IPV6_RECVERR, &e, len);
    else
        message_put_control(m, IPPROTO_IP, IP_RECVERR, &e, len);
}

static ssize_t receive_error(struct datagram_socket *d, struct socket_message *m)
{
    spin_lock(&d->inet.lock);
    struct packet *p = list_first(&d->errors, struct packet, link);
    struct packet *next = NULL;
    if (p) {
        list_del(&p->link);
        d->error_cost -= p->cost;
        next = list_first(&d->errors, struct packet, link);
        d->inet.socket.error = next ? (int)next->error.ee_errno : 0;
    }
    spin_unlock(&d->inet.lock);
    if (!p)
        return -EAGAIN;
    size_t n = MIN((size_t)p->len, m->data->remaining);
    if (n < p->len)
        m->ret_flags |= MSG_TRUNC;
    ssize_t put = n > 0 ? uio_put(m->data, p->data, n) : 0;
    if (m->name)
        inet_name_out(&d->inet, &p->to, m->name);
    give_error(&d->inet, m, p);
    m->ret_flags |= MSG_ERRQUEUE;
    free(p);
    return put;
}

/* ---- receiving ---- */

static ssize_t take_packet(struct datagram_socket *d, struct socket_message *m, struct packet *p)
{
    bool peek = m->flags & MSG_PEEK;
    int peek_offset = peek || d->inet.socket.peek_offset > 0 ? d->inet.socket.peek_offset : -1;
    size_t skip = peek && peek_offset > 0 ? MIN((size_t)peek_offset, (size_t)(p->len - p->offset)) : 0;
    size_t len = p->len - p->offset - skip, n = MIN(len, m->data->remaining);
    if (n < len)
        m->ret_flags |= MSG_TRUNC;
    ssize_t put = n > 0 ? uio_put(m->data, p->data + p->offset + skip, n) : 0;
    if (put < 0 || (size_t)put < n) {
        if (!peek)
            unqueue(d, p); /* lost, as on Linux */
        return -EFAULT;
    }
    if (m->name)
        inet_name_out(&d->inet, &p->from, m->name);
    give_control(d, m, p);
    if (peek_offset >= 0)
        d->inet.socket.peek_offset = peek ? peek_offset + put : MAX(peek_offset - put, 0);
    if (!peek)
        unqueue(d, p);
    return m->flags & MSG_TRUNC ? (ssize_t)len : put;
}

/* Nothing is queued: 1 when there will be nothing, 0 after a wait, -errno. receive_lock is let go meanwhile. */
static int wait_packet(struct datagram_socket *d, const struct socket_message *m, int64_t deadline)
{
    struct inet_socket *i = &d->inet;
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    if (i->shutdown & RECEIVE_SHUT)
        return 1;
    mutex_unlock(&i->receive_lock);
    int err = wait_event_timeout(&i->socket.readers,
                                 first_packet(d) || (i->shutdown & RECEIVE_SHUT) || i->socket.error, deadline);
    mutex_lock(&i->receive_lock);
    return socket_wait_error(err, deadline);
}

/* A datagram that a peek offset has passed does not count. */
static struct packet *packet_to_take(struct datagram_socket *d, const struct socket_message *m)
{
    struct packet *p = first_packet(d);
    size_t offset = m->flags & MSG_PEEK && d->inet.socket.peek_offset > 0 ? (size_t)d->inet.socket.peek_offset : 0;
    while (p && offset && offset >= p->len - p->offset && p->len > p->offset) {
        spin_lock(&d->inet.lock);
        struct packet *next = p->link.next == &d->queue ? NULL : list_entry(p->link.next, struct packet, link);
        spin_unlock(&d->inet.lock);
        if (!next)
            return NULL;
        p = next;
        break; /* the offset starts anew in the next one */
    }
    return p;
}

ssize_t datagram_receive(struct datagram_socket *d, struct socket_message *m)
{
    struct inet_socket *i = &d->inet;
    int64_t deadline = socket_deadline(&i->socket, false);
    ssize_t result;
    struct packet *p = NULL;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->name)
        m->name->len = 0;
    if (m->flags & MSG_ERRQUEUE)
        return receive_error(d, m);
    mutex_lock(&i->receive_lock);
    do {
        result = socket_take_error(&i->socket);
        p = result == 0 ? packet_to_take(d, m) : NULL;
        if (!p && result == 0)
            result = wait_packet(d, m, deadline);
    } while (!p && result == 0);
    if (p)
        result = take_packet(d, m, p);
    else if (result == 1)
        result = 0;
    mutex_unlock(&i->receive_lock);
    return result;
}

/* ---- life ---- */

struct datagram_socket *datagram_new(const struct socket_ops *ops, int domain, int type, int protocol)
{
    struct datagram_socket *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    inet_socket_init(&d->inet, current_netns(), ops, domain, type, protocol);
    list_init(&d->queue);
    list_init(&d->errors);
    d->checksum_offset = -1;
    return d;
}

static void free_packets(struct list *queue)
{
    struct packet *p, *tmp;
    list_for_each_safe(p, tmp, queue, link) {
        list_del(&p->link);
        free(p);
    }
}

void datagram_socket_free(struct socket *s)
{
    struct datagram_socket *d = datagram_of(s);
    free_packets(&d->queue);
    free_packets(&d->errors);
    free(d->corked);
    inet_socket_fini(&d->inet);
    free(d);
}

uint32_t datagram_poll(struct socket *s, struct poll_table *table)
{
    struct datagram_socket *d = datagram_of(s);
    uint32_t events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
    unsigned shut = d->inet.shutdown;
    spin_lock(&d->inet.lock);
    bool readable = !list_empty(&d->queue), errors = !list_empty(&d->errors);
    spin_unlock(&d->inet.lock);
    if (s->error || errors)
        events |= EPOLLERR | (s->select_errors ? EPOLLPRI : 0);
    if (shut & RECEIVE_SHUT)
        events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
    if (shut == (RECEIVE_SHUT | SEND_SHUT))
        events |= EPOLLHUP;
    if (readable)
        events |= EPOLLIN | EPOLLRDNORM;
    return events;
}
