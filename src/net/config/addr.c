/*
 * Addresses of interfaces, and the routes that come and go with them: a local route for each, one
 * for its prefix, one for its broadcast address; while the interface is up. See config.h.
 */
#include "net/config/config.h"
#include "sched/fiber.h"
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#ifndef IFAPROT_KERNEL_LO
#define IFAPROT_KERNEL_LO 1
#define IFAPROT_KERNEL_LL 3
#endif
#define IP6_METRIC 256

/* ---- routes of one address ---- */

static void add_route(struct net_interface *i, const struct net_route *model)
{
    struct net_route *r = malloc(sizeof(*r));
    if (!r)
        return;
    *r = *model;
    list_init(&r->link);
    r->interface = i->index;
    r->protocol = RTPROT_KERNEL;
    net_address_mask(&r->dst, r->family, r->dst_len);
    if (netcfg_route_add(i->ns, r, NLM_F_CREATE | NLM_F_APPEND) < 0)
        free(r);
}

static bool zero_net(const union net_address *a)
{
    return (ntohl(a->v4) >> 24) == 0;
}

static void add_routes_v4(struct net_ifaddr *a)
{
    struct net_interface *i = a->interface;
    bool loopback = i->flags & IFF_LOOPBACK;
    struct net_route r = {.family = AF_INET, .dst = a->local, .dst_len = 32, .table = RT_TABLE_LOCAL,
                          .type = RTN_LOCAL, .scope = RT_SCOPE_HOST, .preferred_source = a->local};
    add_route(i, &r); /* this one even while the interface is down */
    if (!(i->flags & IFF_UP))
        return;
    r.type = RTN_BROADCAST;
    r.scope = RT_SCOPE_LINK;
    r.dst = a->broadcast;
    if (a->broadcast.v4 && a->broadcast.v4 != INADDR_BROADCAST)
        add_route(i, &r);
    union net_address prefix = a->peer;
    net_address_mask(&prefix, AF_INET, a->prefix_len);
    if (zero_net(&prefix) || a->flags & IFA_F_SECONDARY || (prefix.v4 == a->local.v4 && a->prefix_len == 32))
        return;
    r.dst = prefix;
    r.dst_len = a->prefix_len;
    r.metric = a->metric;
    r.type = loopback ? RTN_LOCAL : RTN_UNICAST;
    r.table = loopback ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
    r.scope = loopback ? RT_SCOPE_HOST : RT_SCOPE_LINK;
    if (!(a->flags & IFA_F_NOPREFIXROUTE))
        add_route(i, &r);
    if (a->prefix_len >= 31)
        return;
    r = (struct net_route){.family = AF_INET, .dst_len = 32, .table = RT_TABLE_LOCAL, .type = RTN_BROADCAST,
                           .scope = RT_SCOPE_LINK, .preferred_source = a->local};
    r.dst.v4 = prefix.v4 | htonl(UINT32_MAX >> a->prefix_len);
    if (r.dst.v4 != a->broadcast.v4 || a->broadcast.v4 == INADDR_BROADCAST)
        add_route(i, &r);
}

static void add_routes_v6(struct net_ifaddr *a)
{
    struct net_route r = {.family = AF_INET6, .dst = a->local, .dst_len = 128, .table = RT_TABLE_LOCAL,
                          .type = RTN_LOCAL, .scope = RT_SCOPE_UNIVERSE};
    add_route(a->interface, &r);
    if (!(a->interface->flags & IFF_UP) || a->flags & IFA_F_NOPREFIXROUTE || a->protocol == IFAPROT_KERNEL_LO)
        return;
    r.type = RTN_UNICAST;
    r.table = RT_TABLE_MAIN;
    r.dst = a->peer;
    r.dst_len = a->prefix_len;
    r.metric = a->metric ? a->metric : IP6_METRIC;
    add_route(a->interface, &r);
}

static void add_routes(struct net_ifaddr *a)
{
    if (a->family == AF_INET6)
        add_routes_v6(a);
    else
        add_routes_v4(a);
}

/* Is somebody else still in need of the route? */
static bool route_wanted(const struct net_route *r, const struct net_ifaddr *gone)
{
    struct net_interface *i = gone->interface;
    struct net_ifaddr *a;
    list_for_each(a, &i->addresses, link) {
        if (a == gone || a->family != r->family)
            continue;
        if (r->type == RTN_BROADCAST) {
            union net_address last = a->peer;
            last.v4 |= a->prefix_len < 31 ? htonl(UINT32_MAX >> a->prefix_len) : 0;
            if (r->dst.v4 == a->broadcast.v4 || r->dst.v4 == last.v4)
                return true;
        } else if (r->dst_len == net_address_len(a->family) * 8 && net_address_equal(a->family, &a->local, &r->dst)) {
            return true;
        } else if (a->family == AF_INET6 && r->dst_len == a->prefix_len && r->table == RT_TABLE_MAIN &&
                   net_address_match(a->family, &a->peer, &r->dst, r->dst_len)) {
            return true;
        }
    }
    return false;
}

static bool route_of(const struct net_route *r, const struct net_ifaddr *a)
{
    if (r->protocol != RTPROT_KERNEL || r->family != a->family || r->interface != a->interface->index)
        return false;
    if (a->family == AF_INET)
        return r->preferred_source.v4 == a->local.v4;
    return (r->dst_len == 128 && net_address_equal(AF_INET6, &r->dst, &a->local)) ||
           (r->dst_len == a->prefix_len && net_address_match(AF_INET6, &r->dst, &a->peer, r->dst_len));
}

static void remove_routes(struct net_ifaddr *a)
{
    struct net_namespace *ns = a->interface->ns;
    struct net_route *r, *next;
    list_for_each_safe(r, next, &ns->routes, link)
        if (route_of(r, a) && !route_wanted(r, a))
            netcfg_route_remove(ns, r);
}

/* Routes of anybody that name the address as their source are of no use without it. */
static void remove_dependants(struct net_namespace *ns, const struct net_ifaddr *a)
{
    struct net_route *r, *next;
    list_for_each_safe(r, next, &ns->routes, link)
        if (r->family == AF_INET && a->family == AF_INET && r->preferred_source.v4 == a->local.v4 &&
            r->protocol != RTPROT_KERNEL)
            netcfg_route_remove(ns, r);
}

/* ---- addresses ---- */

struct net_ifaddr *netcfg_addr_find(struct net_interface *i, int family, const union net_address *local, int prefix_len)
{
    struct net_ifaddr *a;
    list_for_each(a, &i->addresses, link)
        if (a->family == family && net_address_equal(family, &a->local, local) &&
            (prefix_len < 0 || a->prefix_len == prefix_len))
            return a;
    return NULL;
}

static bool same_subnet(const struct net_ifaddr *a, const struct net_ifaddr *b)
{
    return a->family == AF_INET && b->family == AF_INET && a->prefix_len == b->prefix_len &&
           net_address_match(AF_INET, &a->peer, &b->peer, a->prefix_len);
}

/* IPv4: primaries before secondaries. IPv6: by scope, the widest first, the newest first among equals. */
static struct list *place_of(struct net_interface *i, struct net_ifaddr *a)
{
    struct net_ifaddr *other;
    list_for_each(other, &i->addresses, link) {
        if (a->family == AF_INET && other->family == AF_INET6)
            break;
        if (a->family == AF_INET && !(a->flags & IFA_F_SECONDARY) && other->flags & IFA_F_SECONDARY)
            break;
        if (a->family == AF_INET6 && other->family == AF_INET6 && other->scope >= a->scope)
            break;
    }
    return &other->link;
}

int netcfg_addr_add(struct net_interface *i, struct net_ifaddr *a)
{
    struct net_ifaddr *other;
    if (i->address_count >= NET_LIST_MAX)
        return -ENOBUFS;
    a->flags &= ~(uint32_t)IFA_F_SECONDARY;
    list_for_each(other, &i->addresses, link) {
        if (a->family == AF_INET6 && other->family == AF_INET6 && net_address_equal(AF_INET6, &a->local, &other->local))
            return -EEXIST;
        if (!same_subnet(a, other))
            continue;
        if (a->local.v4 == other->local.v4)
            return -EEXIST;
        a->flags |= IFA_F_SECONDARY;
    }
    a->interface = i;
    a->created = a->updated = now_monotonic();
    spin_lock(&i->ns->lock);
    list_add_tail(place_of(i, a), &a->link);
    i->address_count++;
    spin_unlock(&i->ns->lock);
    if (a->family == AF_INET6)
        add_routes(a);
    netcfg_tell(i->ns, RTM_NEWADDR, a);
    if (a->family == AF_INET)
        add_routes(a);
    return 0;
}

static void delete_one(struct net_ifaddr *a)
{
    struct net_interface *i = a->interface;
    struct net_namespace *ns = i->ns;
    spin_lock(&ns->lock);
    list_del(&a->link);
    i->address_count--;
    spin_unlock(&ns->lock);
    remove_routes(a);
    netcfg_tell(ns, RTM_DELADDR, a);
    remove_dependants(ns, a);
    free(a);
}

void netcfg_addr_delete(struct net_ifaddr *a)
{
    struct net_interface *i = a->interface;
    struct net_ifaddr *other, *next;
    bool promote = i->conf4.promote_secondaries || i->ns->conf4_all.promote_secondaries;
    if (a->family == AF_INET && !(a->flags & IFA_F_SECONDARY)) {
        list_for_each_safe(other, next, &i->addresses, link) {
            if (other == a || !same_subnet(a, other))
                continue;
            if (promote) {
                spin_lock(&i->ns->lock);
                other->flags &= ~(uint32_t)IFA_F_SECONDARY;
                spin_unlock(&i->ns->lock);
                delete_one(a);
                remove_routes(other);
                add_routes(other);
                return;
            }
            delete_one(other);
        }
    }
    delete_one(a);
}

/* ---- interfaces going up and down ---- */

static void add_automatic(struct net_interface *i, const struct net_ifaddr *model)
{
    struct net_ifaddr *a = malloc(sizeof(*a));
    if (!a)
        return;
    *a = *model;
    a->peer = a->local;
    a->valid = a->preferred = UINT32_MAX;
    a->flags = IFA_F_PERMANENT;
    list_init(&a->link);
    if (netcfg_addr_add(i, a) < 0)
        free(a);
}

static void add_loopback_addresses(struct net_interface *i)
{
    bool has_v4 = false;
    struct net_ifaddr *a;
    list_for_each(a, &i->addresses, link)
        has_v4 |= a->family == AF_INET;
    struct net_ifaddr v4 = {.family = AF_INET, .local.v4 = htonl(INADDR_LOOPBACK), .prefix_len = 8,
                            .scope = RT_SCOPE_HOST, .protocol = IFAPROT_KERNEL_LO};
    memcpy(v4.label, i->name, sizeof(v4.label));
    if (!has_v4)
        add_automatic(i, &v4);
    struct net_ifaddr v6 = {.family = AF_INET6, .local.v6 = IN6ADDR_LOOPBACK_INIT, .prefix_len = 128,
                            .scope = RT_SCOPE_HOST, .protocol = IFAPROT_KERNEL_LO};
    if (!i->conf6.disable_ipv6 && !netcfg_addr_find(i, AF_INET6, &v6.local, 128))
        add_automatic(i, &v6);
}

/* fe80::/64 with the modified EUI-64 of the hardware address; the multicast route. DEVIATION:
 * nobody else can have the address, so there is no time in which it is tentative. */
static void add_link_local(struct net_interface *i)
{
    struct net_ifaddr a = {.family = AF_INET6, .prefix_len = 64, .scope = RT_SCOPE_LINK, .protocol = IFAPROT_KERNEL_LL};
    uint8_t *b = a.local.bytes;
    const uint8_t *hw = i->address;
    const uint8_t id[8] = {(uint8_t)(hw[0] ^ 2), hw[1], hw[2], 0xff, 0xfe, hw[3], hw[4], hw[5]};
    if (i->conf6.disable_ipv6)
        return;
    b[0] = 0xfe;
    b[1] = 0x80;
    memcpy(b + 8, id, sizeof(id));
    struct net_route r = {.family = AF_INET6, .dst_len = 8, .dst.bytes = {0xff}, .table = RT_TABLE_LOCAL,
                          .type = RTN_MULTICAST, .metric = IP6_METRIC};
    add_route(i, &r);
    if (i->conf6.addr_gen_mode != 1 /* IN6_ADDR_GEN_MODE_NONE */)
        add_automatic(i, &a);
}

void netcfg_addr_link_up(struct net_interface *i)
{
    struct net_ifaddr *a;
    list_for_each(a, &i->addresses, link)
        add_routes(a); /* those that are there already are not added twice */
    if (i->flags & IFF_LOOPBACK)
        add_loopback_addresses(i);
    if (i->type == ARPHRD_ETHER)
        add_link_local(i);
}

/* IPv4 addresses stay on an interface that is merely down; those of IPv6 go. */
void netcfg_addr_link_down(struct net_interface *i, bool deleted)
{
    struct net_ifaddr *a, *next;
    netcfg_routes_flush(i->ns, i->index, deleted);
    list_for_each_safe(a, next, &i->addresses, link)
        if (a->family == AF_INET6)
            delete_one(a);
    /* deleting an address may take others with it: start over each time */
    while (deleted && (a = list_first(&i->addresses, struct net_ifaddr, link)))
        netcfg_addr_delete(a);
    struct net_neighbour *n, *n_next;
    list_for_each_safe(n, n_next, &i->ns->neighbours, link)
        if (n->interface == i->index)
            netcfg_neighbour_delete(i->ns, n);
}
