/*
 * Ports and pairs: who may bind to what, which port an unbound socket gets, and that each connected pair of
 * addresses exists once. See inet.h.
 *
 * A port is an object while somebody has it. Its owners are sockets (bound, connected or accepted) and what
 * remains of connections in TIME_WAIT. Ports that connect(2) chose are shared between connections to different
 * places; a bind(2) keeps away from them and they from it.
 */
#include "net/inet/inet.h"
#include "base/hash.h"
#include "net/inet/timewait.h"
#include "net/netns.h"
#include <linux/capability.h>
#include <stdlib.h>

/* ---- lists ---- */

void inet_node_add(struct inet_node **head, struct inet_node *n)
{
    n->next = *head;
    n->link = head;
    if (n->next)
        n->next->link = &n->next;
    *head = n;
}

void inet_node_del(struct inet_node *n)
{
    if (!n->link)
        return;
    *n->link = n->next;
    if (n->next)
        n->next->link = n->link;
    n->next = NULL;
    n->link = NULL;
}

/* ---- ports ---- */

static struct inet_node **port_bucket(struct inet_table *t, uint16_t number)
{
    return &t->ports[number % PORT_BUCKETS];
}

struct inet_port *inet_port_find_locked(struct inet_table *t, uint16_t number)
{
    for (struct inet_node *n = *port_bucket(t, number); n; n = n->next) {
        struct inet_port *p = container_of(n, struct inet_port, node);
        if (p->number == number)
            return p;
    }
    return NULL;
}

static struct inet_port *port_new(struct inet_table *t, uint16_t number)
{
    struct inet_port *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->number = number;
    list_init(&p->owners);
    inet_node_add(port_bucket(t, number), &p->node);
    return p;
}

void inet_port_join_locked(struct inet_table *t, struct inet_owner *o, struct inet_port *port)
{
    spin_assert_held(&t->lock);
    o->port = port;
    list_add_tail(&port->owners, &o->link);
    port->bound += o->on_purpose;
}

void inet_port_leave_locked(struct inet_owner *o)
{
    struct inet_port *port = o->port;
    if (!port)
        return;
    o->port = NULL;
    list_del(&o->link);
    port->bound -= o->on_purpose;
    port->listeners -= o->listening;
    o->listening = false;
    if (list_empty(&port->owners)) {
        inet_node_del(&port->node);
        free(port);
    }
}

void inet_port_leave(struct inet_socket *i)
{
    struct inet_table *t = inet_table_of(i);
    if (!t)
        return;
    spin_lock(&t->lock);
    inet_port_leave_locked(&i->owner);
    spin_unlock(&t->lock);
}

void inet_port_listen(struct inet_socket *i, bool listening)
{
    struct inet_table *t = inet_table_of(i);
    struct inet_owner *o = &i->owner;
    spin_lock(&t->lock);
    if (o->port && o->listening != listening) {
        o->listening = listening;
        list_del(&o->link);
        if (listening)
            list_add(&o->port->owners, &o->link);
        else
            list_add_tail(&o->port->owners, &o->link);
        o->port->listeners += listening ? 1 : -1U;
    }
    spin_unlock(&t->lock);
}

bool inet_port_is_privileged(struct inet_net *net, uint16_t port)
{
    return port && port < net->ns->sysctl.ip_unprivileged_port_start && !inet_capable(net, CAP_NET_BIND_SERVICE);
}

/* ---- conflicts ---- */

/* An owner as the rules look at it. */
struct claim {
    bool reuse_address, reuse_port, listening, remains;
    uint32_t uid;
    int device;
    uint8_t families;
    struct in6_addr addr;
};

static struct claim claim_of(const struct inet_owner *o)
{
    struct claim c = {.uid = o->uid, .families = o->families, .addr = o->addr};
    if (o->socket) {
        c.reuse_address = o->socket->socket.reuse_address;
        c.reuse_port = o->socket->socket.reuse_port;
        c.device = o->socket->device;
        c.listening = o->socket->state == TCP_LISTEN;
    } else {
        c.reuse_address = o->reuse_address;
        c.reuse_port = o->reuse_port;
        c.device = o->device;
        c.remains = true;
    }
    return c;
}

static bool claims_overlap(const struct claim *a, const struct claim *b)
{
    if (a->device && b->device && a->device != b->device)
        return false;
    if (!(a->families & b->families))
        return false;
    return inet_is_any(&a->addr) || inet_is_any(&b->addr) || inet_same(&a->addr, &b->addr);
}

/* May both have the port? `relaxed`: the port was named, not looked for. */
static bool tcp_get_on(const struct claim *a, const struct claim *b, bool relaxed)
{
    if (a->reuse_port && b->reuse_port && (b->remains || a->uid == b->uid))
        return true;
    return relaxed && a->reuse_address && b->reuse_address && !b->listening;
}

static bool udp_get_on(const struct claim *a, const struct claim *b)
{
    return (a->reuse_address && b->reuse_address) || (a->reuse_port && b->reuse_port && a->uid == b->uid);
}

static bool port_conflicts(struct inet_port *port, struct inet_owner *mine, bool relaxed)
{
    struct inet_owner *o;
    struct claim me = claim_of(mine);
    bool tcp = mine->socket->socket.type == SOCK_STREAM;
    list_for_each(o, &port->owners, link) {
        struct claim other = claim_of(o);
        if (o == mine || !claims_overlap(&me, &other))
            continue;
        if (tcp ? !tcp_get_on(&me, &other, relaxed) : !udp_get_on(&me, &other))
            return true;
    }
    return false;
}

int inet_port_recheck(struct inet_socket *i)
{
    struct inet_table *t = inet_table_of(i);
    spin_lock(&t->lock);
    bool conflict = i->owner.port && port_conflicts(i->owner.port, &i->owner, true);
    spin_unlock(&t->lock);
    return conflict ? -EADDRINUSE : 0;
}

/* ---- taking one ---- */

static int take_named(struct inet_table *t, struct inet_owner *o, uint16_t number)
{
    struct inet_port *port = inet_port_find_locked(t, number);
    if (port && port_conflicts(port, o, true))
        return -EADDRINUSE;
    if (!port)
        port = port_new(t, number);
    if (!port)
        return -ENOMEM;
    inet_port_join_locked(t, o, port);
    return 0;
}

static void port_range(struct inet_socket *i, unsigned *ret_low, unsigned *ret_high)
{
    const struct net_sysctls *s = &i->net->ns->sysctl;
    unsigned low = (unsigned)s->ip_local_port_range[0], high = (unsigned)s->ip_local_port_range[1];
    unsigned own_low = (unsigned)i->options.local_port_low, own_high = (unsigned)i->options.local_port_high;
    if (own_low >= low && own_low <= high)
        low = own_low;
    if (own_high >= low && own_high <= high)
        high = own_high;
    *ret_low = MAX(low, 1U);
    *ret_high = MIN(MAX(high, *ret_low), 65535U);
}

/* Where the search starts: not guessable, and moving on. */
static unsigned first_offset(struct inet_table *t, unsigned count)
{
    t->next_port += 1 + (uint32_t)(hash_u64(t->next_port) & 7);
    return (unsigned)((t->next_port + hash_u64((uintptr_t)t)) % count);
}

/* Any port for bind(2): one without owners, else one it gets on with. */
static int take_free(struct inet_table *t, struct inet_socket *i)
{
    unsigned low, high;
    port_range(i, &low, &high);
    unsigned count = high - low + 1, offset = first_offset(t, count);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned k = 0; k < count; k++) {
            uint16_t number = (uint16_t)(low + (offset + k) % count);
            struct inet_port *port = inet_port_find_locked(t, number);
            if (port && (round == 0 || port_conflicts(port, &i->owner, false)))
                continue;
            if (!port)
                port = port_new(t, number);
            if (!port)
                return -ENOMEM;
            inet_port_join_locked(t, &i->owner, port);
            return 0;
        }
    }
    return -EADDRINUSE;
}

static int port_take(struct inet_socket *i, uint16_t number, bool on_purpose)
{
    struct inet_table *t = inet_table_of(i);
    i->owner.socket = i;
    i->owner.uid = i->uid;
    i->owner.addr = i->pair.local.addr;
    i->owner.families = inet_families(i);
    i->owner.on_purpose = on_purpose;
    spin_lock(&t->lock);
    timewait_expire_locked(t);
    int err = number ? take_named(t, &i->owner, number) : take_free(t, i);
    if (err == 0)
        i->pair.local.port = i->owner.port->number;
    spin_unlock(&t->lock);
    return err;
}

int inet_autobind(struct inet_socket *i)
{
    if (i->owner.port)
        return 0;
    int err = port_take(i, 0, true);
    return err == -EADDRINUSE ? -EAGAIN : err;
}

/* May the socket be bound to that address? */
static int check_address(struct inet_socket *i, const struct inet_endpoint *e)
{
    bool free = inet_flag_get(i, IF_FREEBIND) || inet_flag_get(i, IF_TRANSPARENT);
    bool v4_only = inet_is6(i) && inet_flag_get(i, IF6_ONLY) && inet_is_v4(&e->addr);
    if (v4_only || (inet_is6(i) && i->socket.type == SOCK_STREAM && inet_is_multicast(&e->addr)))
        return -EINVAL;
    if (IN6_IS_ADDR_LINKLOCAL(&e->addr) && !e->scope && !i->device)
        return -EINVAL;
    return free || inet_address_is_bindable(i->net, &e->addr) ? 0 : -EADDRNOTAVAIL;
}

/* bind(2) on AF_INET takes AF_UNSPEC for 0.0.0.0: old programs left the family out. */
static int bind_name_in(const struct inet_socket *i, const struct socket_name *name, struct inet_endpoint *ret)
{
    int err = inet_name_in(i, name, ret);
    if (err == -EAFNOSUPPORT && !inet_is6(i) && name->addr.sa_family == AF_UNSPEC && inet_is_any(&ret->addr))
        err = 0;
    return err;
}

int inet_bind(struct socket *s, const struct socket_name *name)
{
    struct inet_socket *i = inet_of(s);
    struct inet_endpoint e;
    int err = bind_name_in(i, name, &e);
    if (err == 0)
        err = check_address(i, &e);
    if (err == 0 && inet_port_is_privileged(i->net, e.port))
        err = -EACCES;
    if (err == 0 && (i->state != TCP_CLOSE || i->owner.port))
        err = -EINVAL;
    if (err < 0)
        return err;
    struct inet_endpoint before = i->pair.local;
    i->pair.local = (struct inet_endpoint){e.addr, 0, e.scope};
    if (e.port || !inet_flag_get(i, IF_BIND_NO_PORT))
        err = port_take(i, e.port, true);
    if (err < 0) {
        i->pair.local = before;
        return err;
    }
    i->bound_address = !inet_is_any(&e.addr);
    i->bound_port = e.port != 0;
    return 0;
}

/* ---- pairs ---- */

static struct inet_node **pair_bucket(struct inet_table *t, const struct inet_endpoint *local,
                                      const struct inet_endpoint *remote)
{
    uint64_t h = hash_u64((uint64_t)local->addr.s6_addr32[3] << 32 | remote->addr.s6_addr32[3]);
    return &t->pairs[hash_u64(h ^ ((uint64_t)local->port << 16 | remote->port)) % PAIR_BUCKETS];
}

static bool same_endpoint(const struct inet_endpoint *a, const struct inet_endpoint *b)
{
    return a->port == b->port && inet_same(&a->addr, &b->addr);
}

struct inet_pair *inet_pair_find_locked(struct inet_table *t, const struct inet_endpoint *local,
                                        const struct inet_endpoint *remote)
{
    for (struct inet_node *n = *pair_bucket(t, local, remote); n; n = n->next) {
        struct inet_pair *p = container_of(n, struct inet_pair, node);
        if (same_endpoint(&p->local, local) && same_endpoint(&p->remote, remote))
            return p;
    }
    return NULL;
}

void inet_pair_add_locked(struct inet_table *t, struct inet_pair *p)
{
    spin_assert_held(&t->lock);
    inet_node_add(pair_bucket(t, &p->local, &p->remote), &p->node);
}

void inet_pair_leave(struct inet_socket *i)
{
    struct inet_table *t = inet_table_of(i);
    if (!t)
        return;
    spin_lock(&t->lock);
    inet_node_del(&i->pair.node);
    spin_unlock(&t->lock);
}

/* Is the pair free? What remains of an old connection gives way to a new one. */
static bool pair_is_free(struct inet_table *t, const struct inet_endpoint *local, const struct inet_endpoint *remote)
{
    struct inet_pair *p = inet_pair_find_locked(t, local, remote);
    if (p && p->waiting_since) {
        timewait_drop_locked(t, p);
        p = NULL;
    }
    return !p;
}

/* A port that no bind(2) has, and from which nothing is connected to there. */
static int choose_port(struct inet_table *t, struct inet_socket *i, struct inet_endpoint *local,
                       const struct inet_endpoint *remote)
{
    unsigned low, high;
    port_range(i, &low, &high);
    unsigned count = high - low + 1, offset = first_offset(t, count);
    for (unsigned k = 0; k < count; k++) {
        local->port = (uint16_t)(low + (offset + k) % count);
        struct inet_port *port = inet_port_find_locked(t, local->port);
        if (port && (port->bound > 0 || !pair_is_free(t, local, remote)))
            continue;
        port = inet_port_find_locked(t, local->port); /* it may have gone with what gave way */
        if (!port)
            port = port_new(t, local->port);
        if (!port)
            return -ENOMEM;
        i->owner.socket = i;
        i->owner.uid = i->uid;
        i->owner.addr = local->addr;
        i->owner.families = inet_is_v4(&local->addr) ? INET_V4 : INET_V6;
        i->owner.on_purpose = false;
        inet_port_join_locked(t, &i->owner, port);
        return 0;
    }
    return -EADDRNOTAVAIL;
}

int inet_pair_connect(struct inet_socket *i, const struct inet_endpoint *local, const struct inet_endpoint *remote)
{
    struct inet_table *t = inet_table_of(i);
    struct inet_endpoint from = *local;
    int err = 0;
    spin_lock(&t->lock);
    if (!i->owner.port) {
        err = choose_port(t, i, &from, remote);
    } else {
        from.port = i->owner.port->number;
        if (!pair_is_free(t, &from, remote))
            err = -EADDRNOTAVAIL;
    }
    if (err == 0) {
        i->pair.local = from;
        i->pair.remote = *remote;
        inet_pair_add_locked(t, &i->pair);
    }
    spin_unlock(&t->lock);
    return err;
}
