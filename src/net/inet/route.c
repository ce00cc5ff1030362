/*
 * The internet protocols' part of a network namespace, and what they ask it: which addresses are ours, which way
 * others are. See inet.h; interfaces and routes themselves are net/netns.h's.
 */
#include "net/inet/inet.h"
#include "net/netns.h"
#include <stdlib.h>
#include <string.h>

/* ---- the part ---- */

static int part_create(struct net_namespace *ns, void **ret)
{
    struct inet_net *net = calloc(1, sizeof(*net));
    if (!net)
        return -ENOMEM;
    net->ns = ns;
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        spin_init(&net->tables[i].lock);
        list_init(&net->tables[i].remains);
    }
    *ret = net;
    return 0;
}

/* No sockets are left: each refers to the namespace. */
static void part_destroy(void *part)
{
    struct inet_net *net = part;
    inet_timewait_drop_all(net);
    free(net);
}

static const struct netns_part_ops part_ops = {part_create, part_destroy};

void inet_part_register(void)
{
    netns_part_register(NETNS_INET, &part_ops);
}

struct inet_net *inet_net_of(struct net_namespace *ns)
{
    return netns_part(ns, NETNS_INET);
}

bool inet_capable(struct inet_net *net, int capability)
{
    return netns_capable(net->ns, capability);
}

/* ---- addresses ---- */

/* The namespace's form of an address. */
static int to_net(const struct in6_addr *a, union net_address *ret)
{
    *ret = (union net_address){0};
    if (inet_is_v4(a)) {
        ret->v4 = a->s6_addr32[3];
        return AF_INET;
    }
    ret->v6 = *a;
    return AF_INET6;
}

static struct in6_addr from_net(int family, const union net_address *a)
{
    return family == AF_INET ? inet_from_v4(be32toh(a->v4)) : a->v6;
}

bool inet_address_is_local(struct inet_net *net, const struct in6_addr *a)
{
    union net_address n;
    int family = to_net(a, &n);
    return netns_is_local(net->ns, family, &n);
}

bool inet_address_is_bindable(struct inet_net *net, const struct in6_addr *a)
{
    union net_address n;
    int family = to_net(a, &n);
    if (inet_is_any(a) || inet_is_multicast(a) || (family == AF_INET && net->ns->sysctl.ip_nonlocal_bind) ||
        (family == AF_INET6 && net->ns->sysctl.ipv6_ip_nonlocal_bind))
        return true;
    int type = netns_address_type(net->ns, family, &n);
    return type == RTN_LOCAL || type == RTN_BROADCAST || inet_is_broadcast(a);
}

/* The usual case, without a walk over the routes: this machine by its loopback address. */
static bool is_plain_loopback(struct inet_net *net, const struct in6_addr *to, int device)
{
    if (device && device != NET_LOOPBACK_INDEX)
        return false;
    bool v4 = inet_is_v4(to) && inet_v4(to) == INADDR_LOOPBACK, v6 = IN6_IS_ADDR_LOOPBACK(to);
    return (v4 || v6) && inet_address_is_local(net, to);
}

int inet_route_find(struct inet_net *net, const struct in6_addr *to, int device, struct inet_route *ret)
{
    struct net_flow flow = {.interface = device};
    struct net_path path;
    if (is_plain_loopback(net, to, device)) {
        *ret = (struct inet_route){REACH_LOCAL, *to, NET_LOOPBACK_INDEX};
        return 0;
    }
    flow.family = to_net(to, &flow.dst);
    int err = netns_route(net->ns, &flow, &path);
    if (err < 0)
        return err;
    ret->interface = path.interface;
    ret->source = from_net(flow.family, &path.source);
    ret->reach = path.type == RTN_LOCAL       ? REACH_LOCAL
                 : path.type == RTN_MULTICAST ? REACH_MULTICAST
                 : path.type == RTN_BROADCAST ? REACH_BROADCAST
                                              : REACH_OUTSIDE;
    return 0;
}

/* ---- interfaces ---- */

int inet_interface_number(struct inet_net *net, const char *name, int *ret)
{
    return netns_interface_index(net->ns, name, ret);
}

int inet_interface_name(struct inet_net *net, int number, char *ret)
{
    return netns_interface_name(net->ns, number, ret);
}

int inet_interface_of(struct inet_net *net, const struct in6_addr *a)
{
    union net_address n;
    int family = to_net(a, &n);
    if (inet_is_loopback(a) && inet_address_is_local(net, a))
        return NET_LOOPBACK_INDEX;
    return netns_address_interface(net->ns, family, &n, 0);
}

uint32_t inet_interface_address(struct inet_net *net, int number)
{
    uint32_t found = 0;
    spin_lock(&net->ns->lock);
    struct net_interface *i = netns_interface(net->ns, number);
    struct net_ifaddr *a;
    if (i) {
        list_for_each(a, &i->addresses, link) {
            if (a->family == AF_INET) {
                found = be32toh(a->local.v4);
                break;
            }
        }
    }
    spin_unlock(&net->ns->lock);
    return found;
}
