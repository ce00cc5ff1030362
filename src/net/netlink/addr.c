/* Addresses: RTM_NEWADDR and its family. See route.h. */
#include "net/netlink/route.h"
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#define IFA_PROTO_ 11 /* newer than some headers */
#define IFA_LOOKED_AT 11

static const struct nl_policy addr_policy[IFA_LOOKED_AT + 1] = {
    [IFA_ADDRESS] = {NL_BINARY, 16},
    [IFA_LOCAL] = {NL_BINARY, 16},
    [IFA_LABEL] = {NL_STRING, NET_NAME_LEN - 1},
    [IFA_BROADCAST] = {NL_BINARY, 16},
    [IFA_CACHEINFO] = {NL_EXACT, sizeof(struct ifa_cacheinfo)},
    [IFA_FLAGS] = {NL_U32},
    [IFA_RT_PRIORITY] = {NL_U32},
    [IFA_TARGET_NETNSID] = {NL_U32},
    [IFA_PROTO_] = {NL_U8},
};

/* ---- messages ---- */

static uint32_t ticks(int64_t ns)
{
    return (uint32_t)(ns / (NSEC_PER_SEC / 100));
}

static uint32_t left(uint32_t lifetime, int64_t since)
{
    int64_t passed = (now_monotonic() - since) / NSEC_PER_SEC;
    if (lifetime == UINT32_MAX)
        return lifetime;
    return passed < lifetime ? lifetime - (uint32_t)passed : 0;
}

void addr_fill(struct nl_writer *w, const struct net_ifaddr *a, int type)
{
    struct ifaddrmsg fixed = {.ifa_family = (uint8_t)a->family, .ifa_prefixlen = a->prefix_len,
                              .ifa_flags = (uint8_t)a->flags, .ifa_scope = a->scope,
                              .ifa_index = (uint32_t)a->interface->index};
    unsigned len = net_address_len(a->family);
    bool v4 = a->family == AF_INET, has_peer = !net_address_equal(a->family, &a->peer, &a->local);
    struct ifa_cacheinfo cache = {left(a->preferred, a->updated), left(a->valid, a->updated), ticks(a->created),
                                  ticks(a->updated)};
    nl_open(w, type, 0, &fixed, sizeof(fixed));
    if (v4) {
        nl_attr(w, IFA_ADDRESS, &a->peer, len);
        nl_attr(w, IFA_LOCAL, &a->local, len);
    } else {
        if (has_peer)
            nl_attr(w, IFA_LOCAL, &a->local, len);
        nl_attr(w, IFA_ADDRESS, has_peer ? &a->peer : &a->local, len);
    }
    if (v4 && a->broadcast.v4)
        nl_attr(w, IFA_BROADCAST, &a->broadcast, len);
    if (v4 && a->label[0])
        nl_attr_string(w, IFA_LABEL, a->label);
    if (a->protocol)
        nl_attr_u8(w, IFA_PROTO_, a->protocol);
    nl_attr_u32(w, IFA_FLAGS, a->flags);
    if (a->metric)
        nl_attr_u32(w, IFA_RT_PRIORITY, a->metric);
    nl_attr(w, IFA_CACHEINFO, &cache, sizeof(cache));
    nl_close(w);
}

/* ---- asking ---- */

static int check_dump(struct netlink_request *q, struct ifaddrmsg *ret)
{
    struct nl_attrs a;
    memset(ret, 0, sizeof(*ret));
    if (q->len < sizeof(*ret) && q->from->strict)
        return route_fail(q, -EINVAL, "Invalid header for address dump request");
    memcpy(ret, q->payload, MIN(q->len, sizeof(*ret)));
    if (!q->from->strict) {
        ret->ifa_index = 0;
        return 0;
    }
    if (ret->ifa_prefixlen || ret->ifa_flags || ret->ifa_scope)
        return route_fail(q, -EINVAL, "Invalid values in header for address dump request");
    return route_attrs(q, sizeof(*ret), addr_policy, IFA_LOOKED_AT, true, &a);
}

static int addr_dump(struct netlink_request *q)
{
    struct ifaddrmsg fixed;
    struct net_interface *i;
    struct net_ifaddr *a;
    int err = check_dump(q, &fixed);
    if (err < 0)
        return err;
    if (fixed.ifa_index && !netns_interface(q->ns, (int)fixed.ifa_index))
        return -ENODEV;
    for (int v = 0; v < 2; v++) {
        int family = v ? AF_INET6 : AF_INET;
        if ((fixed.ifa_family == AF_INET || fixed.ifa_family == AF_INET6) && fixed.ifa_family != family)
            continue;
        list_for_each(i, &q->ns->interfaces, link) {
            if (fixed.ifa_index && i->index != (int)fixed.ifa_index)
                continue;
            list_for_each(a, &i->addresses, link)
                if (a->family == family)
                    addr_fill(&q->out, a, RTM_NEWADDR);
        }
    }
    return 0;
}

/* One IPv6 address. IPv4 has no such request. */
static int addr_get(struct netlink_request *q)
{
    struct ifaddrmsg fixed;
    struct nl_attrs a;
    union net_address wanted;
    struct net_interface *i;
    memcpy(&fixed, q->payload, sizeof(fixed));
    if (fixed.ifa_family != AF_INET6)
        return -EOPNOTSUPP;
    int err = route_attrs(q, sizeof(fixed), addr_policy, IFA_LOOKED_AT, false, &a);
    const struct nl_attr *given = a.at[IFA_LOCAL].data ? &a.at[IFA_LOCAL] : &a.at[IFA_ADDRESS];
    if (err == 0 && !given->data)
        err = -EINVAL;
    if (err == 0)
        err = route_address(given, AF_INET6, &wanted);
    if (err < 0)
        return err;
    list_for_each(i, &q->ns->interfaces, link) {
        struct net_ifaddr *found = netcfg_addr_find(i, AF_INET6, &wanted, -1);
        if (found && (!fixed.ifa_index || (int)fixed.ifa_index == i->index)) {
            addr_fill(&q->out, found, RTM_NEWADDR);
            return 0;
        }
    }
    return -EADDRNOTAVAIL;
}

/* ---- changing ---- */

static int parse_addr(struct netlink_request *q, struct ifaddrmsg *fixed, struct nl_attrs *a)
{
    memcpy(fixed, q->payload, sizeof(*fixed));
    if (fixed->ifa_family != AF_INET && fixed->ifa_family != AF_INET6)
        return -EOPNOTSUPP;
    return route_attrs(q, sizeof(*fixed), addr_policy, IFA_LOOKED_AT, false, a);
}

static int check_lifetimes(struct netlink_request *q, const struct nl_attr *a, struct net_ifaddr *to)
{
    struct ifa_cacheinfo cache;
    if (!a->data)
        return 0;
    memcpy(&cache, a->data, sizeof(cache));
    if (!cache.ifa_valid || cache.ifa_prefered > cache.ifa_valid)
        return route_fail(q, -EINVAL, "address lifetime invalid");
    to->valid = cache.ifa_valid;
    to->preferred = cache.ifa_prefered;
    if (to->valid != UINT32_MAX)
        to->flags &= ~(uint32_t)IFA_F_PERMANENT;
    if (to->preferred == 0)
        to->flags |= IFA_F_DEPRECATED;
    return 0;
}

static int addresses_from(struct netlink_request *q, const struct nl_attrs *a, struct net_ifaddr *to)
{
    const struct nl_attr *local = &a->at[IFA_LOCAL], *peer = &a->at[IFA_ADDRESS];
    bool v4 = to->family == AF_INET;
    if (to->prefix_len > net_address_len(to->family) * 8 || (v4 && !local->data))
        return route_fail(q, -EINVAL, v4 && !local->data ? "Local address is not supplied" : "Invalid prefix length");
    if (!v4 && !local->data && !peer->data)
        return -EINVAL;
    int err = route_address(local->data ? local : peer, to->family, &to->local);
    if (err == 0)
        err = route_address(peer->data ? peer : local, to->family, &to->peer);
    if (err == 0 && v4)
        err = route_address(&a->at[IFA_BROADCAST], AF_INET, &to->broadcast);
    if (err == 0 && !v4 && (IN6_IS_ADDR_UNSPECIFIED(&to->local.v6) || IN6_IS_ADDR_MULTICAST(&to->local.v6)))
        err = -EADDRNOTAVAIL;
    return err;
}

static int build(struct netlink_request *q, const struct ifaddrmsg *fixed, const struct nl_attrs *a,
                 struct net_interface *i, struct net_ifaddr *to)
{
    to->family = fixed->ifa_family;
    to->prefix_len = fixed->ifa_prefixlen;
    to->scope = fixed->ifa_scope;
    to->flags = (a->at[IFA_FLAGS].data ? nl_get_u32(&a->at[IFA_FLAGS]) : fixed->ifa_flags) | IFA_F_PERMANENT;
    to->flags &= ~(uint32_t)(IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED);
    to->protocol = nl_get_u8(&a->at[IFA_PROTO_]);
    to->metric = nl_get_u32(&a->at[IFA_RT_PRIORITY]);
    to->valid = to->preferred = UINT32_MAX;
    int err = addresses_from(q, a, to);
    if (err < 0)
        return err;
    if (to->family == AF_INET6)
        to->scope = net_scope_v6(&to->local);
    if (to->family == AF_INET) {
        nl_get_string(&a->at[IFA_LABEL], to->label, sizeof(to->label));
        if (!to->label[0])
            memcpy(to->label, i->name, sizeof(to->label));
    } else {
        to->flags &= ~(uint32_t)(IFA_F_MANAGETEMPADDR);
    }
    return check_lifetimes(q, &a->at[IFA_CACHEINFO], to);
}

static int replace(struct netlink_request *q, struct net_ifaddr *old, const struct net_ifaddr *fresh)
{
    if (q->h.nlmsg_flags & NLM_F_EXCL || !(q->h.nlmsg_flags & NLM_F_REPLACE))
        return route_fail(q, -EEXIST,
                          old->family == AF_INET ? "ipv4: Address already assigned" : "address already assigned");
    spin_lock(&q->ns->lock);
    old->valid = fresh->valid;
    old->preferred = fresh->preferred;
    old->flags = (old->flags & IFA_F_SECONDARY) | fresh->flags;
    old->updated = now_monotonic();
    spin_unlock(&q->ns->lock);
    netcfg_tell(q->ns, RTM_NEWADDR, old);
    return 0;
}

static int no_device(struct netlink_request *q, int family)
{
    return route_fail(q, -ENODEV, family == AF_INET ? "ipv4: Device not found" : "Unable to find the interface");
}

static int addr_new(struct netlink_request *q)
{
    struct ifaddrmsg fixed;
    struct nl_attrs a;
    int err = parse_addr(q, &fixed, &a);
    if (err < 0)
        return err;
    struct net_interface *i = netns_interface(q->ns, (int)fixed.ifa_index);
    if (!i)
        return no_device(q, fixed.ifa_family);
    if (fixed.ifa_family == AF_INET6 && i->conf6.disable_ipv6)
        return route_fail(q, -EACCES, "IPv6 is disabled on this device");
    struct net_ifaddr *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return -ENOBUFS;
    list_init(&fresh->link);
    err = build(q, &fixed, &a, i, fresh);
    struct net_ifaddr *old = err < 0 ? NULL : netcfg_addr_find(i, fresh->family, &fresh->local,
                                                               fresh->family == AF_INET ? fresh->prefix_len : -1);
    if (err == 0)
        err = old ? replace(q, old, fresh) : netcfg_addr_add(i, fresh);
    if (err < 0 || old)
        free(fresh);
    return err;
}

static int addr_delete(struct netlink_request *q)
{
    struct ifaddrmsg fixed;
    struct nl_attrs a;
    union net_address local = {0}, peer = {0};
    int err = parse_addr(q, &fixed, &a);
    if (err < 0)
        return err;
    struct net_interface *i = netns_interface(q->ns, (int)fixed.ifa_index);
    if (!i)
        return no_device(q, fixed.ifa_family);
    const struct nl_attr *local_at = &a.at[IFA_LOCAL], *peer_at = &a.at[IFA_ADDRESS];
    if (fixed.ifa_family == AF_INET6 && !local_at->data)
        local_at = peer_at;
    if ((err = route_address(local_at, fixed.ifa_family, &local)) < 0 ||
        (err = route_address(peer_at, fixed.ifa_family, &peer)) < 0)
        return err;
    char label[NET_NAME_LEN];
    nl_get_string(&a.at[IFA_LABEL], label, sizeof(label));
    struct net_ifaddr *found;
    list_for_each(found, &i->addresses, link) {
        if (found->family != fixed.ifa_family)
            continue;
        if (local_at->data && !net_address_equal(found->family, &found->local, &local))
            continue;
        if (label[0] && strcmp(label, found->label) != 0)
            continue;
        if (peer_at->data && (fixed.ifa_prefixlen != found->prefix_len ||
                              !net_address_match(found->family, &peer, &found->peer, found->prefix_len)))
            continue;
        netcfg_addr_delete(found);
        return 0;
    }
    return route_fail(q, -EADDRNOTAVAIL, fixed.ifa_family == AF_INET ? "ipv4: Address not found" : "address not found");
}

const struct route_kind route_addrs = {
    .type = RTM_NEWADDR,
    .fixed = sizeof(struct ifaddrmsg),
    .change = addr_new,
    .remove = addr_delete,
    .get = addr_get,
    .dump = addr_dump,
};
