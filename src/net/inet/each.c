/*
 * Snapshots of the sockets of a namespace. See each.h.
 */
#include "net/inet/each.h"
#include "net/inet/packet.h"
#include "net/inet/tcp.h"
#include "net/inet/timewait.h"
#include "net/netns.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_inet(const struct socket *s)
{
    return s->domain == AF_INET || s->domain == AF_INET6;
}

static bool is_wanted(const struct socket *s, int protocol, int type)
{
    if (!is_inet(s))
        return false;
    const struct inet_socket *i = container_of(s, struct inet_socket, socket);
    if (type ? i->socket.type != type : i->socket.type == SOCK_RAW)
        return false;
    if (protocol && i->socket.protocol != protocol && i->socket.type != SOCK_RAW)
        return false;
    return i->socket.type == SOCK_RAW || i->owner.port || (i->state && i->state != TCP_CLOSE);
}

static void tcp_numbers(struct tcp_socket *t, struct inet_info *info)
{
    info->unread = (uint32_t)MIN(t->queue.bytes, (size_t)INT_MAX);
    info->bytes_sent = t->sent;
    info->bytes_received = t->queue.read + t->queue.bytes;
    info->congestion = tcp_congestion_name(t);
    if (t->inet.state == TCP_LISTEN) {
        info->unread = t->backlog_len;
        info->unsent = t->backlog_max;
    }
}

static void datagram_numbers(struct datagram_socket *d, struct inet_info *info)
{
    info->unread = d->queue_cost;
    info->receive_cost = d->queue_cost;
    info->drops = d->drops;
}

/* sockets_lock held: the socket is there. */
static void fill(struct inet_socket *i, struct inet_info *info)
{
    struct socket *s = &i->socket;
    spin_lock(&i->lock);
    *info = (struct inet_info){
        .domain = s->domain,
        .type = s->type,
        .protocol = s->protocol,
        .state = i->state,
        .local = i->pair.local,
        .remote = i->pair.remote,
        .v6only = inet_flag_get(i, IF6_ONLY),
        .uid = i->uid,
        .inode = s->ino,
        .cookie = s->cookie,
        .device = i->device,
        .mark = (uint32_t)s->mark,
        .receive_buffer = (uint32_t)s->receive_buffer,
        .send_buffer = (uint32_t)s->send_buffer,
        .refs = refcount_read(&s->ref) + 1,
        .shutdown = i->shutdown,
    };
    if (s->type == SOCK_STREAM)
        tcp_numbers(container_of(i, struct tcp_socket, inet), info);
    else
        datagram_numbers(container_of(i, struct datagram_socket, inet), info);
    spin_unlock(&i->lock);
}

static void fill_remains(const struct timewait *w, int64_t now, struct inet_info *info)
{
    *info = (struct inet_info){
        .domain = w->domain,
        .type = SOCK_STREAM,
        .protocol = IPPROTO_TCP,
        .state = w->fin_wait ? TCP_FIN_WAIT2 : TCP_TIME_WAIT,
        .local = w->pair.local,
        .remote = w->pair.remote,
        .refs = 3,
        .expires = MAX(w->until - now, 0),
    };
}

static void take_remains(struct inet_net *net, struct inet_snapshot *s, size_t room)
{
    struct inet_table *t = &net->tables[TABLE_TCP];
    int64_t now = now_monotonic();
    struct timewait *w;
    spin_lock(&t->lock);
    timewait_expire_locked(t);
    list_for_each(w, &t->remains, link)
        if (s->count < room)
            fill_remains(w, now, &s->infos[s->count++]);
    spin_unlock(&t->lock);
}

int inet_snapshot_take(struct net_namespace *ns, int protocol, int type, struct inet_snapshot *ret)
{
    struct inet_net *net = inet_net_of(ns);
    struct socket *s;
    bool remains = type != SOCK_RAW && (protocol == 0 || protocol == IPPROTO_TCP);
    size_t room = ns->socket_count + (remains ? net->tables[TABLE_TCP].remains_count : 0) + 16;
    *ret = (struct inet_snapshot){.infos = malloc(room * sizeof(struct inet_info))};
    if (!ret->infos)
        return -ENOMEM;
    spin_lock(&ns->sockets_lock);
    list_for_each(s, &ns->sockets, ns_link)
        if (ret->count < room && is_wanted(s, protocol, type))
            fill(inet_of(s), &ret->infos[ret->count++]);
    spin_unlock(&ns->sockets_lock);
    if (remains)
        take_remains(net, ret, room);
    return 0;
}

void inet_snapshot_free(struct inet_snapshot *s)
{
    free(s->infos);
    *s = (struct inet_snapshot){0};
}

static void count_one(const struct inet_socket *i, struct inet_counts *c)
{
    bool v6 = i->socket.domain == AF_INET6;
    if (i->socket.type == SOCK_RAW)
        *(v6 ? &c->raw6 : &c->raw) += 1;
    else if (i->socket.type == SOCK_STREAM)
        *(v6 ? &c->tcp6 : &c->tcp) += 1;
    else if (i->socket.protocol == IPPROTO_UDP)
        *(v6 ? &c->udp6 : &c->udp) += 1;
}

void inet_count(struct net_namespace *ns, struct inet_counts *ret)
{
    struct inet_net *net = inet_net_of(ns);
    struct socket *s;
    *ret = (struct inet_counts){0};
    spin_lock(&ns->sockets_lock);
    list_for_each(s, &ns->sockets, ns_link)
        if (is_inet(s))
            count_one(inet_of(s), ret);
    spin_unlock(&ns->sockets_lock);
    spin_lock(&net->tables[TABLE_TCP].lock);
    timewait_expire_locked(&net->tables[TABLE_TCP]);
    ret->tcp_timewait = net->tables[TABLE_TCP].remains_count;
    spin_unlock(&net->tables[TABLE_TCP].lock);
}

const struct inet_counters *inet_counters_of(struct net_namespace *ns)
{
    return &inet_net_of(ns)->counters;
}
