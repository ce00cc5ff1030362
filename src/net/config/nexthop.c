/*
 * Routes that users ask for: is the next hop one, and by which interface is it reached. See
 * config.h.
 */
#include "net/config/config.h"
#include <linux/netlink.h>
#include <stdlib.h>

static bool has_device(const struct net_route *r)
{
    return r->type != RTN_UNREACHABLE && r->type != RTN_BLACKHOLE && r->type != RTN_PROHIBIT && r->type != RTN_THROW;
}

/* The gateway must be on a link, reached by a route narrower than this one. */
static int check_gateway(struct net_namespace *ns, struct net_route *r)
{
    struct net_flow flow = {.family = r->gateway_family, .dst = r->gateway, .interface = r->interface};
    struct net_path path;
    if (r->flags & RTNH_F_ONLINK)
        return r->interface ? 0 : -EINVAL;
    if (r->family == AF_INET && r->scope >= RT_SCOPE_LINK)
        return -EINVAL;
    int type = netns_address_type(ns, r->gateway_family, &r->gateway);
    if (type == RTN_LOCAL && r->type != RTN_LOCAL)
        return r->family == AF_INET6 || r->scope == RT_SCOPE_UNIVERSE ? -EINVAL : -ENETUNREACH;
    if (type != RTN_UNICAST && type != RTN_LOCAL)
        return -EINVAL;
    if (r->gateway_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&r->gateway.v6))
        return r->interface ? 0 : -EINVAL;
    int err = netns_route(ns, &flow, &path);
    if (err < 0)
        return r->family == AF_INET6 ? -EHOSTUNREACH : -ENETUNREACH;
    if (path.gateway_family || path.type != RTN_UNICAST)
        return r->family == AF_INET6 ? -EHOSTUNREACH : -ENETUNREACH;
    r->interface = path.interface;
    return 0;
}

static int check_device(struct net_namespace *ns, const struct net_route *r)
{
    struct net_interface *i = netns_interface(ns, r->interface);
    if (!i)
        return -ENODEV;
    return i->flags & IFF_UP ? 0 : -ENETDOWN;
}

static int check_nexthop(struct net_namespace *ns, struct net_route *r)
{
    if (!has_device(r)) {
        if (r->family == AF_INET6)
            r->interface = NET_LOOPBACK_INDEX; /* as Linux shows them */
        return r->gateway_family || (r->family == AF_INET && r->interface) ? -EINVAL : 0;
    }
    int err = 0;
    if (r->interface && !netns_interface(ns, r->interface))
        return -ENODEV;
    if (r->gateway_family)
        err = check_gateway(ns, r);
    return err < 0 ? err : check_device(ns, r);
}

int netcfg_route_new(struct net_namespace *ns, const struct net_route *wanted, unsigned nlm_flags)
{
    struct net_route *r = malloc(sizeof(*r));
    if (!r)
        return -ENOMEM;
    *r = *wanted;
    list_init(&r->link);
    int err = check_nexthop(ns, r);
    if (err >= 0 && !net_address_zero(r->family, &r->preferred_source) && r->type != RTN_LOCAL &&
        netns_address_type(ns, r->family, &r->preferred_source) != RTN_LOCAL)
        err = -EINVAL;
    if (r->family == AF_INET6 && !r->metric)
        r->metric = 1024; /* IP6_RT_PRIO_USER */
    if (err >= 0)
        err = netcfg_route_add(ns, r, nlm_flags);
    if (err < 0)
        free(r);
    return err;
}

uint8_t net_scope_v6(const union net_address *a)
{
    if (IN6_IS_ADDR_LOOPBACK(&a->v6))
        return RT_SCOPE_HOST;
    if (IN6_IS_ADDR_LINKLOCAL(&a->v6))
        return RT_SCOPE_LINK;
    return IN6_IS_ADDR_SITELOCAL(&a->v6) ? RT_SCOPE_SITE : RT_SCOPE_UNIVERSE;
}
