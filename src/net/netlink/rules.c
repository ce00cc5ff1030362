/* Rules (which table a packet's route is looked for in): RTM_NEWRULE and its family. See route.h. */
#include "net/netlink/route.h"
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

static const struct nl_policy policy[FRA_MAX + 1] = {
    [FRA_DST] = {NL_BINARY, 16},
    [FRA_SRC] = {NL_BINARY, 16},
    [FRA_IIFNAME] = {NL_STRING, NET_NAME_LEN - 1},
    [FRA_OIFNAME] = {NL_STRING, NET_NAME_LEN - 1},
    [FRA_PRIORITY] = {NL_U32},
    [FRA_FWMARK] = {NL_U32},
    [FRA_FWMASK] = {NL_U32},
    [FRA_TABLE] = {NL_U32},
    [FRA_SUPPRESS_PREFIXLEN] = {NL_U32},
    [FRA_GOTO] = {NL_U32},
    [FRA_L3MDEV] = {NL_U8},
    [FRA_UID_RANGE] = {NL_EXACT, sizeof(struct fib_rule_uid_range)},
    [FRA_PROTOCOL] = {NL_U8},
    [FRA_IP_PROTO] = {NL_U8},
    [FRA_SPORT_RANGE] = {NL_EXACT, sizeof(struct fib_rule_port_range)},
    [FRA_DPORT_RANGE] = {NL_EXACT, sizeof(struct fib_rule_port_range)},
};

/* ---- messages ---- */

static void add_ports(struct nl_writer *w, int type, uint16_t low, uint16_t high)
{
    struct fib_rule_port_range range = {low, high};
    if (high)
        nl_attr(w, type, &range, sizeof(range));
}

void rule_fill(struct nl_writer *w, const struct net_rule *r, int type)
{
    struct fib_rule_hdr fixed = {.family = (uint8_t)r->family, .dst_len = r->dst_len, .src_len = r->src_len,
                                 .tos = r->tos, .table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_COMPAT,
                                 .action = r->action, .flags = r->flags};
    unsigned len = net_address_len(r->family);
    nl_open(w, type, 0, &fixed, sizeof(fixed));
    nl_attr_u32(w, FRA_TABLE, r->table);
    nl_attr_u32(w, FRA_SUPPRESS_PREFIXLEN, (uint32_t)r->suppress_prefix_len);
    nl_attr_u8(w, FRA_PROTOCOL, r->protocol);
    if (r->in[0])
        nl_attr_string(w, FRA_IIFNAME, r->in);
    if (r->out[0])
        nl_attr_string(w, FRA_OIFNAME, r->out);
    if (r->priority)
        nl_attr_u32(w, FRA_PRIORITY, r->priority);
    if (r->mark)
        nl_attr_u32(w, FRA_FWMARK, r->mark);
    if (r->mark || r->mark_mask)
        nl_attr_u32(w, FRA_FWMASK, r->mark_mask);
    if (r->action == FR_ACT_GOTO)
        nl_attr_u32(w, FRA_GOTO, r->target);
    if (r->has_uids) {
        struct fib_rule_uid_range range = {r->uid_low, r->uid_high};
        nl_attr(w, FRA_UID_RANGE, &range, sizeof(range));
    }
    if (r->ip_protocol)
        nl_attr_u8(w, FRA_IP_PROTO, r->ip_protocol);
    add_ports(w, FRA_SPORT_RANGE, r->sport_low, r->sport_high);
    add_ports(w, FRA_DPORT_RANGE, r->dport_low, r->dport_high);
    if (r->dst_len)
        nl_attr(w, FRA_DST, &r->dst, len);
    if (r->src_len)
        nl_attr(w, FRA_SRC, &r->src, len);
    nl_close(w);
}

static int rule_dump(struct netlink_request *q)
{
    const struct net_rule *r;
    struct fib_rule_hdr fixed = {0};
    if (q->from->strict && q->len < sizeof(fixed))
        return route_fail(q, -EINVAL, "Invalid header for fib rule dump request");
    memcpy(&fixed, q->payload, MIN(q->len, sizeof(fixed)));
    if (q->from->strict && (fixed.dst_len || fixed.src_len || fixed.tos || fixed.table || fixed.res1 || fixed.res2 ||
                            fixed.action || fixed.flags))
        return route_fail(q, -EINVAL, "Invalid values in header for fib rule dump request");
    if (q->from->strict && q->len > NLMSG_ALIGN(sizeof(fixed)))
        return route_fail(q, -EINVAL, "Invalid data after header in fib rule dump request");
    list_for_each(r, &q->ns->rules, link)
        if ((fixed.family != AF_INET && fixed.family != AF_INET6) || r->family == fixed.family)
            rule_fill(&q->out, r, RTM_NEWRULE);
    return 0;
}

/* ---- changing ---- */

static int ports_from(const struct nl_attr *a, uint16_t *low, uint16_t *high)
{
    struct fib_rule_port_range range;
    if (!a->data)
        return 0;
    memcpy(&range, a->data, sizeof(range));
    if (!range.start || !range.end || range.start > range.end)
        return -EINVAL;
    *low = range.start;
    *high = range.end;
    return 0;
}

static int parse_rule(struct netlink_request *q, struct net_rule *r, struct nl_attrs *a)
{
    struct fib_rule_hdr fixed;
    memcpy(&fixed, q->payload, sizeof(fixed));
    if (fixed.family != AF_INET && fixed.family != AF_INET6)
        return -EAFNOSUPPORT;
    int err = route_attrs(q, sizeof(fixed), policy, FRA_MAX, false, a);
    unsigned bits = net_address_len(fixed.family) * 8;
    if (err < 0)
        return err;
    if (fixed.src_len > bits || (fixed.src_len && !a->at[FRA_SRC].data))
        return route_fail(q, -EINVAL, "Invalid source address");
    if (fixed.dst_len > bits || (fixed.dst_len && !a->at[FRA_DST].data))
        return route_fail(q, -EINVAL, "Invalid destination address");
    r->family = fixed.family;
    r->src_len = fixed.src_len;
    r->dst_len = fixed.dst_len;
    r->tos = fixed.tos;
    r->action = fixed.action;
    r->flags = fixed.flags & (FIB_RULE_INVERT | FIB_RULE_PERMANENT);
    r->table = a->at[FRA_TABLE].data ? nl_get_u32(&a->at[FRA_TABLE]) : fixed.table;
    r->priority = a->at[FRA_PRIORITY].data ? nl_get_u32(&a->at[FRA_PRIORITY]) : UINT32_MAX;
    r->protocol = nl_get_u8(&a->at[FRA_PROTOCOL]);
    r->mark = nl_get_u32(&a->at[FRA_FWMARK]);
    r->mark_mask = a->at[FRA_FWMASK].data ? nl_get_u32(&a->at[FRA_FWMASK]) : r->mark ? UINT32_MAX : 0;
    r->target = nl_get_u32(&a->at[FRA_GOTO]);
    r->suppress_prefix_len =
        a->at[FRA_SUPPRESS_PREFIXLEN].data ? (int)nl_get_u32(&a->at[FRA_SUPPRESS_PREFIXLEN]) : -1;
    r->ip_protocol = nl_get_u8(&a->at[FRA_IP_PROTO]);
    nl_get_string(&a->at[FRA_IIFNAME], r->in, sizeof(r->in));
    nl_get_string(&a->at[FRA_OIFNAME], r->out, sizeof(r->out));
    if (a->at[FRA_UID_RANGE].data) {
        struct fib_rule_uid_range range;
        memcpy(&range, a->at[FRA_UID_RANGE].data, sizeof(range));
        r->has_uids = true;
        r->uid_low = range.start;
        r->uid_high = range.end;
    }
    if ((err = route_address(&a->at[FRA_SRC], r->family, &r->src)) < 0 ||
        (err = route_address(&a->at[FRA_DST], r->family, &r->dst)) < 0 ||
        (err = ports_from(&a->at[FRA_SPORT_RANGE], &r->sport_low, &r->sport_high)) < 0)
        return err;
    return ports_from(&a->at[FRA_DPORT_RANGE], &r->dport_low, &r->dport_high);
}

static int check_new(struct netlink_request *q, struct net_rule *r)
{
    if (r->action == FR_ACT_GOTO && (!r->target || r->target <= r->priority))
        return route_fail(q, -EINVAL, "Backward goto not supported");
    if (r->action == FR_ACT_TO_TBL && !r->table)
        return r->family == AF_INET ? -EOPNOTSUPP : route_fail(q, -EINVAL, "Invalid table");
    return r->action > FR_ACT_PROHIBIT ? -EINVAL : 0;
}

static int rule_new(struct netlink_request *q)
{
    struct nl_attrs a;
    struct net_rule *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    list_init(&r->link);
    int err = parse_rule(q, r, &a);
    if (err == 0)
        err = check_new(q, r);
    if (err == 0)
        err = netcfg_rule_add(q->ns, r, q->h.nlmsg_flags & NLM_F_EXCL);
    if (err < 0)
        free(r);
    return err;
}

static bool like(const struct net_rule *r, const struct net_rule *w, const struct nl_attrs *a)
{
    return r->family == w->family && (!w->action || r->action == w->action) && (!w->table || r->table == w->table) &&
           (w->priority == UINT32_MAX || r->priority == w->priority) && (!w->in[0] || !strcmp(r->in, w->in)) &&
           (!w->out[0] || !strcmp(r->out, w->out)) && (!a->at[FRA_FWMARK].data || r->mark == w->mark) &&
           (!a->at[FRA_FWMASK].data || r->mark_mask == w->mark_mask) && (!w->tos || r->tos == w->tos) &&
           (!w->src_len || (r->src_len == w->src_len && net_address_match(r->family, &r->src, &w->src, r->src_len))) &&
           (!w->dst_len || (r->dst_len == w->dst_len && net_address_match(r->family, &r->dst, &w->dst, r->dst_len))) &&
           (!w->has_uids || (r->has_uids && r->uid_low == w->uid_low && r->uid_high == w->uid_high)) &&
           (!w->ip_protocol || r->ip_protocol == w->ip_protocol) && (!w->protocol || r->protocol == w->protocol);
}

static int rule_delete(struct netlink_request *q)
{
    struct net_rule wanted = {0}, *r;
    struct nl_attrs a;
    int err = parse_rule(q, &wanted, &a);
    if (err < 0)
        return err;
    list_for_each(r, &q->ns->rules, link) {
        if (!like(r, &wanted, &a))
            continue;
        if (r->flags & FIB_RULE_PERMANENT)
            return -EPERM;
        netcfg_rule_delete(q->ns, r);
        return 0;
    }
    return -ENOENT;
}

const struct route_kind route_rules = {
    .type = RTM_NEWRULE,
    .fixed = sizeof(struct fib_rule_hdr),
    .change = rule_new,
    .remove = rule_delete,
    .dump = rule_dump,
};
