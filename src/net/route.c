/*
 * Finding the way: which route a destination takes, which address a packet leaves with. The tables
 * are short, so they are searched one by one; of two routes for one prefix the first is the better
 * (config/route.c).
 */
#include "net/config/config.h"
#include <net/if_arp.h>
#include <string.h>

/* ---- what kind of address ---- */

static bool is_multicast(int family, const union net_address *a)
{
    return family == AF_INET ? IN_MULTICAST(ntohl(a->v4)) : a->bytes[0] == 0xff;
}

static int local_type_locked(struct net_namespace *ns, int family, const union net_address *a)
{
    struct net_route *r, *best = NULL;
    list_for_each(r, &ns->routes, link)
        if (r->family == family && r->table == RT_TABLE_LOCAL && r->type != RTN_MULTICAST &&
            (!best || r->dst_len > best->dst_len) && net_address_match(family, &r->dst, a, r->dst_len))
            best = r;
    return best ? best->type : RTN_UNICAST;
}

int netns_address_type(struct net_namespace *ns, int family, const union net_address *a)
{
    if (is_multicast(family, a))
        return RTN_MULTICAST;
    if (family == AF_INET && a->v4 == INADDR_BROADCAST)
        return RTN_BROADCAST;
    spin_lock(&ns->lock);
    int type = local_type_locked(ns, family, a);
    spin_unlock(&ns->lock);
    return type;
}

static int interface_of_locked(struct net_namespace *ns, int family, const union net_address *a, int index)
{
    struct net_interface *i;
    struct net_ifaddr *own;
    list_for_each(i, &ns->interfaces, link) {
        if ((index && i->index != index) || !(i->flags & IFF_UP))
            continue;
        list_for_each(own, &i->addresses, link)
            if (own->family == family && net_address_equal(family, &own->local, a))
                return i->index;
    }
    return 0;
}

int netns_address_interface(struct net_namespace *ns, int family, const union net_address *a, int index)
{
    spin_lock(&ns->lock);
    int found = interface_of_locked(ns, family, a, index);
    spin_unlock(&ns->lock);
    return found;
}

/* ---- source addresses; ns->lock held ---- */

static bool select_on(struct net_interface *i, const union net_address *dst, uint8_t scope, union net_address *ret)
{
    struct net_ifaddr *a;
    bool found = false;
    list_for_each(a, &i->addresses, link) {
        if (a->family != AF_INET || a->flags & IFA_F_SECONDARY || MIN(a->scope, (uint8_t)RT_SCOPE_LINK) > scope)
            continue;
        if (!dst || net_address_match(AF_INET, &a->peer, dst, a->prefix_len)) {
            *ret = a->local;
            return true;
        }
        if (!found)
            *ret = a->local;
        found = true;
    }
    return found;
}

/* As inet_select_addr(): one of the interface's, else any that is not confined to its link. */
static void select_v4(struct net_namespace *ns, struct net_interface *out, const union net_address *dst, uint8_t scope,
                      union net_address *ret)
{
    struct net_interface *i;
    struct net_ifaddr *a;
    if (out && select_on(out, dst, scope, ret))
        return;
    list_for_each(i, &ns->interfaces, link) {
        if (!(i->flags & IFF_UP))
            continue;
        list_for_each(a, &i->addresses, link) {
            bool primary = a->family == AF_INET && !(a->flags & IFA_F_SECONDARY);
            if (primary && a->scope != RT_SCOPE_LINK && a->scope <= scope) {
                *ret = a->local;
                return;
            }
        }
    }
}

enum scope6 { SCOPE6_LINK = 2, SCOPE6_SITE = 5, SCOPE6_GLOBAL = 14 };

static int scope_v6(const union net_address *a)
{
    const struct in6_addr *v6 = &a->v6;
    if (IN6_IS_ADDR_MULTICAST(v6))
        return a->bytes[1] & 15;
    if (IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_LINKLOCAL(v6))
        return SCOPE6_LINK;
    return IN6_IS_ADDR_SITELOCAL(v6) ? SCOPE6_SITE : SCOPE6_GLOBAL;
}

static int common_bits(const union net_address *a, const union net_address *b)
{
    int n = 0;
    while (n < 128 && !((a->bytes[n / 8] ^ b->bytes[n / 8]) & (0x80 >> n % 8)))
        n++;
    return n;
}

/* RFC 6724, 5: rules 1, 2, 3, 5 and 8, as one number. */
static int64_t score_v6(const struct net_ifaddr *a, const union net_address *dst, int out)
{
    int scope = scope_v6(&a->local), wanted = scope_v6(dst);
    if (net_address_equal(AF_INET6, &a->local, dst))
        return INT64_MAX;
    int64_t score = scope >= wanted ? 64 - scope : scope; /* the smallest that suffices, else the widest */
    score = score * 2 + !(a->flags & IFA_F_DEPRECATED);
    score = score * 2 + (a->interface->index == out);
    return score * 256 + MIN(common_bits(&a->local, dst), (int)a->prefix_len);
}

static void select_v6(struct net_namespace *ns, struct net_interface *out, const union net_address *dst,
                      union net_address *ret)
{
    bool confined = scope_v6(dst) <= SCOPE6_LINK && !IN6_IS_ADDR_LOOPBACK(&dst->v6);
    int64_t best = -1;
    struct net_interface *i;
    struct net_ifaddr *a;
    list_for_each(i, &ns->interfaces, link) {
        if (!(i->flags & IFF_UP) || (confined && i != out))
            continue;
        list_for_each(a, &i->addresses, link) {
            if (a->family != AF_INET6 || a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
                continue;
            int64_t score = score_v6(a, dst, out ? out->index : 0);
            if (score > best) {
                best = score;
                *ret = a->local;
            }
        }
    }
}

/* ---- rules and routes; ns->lock held ---- */

static bool in_range(uint16_t port, uint16_t low, uint16_t high)
{
    return !high || (port >= low && port <= high);
}

static bool rule_matches(struct net_namespace *ns, const struct net_rule *r, const struct net_flow *f)
{
    bool match = net_address_match(f->family, &r->src, &f->src, r->src_len) &&
                 net_address_match(f->family, &r->dst, &f->dst, r->dst_len) &&
                 ((f->mark ^ r->mark) & r->mark_mask) == 0 && (!r->tos || r->tos == f->tos) &&
                 (!r->ip_protocol || r->ip_protocol == f->ip_protocol) &&
                 (!r->has_uids || (f->uid >= r->uid_low && f->uid <= r->uid_high)) &&
                 in_range(f->sport, r->sport_low, r->sport_high) && in_range(f->dport, r->dport_low, r->dport_high);
    if (match && r->in[0])
        match = strcmp(r->in, "lo") == 0; /* what is sent from here comes in by no other */
    if (match && r->out[0]) {
        struct net_interface *i = netns_interface_named(ns, r->out);
        match = i && i->index == f->interface;
    }
    return match != !!(r->flags & FIB_RULE_INVERT);
}

static int type_error(int family, uint8_t type)
{
    switch (type) {
    case RTN_UNREACHABLE:
        return -EHOSTUNREACH;
    case RTN_PROHIBIT:
        return -EACCES;
    case RTN_BLACKHOLE:
        return -EINVAL;
    case RTN_THROW:
        return -EAGAIN;
    default:
        return 0;
    }
}

static bool usable(struct net_namespace *ns, const struct net_route *r, const struct net_flow *f)
{
    if (!r->interface || type_error(r->family, r->type))
        return true;
    struct net_interface *i = netns_interface(ns, r->interface);
    if (!i || !(i->flags & IFF_UP))
        return false;
    /* What is local is reached whichever interface was asked for, as on Linux. */
    return !f->interface || f->interface == r->interface || (r->type == RTN_LOCAL && f->family == AF_INET);
}

static int search_table(struct net_namespace *ns, uint32_t table, const struct net_flow *f, int suppress,
                        const struct net_route **ret)
{
    const struct net_route *r, *best = NULL;
    list_for_each(r, &ns->routes, link) {
        if (r->family != f->family || r->table != table || (best && r->dst_len <= best->dst_len))
            continue;
        if (net_address_match(f->family, &r->dst, &f->dst, r->dst_len) && (!r->tos || r->tos == f->tos) &&
            usable(ns, r, f))
            best = r;
    }
    if (!best || (int)best->dst_len <= suppress)
        return -EAGAIN;
    *ret = best;
    return type_error(f->family, best->type);
}

static int search_rules(struct net_namespace *ns, const struct net_flow *f, const struct net_route **ret)
{
    const struct net_rule *r, *jump = NULL;
    list_for_each(r, &ns->rules, link) {
        int err = -EAGAIN;
        if (r->family != f->family || (jump && r->priority < jump->target) || !rule_matches(ns, r, f))
            continue;
        switch (r->action) {
        case FR_ACT_TO_TBL:
            err = search_table(ns, r->table, f, r->suppress_prefix_len, ret);
            break;
        case FR_ACT_GOTO:
            jump = r;
            continue;
        case FR_ACT_UNREACHABLE:
            return -ENETUNREACH;
        case FR_ACT_PROHIBIT:
            return -EACCES;
        case FR_ACT_BLACKHOLE:
            return -EINVAL;
        }
        if (err != -EAGAIN)
            return err;
    }
    return -ENETUNREACH;
}

/* ---- one flow ---- */

static struct net_interface *interface_up(struct net_namespace *ns, int index)
{
    struct net_interface *i = index ? netns_interface(ns, index) : NULL;
    return i && i->flags & IFF_UP ? i : NULL;
}

/* Destinations that the tables are not asked about: everything on the link of a named interface. */
static void path_on_link(struct net_namespace *ns, const struct net_flow *f, struct net_interface *out, uint8_t type,
                         struct net_path *ret)
{
    ret->type = type;
    ret->interface = out->index;
    ret->mtu = out->mtu;
    if (!net_address_zero(f->family, &f->src))
        return;
    if (f->family == AF_INET)
        select_v4(ns, out, NULL, RT_SCOPE_LINK, &ret->source);
    else
        select_v6(ns, out, &f->dst, &ret->source);
}

static void choose_source(struct net_namespace *ns, const struct net_flow *f, const struct net_route *r,
                          struct net_interface *out, struct net_path *ret)
{
    if (!net_address_zero(f->family, &f->src))
        return;
    if (!net_address_zero(f->family, &r->preferred_source))
        ret->source = r->preferred_source;
    else if (r->type == RTN_LOCAL)
        ret->source = f->dst;
    else if (f->family == AF_INET)
        select_v4(ns, out, r->gateway_family ? &r->gateway : &f->dst, r->scope, &ret->source);
    else
        select_v6(ns, out, &f->dst, &ret->source);
}

static int path_by_route(struct net_namespace *ns, const struct net_flow *f, struct net_path *ret)
{
    const struct net_route *r = NULL;
    int err = search_rules(ns, f, &r);
    if (err < 0)
        return err;
    struct net_interface *out = netns_interface(ns, r->interface);
    if (!out)
        return -ENETUNREACH;
    ret->type = r->type;
    ret->table = r->table;
    ret->interface = r->interface;
    ret->mtu = r->mtu ? MIN(r->mtu, out->mtu) : out->mtu;
    ret->gateway_family = r->gateway_family;
    ret->gateway = r->gateway;
    ret->route = *r;
    if (f->family == AF_INET && (f->dst.v4 == INADDR_BROADCAST || is_multicast(AF_INET, &f->dst)))
        ret->type = f->dst.v4 == INADDR_BROADCAST ? RTN_BROADCAST : RTN_MULTICAST;
    choose_source(ns, f, r, out, ret);
    if (r->type == RTN_LOCAL) { /* local traffic passes the loopback interface, whoever has the address */
        ret->interface = f->family == AF_INET ? NET_LOOPBACK_INDEX : r->interface;
        ret->mtu = netns_interface(ns, NET_LOOPBACK_INDEX)->mtu;
    }
    return 0;
}

static int route_v4(struct net_namespace *ns, const struct net_flow *f, struct net_path *ret)
{
    bool confined = is_multicast(AF_INET, &f->dst) || f->dst.v4 == INADDR_BROADCAST;
    struct net_interface *out = interface_up(ns, f->interface);
    if (f->interface && !out)
        return netns_interface(ns, f->interface) ? -ENETUNREACH : -ENODEV;
    if (confined && !out && f->src.v4)
        out = interface_up(ns, interface_of_locked(ns, AF_INET, &f->src, 0));
    if (confined && out) {
        path_on_link(ns, f, out, f->dst.v4 == INADDR_BROADCAST ? RTN_BROADCAST : RTN_MULTICAST, ret);
        return 0;
    }
    int err = path_by_route(ns, f, ret);
    if (err == -ENETUNREACH && out) { /* the tables must be wrong: the interface was named */
        path_on_link(ns, f, out, RTN_UNICAST, ret);
        return 0;
    }
    return err;
}

int netns_route(struct net_namespace *ns, const struct net_flow *flow, struct net_path *ret)
{
    *ret = (struct net_path){.source = flow->src};
    spin_lock(&ns->lock);
    int err = flow->family == AF_INET ? route_v4(ns, flow, ret) : path_by_route(ns, flow, ret);
    spin_unlock(&ns->lock);
    return err;
}
