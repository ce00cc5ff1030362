/*
 * NETLINK_ROUTE: rtnetlink(7). Each kind of object has a row in route.c with its verbs; its file
 * has them, and what makes its message for answers and notifications alike.
 *
 * All run with netcfg_lock held.
 */
#pragma once
#include "net/config/config.h"
#include "net/netlink/netlink.h"

struct route_kind {
    int type;     /* RTM_NEW...; the others follow */
    size_t fixed; /* the header's size */
    int (*change)(struct netlink_request *q); /* RTM_NEW */
    int (*remove)(struct netlink_request *q);
    int (*get)(struct netlink_request *q);
    int (*dump)(struct netlink_request *q);
    int (*set)(struct netlink_request *q);
};

/* The attributes behind `fixed` bytes. Sets q->why. */
NODISCARD int route_attrs(struct netlink_request *q, size_t fixed, const struct nl_policy *policy, unsigned max,
                          bool strict, struct nl_attrs *ret);
/* q->why and err. */
int route_fail(struct netlink_request *q, int err, const char *why);
/* An address attribute of the family: -EINVAL when it has the wrong size. NULL data: zeroes. */
NODISCARD int route_address(const struct nl_attr *a, int family, union net_address *ret);

extern const struct route_kind route_links, route_addrs, route_routes, route_rules, route_neighbours, route_netns;

void link_fill(struct nl_writer *w, const struct net_interface *i, int type, uint32_t mask);
void addr_fill(struct nl_writer *w, const struct net_ifaddr *a, int type);
void route_fill(struct nl_writer *w, const struct net_route *r, int type);
void rule_fill(struct nl_writer *w, const struct net_rule *r, int type);
void neighbour_fill(struct nl_writer *w, const struct net_neighbour *n, int type);

/* kinds.c: links that can be made. NULL: unknown. */
struct link_kind {
    const char *name;
    /* The new link, on its list; attrs: IFLA_INFO_DATA. */
    int (*make)(struct netlink_request *q, struct net_namespace *ns, const char *name, int index,
                const struct nl_attr *data, struct net_interface **ret);
};
const struct link_kind *link_kind_find(const char *name);
