/*
 * Changing a network namespace: what ip(8) and ifconfig(8) do, for netlink, ioctls and the kernel
 * itself. Rights are the callers' to check, and so is who may be told: netcfg_notify.
 *
 * All with netcfg_lock held unless said otherwise. Objects handed in are consumed on success.
 *
 *     link.c    interfaces: make, delete, up and down, names
 *     addr.c    addresses, and the routes that come and go with them
 *     route.c   routes, rules, neighbours
 *     nexthop.c routes that users ask for
 */
#pragma once
#include "net/netns.h"
#include <linux/fib_rules.h>
#include <linux/if.h>

/* ---- life of a namespace (no lock needed) ---- */
NODISCARD int netcfg_build(struct net_namespace *ns); /* loopback (down) and the standard rules */
void netcfg_clear(struct net_namespace *ns);

void netns_list_add(struct net_namespace *ns); /* netns.c: onto the list of all */

/* Told of every change, config held: type is RTM_NEW... or RTM_DEL..., object the net_interface,
 * net_ifaddr, net_route, net_rule or net_neighbour. Set at boot by netlink; may be NULL. */
extern void (*netcfg_notify)(struct net_namespace *ns, int type, const void *object);
void netcfg_tell(struct net_namespace *ns, int type, const void *object);

/* ---- interfaces ---- */
/* name may have one %d. index 0: the next free. On no list yet. -EEXIST, -EINVAL, -ENOBUFS. */
NODISCARD int netcfg_link_new(struct net_namespace *ns, const struct net_interface_ops *ops, const char *name,
                              int index, struct net_interface **ret);
void netcfg_link_add(struct net_interface *i); /* onto the list; told of */
void netcfg_link_delete(struct net_interface *i); /* with its addresses and routes; the list's reference goes */
NODISCARD int netcfg_link_up(struct net_interface *i, bool up);
NODISCARD int netcfg_link_flags(struct net_interface *i, unsigned flags, unsigned mask); /* IFF_UP as well */
NODISCARD int netcfg_link_rename(struct net_interface *i, const char *name);
NODISCARD int netcfg_link_mtu(struct net_interface *i, uint32_t mtu);
NODISCARD int netcfg_link_move(struct net_interface *i, struct net_namespace *to);
void netcfg_link_changed(struct net_interface *i, unsigned changed); /* tells; changed: IFF_ bits */
void netcfg_link_carrier(struct net_interface *i, bool carrier);
bool net_name_valid(const char *name);
/* IFF_ flags as users see them (lock or config held), IFLA_OPERSTATE. */
unsigned netif_flags(const struct net_interface *i);
uint8_t netif_operstate(const struct net_interface *i);
void net_interface_put(struct net_interface *i);
struct net_interface *net_interface_get(struct net_interface *i);

/* ---- addresses ---- */
NODISCARD int netcfg_addr_add(struct net_interface *i, struct net_ifaddr *a); /* -EEXIST, -ENOBUFS */
void netcfg_addr_delete(struct net_ifaddr *a);
struct net_ifaddr *netcfg_addr_find(struct net_interface *i, int family, const union net_address *local,
                                    int prefix_len /* -1: any */);
/* Routes and automatic addresses of an interface that went up or down. */
void netcfg_addr_link_up(struct net_interface *i);
void netcfg_addr_link_down(struct net_interface *i, bool deleted);

uint8_t net_scope_v6(const union net_address *a); /* RT_SCOPE_... of an address */

/* ---- routes, rules, neighbours ---- */
/* A copy of a route that a user asks for, its next hop checked and completed: -ENETUNREACH, -ENODEV, -ENETDOWN ... */
NODISCARD int netcfg_route_new(struct net_namespace *ns, const struct net_route *wanted, unsigned nlm_flags);
NODISCARD int netcfg_route_add(struct net_namespace *ns, struct net_route *r, unsigned nlm_flags); /* NLM_F_... */
/* The one that matches everything `like` names (zero: any). -ESRCH. */
NODISCARD int netcfg_route_delete(struct net_namespace *ns, const struct net_route *like);
/* All through an interface; those to its own IPv4 addresses stay while it is merely down. */
void netcfg_routes_flush(struct net_namespace *ns, int interface, bool deleted);
void netcfg_route_remove(struct net_namespace *ns, struct net_route *r);
NODISCARD int netcfg_rule_add(struct net_namespace *ns, struct net_rule *r, bool exclusive);
void netcfg_rule_delete(struct net_namespace *ns, struct net_rule *r);
NODISCARD int netcfg_neighbour_add(struct net_namespace *ns, struct net_neighbour *n);
void netcfg_neighbour_delete(struct net_namespace *ns, struct net_neighbour *n);

/* The first `len` bits of a. */
void net_address_mask(union net_address *a, int family, unsigned len);
bool net_address_match(int family, const union net_address *a, const union net_address *b, unsigned len);
static inline bool net_address_equal(int family, const union net_address *a, const union net_address *b)
{
    return net_address_match(family, a, b, net_address_len(family) * 8);
}
bool net_address_zero(int family, const union net_address *a);
