/*
 * Who gets what arrives at an address and port. See inet.h.
 *
 * Of the owners of the port the most particular one wins: connected to the sender, bound to the address, bound to
 * the interface. Several equally good ones that share the port (SO_REUSEPORT) take turns by a hash of the sender,
 * so one sender stays with one receiver.
 */
#include "net/inet/inet.h"
#include "base/hash.h"

/* -1: not for it. */
static int score(const struct inet_socket *i, const struct inet_endpoint *to, const struct inet_endpoint *from,
                 int interface)
{
    bool v4 = inet_is_v4(&to->addr);
    int points = i->socket.domain == AF_INET ? 2 : 1;
    if (!(i->owner.families & (v4 ? INET_V4 : INET_V6)))
        return -1;
    if (!inet_is_any(&i->owner.addr)) {
        if (!inet_same(&i->owner.addr, &to->addr))
            return -1;
        points += 4;
    }
    if (i->device) {
        if (i->device != interface)
            return -1;
        points += 4;
    }
    if (i->pair.remote.port) {
        if (i->pair.remote.port != from->port || !inet_same(&i->pair.remote.addr, &from->addr))
            return -1;
        points += 8;
    }
    return points;
}

struct best {
    int points;
    unsigned count; /* that share it */
    uint64_t hash;
    struct inet_socket *socket;
};

static void consider(struct best *b, struct inet_socket *i, int points)
{
    if (points < 0 || points < b->points)
        return;
    if (points > b->points) {
        *b = (struct best){points, 1, b->hash, i};
        return;
    }
    /* The n-th of equals takes over from those before with a chance of one in n. */
    b->count++;
    if (i->socket.reuse_port && hash_u64(b->hash + b->count) % b->count == 0)
        b->socket = i;
    else if (!i->socket.reuse_port && i->socket.type == SOCK_DGRAM)
        b->socket = i; /* as on Linux the one bound last */
}

static struct inet_socket *best_owner(struct inet_table *t, const struct inet_endpoint *to,
                                      const struct inet_endpoint *from, int interface, bool listeners)
{
    struct best best = {-1, 0, hash_u64((uint64_t)from->port << 32 | from->addr.s6_addr32[3]), NULL};
    struct inet_owner *o;
    spin_lock(&t->lock);
    struct inet_port *port = inet_port_find_locked(t, to->port);
    if (port) {
        list_for_each(o, &port->owners, link) {
            if (listeners && !o->listening)
                break; /* listeners are in front */
            if (o->socket)
                consider(&best, o->socket, score(o->socket, to, from, interface));
        }
    }
    /* A socket leaves its port before it is freed, so it is alive, but it may be about to end. */
    if (best.socket && !refcount_get_unless_zero(&best.socket->socket.ref))
        best.socket = NULL;
    spin_unlock(&t->lock);
    return best.socket;
}

struct inet_socket *inet_find_listener(struct inet_net *net, const struct inet_endpoint *to,
                                       const struct inet_endpoint *from, int device)
{
    return best_owner(&net->tables[TABLE_TCP], to, from, device, true);
}

struct inet_socket *inet_find_datagram(struct inet_net *net, enum inet_table_kind kind, const struct inet_endpoint *to,
                                       const struct inet_endpoint *from, int interface)
{
    return best_owner(&net->tables[kind], to, from, interface, false);
}

static bool is_member(struct inet_socket *i, const struct inet_endpoint *to, const struct inet_endpoint *from,
                      int interface)
{
    if (score(i, to, from, interface) < 0)
        return false;
    if (!inet_is_multicast(&to->addr))
        return true;
    spin_lock(&i->lock);
    bool wants = inet_multicast_wants(i, &to->addr, &from->addr, interface);
    spin_unlock(&i->lock);
    return wants;
}

unsigned inet_find_members(struct inet_net *net, enum inet_table_kind kind, const struct inet_endpoint *to,
                           const struct inet_endpoint *from, int interface, struct inet_socket **ret, unsigned max)
{
    struct inet_table *t = &net->tables[kind];
    struct inet_owner *o;
    unsigned n = 0;
    spin_lock(&t->lock);
    struct inet_port *port = inet_port_find_locked(t, to->port);
    if (port) {
        list_for_each(o, &port->owners, link)
            if (n < max && o->socket && is_member(o->socket, to, from, interface) &&
                refcount_get_unless_zero(&o->socket->socket.ref))
                ret[n++] = o->socket;
    }
    spin_unlock(&t->lock);
    return n;
}
