/*
 * Routes, rules and neighbours: their lists. See config.h; who reads the routes is net/route.c.
 */
#include "net/config/config.h"
#include "sched/fiber.h"
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses as bits ---- */

void net_address_mask(union net_address *a, int family, unsigned len)
{
    for (unsigned n = 0; n < net_address_len(family); n++) {
        unsigned bits = len > n * 8 ? MIN(len - n * 8, 8u) : 0;
        a->bytes[n] &= (uint8_t)(0xff00 >> bits);
    }
}

bool net_address_match(int family, const union net_address *a, const union net_address *b, unsigned len)
{
    if (family == AF_INET)
        return len == 0 || ((a->v4 ^ b->v4) & htonl(UINT32_MAX << (32 - len))) == 0;
    unsigned whole = len / 8, rest = len % 8;
    return memcmp(a->bytes, b->bytes, whole) == 0 &&
           (rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

bool net_address_zero(int family, const union net_address *a)
{
    static const union net_address zero;
    return memcmp(a->bytes, zero.bytes, net_address_len(family)) == 0;
}

/* ---- routes ---- */

static bool same_key(const struct net_route *a, const struct net_route *b)
{
    return a->family == b->family && a->table == b->table && a->dst_len == b->dst_len && a->tos == b->tos &&
           a->metric == b->metric && net_address_match(a->family, &a->dst, &b->dst, a->dst_len);
}

static bool same_route(const struct net_route *a, const struct net_route *b)
{
    return a->type == b->type && a->scope == b->scope && a->interface == b->interface &&
           a->gateway_family == b->gateway_family && net_address_equal(a->family, &a->gateway, &b->gateway) &&
           net_address_equal(a->family, &a->preferred_source, &b->preferred_source);
}

/* Where a stands before b: as Linux's dumps have it; of two for one prefix the first is the better. */
static bool route_before(const struct net_route *a, const struct net_route *b)
{
    if (a->family != b->family)
        return a->family < b->family;
    if (a->table != b->table)
        return a->table < b->table;
    int c = memcmp(a->dst.bytes, b->dst.bytes, net_address_len(a->family));
    if (c != 0)
        return c < 0;
    if (a->dst_len != b->dst_len)
        return a->dst_len > b->dst_len;
    return a->tos != b->tos ? a->tos > b->tos : a->metric < b->metric;
}

static struct net_route *find_key(struct net_namespace *ns, const struct net_route *r, bool same)
{
    struct net_route *other;
    list_for_each(other, &ns->routes, link)
        if (same_key(r, other) && (!same || same_route(r, other)))
            return other;
    return NULL;
}

int netcfg_route_add(struct net_namespace *ns, struct net_route *r, unsigned nlm_flags)
{
    struct net_route *old = find_key(ns, r, false), *after;
    if (old && nlm_flags & NLM_F_EXCL)
        return -EEXIST;
    if (old && nlm_flags & NLM_F_REPLACE) {
        netcfg_route_remove(ns, old);
    } else if (!(nlm_flags & NLM_F_CREATE)) {
        return -ENOENT;
    } else if (find_key(ns, r, true)) {
        return -EEXIST;
    } else if (old && !(nlm_flags & NLM_F_APPEND) && r->family == AF_INET) {
        spin_lock(&ns->lock); /* NLM_F_PREPEND: before its equals */
        list_add_tail(&old->link, &r->link);
        ns->route_count++;
        spin_unlock(&ns->lock);
        netcfg_tell(ns, RTM_NEWROUTE, r);
        return 0;
    }
    if (ns->route_count >= NET_LIST_MAX)
        return -ENOBUFS;
    spin_lock(&ns->lock);
    list_for_each(after, &ns->routes, link)
        if (route_before(r, after))
            break;
    list_add_tail(&after->link, &r->link);
    ns->route_count++;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_NEWROUTE, r);
    return 0;
}

void netcfg_route_remove(struct net_namespace *ns, struct net_route *r)
{
    spin_lock(&ns->lock);
    list_del(&r->link);
    ns->route_count--;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_DELROUTE, r);
    free(r);
}

static bool route_like(const struct net_route *r, const struct net_route *like)
{
    return r->family == like->family && r->table == like->table && r->dst_len == like->dst_len &&
           net_address_match(r->family, &r->dst, &like->dst, r->dst_len) && r->tos == like->tos &&
           (!like->type || r->type == like->type) &&
           (like->scope == RT_SCOPE_NOWHERE || r->family == AF_INET6 || r->scope == like->scope) &&
           (!like->protocol || r->protocol == like->protocol) && (!like->metric || r->metric == like->metric) &&
           (!like->interface || r->interface == like->interface) &&
           (!like->gateway_family || net_address_equal(like->gateway_family, &r->gateway, &like->gateway)) &&
           (net_address_zero(r->family, &like->preferred_source) ||
            net_address_equal(r->family, &r->preferred_source, &like->preferred_source));
}

int netcfg_route_delete(struct net_namespace *ns, const struct net_route *like)
{
    struct net_route *r;
    list_for_each(r, &ns->routes, link) {
        if (route_like(r, like)) {
            netcfg_route_remove(ns, r);
            return 0;
        }
    }
    return -ESRCH;
}

void netcfg_routes_flush(struct net_namespace *ns, int interface, bool deleted)
{
    struct net_route *r, *next;
    list_for_each_safe(r, next, &ns->routes, link)
        if (r->interface == interface && (deleted || r->family == AF_INET6 || r->type != RTN_LOCAL))
            netcfg_route_remove(ns, r);
}

/* ---- rules ---- */

static bool same_rule(const struct net_rule *a, const struct net_rule *b)
{
    struct net_rule copy = *b;
    copy.link = a->link;
    copy.protocol = a->protocol;
    return memcmp(a, &copy, sizeof(copy)) == 0; /* both were made by calloc() */
}

/* The one just before the first that is not 0, as `ip rule add` without a preference wants. */
static uint32_t free_priority(struct net_namespace *ns, int family)
{
    struct net_rule *r;
    bool first = true;
    list_for_each(r, &ns->rules, link) {
        if (r->family == family && !first)
            return r->priority ? r->priority - 1 : 0;
        first &= r->family != family;
    }
    return 0;
}

int netcfg_rule_add(struct net_namespace *ns, struct net_rule *r, bool exclusive)
{
    struct net_rule *after;
    if (ns->rule_count >= NET_LIST_MAX)
        return -ENOBUFS;
    if (exclusive)
        list_for_each(after, &ns->rules, link)
            if (same_rule(after, r))
                return -EEXIST;
    if (r->priority == UINT32_MAX)
        r->priority = free_priority(ns, r->family);
    spin_lock(&ns->lock);
    list_for_each(after, &ns->rules, link)
        if (after->family > r->family || (after->family == r->family && after->priority > r->priority))
            break;
    list_add_tail(&after->link, &r->link);
    ns->rule_count++;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_NEWRULE, r);
    return 0;
}

void netcfg_rule_delete(struct net_namespace *ns, struct net_rule *r)
{
    spin_lock(&ns->lock);
    list_del(&r->link);
    ns->rule_count--;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_DELRULE, r);
    free(r);
}

/* ---- neighbours ---- */

int netcfg_neighbour_add(struct net_namespace *ns, struct net_neighbour *n)
{
    if (ns->neighbour_count >= NET_LIST_MAX)
        return -ENOBUFS;
    n->updated = now_monotonic();
    spin_lock(&ns->lock);
    list_add_tail(&ns->neighbours, &n->link);
    ns->neighbour_count++;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_NEWNEIGH, n);
    return 0;
}

void netcfg_neighbour_delete(struct net_namespace *ns, struct net_neighbour *n)
{
    spin_lock(&ns->lock);
    list_del(&n->link);
    ns->neighbour_count--;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_DELNEIGH, n);
    free(n);
}
