/* Talking to the broker, and what it says the network looks like. See broker.h. */
#include "net/config/config.h"
#include "net/broker/private.h"
#include "net/netns.h"
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct broker_backend broker_backend;

/* ---- calls ---- */

union fd_message {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static int send_request(struct broker_backend *b, struct broker_request *q, int fd)
{
    struct iovec v = {q, sizeof(*q)};
    union fd_message control = {0};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (fd >= 0) {
        control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
    }
    return sendmsg(b->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* 1: it is here; 0: not yet; -errno. */
static int try_receive(struct broker_backend *b, void *data, size_t len, int *ret_fd)
{
    struct iovec v = {data, len};
    union fd_message control;
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(b->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -ENETDOWN;
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    *ret_fd = -1;
    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(h), sizeof(int));
    return (size_t)n == len ? 1 : -ENETDOWN;
}

static int send_patiently(struct broker_backend *b, struct broker_request *q, int fd)
{
    int err;
    while ((err = send_request(b, q, fd)) == -EAGAIN || err == -EINTR) {
        wait_event_full(&b->replies, (err = send_request(b, q, fd)) != -EAGAIN, NO_DEADLINE, false);
        if (err != -EINTR)
            break;
    }
    return err < 0 ? -ENETDOWN : 0;
}

int broker_call(struct broker_request *q, int fd, struct broker_reply *ret, int *ret_fd)
{
    struct broker_backend *b = &broker_backend;
    int got = 0, beside = -1;
    MUTEX_GUARD(&b->lock);
    int err = b->dead ? -ENETDOWN : send_patiently(b, q, fd);
    if (err == 0) {
        wait_event(&b->replies, (got = try_receive(b, ret, sizeof(*ret), &beside)) != 0);
        err = got < 0 ? got : 0;
    }
    if (err < 0) {
        b->dead = true;
        return err;
    }
    err = MIN(ret->error, 0);
    if (err < 0 || !ret_fd) {
        if (beside >= 0)
            close(beside);
        return err;
    }
    *ret_fd = beside;
    return beside >= 0 ? 0 : -ENETDOWN;
}

void broker_forget(uint32_t id)
{
    struct broker_request q = {.op = BROKER_CLOSE, .id = id};
    MUTEX_GUARD(&broker_backend.lock);
    if (!broker_backend.dead && send_patiently(&broker_backend, &q, -1) < 0)
        broker_backend.dead = true;
}

/* ---- addresses ---- */

struct sockaddr_in6 broker_address(const struct inet_endpoint *e)
{
    return (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = e->addr, .sin6_port = htons(e->port),
                                 .sin6_scope_id = e->scope};
}

struct inet_endpoint broker_endpoint(const struct sockaddr_in6 *a)
{
    return (struct inet_endpoint){a->sin6_addr, ntohs(a->sin6_port), a->sin6_scope_id};
}

/* ---- the backend ---- */

static int open_outside(struct inet_backend *b, struct inet_socket *i, struct inet_outside **ret)
{
    bool stream = i->socket.type == SOCK_STREAM;
    if (!stream && i->socket.type != SOCK_DGRAM)
        return -ENETUNREACH;
    if (i->socket.protocol == IPPROTO_ICMP || i->socket.protocol == IPPROTO_ICMPV6)
        return -ENETUNREACH;
    struct broker_socket *s = broker_socket_new(i, stream ? &broker_tcp_ops : &broker_udp_ops);
    if (!s)
        return -ENOMEM;
    if (!stream) {
        struct broker_reply r;
        struct broker_request q = {.op = BROKER_UDP, .domain = i->socket.domain,
                                   .from = broker_address(&i->pair.local)};
        int fd = -1;
        if (!i->bound_port)
            q.from.sin6_port = 0;
        if (!i->bound_address)
            q.from.sin6_addr = i->socket.domain == AF_INET ? inet_any4 : in6addr_any;
        int err = broker_call(&q, -1, &r, &fd);
        if (err < 0) {
            free(s);
            return err;
        }
        broker_socket_attach(s, fd, r.id);
    }
    *ret = &s->outside;
    return 0;
}

static const struct inet_backend_ops backend_ops = {
    .open = open_outside,
    .listen = broker_listen,
    .unlisten = broker_unlisten,
};

/* ---- the network inside looks like the one outside ---- */

static const struct net_interface_ops host_ops = {.kind = NULL};

static void unmap(const struct sockaddr_in6 *a, int *ret_family, union net_address *ret)
{
    memset(ret, 0, sizeof(*ret));
    *ret_family = IN6_IS_ADDR_V4MAPPED(&a->sin6_addr) ? AF_INET : AF_INET6;
    if (*ret_family == AF_INET)
        memcpy(&ret->v4, a->sin6_addr.s6_addr + 12, 4);
    else
        ret->v6 = a->sin6_addr;
}

static int add_link(struct net_namespace *ns, const struct broker_link *l)
{
    char name[NET_NAME_LEN];
    struct net_interface *i;
    memcpy(name, l->name, sizeof(name));
    name[NET_NAME_LEN - 1] = '\0';
    if (!net_name_valid(name) || l->index > INT32_MAX)
        return 0;
    int err = netcfg_link_new(ns, &host_ops, name, (int)l->index, &i);
    if (err < 0)
        return err == -ENOMEM ? err : 0;
    memcpy(i->address, l->hardware, NET_HW_LEN);
    i->mtu = l->mtu;
    i->conf6.addr_gen_mode = 1; /* its addresses are told, not made up */
    netcfg_link_add(i);
    return netcfg_link_up(i, true);
}

static int add_address(struct net_namespace *ns, const struct broker_address *b)
{
    struct net_interface *i = netns_interface(ns, (int)b->index);
    struct net_ifaddr *a = i ? calloc(1, sizeof(*a)) : NULL;
    if (!a)
        return i ? -ENOMEM : 0;
    list_init(&a->link);
    unmap(&b->address, &a->family, &a->local);
    a->peer = a->local;
    a->prefix_len = (uint8_t)MIN(b->prefix_len, net_address_len(a->family) * 8);
    a->scope = a->family == AF_INET6 ? net_scope_v6(&a->local) : RT_SCOPE_UNIVERSE;
    a->flags = IFA_F_PERMANENT;
    a->valid = a->preferred = UINT32_MAX;
    if (a->family == AF_INET)
        memcpy(a->label, i->name, sizeof(a->label));
    if (a->family == AF_INET && a->prefix_len < 31)
        a->broadcast.v4 = a->local.v4 | htonl(UINT32_MAX >> a->prefix_len);
    if (netcfg_addr_add(i, a) < 0)
        free(a);
    return 0;
}

static void add_default(struct net_namespace *ns, int family, uint32_t index, const struct sockaddr_in6 *gateway)
{
    struct net_route r = {.family = family, .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
                          .interface = (int)index};
    int gateway_family;
    if (!index)
        return;
    unmap(gateway, &gateway_family, &r.gateway);
    if (gateway_family == family && !net_address_zero(family, &r.gateway))
        r.gateway_family = family;
    else
        r.scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    (void)!netcfg_route_new(ns, &r, NLM_F_CREATE | NLM_F_APPEND);
}

static int show_network(struct net_namespace *ns, const struct broker_network *n)
{
    int err = 0;
    MUTEX_GUARD(&netcfg_lock);
    for (uint32_t l = 0; l < MIN(n->link_count, (uint32_t)BROKER_LINKS) && err >= 0; l++)
        err = add_link(ns, &n->links[l]);
    for (uint32_t a = 0; a < MIN(n->address_count, (uint32_t)BROKER_ADDRESSES) && err >= 0; a++)
        err = add_address(ns, &n->addresses[a]);
    add_default(ns, AF_INET, n->gateway_index[0], &n->gateways[0]);
    add_default(ns, AF_INET6, n->gateway_index[1], &n->gateways[1]);
    return err;
}

/* On the one thread there is, before lock-down: this once it waits in the host. */
static int ask_network(int fd, struct broker_network *ret)
{
    struct broker_request q = {.op = BROKER_HELLO};
    struct broker_reply r;
    if (send(fd, &q, sizeof(q), MSG_NOSIGNAL) != sizeof(q) || recv(fd, &r, sizeof(r), 0) != sizeof(r) ||
        recv(fd, ret, sizeof(*ret), 0) != sizeof(*ret))
        return -ENETDOWN;
    return 0;
}

int broker_backend_init(int fd)
{
    struct broker_backend *b = &broker_backend;
    struct broker_network network;
    struct net_namespace *ns = netns_first();
    int err = ask_network(fd, &network);
    if (err == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        err = -errno;
    if (err < 0)
        return err;
    b->fd = fd;
    b->backend.ops = &backend_ops;
    mutex_init(&b->lock);
    mutex_init(&b->listeners_lock);
    list_init(&b->listeners);
    wait_queue_init(&b->replies);
    err = show_network(ns, &network);
    if (err == 0)
        err = host_event_add(&b->event, fd, &b->replies);
    if (err == 0)
        ((struct inet_net *)netns_part(ns, NETNS_INET))->backend = &b->backend;
    return err;
}
