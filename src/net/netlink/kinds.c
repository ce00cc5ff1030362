/*
 * Links that can be made: dummy, veth. None moves packets: how traffic between namespaces finds
 * its way is the protocols' affair (netns_route() and the peers found here). See route.h.
 */
#include "net/netlink/route.h"
#include <linux/rtnetlink.h>
#include <linux/veth.h>

/* ---- dummy ---- */

static const struct net_interface_ops dummy_ops = {.kind = "dummy"};

static int make_dummy(struct netlink_request *q, struct net_namespace *ns, const char *name, int index,
                      const struct nl_attr *data, struct net_interface **ret)
{
    int err = netcfg_link_new(ns, &dummy_ops, name, index, ret);
    if (err < 0)
        return err;
    (*ret)->flags = IFF_BROADCAST | IFF_NOARP;
    (*ret)->min_mtu = 0;
    (*ret)->max_mtu = 0;
    netcfg_link_add(*ret);
    return 0;
}

/* ---- veth ---- */

static void veth_changed(struct net_interface *i)
{
    struct net_interface *peer = i->peer;
    bool both = peer && i->flags & IFF_UP && peer->flags & IFF_UP;
    spin_lock(&i->ns->lock);
    i->carrier = both;
    spin_unlock(&i->ns->lock);
    if (peer)
        netcfg_link_carrier(peer, both);
}

/* The other end goes with it. */
static void veth_destroy(struct net_interface *i)
{
    struct net_interface *peer = i->peer;
    i->peer = NULL;
    if (!peer || !peer->ns)
        return;
    peer->peer = NULL;
    netcfg_link_delete(peer);
}

static const struct net_interface_ops veth_ops = {.kind = "veth", .destroy = veth_destroy, .changed = veth_changed};

static int make_veth(struct netlink_request *q, struct net_namespace *ns, const char *name, int index,
                     const struct nl_attr *data, struct net_interface **ret)
{
    static const struct nl_policy policy[VETH_INFO_PEER + 1] = {[VETH_INFO_PEER] = {NL_BINARY}};
    static const struct nl_policy peer_policy[IFLA_IFNAME + 1] = {[IFLA_IFNAME] = {NL_STRING, NET_NAME_LEN - 1}};
    struct nl_attrs a = {0}, p = {0};
    const char *bad;
    char peer_name[NET_NAME_LEN] = "veth%d";
    struct ifinfomsg fixed = {0};
    int err = data->data ? nl_parse(data->data, data->len, policy, VETH_INFO_PEER, false, &a, &bad, &q->why) : 0;
    const struct nl_attr *peer = &a.at[VETH_INFO_PEER];
    if (err == 0 && peer->data) {
        if (peer->len < sizeof(fixed))
            return -EINVAL;
        memcpy(&fixed, peer->data, sizeof(fixed));
        err = nl_parse(peer->data + sizeof(fixed), peer->len - sizeof(fixed), peer_policy, IFLA_IFNAME, false, &p, &bad,
                       &q->why);
    }
    if (err < 0)
        return err;
    if (p.at[IFLA_IFNAME].data)
        nl_get_string(&p.at[IFLA_IFNAME], peer_name, sizeof(peer_name));
    struct net_interface *one, *two;
    err = netcfg_link_new(ns, &veth_ops, peer_name, fixed.ifi_index, &two);
    if (err < 0)
        return err;
    two->carrier = false;
    netcfg_link_add(two);
    err = netcfg_link_new(ns, &veth_ops, name, index, &one);
    if (err < 0) {
        netcfg_link_delete(two);
        return err;
    }
    one->carrier = false;
    one->peer = two;
    two->peer = one;
    netcfg_link_add(one);
    *ret = one;
    return 0;
}

static const struct link_kind kinds[] = {{"dummy", make_dummy}, {"veth", make_veth}};

const struct link_kind *link_kind_find(const char *name)
{
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
        if (strcmp(kinds[k].name, name) == 0)
            return &kinds[k];
    return NULL;
}
