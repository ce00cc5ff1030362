/* Links: RTM_NEWLINK and its family. See route.h. */
#include "kernel/fdtable.h"
#include "kernel/nsfs.h"
#include "kernel/pid.h"
#include "net/netlink/route.h"
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdlib.h>

#ifndef IFLA_MAX_LOOKED_AT
#define IFLA_MAX_LOOKED_AT 64
#endif

static const struct nl_policy link_policy[IFLA_MAX_LOOKED_AT + 1] = {
    [IFLA_IFNAME] = {NL_STRING, NET_NAME_LEN - 1},
    [IFLA_ADDRESS] = {NL_BINARY, 32},
    [IFLA_BROADCAST] = {NL_BINARY, 32},
    [IFLA_MTU] = {NL_U32},
    [IFLA_LINK] = {NL_U32},
    [IFLA_MASTER] = {NL_U32},
    [IFLA_CARRIER] = {NL_U8},
    [IFLA_TXQLEN] = {NL_U32},
    [IFLA_OPERSTATE] = {NL_U8},
    [IFLA_LINKMODE] = {NL_U8},
    [IFLA_LINKINFO] = {NL_NESTED},
    [IFLA_NET_NS_PID] = {NL_U32},
    [IFLA_NET_NS_FD] = {NL_U32},
    [IFLA_IFALIAS] = {NL_STRING, 255},
    [IFLA_EXT_MASK] = {NL_U32},
    [IFLA_PROMISCUITY] = {NL_U32},
    [IFLA_NUM_TX_QUEUES] = {NL_U32},
    [IFLA_NUM_RX_QUEUES] = {NL_U32},
    [IFLA_GROUP] = {NL_U32},
    [IFLA_AF_SPEC] = {NL_NESTED},
    [IFLA_TARGET_NETNSID] = {NL_U32},
    [IFLA_ALT_IFNAME] = {NL_STRING, 127},
};

/* ---- messages ---- */

static void add_statistics(struct nl_writer *w, const struct net_interface *i)
{
    const struct net_counters *c = &i->counters;
    struct rtnl_link_stats64 s = {.rx_packets = c->rx_packets, .tx_packets = c->tx_packets, .rx_bytes = c->rx_bytes,
                                  .tx_bytes = c->tx_bytes, .rx_errors = c->rx_errors, .tx_errors = c->tx_errors,
                                  .rx_dropped = c->rx_dropped, .tx_dropped = c->tx_dropped,
                                  .multicast = c->rx_multicast};
    struct rtnl_link_stats old = {0};
    uint32_t *to = (uint32_t *)&old;
    const uint64_t *from = (const uint64_t *)&s; /* the same fields, wider */
    for (size_t n = 0; n < sizeof(old) / sizeof(*to); n++)
        to[n] = (uint32_t)from[n];
    nl_attr(w, IFLA_STATS64, &s, sizeof(s));
    nl_attr(w, IFLA_STATS, &old, sizeof(old));
}

static void add_kind(struct nl_writer *w, const struct net_interface *i)
{
    if (!i->ops->kind)
        return;
    size_t info = nl_nest(w, IFLA_LINKINFO);
    nl_attr_string(w, IFLA_INFO_KIND, i->ops->kind);
    nl_nest_end(w, info);
}

static void add_v6(struct nl_writer *w, const struct net_interface *i)
{
    struct ifla_cacheinfo cache = {.max_reasm_len = 65535, .reachable_time = 30000, .retrans_time = 1000};
    nl_attr_u32(w, IFLA_INET6_FLAGS, i->flags & IFF_UP ? 0x80000000 /* IF_READY */ : 0);
    nl_attr(w, IFLA_INET6_CACHEINFO, &cache, sizeof(cache));
    nl_attr_u8(w, IFLA_INET6_ADDR_GEN_MODE, (uint8_t)i->conf6.addr_gen_mode);
}

static void add_families(struct nl_writer *w, const struct net_interface *i)
{
    size_t all = nl_nest(w, IFLA_AF_SPEC);
    size_t v6 = nl_nest(w, AF_INET6);
    add_v6(w, i);
    nl_nest_end(w, v6);
    nl_nest_end(w, all);
}

static const char *queue_discipline(const struct net_interface *i)
{
    return i->was_up ? "noqueue" : "noop";
}

static void add_numbers(struct nl_writer *w, const struct net_interface *i)
{
    nl_attr_u32(w, IFLA_TXQLEN, i->tx_queue_len);
    nl_attr_u8(w, IFLA_OPERSTATE, netif_operstate(i));
    nl_attr_u8(w, IFLA_LINKMODE, 0);
    nl_attr_u32(w, IFLA_MTU, i->mtu);
    nl_attr_u32(w, IFLA_MIN_MTU, i->min_mtu);
    nl_attr_u32(w, IFLA_MAX_MTU, i->max_mtu);
    nl_attr_u32(w, IFLA_GROUP, i->group);
    nl_attr_u32(w, IFLA_PROMISCUITY, i->promiscuity);
    nl_attr_u32(w, 61 /* IFLA_ALLMULTI */, !!(i->flags & IFF_ALLMULTI));
    nl_attr_u32(w, IFLA_NUM_TX_QUEUES, 1);
    nl_attr_u32(w, IFLA_GSO_MAX_SEGS, 65535);
    nl_attr_u32(w, IFLA_GSO_MAX_SIZE, 65536);
    nl_attr_u32(w, 58 /* IFLA_GRO_MAX_SIZE */, 65536);
    nl_attr_u32(w, 59 /* IFLA_TSO_MAX_SIZE */, 524280);
    nl_attr_u32(w, 60 /* IFLA_TSO_MAX_SEGS */, 65535);
    nl_attr_u32(w, IFLA_NUM_RX_QUEUES, 1);
}

void link_fill(struct nl_writer *w, const struct net_interface *i, int type, uint32_t mask)
{
    struct ifinfomsg fixed = {.ifi_family = AF_UNSPEC, .ifi_type = i->type, .ifi_index = i->index,
                              .ifi_flags = netif_flags(i), };
    struct rtnl_link_ifmap map = {0};
    size_t hw_len = NET_HW_LEN;
    nl_open(w, type, 0, &fixed, sizeof(fixed));
    nl_attr_string(w, IFLA_IFNAME, i->name);
    add_numbers(w, i);
    if (i->peer)
        nl_attr_u32(w, IFLA_LINK, (uint32_t)i->peer->index);
    if (i->peer && i->ns && i->peer->ns && i->peer->ns != i->ns)
        nl_attr_u32(w, IFLA_LINK_NETNSID, (uint32_t)netns_number(i->ns, i->peer->ns));
    if (i->master)
        nl_attr_u32(w, IFLA_MASTER, (uint32_t)i->master->index);
    nl_attr_u8(w, IFLA_CARRIER, i->carrier);
    nl_attr_string(w, IFLA_QDISC, queue_discipline(i));
    if (i->alias[0])
        nl_attr_string(w, IFLA_IFALIAS, i->alias);
    nl_attr_u32(w, IFLA_CARRIER_CHANGES, 0);
    nl_attr_u32(w, IFLA_CARRIER_UP_COUNT, 0);
    nl_attr_u32(w, IFLA_CARRIER_DOWN_COUNT, 0);
    nl_attr_u8(w, IFLA_PROTO_DOWN, 0);
    nl_attr(w, IFLA_MAP, &map, sizeof(map));
    nl_attr(w, IFLA_ADDRESS, i->address, hw_len);
    nl_attr(w, IFLA_BROADCAST, i->broadcast, hw_len);
    if (!(mask & RTEXT_FILTER_SKIP_STATS))
        add_statistics(w, i);
    add_kind(w, i);
    add_families(w, i);
    nl_close(w);
}

/* What asking for AF_INET6 gives. */
static void link_fill_v6(struct nl_writer *w, const struct net_interface *i)
{
    struct ifinfomsg fixed = {.ifi_family = AF_INET6, .ifi_type = i->type, .ifi_index = i->index,
                              .ifi_flags = netif_flags(i)};
    nl_open(w, RTM_NEWLINK, 0, &fixed, sizeof(fixed));
    nl_attr_string(w, IFLA_IFNAME, i->name);
    nl_attr(w, IFLA_ADDRESS, i->address, NET_HW_LEN);
    nl_attr_u32(w, IFLA_MTU, i->mtu);
    if (i->peer)
        nl_attr_u32(w, IFLA_LINK, (uint32_t)i->peer->index);
    nl_attr_u8(w, IFLA_OPERSTATE, netif_operstate(i));
    size_t info = nl_nest(w, IFLA_PROTINFO);
    add_v6(w, i);
    nl_nest_end(w, info);
    nl_close(w);
}

/* ---- asking ---- */

static int link_dump(struct netlink_request *q)
{
    struct nl_attrs a = {0};
    struct ifinfomsg fixed = {0};
    bool strict = q->from->strict;
    if (strict && q->len < sizeof(fixed))
        return route_fail(q, -EINVAL, "Invalid header for link dump");
    memcpy(&fixed, q->payload, MIN(q->len, sizeof(fixed)));
    if (strict && (fixed.__ifi_pad || fixed.ifi_type || fixed.ifi_flags || fixed.ifi_change))
        return route_fail(q, -EINVAL, "Invalid values in header for link dump request");
    if (strict && fixed.ifi_index)
        return route_fail(q, -EINVAL, "Filter by device index not supported for link dumps");
    /* Old programs send a bare struct rtgenmsg. */
    size_t header = q->len < sizeof(fixed) ? sizeof(struct rtgenmsg) : sizeof(fixed);
    int err = route_attrs(q, header, link_policy, IFLA_MAX_LOOKED_AT, strict, &a);
    if (err < 0 && strict)
        return err;
    q->why = NULL;
    q->why_offset = 0;
    char kind[32] = "";
    struct nl_attrs info;
    const char *bad, *why;
    static const struct nl_policy info_policy[IFLA_INFO_KIND + 1] = {[IFLA_INFO_KIND] = {NL_STRING}};
    if (a.at[IFLA_LINKINFO].data && nl_parse(a.at[IFLA_LINKINFO].data, a.at[IFLA_LINKINFO].len, info_policy,
                                             IFLA_INFO_KIND, false, &info, &bad, &why) == 0)
        nl_get_string(&info.at[IFLA_INFO_KIND], kind, sizeof(kind));
    uint32_t master = nl_get_u32(&a.at[IFLA_MASTER]);
    struct net_interface *i;
    list_for_each(i, &q->ns->interfaces, link) {
        if (kind[0] && (!i->ops->kind || strcmp(i->ops->kind, kind) != 0))
            continue;
        if (master && (!i->master || (uint32_t)i->master->index != master))
            continue;
        if (fixed.ifi_family == AF_INET6)
            link_fill_v6(&q->out, i);
        else
            link_fill(&q->out, i, RTM_NEWLINK, nl_get_u32(&a.at[IFLA_EXT_MASK]));
    }
    return 0;
}

/* The link a request is about, by index or name. */
static int find_link(struct netlink_request *q, const struct ifinfomsg *fixed, const struct nl_attrs *a,
                     struct net_interface **ret)
{
    char name[128] = "";
    const struct nl_attr *given = a->at[IFLA_IFNAME].data ? &a->at[IFLA_IFNAME] : &a->at[IFLA_ALT_IFNAME];
    *ret = NULL;
    if (fixed->ifi_index > 0) {
        *ret = netns_interface(q->ns, fixed->ifi_index);
    } else if (given->data) {
        nl_get_string(given, name, sizeof(name));
        *ret = netns_interface_named(q->ns, name);
    } else {
        return -EINVAL;
    }
    return *ret ? 0 : -ENODEV;
}

static int parse_link(struct netlink_request *q, struct ifinfomsg *fixed, struct nl_attrs *a)
{
    memcpy(fixed, q->payload, sizeof(*fixed));
    return route_attrs(q, sizeof(*fixed), link_policy, IFLA_MAX_LOOKED_AT, false, a);
}

static int link_get(struct netlink_request *q)
{
    struct ifinfomsg fixed;
    struct nl_attrs a;
    struct net_interface *i;
    int err = parse_link(q, &fixed, &a);
    if (err == 0)
        err = find_link(q, &fixed, &a, &i);
    if (err < 0)
        return err;
    link_fill(&q->out, i, RTM_NEWLINK, nl_get_u32(&a.at[IFLA_EXT_MASK]));
    return 0;
}

/* ---- changing ---- */

/* The namespace named by IFLA_NET_NS_FD or _PID, or NULL: kept by the request. */
static int find_namespace(struct netlink_request *q, const struct nl_attrs *a, struct net_namespace **ret)
{
    struct ns_common *common = NULL;
    *ret = NULL;
    if (a->at[IFLA_NET_NS_FD].data) {
        CLEANUP_FILE struct file *f = NULL;
        int err = fd_file((int)nl_get_u32(&a->at[IFLA_NET_NS_FD]), &f);
        if (err < 0)
            return err;
        struct ns_common *found = f->inode ? nsfs_inode_ns(f->inode) : NULL;
        if (!found || found->kind->flag != CLONE_NEWNET)
            return -EINVAL;
        common = ns_get(found);
    } else if (a->at[IFLA_NET_NS_PID].data) {
        struct task *t = task_find((int32_t)nl_get_u32(&a->at[IFLA_NET_NS_PID]));
        if (!t)
            return -ESRCH;
        spin_lock(&t->alloc_lock);
        common = t->ns.net ? ns_get(t->ns.all[NS_SLOT_NET]) : NULL;
        spin_unlock(&t->alloc_lock);
        task_put(t);
        if (!common)
            return -ESRCH;
    } else {
        return 0;
    }
    assert(!q->held);
    q->held = *ret = container_of(common, struct net_namespace, common);
    return netns_capable(*ret, CAP_NET_ADMIN) ? 0 : -EPERM;
}

static int move_link(struct netlink_request *q, struct net_interface *i, const struct nl_attrs *a, bool *ret_moved)
{
    struct net_namespace *to;
    int err = find_namespace(q, a, &to);
    if (err < 0 || !to || to == q->ns)
        return err;
    err = netcfg_link_move(i, to);
    *ret_moved = err == 0;
    return err;
}

static int set_address(struct netlink_request *q, struct net_interface *i, const struct nl_attr *a, uint8_t *to)
{
    if (!a->data)
        return 0;
    if (i->flags & IFF_LOOPBACK)
        return -EOPNOTSUPP;
    if (a->len < NET_HW_LEN)
        return -EINVAL;
    if (to == i->address && (a->data[0] & 1))
        return -EADDRNOTAVAIL;
    spin_lock(&i->ns->lock);
    memcpy(to, a->data, NET_HW_LEN);
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
    return 0;
}

static void set_numbers(struct net_interface *i, const struct nl_attrs *a)
{
    bool change = a->at[IFLA_TXQLEN].data || a->at[IFLA_GROUP].data || a->at[IFLA_IFALIAS].data;
    if (!change)
        return;
    spin_lock(&i->ns->lock);
    if (a->at[IFLA_TXQLEN].data)
        i->tx_queue_len = nl_get_u32(&a->at[IFLA_TXQLEN]);
    if (a->at[IFLA_GROUP].data)
        i->group = nl_get_u32(&a->at[IFLA_GROUP]);
    if (a->at[IFLA_IFALIAS].data)
        nl_get_string(&a->at[IFLA_IFALIAS], i->alias, sizeof(i->alias));
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
}

static int set_master(struct netlink_request *q, struct net_interface *i, const struct nl_attr *a)
{
    if (!a->data)
        return 0;
    uint32_t index = nl_get_u32(a);
    struct net_interface *master = index ? netns_interface(q->ns, (int)index) : NULL;
    if (index && !master)
        return -EINVAL;
    if (i->master == master)
        return 0;
    if (master && (!master->ops->add_port || i->flags & IFF_LOOPBACK || i == master))
        return master->ops->add_port ? -EINVAL : -EOPNOTSUPP;
    if (i->master)
        i->master->ops->remove_port(i->master, i);
    return master ? master->ops->add_port(master, i) : 0;
}

static int change_link(struct netlink_request *q, struct net_interface *i, const struct ifinfomsg *fixed,
                       const struct nl_attrs *a)
{
    char name[NET_NAME_LEN] = "";
    bool moved = false;
    int err = move_link(q, i, a, &moved);
    if (err < 0 || moved)
        return err;
    if ((err = set_address(q, i, &a->at[IFLA_ADDRESS], i->address)) < 0 ||
        (err = set_address(q, i, &a->at[IFLA_BROADCAST], i->broadcast)) < 0)
        return err;
    if (a->at[IFLA_MTU].data && (err = netcfg_link_mtu(i, nl_get_u32(&a->at[IFLA_MTU]))) < 0)
        return route_fail(q, err, nl_get_u32(&a->at[IFLA_MTU]) < i->min_mtu ? "mtu less than device minimum"
                                                                            : "mtu greater than device maximum");
    if (fixed->ifi_index > 0 && a->at[IFLA_IFNAME].data) {
        nl_get_string(&a->at[IFLA_IFNAME], name, sizeof(name));
        err = name[0] ? netcfg_link_rename(i, name) : 0;
    }
    set_numbers(i, a);
    if (err >= 0)
        err = set_master(q, i, &a->at[IFLA_MASTER]);
    if (err >= 0 && (fixed->ifi_flags || fixed->ifi_change))
        err = netcfg_link_flags(i, fixed->ifi_flags, fixed->ifi_change ? fixed->ifi_change : UINT32_MAX);
    return err;
}

static int make_link(struct netlink_request *q, const struct ifinfomsg *fixed, const struct nl_attrs *a)
{
    static const struct nl_policy info_policy[IFLA_INFO_DATA + 1] = {
        [IFLA_INFO_KIND] = {NL_STRING}, [IFLA_INFO_DATA] = {NL_NESTED}};
    char kind_name[32], name[NET_NAME_LEN] = "";
    struct nl_attrs info;
    const char *bad;
    const struct nl_attr *nest = &a->at[IFLA_LINKINFO];
    int err = nl_parse(nest->data, nest->len, info_policy, IFLA_INFO_DATA, false, &info, &bad, &q->why);
    if (err < 0)
        return err;
    if (!info.at[IFLA_INFO_KIND].data)
        return -EOPNOTSUPP;
    nl_get_string(&info.at[IFLA_INFO_KIND], kind_name, sizeof(kind_name));
    const struct link_kind *kind = link_kind_find(kind_name);
    if (!kind)
        return route_fail(q, -EOPNOTSUPP, "Unknown device type");
    if (a->at[IFLA_IFNAME].data) {
        nl_get_string(&a->at[IFLA_IFNAME], name, sizeof(name));
        if (!net_name_valid(name))
            return -EINVAL;
    } else {
        memcpy(name, kind_name, MIN(strlen(kind_name), (size_t)NET_NAME_LEN - 3));
        strcat(name, "%d");
    }
    struct net_interface *i;
    err = kind->make(q, q->ns, name, fixed->ifi_index, &info.at[IFLA_INFO_DATA], &i);
    if (err < 0)
        return err;
    struct ifinfomsg named = *fixed;
    named.ifi_index = 0; /* the name is set */
    err = change_link(q, i, &named, a);
    if (err < 0 && i->ns == q->ns)
        netcfg_link_delete(i);
    return err;
}

static int link_new(struct netlink_request *q)
{
    struct ifinfomsg fixed;
    struct nl_attrs a;
    struct net_interface *i;
    int err = parse_link(q, &fixed, &a);
    if (err < 0)
        return err;
    if (fixed.ifi_index < 0)
        return route_fail(q, -EINVAL, "ifindex can't be negative");
    err = find_link(q, &fixed, &a, &i);
    if (err == 0) {
        if (q->h.nlmsg_flags & NLM_F_EXCL)
            return -EEXIST;
        return q->h.nlmsg_flags & NLM_F_REPLACE ? -EOPNOTSUPP : change_link(q, i, &fixed, &a);
    }
    if (!(q->h.nlmsg_flags & NLM_F_CREATE))
        return -ENODEV;
    return a.at[IFLA_LINKINFO].data ? make_link(q, &fixed, &a) : route_fail(q, -EOPNOTSUPP, "Unknown device type");
}

static int link_set(struct netlink_request *q)
{
    struct ifinfomsg fixed;
    struct nl_attrs a;
    struct net_interface *i;
    int err = parse_link(q, &fixed, &a);
    if (err == 0)
        err = find_link(q, &fixed, &a, &i);
    return err < 0 ? err : change_link(q, i, &fixed, &a);
}

static int link_delete(struct netlink_request *q)
{
    struct ifinfomsg fixed;
    struct nl_attrs a;
    struct net_interface *i;
    int err = parse_link(q, &fixed, &a);
    if (err == 0)
        err = find_link(q, &fixed, &a, &i);
    if (err < 0)
        return err;
    if (!i->ops->kind)
        return -EOPNOTSUPP;
    netcfg_link_delete(i);
    return 0;
}

const struct route_kind route_links = {
    .type = RTM_NEWLINK,
    .fixed = sizeof(struct ifinfomsg),
    .change = link_new,
    .remove = link_delete,
    .get = link_get,
    .dump = link_dump,
    .set = link_set,
};
