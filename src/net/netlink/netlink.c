/*
 * Netlink sockets: their life, ports, groups and options. See netlink.h.
 */
#include "net/netlink/netlink.h"
#include "base/cleanup.h"
#include "kernel/cred.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "net/config/config.h"
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

static const struct socket_ops netlink_ops;
static struct spinlock table_lock;
static struct list sockets = LIST_INIT(sockets); /* [table_lock] of netlink_socket.link */

/* ---- tables ---- */

static struct netlink_socket *find_locked(struct net_namespace *ns, int protocol, uint32_t port)
{
    struct netlink_socket *n;
    list_for_each(n, &sockets, link)
        if (n->socket.ns == ns && n->protocol->protocol == protocol && n->bound && n->port == port)
            return n;
    return NULL;
}

struct netlink_socket *netlink_find(struct net_namespace *ns, int protocol, uint32_t port)
{
    spin_lock(&table_lock);
    struct netlink_socket *n = find_locked(ns, protocol, port);
    if (n)
        socket_get(&n->socket);
    spin_unlock(&table_lock);
    return n;
}

void netlink_each(struct net_namespace *ns, void (*fn)(struct netlink_socket *n, void *arg), void *arg)
{
    struct netlink_socket *n;
    spin_lock(&table_lock);
    list_for_each(n, &sockets, link)
        if (!ns || n->socket.ns == ns || n->listen_all)
            fn(n, arg);
    spin_unlock(&table_lock);
}

struct listeners {
    int protocol;
    unsigned group;
    bool found;
};

static void look_for_listener(struct netlink_socket *n, void *arg)
{
    struct listeners *l = arg;
    unsigned bit = l->group - 1;
    l->found |= n->protocol->protocol == l->protocol && n->groups[bit / 64] >> bit % 64 & 1;
}

bool netlink_has_listeners(struct net_namespace *ns, int protocol, unsigned group)
{
    struct listeners l = {protocol, group, false};
    netlink_each(ns, look_for_listener, &l);
    return l.found;
}

/* ---- life ---- */

static const struct netlink_protocol *find_protocol(int protocol)
{
    for (const struct netlink_protocol *p = netlink_protocols; p->groups; p++)
        if (p->protocol == protocol)
            return p;
    return NULL;
}

static int netlink_create(int type, int protocol, struct socket **ret)
{
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    const struct netlink_protocol *p = find_protocol(protocol);
    if (!p)
        return -EPROTONOSUPPORT;
    struct netlink_socket *n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    socket_init(&n->socket, &netlink_ops, AF_NETLINK, type, protocol);
    n->protocol = p;
    spin_init(&n->lock);
    list_init(&n->queue);
    list_init(&n->link);
    spin_lock(&table_lock);
    list_add_tail(&sockets, &n->link);
    spin_unlock(&table_lock);
    *ret = &n->socket;
    return 0;
}

static void netlink_release(struct socket *s)
{
    struct netlink_socket *n = netlink_of(s);
    spin_lock(&table_lock);
    list_del(&n->link);
    spin_unlock(&table_lock);
    wake_poll(&s->readers, EPOLLHUP);
}

static void netlink_free(struct socket *s)
{
    struct netlink_socket *n = netlink_of(s);
    spin_lock(&table_lock);
    list_del(&n->link); /* it may never have had a file */
    spin_unlock(&table_lock);
    netlink_flush(n);
    free(n);
}

/* ---- addresses ---- */

static bool allowed(const struct netlink_socket *n, bool anybody)
{
    return anybody || netns_capable(n->socket.ns, CAP_NET_ADMIN);
}

/* port 0: the process's number, or any other when that is taken. */
static int insert(struct netlink_socket *n, uint32_t port)
{
    static uint32_t next = UINT32_MAX - 4096;
    int err = 0;
    uint32_t chosen = port ? port : current ? (uint32_t)pid_number(current->process->pid) : 1;
    spin_lock(&table_lock);
    if (n->bound) {
        err = port && port != n->port ? -EINVAL : 0;
    } else if (find_locked(n->socket.ns, n->protocol->protocol, chosen)) {
        err = port ? -EADDRINUSE : 0;
        while (!port && find_locked(n->socket.ns, n->protocol->protocol, chosen))
            chosen = next-- | 0x80000000;
    }
    if (err == 0 && !n->bound) {
        n->port = chosen;
        n->bound = true;
    }
    spin_unlock(&table_lock);
    return err;
}

int netlink_autobind(struct netlink_socket *n)
{
    return n->bound ? 0 : insert(n, 0);
}

static int check_name(const struct socket_name *name, struct sockaddr_nl *ret)
{
    if (name->len < sizeof(*ret))
        return -EINVAL;
    memcpy(ret, name->bytes, sizeof(*ret));
    return ret->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

static int may_join(struct netlink_socket *n)
{
    if (!allowed(n, n->protocol->anybody_receives))
        return -EPERM;
    return n->protocol->bind_capability >= 0 && !netns_capable(n->socket.ns, n->protocol->bind_capability) ? -EPERM : 0;
}

static int netlink_bind(struct socket *s, const struct socket_name *name)
{
    struct netlink_socket *n = netlink_of(s);
    struct sockaddr_nl a = {0};
    int err = check_name(name, &a);
    if (err < 0)
        return err;
    if (a.nl_groups)
        err = may_join(n);
    if (n->protocol->groups < 32)
        a.nl_groups &= (1u << n->protocol->groups) - 1;
    if (err == 0 && n->bound && a.nl_pid != n->port)
        err = -EINVAL;
    if (err == 0)
        err = insert(n, a.nl_pid);
    if (err < 0)
        return err;
    spin_lock(&table_lock);
    n->groups[0] = (n->groups[0] & ~(uint64_t)UINT32_MAX) | a.nl_groups;
    spin_unlock(&table_lock);
    return 0;
}

static int netlink_connect(struct socket *s, const struct socket_name *name, bool nonblock)
{
    struct netlink_socket *n = netlink_of(s);
    struct sockaddr_nl a = {0};
    if (name->addr.sa_family != AF_UNSPEC) {
        int err = check_name(name, &a);
        if (err < 0)
            return err;
        if ((a.nl_groups || a.nl_pid) && !allowed(n, n->protocol->anybody_sends))
            return -EPERM;
        err = netlink_autobind(n);
        if (err < 0)
            return err;
    }
    spin_lock(&n->lock);
    n->peer_port = a.nl_pid;
    n->peer_groups = (uint32_t)__builtin_ffs((int)a.nl_groups);
    spin_unlock(&n->lock);
    return 0;
}

static int netlink_name(struct socket *s, bool peer, struct socket_name *ret)
{
    struct netlink_socket *n = netlink_of(s);
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    spin_lock(&n->lock);
    a.nl_pid = peer ? n->peer_port : n->port;
    a.nl_groups = !peer ? (uint32_t)n->groups[0] : n->peer_groups ? 1u << (n->peer_groups - 1) : 0;
    spin_unlock(&n->lock);
    memcpy(ret->bytes, &a, sizeof(a));
    ret->len = sizeof(a);
    return 0;
}

static int netlink_listen(struct socket *s, int backlog)
{
    return -EOPNOTSUPP;
}

static int netlink_accept(struct socket *s, bool nonblock, struct socket **ret)
{
    return -EOPNOTSUPP;
}

static int netlink_shutdown(struct socket *s, int how)
{
    return -EOPNOTSUPP;
}

/* ---- sending ---- */

static int send_to_user(struct netlink_socket *n, struct netlink_packet *p, uint32_t port, uint32_t group)
{
    struct netlink_socket *to;
    if (group) {
        int err = netlink_broadcast(n->socket.ns, n->protocol->protocol, group, p, n);
        if (err < 0 && err != -ESRCH)
            return err;
        p->group = 0;
        if (!port)
            return 0;
    }
    to = netlink_find(n->socket.ns, n->protocol->protocol, port);
    if (!to)
        return -ECONNREFUSED;
    int err = netlink_queue(to, p, false, false);
    socket_put(&to->socket);
    return err == -ENOBUFS ? -EAGAIN : err;
}

static int find_destination(struct netlink_socket *n, const struct socket_message *m, uint32_t *ret_port,
                            uint32_t *ret_group)
{
    struct sockaddr_nl a;
    if (!m->name || !m->name->len) {
        *ret_port = n->peer_port;
        *ret_group = n->peer_groups;
        return 0;
    }
    int err = check_name(m->name, &a);
    if (err < 0)
        return err;
    *ret_port = a.nl_pid;
    *ret_group = (uint32_t)__builtin_ffs((int)a.nl_groups);
    return (*ret_port || *ret_group) && !allowed(n, n->protocol->anybody_sends) ? -EPERM : 0;
}

static ssize_t netlink_send(struct socket *s, struct socket_message *m)
{
    struct netlink_socket *n = netlink_of(s);
    uint32_t port, group;
    size_t len = m->data->remaining;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (len == 0)
        return -ENODATA;
    int err = find_destination(n, m, &port, &group);
    if (err == 0)
        err = netlink_autobind(n);
    if (err == 0 && (len > (size_t)n->socket.send_buffer - 32 || len > INT32_MAX / 2))
        err = -EMSGSIZE;
    if (err < 0)
        return err;
    struct netlink_packet *p = netlink_packet_new(len + NLMSG_ALIGNTO); /* padded: an echo of the last is */
    if (!p)
        return -ENOBUFS;
    p->len = len;
    p->sender = n->port;
    p->pid = current ? pid_get(current->process->pid) : NULL;
    p->uid = current_cred()->uid;
    p->gid = current_cred()->gid;
    ssize_t got = uio_take(m->data, p->data, len);
    if (got < 0 || (size_t)got < len)
        err = -EFAULT;
    else if (port || group)
        err = send_to_user(n, p, port, group);
    else
        err = netlink_handle(n, p->data, len);
    netlink_packet_put(p);
    return err < 0 ? err : (ssize_t)len;
}

static uint32_t netlink_poll(struct socket *s, struct poll_table *table)
{
    struct netlink_socket *n = netlink_of(s);
    uint32_t events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
    spin_lock(&n->lock);
    if (!list_empty(&n->queue))
        events |= EPOLLIN | EPOLLRDNORM;
    spin_unlock(&n->lock);
    return s->error ? events | EPOLLERR : events;
}

/* ---- options ---- */

static _Atomic bool *flag_of(struct netlink_socket *n, int option)
{
    switch (option) {
    case NETLINK_PKTINFO:
        return &n->packet_info;
    case NETLINK_BROADCAST_ERROR:
        return &n->broadcast_error;
    case NETLINK_NO_ENOBUFS:
        return &n->no_enobufs;
    case NETLINK_LISTEN_ALL_NSID:
        return &n->listen_all;
    case NETLINK_CAP_ACK:
        return &n->cap_ack;
    case NETLINK_EXT_ACK:
        return &n->ext_ack;
    case NETLINK_GET_STRICT_CHK:
        return &n->strict;
    default:
        return NULL;
    }
}

static int change_membership(struct netlink_socket *n, uint32_t group, bool member)
{
    int err = may_join(n);
    if (err < 0)
        return err;
    if (!group || group > n->protocol->groups)
        return -EINVAL;
    spin_lock(&table_lock);
    uint64_t bit = 1ULL << (group - 1) % 64;
    if (member)
        n->groups[(group - 1) / 64] |= bit;
    else
        n->groups[(group - 1) / 64] &= ~bit;
    spin_unlock(&table_lock);
    return 0;
}

static int netlink_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    struct netlink_socket *n = netlink_of(s);
    uint32_t number = 0;
    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    if (len >= sizeof(number))
        memcpy(&number, value, sizeof(number));
    if (option == NETLINK_ADD_MEMBERSHIP || option == NETLINK_DROP_MEMBERSHIP)
        return change_membership(n, number, option == NETLINK_ADD_MEMBERSHIP);
    _Atomic bool *flag = flag_of(n, option);
    if (!flag)
        return -ENOPROTOOPT;
    if (option == NETLINK_LISTEN_ALL_NSID && !netns_capable(s->ns, CAP_NET_BROADCAST))
        return -EPERM;
    if (option == NETLINK_LISTEN_ALL_NSID && number)
        return -EOPNOTSUPP; /* messages would have to say whose they are */
    *flag = number != 0;
    return 0;
}

/* As many words of the group mask as there is room for; *len is what all would take. */
static int list_memberships(struct netlink_socket *n, void *value, socklen_t *len)
{
    size_t whole = (n->protocol->groups + 31) / 32 * sizeof(uint32_t);
    memcpy(value, n->groups, MIN(whole, (size_t)*len & ~(size_t)3));
    *len = (socklen_t)whole;
    return 0;
}

static int netlink_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    struct netlink_socket *n = netlink_of(s);
    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    if (option == NETLINK_LIST_MEMBERSHIPS)
        return list_memberships(n, value, len);
    _Atomic bool *flag = flag_of(n, option);
    if (!flag || option == NETLINK_LISTEN_ALL_NSID)
        return -ENOPROTOOPT;
    if (*len < sizeof(int))
        return -EINVAL;
    int number = *flag;
    memcpy(value, &number, sizeof(number));
    *len = sizeof(number);
    return 0;
}

static const struct socket_ops netlink_ops = {
    .bind = netlink_bind,
    .connect = netlink_connect,
    .listen = netlink_listen,
    .accept = netlink_accept,
    .name = netlink_name,
    .shutdown = netlink_shutdown,
    .send = netlink_send,
    .receive = netlink_receive,
    .poll = netlink_poll,
    .set_option = netlink_set_option,
    .get_option = netlink_get_option,
    .release = netlink_release,
    .free = netlink_free,
};

/* Uevents and audit records never come; user-space's own protocol is for users alone. */
const struct netlink_protocol netlink_protocols[] = {
    {NETLINK_ROUTE, RTNLGRP_MAX, true, false, -1, route_request},
    {NETLINK_USERSOCK, 32, true, true, -1, NULL},
    {NETLINK_SOCK_DIAG, 32, true, false, -1, diag_request},
    {NETLINK_AUDIT, 32, true, false, CAP_AUDIT_READ, NULL},
    {NETLINK_KOBJECT_UEVENT, 32, true, false, -1, NULL},
    {NETLINK_GENERIC, 32, true, false, -1, generic_request},
    {0},
};

static const struct socket_family netlink_family = {.domain = AF_NETLINK, .name = "netlink", .create = netlink_create};

void netlink_init(void)
{
    socket_register(&netlink_family);
    rtnetlink_init();
}
