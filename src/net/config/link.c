/*
 * Interfaces: making, deleting, up and down, names. See config.h.
 */
#include "net/config/config.h"
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LOOPBACK_MTU 65536

struct mutex netcfg_lock = MUTEX_INIT(netcfg_lock);
void (*netcfg_notify)(struct net_namespace *ns, int type, const void *object);

void netcfg_tell(struct net_namespace *ns, int type, const void *object)
{
    atomic_fetch_add(&ns->generation, 1);
    if (netcfg_notify)
        netcfg_notify(ns, type, object);
}

/* ---- what users see ---- */

unsigned netif_flags(const struct net_interface *i)
{
    unsigned flags = i->flags & ~(unsigned)(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT);
    if (i->flags & IFF_UP && i->carrier)
        flags |= IFF_RUNNING | IFF_LOWER_UP;
    return flags;
}

uint8_t netif_operstate(const struct net_interface *i)
{
    if (!(i->flags & IFF_UP))
        return IF_OPER_DOWN;
    if (!i->carrier)
        return i->peer ? IF_OPER_LOWERLAYERDOWN : IF_OPER_DOWN;
    return i->peer ? IF_OPER_UP : IF_OPER_UNKNOWN;
}

bool net_name_valid(const char *name)
{
    size_t len = strnlen(name, NET_NAME_LEN);
    if (len == 0 || len >= NET_NAME_LEN || !strcmp(name, ".") || !strcmp(name, ".."))
        return false;
    for (const char *c = name; *c; c++)
        if (*c == '/' || *c == ':' || *c == ' ' || (*c >= '\t' && *c <= '\r'))
            return false;
    return true;
}

/* "veth%d": the lowest free number. */
static int choose_name(struct net_namespace *ns, const char *wanted, char ret[NET_NAME_LEN])
{
    const char *percent = strchr(wanted, '%');
    if (!net_name_valid(wanted))
        return -EINVAL;
    if (!percent) {
        strcpy(ret, wanted);
        return netns_interface_named(ns, wanted) ? -EEXIST : 0;
    }
    if (percent[1] != 'd' || strchr(percent + 2, '%'))
        return -EINVAL;
    for (unsigned n = 0; n <= ns->interface_count; n++) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s%u%s", (int)(percent - wanted), wanted, n, percent + 2);
        if (strlen(name) >= NET_NAME_LEN)
            return -ENFILE;
        strcpy(ret, name);
        if (!netns_interface_named(ns, ret))
            return 0;
    }
    return -ENFILE;
}

static int choose_index(struct net_namespace *ns, int wanted)
{
    if (wanted)
        return wanted < 0 ? -EINVAL : netns_interface(ns, wanted) ? -EBUSY : wanted;
    for (;;) {
        int index = ns->next_index++;
        if (ns->next_index <= 0)
            ns->next_index = NET_LOOPBACK_INDEX + 1;
        if (index > 0 && !netns_interface(ns, index))
            return index;
    }
}

/* ---- life ---- */

struct net_interface *net_interface_get(struct net_interface *i)
{
    refcount_get(&i->ref);
    return i;
}

void net_interface_put(struct net_interface *i)
{
    if (i && refcount_put(&i->ref))
        free(i);
}

static void set_hardware_address(struct net_interface *i)
{
    if (getrandom(i->address, NET_HW_LEN, 0) != NET_HW_LEN)
        memset(i->address, 0x42, NET_HW_LEN);
    i->address[0] = (uint8_t)((i->address[0] & 0xfe) | 0x02); /* not multicast, made here */
    memset(i->broadcast, 0xff, NET_HW_LEN);
}

int netcfg_link_new(struct net_namespace *ns, const struct net_interface_ops *ops, const char *name, int index,
                    struct net_interface **ret)
{
    char chosen[NET_NAME_LEN] = "";
    int err = ns->interface_count >= NET_LIST_MAX ? -ENOBUFS : choose_name(ns, name, chosen);
    if (err >= 0)
        err = index = choose_index(ns, index);
    if (err < 0)
        return err;
    struct net_interface *i = calloc(1, sizeof(*i));
    if (!i)
        return -ENOMEM;
    refcount_init(&i->ref);
    i->ns = ns;
    i->ops = ops;
    i->index = index;
    memcpy(i->name, chosen, sizeof(i->name));
    list_init(&i->link);
    list_init(&i->addresses);
    i->type = ARPHRD_ETHER;
    i->flags = IFF_BROADCAST | IFF_MULTICAST;
    i->mtu = 1500;
    i->min_mtu = 68;
    i->max_mtu = 65535;
    i->tx_queue_len = 1000;
    i->carrier = true;
    set_hardware_address(i);
    i->conf4 = ns->conf4_default;
    i->conf6 = ns->conf6_default;
    *ret = i;
    return 0;
}

void netcfg_link_add(struct net_interface *i)
{
    struct net_namespace *ns = i->ns;
    struct net_interface *after;
    spin_lock(&ns->lock);
    list_for_each(after, &ns->interfaces, link)
        if (after->index > i->index)
            break;
    list_add_tail(&after->link, &i->link);
    ns->interface_count++;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_NEWLINK, i);
}

void netcfg_link_delete(struct net_interface *i)
{
    struct net_namespace *ns = i->ns;
    if (i->flags & IFF_UP)
        (void)!netcfg_link_up(i, false);
    netcfg_addr_link_down(i, true);
    spin_lock(&ns->lock);
    list_del(&i->link);
    ns->interface_count--;
    spin_unlock(&ns->lock);
    netcfg_tell(ns, RTM_DELLINK, i);
    i->ns = NULL;
    if (i->ops->destroy)
        i->ops->destroy(i);
    net_interface_put(i);
}

/* ---- changes ---- */

void netcfg_link_changed(struct net_interface *i, unsigned changed)
{
    netcfg_tell(i->ns, RTM_NEWLINK, i);
}

int netcfg_link_up(struct net_interface *i, bool up)
{
    if (up == !!(i->flags & IFF_UP))
        return 0;
    spin_lock(&i->ns->lock);
    i->flags ^= IFF_UP;
    i->was_up = true;
    spin_unlock(&i->ns->lock);
    if (i->ops->changed)
        i->ops->changed(i);
    if (!up)
        netcfg_addr_link_down(i, false);
    netcfg_link_changed(i, IFF_UP);
    if (up)
        netcfg_addr_link_up(i);
    return 0;
}

int netcfg_link_flags(struct net_interface *i, unsigned flags, unsigned mask)
{
    const unsigned settable = IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST | IFF_PORTSEL |
                              IFF_AUTOMEDIA | IFF_PROMISC | IFF_ALLMULTI;
    unsigned change = (i->flags ^ flags) & mask & settable;
    if (change) {
        spin_lock(&i->ns->lock);
        i->flags ^= change;
        i->promiscuity = !!(i->flags & IFF_PROMISC);
        spin_unlock(&i->ns->lock);
        netcfg_link_changed(i, change);
    }
    return mask & IFF_UP ? netcfg_link_up(i, flags & IFF_UP) : 0;
}

void netcfg_link_carrier(struct net_interface *i, bool carrier)
{
    if (i->carrier == carrier)
        return;
    spin_lock(&i->ns->lock);
    i->carrier = carrier;
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
}

int netcfg_link_rename(struct net_interface *i, const char *name)
{
    char chosen[NET_NAME_LEN];
    if (strcmp(i->name, name) == 0)
        return 0;
    int err = choose_name(i->ns, name, chosen);
    if (err < 0)
        return err;
    struct net_ifaddr *a;
    spin_lock(&i->ns->lock);
    list_for_each(a, &i->addresses, link) {
        if (a->family == AF_INET && strcmp(a->label, i->name) == 0)
            memcpy(a->label, chosen, sizeof(a->label));
    }
    memcpy(i->name, chosen, sizeof(i->name));
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
    return 0;
}

int netcfg_link_mtu(struct net_interface *i, uint32_t mtu)
{
    if (mtu == i->mtu)
        return 0;
    if (mtu > INT32_MAX || mtu < i->min_mtu || (i->max_mtu && mtu > i->max_mtu))
        return -EINVAL;
    spin_lock(&i->ns->lock);
    i->mtu = mtu;
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
    return 0;
}

int netcfg_link_move(struct net_interface *i, struct net_namespace *to)
{
    struct net_namespace *from = i->ns;
    char name[NET_NAME_LEN];
    if (to == from)
        return 0;
    if (i->type == ARPHRD_LOOPBACK)
        return -EINVAL;
    int err = to->interface_count >= NET_LIST_MAX ? -ENOBUFS : choose_name(to, i->name, name);
    if (err < 0)
        return err;
    (void)!netcfg_link_up(i, false);
    netcfg_addr_link_down(i, true);
    spin_lock(&from->lock);
    list_del(&i->link);
    from->interface_count--;
    spin_unlock(&from->lock);
    netcfg_tell(from, RTM_DELLINK, i);
    i->ns = to;
    if (netns_interface(to, i->index))
        i->index = choose_index(to, 0);
    netcfg_link_add(i);
    return 0;
}

/* ---- the namespace's first ---- */

static const struct net_interface_ops loopback_ops;

static int make_loopback(struct net_namespace *ns)
{
    struct net_interface *lo;
    int err = netcfg_link_new(ns, &loopback_ops, "lo", 0, &lo);
    if (err < 0)
        return err;
    lo->type = ARPHRD_LOOPBACK;
    lo->flags = IFF_LOOPBACK;
    lo->mtu = LOOPBACK_MTU;
    lo->min_mtu = lo->max_mtu = 0;
    lo->conf4.disable_policy = lo->conf4.disable_xfrm = 1;
    memset(lo->address, 0, NET_HW_LEN);
    memset(lo->broadcast, 0, NET_HW_LEN);
    netcfg_link_add(lo);
    return 0;
}

static int make_rule(struct net_namespace *ns, int family, uint32_t priority, uint32_t table)
{
    struct net_rule *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    *r = (struct net_rule){.family = family, .priority = priority, .table = table, .action = FR_ACT_TO_TBL,
                           .protocol = RTPROT_KERNEL, .suppress_prefix_len = -1};
    list_init(&r->link);
    return netcfg_rule_add(ns, r, false);
}

int netcfg_build(struct net_namespace *ns)
{
    MUTEX_GUARD(&netcfg_lock);
    netns_list_add(ns);
    int err = make_loopback(ns);
    for (int v = 0; v < 2 && err >= 0; v++) {
        int family = v ? AF_INET6 : AF_INET;
        err = make_rule(ns, family, 0, RT_TABLE_LOCAL);
        if (err >= 0)
            err = make_rule(ns, family, 32766, RT_TABLE_MAIN);
        if (err >= 0 && family == AF_INET)
            err = make_rule(ns, family, 32767, RT_TABLE_DEFAULT);
    }
    return err;
}

/* Nobody refers to it any more: nobody is told. */
void netcfg_clear(struct net_namespace *ns)
{
    MUTEX_GUARD(&netcfg_lock);
    struct net_interface *i;
    while ((i = list_last(&ns->interfaces, struct net_interface, link)))
        netcfg_link_delete(i);
    struct net_route *route;
    while ((route = list_first(&ns->routes, struct net_route, link)))
        netcfg_route_remove(ns, route);
    struct net_rule *rule;
    while ((rule = list_first(&ns->rules, struct net_rule, link)))
        netcfg_rule_delete(ns, rule);
    struct net_neighbour *n;
    while ((n = list_first(&ns->neighbours, struct net_neighbour, link)))
        netcfg_neighbour_delete(ns, n);
}

static const struct net_interface_ops loopback_ops = {.kind = NULL};
