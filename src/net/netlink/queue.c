/*
 * Packets on their way: queues, one receiver or a group of them, receiving. See netlink.h.
 */
#include "net/netlink/netlink.h"
#include "base/cleanup.h"
#include "kernel/cred.h"
#include "kernel/pid.h"
#include <stdlib.h>

#define PACKET_COST 512 /* what a packet takes of the receive buffer beyond its bytes */

struct netlink_packet *netlink_packet_new(size_t len)
{
    struct netlink_packet *p = calloc(1, sizeof(*p) + len);
    if (!p)
        return NULL;
    refcount_init(&p->ref);
    p->len = len;
    p->data = (char *)(p + 1);
    return p;
}

void netlink_packet_put(struct netlink_packet *p)
{
    if (!refcount_put(&p->ref))
        return;
    if (p->pid)
        pid_put(p->pid);
    free(p);
}

static void entry_free(struct netlink_entry *e)
{
    netlink_packet_put(e->packet);
    free(e);
}

/* ---- onto a queue ---- */

static void overrun(struct netlink_socket *to)
{
    to->drops++;
    if (to->no_enobufs)
        return;
    to->socket.error = ENOBUFS;
    wake_poll(&to->socket.readers, EPOLLERR);
}

int netlink_queue(struct netlink_socket *to, struct netlink_packet *p, bool dump, bool last)
{
    struct netlink_entry *e = malloc(sizeof(*e));
    if (!e)
        return -ENOMEM;
    refcount_get(&p->ref);
    *e = (struct netlink_entry){.packet = p, .dump = dump, .last = last};
    list_init(&e->link);
    size_t cost = dump ? 0 : p->len + PACKET_COST;
    spin_lock(&to->lock);
    bool fits = dump || to->queued <= (size_t)to->socket.receive_buffer;
    if (fits) {
        list_add_tail(&to->queue, &e->link);
        to->queued += cost;
    }
    spin_unlock(&to->lock);
    if (!fits) {
        entry_free(e);
        overrun(to);
        return -ENOBUFS;
    }
    wake_poll(&to->socket.readers, EPOLLIN | EPOLLRDNORM);
    return 0;
}

int netlink_post(struct file *file, const void *bytes, size_t n)
{
    struct socket *s = socket_of(file);
    if (!s)
        return -ENOTSOCK;
    if (s->domain != AF_NETLINK)
        return -EINVAL;
    struct netlink_packet *p = n ? netlink_packet_new(n) : NULL;
    if (!p)
        return n ? -ENOMEM : 0;
    memcpy(p->data, bytes, n);
    int err = netlink_queue(netlink_of(s), p, false, false);
    netlink_packet_put(p);
    return err;
}

struct broadcast {
    int protocol;
    unsigned group;
    struct netlink_packet *packet;
    const struct netlink_socket *except;
    bool delivered, failed;
};

static void deliver(struct netlink_socket *n, void *arg)
{
    struct broadcast *b = arg;
    unsigned bit = b->group - 1;
    if (n->protocol->protocol != b->protocol || n == b->except || !(n->groups[bit / 64] >> bit % 64 & 1))
        return;
    if (netlink_queue(n, b->packet, false, false) == 0)
        b->delivered = true;
    else if (n->broadcast_error)
        b->failed = true;
}

int netlink_broadcast(struct net_namespace *ns, int protocol, unsigned group, struct netlink_packet *p,
                      const struct netlink_socket *except)
{
    struct broadcast b = {protocol, group, p, except, false, false};
    p->group = group;
    netlink_each(ns, deliver, &b);
    return b.failed ? -ENOBUFS : b.delivered ? 0 : -ESRCH;
}

void netlink_flush(struct netlink_socket *n)
{
    struct netlink_entry *e;
    while ((e = list_first(&n->queue, struct netlink_entry, link))) {
        list_del(&e->link);
        entry_free(e);
    }
}

/* ---- off it ---- */

/* The first packet; taken off unless peeked at, when it gets a reference of its own. */
static struct netlink_entry *take(struct netlink_socket *n, bool peek, struct netlink_packet **ret)
{
    spin_lock(&n->lock);
    struct netlink_entry *e = list_first(&n->queue, struct netlink_entry, link);
    if (e) {
        *ret = e->packet;
        refcount_get(&e->packet->ref);
        if (!peek) {
            list_del(&e->link);
            n->queued -= e->dump ? 0 : e->packet->len + PACKET_COST;
            n->dumping &= !e->last;
        }
    }
    spin_unlock(&n->lock);
    if (e && !peek)
        entry_free(e);
    return e;
}

static bool ready(struct netlink_socket *n)
{
    spin_lock(&n->lock);
    bool any = !list_empty(&n->queue);
    spin_unlock(&n->lock);
    return any || n->socket.error;
}

static int wait_packet(struct netlink_socket *n, const struct socket_message *m, int64_t deadline)
{
    int err = socket_take_error(&n->socket);
    if (err < 0)
        return err;
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    err = wait_event_timeout(&n->socket.readers, ready(n), deadline);
    return socket_wait_error(err, deadline);
}

static void give_details(struct netlink_socket *n, struct socket_message *m, const struct netlink_packet *p)
{
    if (m->name) {
        struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = p->sender,
                                .nl_groups = p->group && p->group <= 32 ? 1u << (p->group - 1) : 0};
        memcpy(m->name->bytes, &a, sizeof(a));
        m->name->len = sizeof(a);
    }
    if (n->packet_info) {
        struct nl_pktinfo info = {.group = p->group};
        message_put_control(m, SOL_NETLINK, NETLINK_PKTINFO, &info, sizeof(info));
    }
    if (n->socket.pass_credentials) {
        struct ucred c = {p->pid ? pid_number(p->pid) : 0, p->uid, p->gid};
        message_put_control(m, SOL_SOCKET, SCM_CREDENTIALS, &c, sizeof(c));
    }
}

ssize_t netlink_receive(struct socket *s, struct socket_message *m)
{
    struct netlink_socket *n = netlink_of(s);
    struct netlink_packet *p;
    int64_t deadline = socket_deadline(s, false);
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    int err = socket_take_error(s);
    if (err < 0)
        return err;
    while (!take(n, m->flags & MSG_PEEK, &p)) {
        err = wait_packet(n, m, deadline);
        if (err < 0)
            return err;
    }
    size_t given = MIN(p->len, m->data->remaining);
    ssize_t result = given ? uio_put(m->data, p->data, given) : 0;
    if (result >= 0 && (size_t)result == given) {
        if (given < p->len)
            m->ret_flags |= MSG_TRUNC;
        if (m->flags & MSG_TRUNC)
            result = (ssize_t)p->len;
        give_details(n, m, p);
    } else if (result >= 0) {
        result = -EFAULT;
    }
    netlink_packet_put(p);
    return result;
}
