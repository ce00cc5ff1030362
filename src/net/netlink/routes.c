/* Routes: RTM_NEWROUTE and its family. See route.h. */
#include "kernel/cred.h"
#include "net/netlink/route.h"
#include <linux/rtnetlink.h>

#define RTA_LOOKED_AT RTA_DPORT

static const struct nl_policy policy[RTA_LOOKED_AT + 1] = {
    [RTA_DST] = {NL_BINARY, 16},       [RTA_SRC] = {NL_BINARY, 16},    [RTA_IIF] = {NL_U32},
    [RTA_OIF] = {NL_U32},              [RTA_GATEWAY] = {NL_BINARY, 16}, [RTA_PRIORITY] = {NL_U32},
    [RTA_PREFSRC] = {NL_BINARY, 16},   [RTA_METRICS] = {NL_NESTED},    [RTA_MULTIPATH] = {NL_BINARY},
    [RTA_FLOW] = {NL_U32},             [RTA_CACHEINFO] = {NL_BINARY},  [RTA_TABLE] = {NL_U32},
    [RTA_MARK] = {NL_U32},             [RTA_VIA] = {NL_BINARY},        [RTA_PREF] = {NL_U8},
    [RTA_ENCAP_TYPE] = {NL_U16},       [RTA_ENCAP] = {NL_NESTED},      [RTA_EXPIRES] = {NL_U32},
    [RTA_UID] = {NL_U32},              [RTA_TTL_PROPAGATE] = {NL_U8},  [RTA_IP_PROTO] = {NL_U8},
    [RTA_SPORT] = {NL_U16},            [RTA_DPORT] = {NL_U16},
};

/* ---- messages ---- */

static const struct {
    int attr;
    size_t offset;
} metrics[] = {
    {RTAX_MTU, offsetof(struct net_route, mtu)},           {RTAX_WINDOW, offsetof(struct net_route, window)},
    {RTAX_RTT, offsetof(struct net_route, rtt)},           {RTAX_ADVMSS, offsetof(struct net_route, advmss)},
    {RTAX_HOPLIMIT, offsetof(struct net_route, hoplimit)}, {RTAX_INITCWND, offsetof(struct net_route, initcwnd)},
    {RTAX_INITRWND, offsetof(struct net_route, initrwnd)}, {RTAX_QUICKACK, offsetof(struct net_route, quickack)},
};

static void add_metrics(struct nl_writer *w, const struct net_route *r)
{
    bool any = false;
    for (size_t m = 0; m < ARRAY_SIZE(metrics); m++)
        any |= *(const uint32_t *)((const char *)r + metrics[m].offset) != 0;
    if (!any)
        return;
    size_t nest = nl_nest(w, RTA_METRICS);
    for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
        uint32_t value = *(const uint32_t *)((const char *)r + metrics[m].offset);
        if (value)
            nl_attr_u32(w, metrics[m].attr, value);
    }
    nl_nest_end(w, nest);
}

static void add_gateway(struct nl_writer *w, const struct net_route *r)
{
    if (!r->gateway_family)
        return;
    unsigned len = net_address_len(r->gateway_family);
    if (r->gateway_family == r->family) {
        nl_attr(w, RTA_GATEWAY, &r->gateway, len);
        return;
    }
    struct {
        uint16_t family;
        uint8_t bytes[16];
    } __attribute__((packed)) via = {(uint16_t)r->gateway_family, {0}};
    memcpy(via.bytes, r->gateway.bytes, len);
    nl_attr(w, RTA_VIA, &via, sizeof(via.family) + len);
}

static struct rtmsg header_of(const struct net_route *r)
{
    return (struct rtmsg){.rtm_family = (uint8_t)r->family, .rtm_dst_len = r->dst_len, .rtm_src_len = r->src_len,
                          .rtm_tos = r->tos, .rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_COMPAT,
                          .rtm_protocol = r->protocol, .rtm_scope = r->scope, .rtm_type = r->type,
                          .rtm_flags = r->flags & RTNH_F_ONLINK};
}

void route_fill(struct nl_writer *w, const struct net_route *r, int type)
{
    struct rtmsg fixed = header_of(r);
    unsigned len = net_address_len(r->family);
    bool v6 = r->family == AF_INET6;
    nl_open(w, type, 0, &fixed, sizeof(fixed));
    nl_attr_u32(w, RTA_TABLE, r->table);
    if (r->dst_len)
        nl_attr(w, RTA_DST, &r->dst, len);
    if (!v6 && r->metric)
        nl_attr_u32(w, RTA_PRIORITY, r->metric);
    if (!net_address_zero(r->family, &r->preferred_source))
        nl_attr(w, RTA_PREFSRC, &r->preferred_source, len);
    add_metrics(w, r);
    if (v6)
        nl_attr_u32(w, RTA_PRIORITY, r->metric);
    add_gateway(w, r);
    if (r->interface)
        nl_attr_u32(w, RTA_OIF, (uint32_t)r->interface);
    if (v6) {
        struct rta_cacheinfo cache = {0};
        nl_attr(w, RTA_CACHEINFO, &cache, sizeof(cache));
        nl_attr_u8(w, RTA_PREF, r->preference);
    }
    nl_close(w);
}

/* ---- parsing ---- */

static int metrics_from(const struct nl_attr *nest, struct net_route *r)
{
    static const struct nl_policy any[RTAX_MAX + 1] = {
        [RTAX_MTU] = {NL_U32},      [RTAX_WINDOW] = {NL_U32},   [RTAX_RTT] = {NL_U32},      [RTAX_ADVMSS] = {NL_U32},
        [RTAX_HOPLIMIT] = {NL_U32}, [RTAX_INITCWND] = {NL_U32}, [RTAX_INITRWND] = {NL_U32}, [RTAX_QUICKACK] = {NL_U32}};
    struct nl_attrs a;
    const char *bad, *why;
    if (!nest->data)
        return 0;
    int err = nl_parse(nest->data, nest->len, any, RTAX_MAX, false, &a, &bad, &why);
    for (size_t m = 0; m < ARRAY_SIZE(metrics) && err == 0; m++)
        *(uint32_t *)((char *)r + metrics[m].offset) = nl_get_u32(&a.at[metrics[m].attr]);
    return err;
}

static int gateway_from(struct netlink_request *q, const struct nl_attrs *a, struct net_route *r)
{
    const struct nl_attr *via = &a->at[RTA_VIA];
    if (a->at[RTA_GATEWAY].data) {
        int err = route_address(&a->at[RTA_GATEWAY], r->family, &r->gateway);
        if (err == 0 && !net_address_zero(r->family, &r->gateway))
            r->gateway_family = r->family;
        return err;
    }
    if (!via->data)
        return 0;
    uint16_t family;
    if (via->len < sizeof(family))
        return route_fail(q, -EINVAL, "Invalid attribute length for RTA_VIA");
    memcpy(&family, via->data, sizeof(family));
    if (r->family == AF_INET6)
        return route_fail(q, -EINVAL, "IPv6 does not support RTA_VIA attribute");
    if ((family != AF_INET && family != AF_INET6) || via->len - sizeof(family) != net_address_len(family))
        return route_fail(q, -EINVAL, "Unsupported address family for RTA_VIA");
    memcpy(r->gateway.bytes, via->data + sizeof(family), net_address_len(family));
    r->gateway_family = family;
    return 0;
}

static int parse_route(struct netlink_request *q, struct net_route *r)
{
    struct rtmsg fixed;
    struct nl_attrs a;
    memcpy(&fixed, q->payload, sizeof(fixed));
    if (fixed.rtm_family != AF_INET && fixed.rtm_family != AF_INET6)
        return -EOPNOTSUPP;
    int err = route_attrs(q, sizeof(fixed), policy, RTA_LOOKED_AT, false, &a);
    if (err < 0)
        return err;
    unsigned bits = net_address_len(fixed.rtm_family) * 8;
    if (fixed.rtm_dst_len > bits || fixed.rtm_src_len > bits)
        return route_fail(q, -EINVAL, "Invalid prefix length");
    if (fixed.rtm_type > RTN_MAX)
        return route_fail(q, -EINVAL, "Invalid route type");
    if (a.at[RTA_MULTIPATH].data || a.at[RTA_ENCAP].data || fixed.rtm_src_len)
        return route_fail(q, -EOPNOTSUPP, "Multipath, encapsulation and source routes are not supported");
    *r = (struct net_route){.family = fixed.rtm_family, .dst_len = fixed.rtm_dst_len, .tos = fixed.rtm_tos,
                            .scope = fixed.rtm_scope, .type = fixed.rtm_type, .protocol = fixed.rtm_protocol,
                            .flags = fixed.rtm_flags & RTNH_F_ONLINK, .preference = nl_get_u8(&a.at[RTA_PREF]),
                            .table = a.at[RTA_TABLE].data ? nl_get_u32(&a.at[RTA_TABLE]) : fixed.rtm_table,
                            .metric = nl_get_u32(&a.at[RTA_PRIORITY]),
                            .interface = (int)nl_get_u32(&a.at[RTA_OIF])};
    if (!r->table)
        r->table = RT_TABLE_MAIN;
    if ((err = route_address(&a.at[RTA_DST], r->family, &r->dst)) < 0 ||
        (err = route_address(&a.at[RTA_PREFSRC], r->family, &r->preferred_source)) < 0 ||
        (err = gateway_from(q, &a, r)) < 0 || (err = metrics_from(&a.at[RTA_METRICS], r)) < 0)
        return err;
    union net_address masked = r->dst;
    net_address_mask(&masked, r->family, r->dst_len);
    if (r->family == AF_INET && !net_address_equal(AF_INET, &masked, &r->dst))
        return route_fail(q, -EINVAL, "Invalid prefix for given prefix length");
    r->dst = masked;
    return 0;
}

/* ---- changing ---- */

static const char *reason(int err, const struct net_route *r)
{
    bool v6 = r->family == AF_INET6;
    switch (err) {
    case -ENETUNREACH:
        return "Nexthop has invalid gateway";
    case -ENETDOWN:
        return v6 ? "Nexthop device is not up" : "Device for nexthop is not up";
    case -EHOSTUNREACH:
        return "No route to host";
    case -EINVAL:
        return v6 && r->gateway_family && !r->interface ? "Egress device not specified" : "Invalid route";
    default:
        return NULL;
    }
}

static int route_new(struct netlink_request *q)
{
    struct net_route r;
    int err = parse_route(q, &r);
    if (err < 0)
        return err;
    if (!r.type)
        return route_fail(q, -EINVAL, "Invalid route type");
    err = netcfg_route_new(q->ns, &r, q->h.nlmsg_flags | (r.family == AF_INET6 ? NLM_F_CREATE : 0));
    return err < 0 ? route_fail(q, err, reason(err, &r)) : 0;
}

static int route_delete(struct netlink_request *q)
{
    struct net_route r;
    int err = parse_route(q, &r);
    return err < 0 ? err : netcfg_route_delete(q->ns, &r);
}

/* ---- asking ---- */

struct dump_filter {
    int family, interface;
    uint32_t table;
    uint8_t protocol, type;
    bool exact; /* table 0: all */
};

static int parse_dump(struct netlink_request *q, struct dump_filter *f)
{
    struct rtmsg fixed = {0};
    struct nl_attrs a = {0};
    memset(f, 0, sizeof(*f));
    memcpy(&fixed, q->payload, MIN(q->len, sizeof(fixed)));
    f->family = fixed.rtm_family;
    if (!q->from->strict)
        return 0;
    if (q->len < sizeof(fixed))
        return route_fail(q, -EINVAL, "Invalid header for FIB dump request");
    if (fixed.rtm_dst_len || fixed.rtm_src_len || fixed.rtm_tos || fixed.rtm_scope)
        return route_fail(q, -EINVAL, "Invalid values in header for FIB dump request");
    if (fixed.rtm_flags & ~(uint32_t)(RTM_F_CLONED | RTM_F_PREFIX))
        return route_fail(q, -EINVAL, "Invalid flags for FIB dump request");
    int err = route_attrs(q, sizeof(fixed), policy, RTA_LOOKED_AT, true, &a);
    if (err < 0)
        return err;
    f->table = a.at[RTA_TABLE].data ? nl_get_u32(&a.at[RTA_TABLE]) : fixed.rtm_table;
    f->protocol = fixed.rtm_protocol;
    f->type = fixed.rtm_type;
    f->interface = (int)nl_get_u32(&a.at[RTA_OIF]);
    if (f->interface && !netns_interface(q->ns, f->interface))
        return -ENODEV;
    return fixed.rtm_flags & RTM_F_CLONED ? 1 : 0;
}

static int route_dump(struct netlink_request *q)
{
    struct dump_filter f;
    const struct net_route *r;
    int err = parse_dump(q, &f);
    if (err != 0)
        return MIN(err, 0); /* there are no cached routes */
    bool found = !f.table;
    list_for_each(r, &q->ns->routes, link) {
        if (((f.family == AF_INET || f.family == AF_INET6) && r->family != f.family) ||
            (f.table && r->table != f.table))
            continue;
        found = true;
        if ((f.protocol && r->protocol != f.protocol) || (f.type && r->type != f.type) ||
            (f.interface && r->interface != f.interface))
            continue;
        route_fill(&q->out, r, RTM_NEWROUTE);
    }
    if (!found && f.table != RT_TABLE_MAIN && f.table != RT_TABLE_LOCAL && f.family == AF_INET)
        return route_fail(q, -ENOENT, "ipv4: FIB table does not exist");
    return 0;
}

static void fill_answer(struct netlink_request *q, const struct net_flow *f, const struct net_path *p, bool whole_table)
{
    struct rtmsg fixed = {.rtm_family = (uint8_t)f->family, .rtm_dst_len = (uint8_t)(net_address_len(f->family) * 8),
                          .rtm_type = p->type, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_flags = RTM_F_CLONED};
    struct rta_cacheinfo cache = {0};
    unsigned len = net_address_len(f->family);
    bool v6 = f->family == AF_INET6;
    uint32_t table = whole_table || f->family == AF_INET6 ? p->table : RT_TABLE_MAIN;
    if (f->family == AF_INET && table == RT_TABLE_LOCAL)
        table = RT_TABLE_MAIN; /* Linux has the two in one trie */
    if (f->family == AF_INET && p->type == RTN_LOCAL)
        fixed.rtm_flags |= 0x80000000; /* RTCF_LOCAL */
    fixed.rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_COMPAT;
    fixed.rtm_protocol = v6 ? p->route.protocol : 0;
    nl_open(&q->out, RTM_NEWROUTE, 0, &fixed, sizeof(fixed));
    nl_attr(&q->out, RTA_DST, &f->dst, len);
    if (v6)
        nl_attr(&q->out, RTA_SRC, &f->src, len);
    nl_attr_u32(&q->out, RTA_TABLE, table);
    if (v6)
        nl_attr_u32(&q->out, RTA_PRIORITY, p->route.metric);
    struct net_route gateway = {.family = f->family, .gateway_family = p->gateway_family, .gateway = p->gateway};
    add_gateway(&q->out, &gateway);
    nl_attr_u32(&q->out, RTA_OIF, (uint32_t)p->interface);
    if (!net_address_zero(f->family, &p->source))
        nl_attr(&q->out, RTA_PREFSRC, &p->source, len);
    if (f->mark)
        nl_attr_u32(&q->out, RTA_MARK, f->mark);
    if (!v6)
        nl_attr_u32(&q->out, RTA_UID, f->uid);
    nl_attr(&q->out, RTA_CACHEINFO, &cache, sizeof(cache));
    if (f->family == AF_INET6)
        nl_attr_u8(&q->out, RTA_PREF, p->route.preference);
    nl_close(&q->out);
}

static int route_get(struct netlink_request *q)
{
    struct rtmsg fixed;
    struct nl_attrs a;
    struct net_path path;
    memcpy(&fixed, q->payload, sizeof(fixed));
    if (fixed.rtm_family != AF_INET && fixed.rtm_family != AF_INET6)
        return -EOPNOTSUPP;
    int err = route_attrs(q, sizeof(fixed), policy, RTA_LOOKED_AT, q->from->strict, &a);
    struct net_flow f = {.family = fixed.rtm_family, .interface = (int)nl_get_u32(&a.at[RTA_OIF]),
                         .mark = nl_get_u32(&a.at[RTA_MARK]), .tos = fixed.rtm_tos,
                         .uid = a.at[RTA_UID].data ? nl_get_u32(&a.at[RTA_UID]) : current_cred()->uid};
    if (err == 0)
        err = route_address(&a.at[RTA_DST], f.family, &f.dst);
    if (err == 0)
        err = route_address(&a.at[RTA_SRC], f.family, &f.src);
    if (err == 0 && nl_get_u32(&a.at[RTA_IIF]))
        return -EOPNOTSUPP; /* as if it had been received: nothing is forwarded here */
    if (err == 0 && f.interface && !netns_interface(q->ns, f.interface))
        return -ENODEV;
    if (err == 0 && f.family == AF_INET && f.src.v4 && !netns_is_local(q->ns, AF_INET, &f.src))
        err = -EINVAL;
    if (err == 0)
        err = netns_route(q->ns, &f, &path);
    if (err == 0)
        fill_answer(q, &f, &path, fixed.rtm_flags & RTM_F_LOOKUP_TABLE);
    return err;
}

const struct route_kind route_routes = {
    .type = RTM_NEWROUTE,
    .fixed = sizeof(struct rtmsg),
    .change = route_new,
    .remove = route_delete,
    .get = route_get,
    .dump = route_dump,
};
