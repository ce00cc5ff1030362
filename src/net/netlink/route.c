/* NETLINK_ROUTE: who does what, and who is told. See route.h. */
#include "net/netlink/route.h"
#include <linux/capability.h>
#include <linux/rtnetlink.h>

static const struct route_kind *const kinds[] = {&route_links,  &route_addrs,      &route_routes,
                                                 &route_rules, &route_neighbours, &route_netns};

int route_fail(struct netlink_request *q, int err, const char *why)
{
    q->why = why;
    return err;
}

int route_attrs(struct netlink_request *q, size_t fixed, const struct nl_policy *policy, unsigned max, bool strict,
                struct nl_attrs *ret)
{
    const char *bad;
    size_t at = MIN(NLMSG_ALIGN(fixed), q->len);
    if (q->len < fixed)
        return -EINVAL;
    int err = nl_parse(q->payload + at, q->len - at, policy, max, strict, ret, &bad, &q->why);
    q->why_offset = bad ? (size_t)(bad - q->payload) + NLMSG_HDRLEN : 0;
    return err;
}

int route_address(const struct nl_attr *a, int family, union net_address *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (!a->data)
        return 0;
    if (a->len < net_address_len(family))
        return -EINVAL;
    memcpy(ret->bytes, a->data, net_address_len(family));
    return 0;
}

static int dispatch(const struct route_kind *k, struct netlink_request *q)
{
    int verb = q->h.nlmsg_type & 3;
    bool dump = (q->h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP && verb == 2;
    int (*const verbs[])(struct netlink_request *) = {k->change, k->remove, dump ? k->dump : k->get, k->set};
    if (!verbs[verb])
        return -EOPNOTSUPP;
    if (!dump && q->len < k->fixed)
        return -EINVAL;
    q->dumping = dump;
    MUTEX_GUARD(&netcfg_lock);
    return verbs[verb](q);
}

int route_request(struct netlink_request *q)
{
    int type = q->h.nlmsg_type;
    if (type > RTM_MAX)
        return -EOPNOTSUPP;
    if (q->len < sizeof(struct rtgenmsg))
        return 0;
    if ((type & 3) != 2 && !netns_capable(q->ns, CAP_NET_ADMIN))
        return -EPERM;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
        if (kinds[k]->type == (type & ~3))
            return dispatch(kinds[k], q);
    return -EOPNOTSUPP;
}

/* ---- notifications ---- */

static unsigned fill(struct nl_writer *w, int type, const void *object)
{
    switch (type & ~3) {
    case RTM_NEWLINK:
        link_fill(w, object, type, 0);
        return RTNLGRP_LINK;
    case RTM_NEWADDR:
        addr_fill(w, object, type);
        return ((const struct net_ifaddr *)object)->family == AF_INET ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR;
    case RTM_NEWROUTE:
        route_fill(w, object, type);
        return ((const struct net_route *)object)->family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE;
    case RTM_NEWRULE:
        rule_fill(w, object, type);
        return ((const struct net_rule *)object)->family == AF_INET ? RTNLGRP_IPV4_RULE : RTNLGRP_IPV6_RULE;
    default:
        neighbour_fill(w, object, type);
        return RTNLGRP_NEIGH;
    }
}

static void notify(struct net_namespace *ns, int type, const void *object)
{
    struct nl_writer w = {0};
    unsigned group = fill(&w, type, object);
    struct netlink_packet *p = NULL;
    if (!w.buffer.failed && netlink_has_listeners(ns, NETLINK_ROUTE, group))
        p = netlink_packet_new(w.buffer.len);
    if (p) {
        memcpy(p->data, w.buffer.s, w.buffer.len);
        (void)!netlink_broadcast(ns, NETLINK_ROUTE, group, p, NULL);
        netlink_packet_put(p);
    }
    strbuf_free(&w.buffer);
}

void rtnetlink_init(void)
{
    netcfg_notify = notify;
}
