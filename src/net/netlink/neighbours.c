/*
 * Neighbours: RTM_NEWNEIGH and its family; and RTM_GETNSID, which knows no other namespaces. See
 * route.h.
 */
#include "net/netlink/route.h"
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

static const struct nl_policy policy[NDA_MAX + 1] = {
    [NDA_DST] = {NL_BINARY, 16},
    [NDA_LLADDR] = {NL_BINARY, 32},
    [NDA_CACHEINFO] = {NL_EXACT, sizeof(struct nda_cacheinfo)},
    [NDA_PROBES] = {NL_U32},
    [NDA_MASTER] = {NL_U32},
    [NDA_IFINDEX] = {NL_U32},
    [NDA_PROTOCOL] = {NL_U8},
};

/* ---- messages ---- */

void neighbour_fill(struct nl_writer *w, const struct net_neighbour *n, int type)
{
    struct ndmsg fixed = {.ndm_family = (uint8_t)n->family, .ndm_ifindex = n->interface, .ndm_state = n->state,
                          .ndm_flags = n->flags, .ndm_type = n->type};
    uint32_t age = (uint32_t)((now_monotonic() - n->updated) / (NSEC_PER_SEC / 100));
    struct nda_cacheinfo cache = {.ndm_confirmed = age, .ndm_used = age, .ndm_updated = age};
    nl_open(w, type, 0, &fixed, sizeof(fixed));
    nl_attr(w, NDA_DST, &n->dst, net_address_len(n->family));
    if (n->address_len)
        nl_attr(w, NDA_LLADDR, n->address, n->address_len);
    nl_attr_u32(w, NDA_PROBES, 0);
    nl_attr(w, NDA_CACHEINFO, &cache, sizeof(cache));
    if (n->protocol)
        nl_attr_u8(w, NDA_PROTOCOL, n->protocol);
    nl_close(w);
}

static int neighbour_dump(struct netlink_request *q)
{
    const struct net_neighbour *n;
    struct ndmsg fixed = {0};
    struct nl_attrs a = {0};
    memcpy(&fixed, q->payload, MIN(q->len, sizeof(fixed)));
    if (q->from->strict && q->len < sizeof(fixed))
        return route_fail(q, -EINVAL, "Invalid header for neighbor dump request");
    if (q->from->strict && (fixed.ndm_pad1 || fixed.ndm_pad2 || fixed.ndm_ifindex || fixed.ndm_state || fixed.ndm_type))
        return route_fail(q, -EINVAL, "Invalid values in header for neighbor dump request");
    if (q->len >= sizeof(fixed)) {
        int err = route_attrs(q, sizeof(fixed), policy, NDA_MAX, q->from->strict, &a);
        if (err < 0 && q->from->strict)
            return err;
    }
    int interface = (int)nl_get_u32(&a.at[NDA_IFINDEX]);
    list_for_each(n, &q->ns->neighbours, link)
        if ((!fixed.ndm_family || n->family == fixed.ndm_family) && (!interface || n->interface == interface))
            neighbour_fill(&q->out, n, RTM_NEWNEIGH);
    return 0;
}

/* ---- one ---- */

static struct net_neighbour *find(struct net_namespace *ns, int family, const union net_address *dst, int interface)
{
    struct net_neighbour *n;
    list_for_each(n, &ns->neighbours, link)
        if (n->family == family && n->interface == interface && net_address_equal(family, &n->dst, dst))
            return n;
    return NULL;
}

static int parse(struct netlink_request *q, struct ndmsg *fixed, struct nl_attrs *a, union net_address *dst)
{
    memcpy(fixed, q->payload, sizeof(*fixed));
    if (fixed->ndm_family != AF_INET && fixed->ndm_family != AF_INET6)
        return -EOPNOTSUPP;
    int err = route_attrs(q, sizeof(*fixed), policy, NDA_MAX, false, a);
    if (err < 0)
        return err;
    if (!a->at[NDA_DST].data)
        return route_fail(q, -EINVAL, "Network address not specified");
    if (fixed->ndm_ifindex && !netns_interface(q->ns, fixed->ndm_ifindex))
        return -ENODEV;
    return route_address(&a->at[NDA_DST], fixed->ndm_family, dst);
}

static int neighbour_new(struct netlink_request *q)
{
    struct ndmsg fixed;
    struct nl_attrs a;
    union net_address dst;
    int err = parse(q, &fixed, &a, &dst);
    if (err < 0)
        return err;
    if (!fixed.ndm_ifindex)
        return -EINVAL;
    if (a.at[NDA_LLADDR].data && a.at[NDA_LLADDR].len < NET_HW_LEN)
        return route_fail(q, -EINVAL, "Invalid link address");
    struct net_neighbour *old = find(q->ns, fixed.ndm_family, &dst, fixed.ndm_ifindex);
    if (!old && !(q->h.nlmsg_flags & NLM_F_CREATE))
        return -ENOENT;
    if (old && q->h.nlmsg_flags & NLM_F_EXCL)
        return -EEXIST;
    struct net_neighbour *n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOBUFS;
    *n = (struct net_neighbour){.family = fixed.ndm_family, .interface = fixed.ndm_ifindex, .dst = dst,
                                .state = fixed.ndm_state, .flags = fixed.ndm_flags, .type = RTN_UNICAST,
                                .protocol = nl_get_u8(&a.at[NDA_PROTOCOL])};
    list_init(&n->link);
    if (a.at[NDA_LLADDR].data) {
        n->address_len = NET_HW_LEN;
        memcpy(n->address, a.at[NDA_LLADDR].data, NET_HW_LEN);
    }
    if (old)
        netcfg_neighbour_delete(q->ns, old);
    err = netcfg_neighbour_add(q->ns, n);
    if (err < 0)
        free(n);
    return err;
}

static int neighbour_delete(struct netlink_request *q)
{
    struct ndmsg fixed;
    struct nl_attrs a;
    union net_address dst;
    int err = parse(q, &fixed, &a, &dst);
    if (err < 0)
        return err;
    struct net_neighbour *n = find(q->ns, fixed.ndm_family, &dst, fixed.ndm_ifindex);
    if (!n)
        return -ENOENT;
    netcfg_neighbour_delete(q->ns, n);
    return 0;
}

static int neighbour_get(struct netlink_request *q)
{
    struct ndmsg fixed;
    struct nl_attrs a;
    union net_address dst;
    int err = parse(q, &fixed, &a, &dst);
    if (err < 0)
        return err;
    struct net_neighbour *n = find(q->ns, fixed.ndm_family, &dst, fixed.ndm_ifindex);
    if (!n)
        return -ENOENT;
    neighbour_fill(&q->out, n, RTM_NEWNEIGH);
    return 0;
}

const struct route_kind route_neighbours = {
    .type = RTM_NEWNEIGH,
    .fixed = sizeof(struct ndmsg),
    .change = neighbour_new,
    .remove = neighbour_delete,
    .get = neighbour_get,
    .dump = neighbour_dump,
};

/* ---- numbers of other namespaces: none is given any ---- */

static int netns_get(struct netlink_request *q)
{
    struct rtgenmsg fixed = {.rtgen_family = AF_UNSPEC};
    nl_open(&q->out, RTM_NEWNSID, 0, &fixed, sizeof(fixed));
    nl_attr_u32(&q->out, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
    nl_close(&q->out);
    return 0;
}

static int netns_dump(struct netlink_request *q)
{
    return 0;
}

const struct route_kind route_netns = {
    .type = RTM_NEWNSID,
    .fixed = sizeof(struct rtgenmsg),
    .get = netns_get,
    .dump = netns_dump,
};
