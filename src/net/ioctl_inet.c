/* Requests about addresses, routes and neighbours. See ioctl.h. */
#include "mm/uaccess.h"
#include "net/config/config.h"
#include "net/ioctl.h"
#include <linux/capability.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>

/* ---- IPv4 addresses ---- */

bool net_ioctl_is_inet(unsigned cmd)
{
    switch (cmd) {
    case SIOCGIFADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFDSTADDR:
    case SIOCSIFADDR:
    case SIOCSIFBRDADDR:
    case SIOCSIFNETMASK:
    case SIOCSIFDSTADDR:
        return true;
    default:
        return false;
    }
}

static uint32_t mask_of(unsigned prefix_len)
{
    return prefix_len ? htonl(UINT32_MAX << (32 - prefix_len)) : 0;
}

static void put_address(struct ifreq *r, uint32_t v4)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = v4};
    memcpy(&r->ifr_addr, &in, sizeof(in));
}

static uint32_t address_in(const struct ifreq *r)
{
    struct sockaddr_in in;
    memcpy(&in, &r->ifr_addr, sizeof(in));
    return in.sin_addr.s_addr;
}

/* The address called r->ifr_name ("lo", "lo:1"); with AF_INET in it, that very one. */
static struct net_ifaddr *find_labelled(struct net_interface *i, const char *label, const struct ifreq *r)
{
    struct net_ifaddr *a, *found = NULL;
    bool exact = r->ifr_addr.sa_family == AF_INET;
    list_for_each(a, &i->addresses, link) {
        if (a->family != AF_INET || strcmp(a->label, label) != 0)
            continue;
        if (exact && a->local.v4 == address_in(r))
            return a;
        if (!found)
            found = a;
    }
    return found;
}

static void get_address(const struct net_ifaddr *a, unsigned cmd, struct ifreq *r)
{
    switch (cmd) {
    case SIOCGIFADDR:
        put_address(r, a->local.v4);
        break;
    case SIOCGIFBRDADDR:
        put_address(r, a->broadcast.v4);
        break;
    case SIOCGIFDSTADDR:
        put_address(r, a->peer.v4);
        break;
    default:
        put_address(r, mask_of(a->prefix_len));
        break;
    }
}

/* The prefix length of a class A, B or C address; -1 if it is none. */
static int class_len(uint32_t v4)
{
    uint32_t a = ntohl(v4);
    if (a == 0 || a == INADDR_BROADCAST)
        return 0;
    if (IN_CLASSA(a))
        return 8;
    if (IN_CLASSB(a))
        return 16;
    return IN_CLASSC(a) ? 24 : -1;
}

static int replace(struct net_interface *i, struct net_ifaddr *old, const struct net_ifaddr *fresh)
{
    struct net_ifaddr *a = malloc(sizeof(*a));
    if (!a)
        return -ENOMEM;
    *a = *fresh;
    list_init(&a->link);
    if (old)
        netcfg_addr_delete(old);
    int err = a->local.v4 ? netcfg_addr_add(i, a) : 0;
    if (err < 0 || !a->local.v4)
        free(a);
    return err;
}

static int set_address(struct net_interface *i, struct net_ifaddr *old, const char *label, uint32_t v4)
{
    int len = class_len(v4);
    if (len < 0)
        return -EINVAL;
    if (old && old->local.v4 == v4)
        return 0;
    struct net_ifaddr a = {.family = AF_INET, .valid = UINT32_MAX, .preferred = UINT32_MAX, .flags = IFA_F_PERMANENT};
    a.local.v4 = a.peer.v4 = v4;
    a.prefix_len = (uint8_t)(i->flags & IFF_POINTOPOINT ? 32 : len);
    a.scope = ntohl(v4) >> 24 == IN_LOOPBACKNET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    if (i->flags & IFF_BROADCAST && a.prefix_len < 31)
        a.broadcast.v4 = v4 | ~mask_of(a.prefix_len);
    memcpy(a.label, label, strnlen(label, sizeof(a.label) - 1));
    return replace(i, old, &a);
}

static int set_part(struct net_interface *i, struct net_ifaddr *old, unsigned cmd, uint32_t v4)
{
    struct net_ifaddr a = *old;
    if (cmd == SIOCSIFBRDADDR) {
        a.broadcast.v4 = v4;
    } else if (cmd == SIOCSIFDSTADDR) {
        if (class_len(v4) < 0)
            return -EINVAL;
        a.peer.v4 = v4;
    } else {
        uint32_t mask = ntohl(v4);
        if (~mask & (~mask + 1))
            return -EINVAL;
        a.prefix_len = (uint8_t)__builtin_popcount(mask);
        if (i->flags & IFF_BROADCAST && a.prefix_len < 31 && old->prefix_len < 31 &&
            old->broadcast.v4 == (old->local.v4 | ~mask_of(old->prefix_len)))
            a.broadcast.v4 = a.local.v4 | ~mask_of(a.prefix_len);
    }
    return memcmp(&a, old, sizeof(a)) == 0 ? 0 : replace(i, old, &a);
}

int net_ioctl_inet_address(struct socket *s, unsigned cmd, struct ifreq *r)
{
    struct net_namespace *ns = s->ns;
    bool get = cmd == SIOCGIFADDR || cmd == SIOCGIFBRDADDR || cmd == SIOCGIFNETMASK || cmd == SIOCGIFDSTADDR;
    char name[NET_NAME_LEN];
    memcpy(name, r->ifr_name, sizeof(name));
    name[strcspn(name, ":")] = '\0';
    if (!get && !netns_capable(ns, CAP_NET_ADMIN))
        return -EPERM;
    if (!get && r->ifr_addr.sa_family != AF_INET)
        return -EINVAL;
    MUTEX_GUARD(&netcfg_lock);
    struct net_interface *i = netns_interface_named(ns, name);
    if (!i)
        return -ENODEV;
    uint32_t v4 = address_in(r);
    if (!get)
        r->ifr_addr.sa_family = AF_UNSPEC; /* the label decides alone */
    struct net_ifaddr *a = find_labelled(i, r->ifr_name, r);
    if (!a && cmd != SIOCSIFADDR)
        return -EADDRNOTAVAIL;
    if (get) {
        get_address(a, cmd, r);
        return 0;
    }
    return cmd == SIOCSIFADDR ? set_address(i, a, r->ifr_name, v4) : set_part(i, a, cmd, v4);
}

/* ---- all interfaces ---- */

int net_ioctl_ifconf(struct socket *s, uaddr_t arg)
{
    struct ifconf_guest {
        int32_t len, pad;
        uint64_t buffer;
    } c;
    int err = get_user(&c, arg);
    if (err < 0)
        return err;
    MUTEX_GUARD(&netcfg_lock); /* the lists stand still while the guest is written to */
    struct net_interface *i;
    struct net_ifaddr *a;
    int done = 0;
    list_for_each(i, &s->ns->interfaces, link) {
        list_for_each(a, &i->addresses, link) {
            struct ifreq r = {0};
            if (a->family != AF_INET)
                continue;
            if (c.buffer && c.len - done < (int)sizeof(r))
                goto full;
            memcpy(r.ifr_name, a->label, sizeof(r.ifr_name));
            put_address(&r, a->local.v4);
            if (c.buffer)
                err = copy_to_user(c.buffer + (unsigned)done, &r, sizeof(r));
            if (err < 0)
                return err;
            done += (int)sizeof(r);
        }
    }
full:
    return put_user(&done, arg);
}

/* ---- routes ---- */

static uint32_t inet_of(const struct sockaddr *a)
{
    struct sockaddr_in in;
    memcpy(&in, a, sizeof(in));
    return in.sin_addr.s_addr;
}

static int device_of(struct net_namespace *ns, uint64_t name_at, int *ret)
{
    char name[NET_NAME_LEN] = "";
    if (!name_at)
        return 0;
    ssize_t n = copy_string_from_user(name, name_at, sizeof(name));
    if (n < 0)
        return n == -ENAMETOOLONG ? -ENODEV : (int)n;
    name[strcspn(name, ":")] = '\0';
    struct net_interface *i = netns_interface_named(ns, name);
    if (!i)
        return -ENODEV;
    *ret = i->index;
    return 0;
}

static int route_from(const struct rtentry *e, struct net_route *r)
{
    uint32_t mask = ntohl(inet_of(&e->rt_genmask));
    if (e->rt_dst.sa_family != AF_INET)
        return -EAFNOSUPPORT;
    if (e->rt_genmask.sa_family != AF_INET && (e->rt_genmask.sa_family || mask))
        return -EAFNOSUPPORT;
    r->dst.v4 = inet_of(&e->rt_dst);
    r->dst_len = 32;
    if (!(e->rt_flags & RTF_HOST)) {
        if (~mask & (~mask + 1) || ntohl(r->dst.v4) & ~mask)
            return -EINVAL;
        r->dst_len = (uint8_t)__builtin_popcount(mask);
    }
    r->metric = e->rt_metric > 0 ? (uint32_t)e->rt_metric - 1 : 0;
    r->type = RTN_UNICAST;
    r->scope = RT_SCOPE_LINK;
    if (e->rt_flags & RTF_REJECT) {
        r->type = RTN_UNREACHABLE;
        r->scope = RT_SCOPE_HOST;
    }
    if (e->rt_flags & RTF_GATEWAY && !inet_of(&e->rt_gateway))
        return -EINVAL;
    if (e->rt_gateway.sa_family == AF_INET && inet_of(&e->rt_gateway)) {
        r->gateway.v4 = inet_of(&e->rt_gateway);
        r->gateway_family = AF_INET;
        r->scope = RT_SCOPE_UNIVERSE;
    }
    r->mtu = e->rt_flags & RTF_MTU && e->rt_mtu > 40 ? (uint32_t)e->rt_mtu : 0;
    return 0;
}

int net_ioctl_route(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct rtentry e;
    struct net_route r = {.family = AF_INET, .table = RT_TABLE_MAIN, .protocol = RTPROT_BOOT};
    if (!netns_capable(s->ns, CAP_NET_ADMIN))
        return -EPERM;
    int err = get_user(&e, arg);
    if (err == 0)
        err = route_from(&e, &r);
    if (err < 0)
        return err;
    MUTEX_GUARD(&netcfg_lock);
    err = device_of(s->ns, (uint64_t)e.rt_dev, &r.interface);
    if (err < 0)
        return err;
    if (cmd == SIOCADDRT)
        return netcfg_route_new(s->ns, &r, NLM_F_CREATE);
    r.protocol = r.type = 0;
    r.scope = RT_SCOPE_NOWHERE;
    return netcfg_route_delete(s->ns, &r);
}

int net_ioctl_route6(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct in6_rtmsg e;
    if (!netns_capable(s->ns, CAP_NET_ADMIN))
        return -EPERM;
    int err = get_user(&e, arg);
    if (err < 0)
        return err;
    if (e.rtmsg_dst_len > 128 || e.rtmsg_src_len > 128)
        return -EINVAL;
    struct net_route r = {.family = AF_INET6, .table = RT_TABLE_MAIN, .protocol = RTPROT_BOOT,
                          .dst_len = (uint8_t)e.rtmsg_dst_len, .interface = e.rtmsg_ifindex,
                          .metric = e.rtmsg_metric, .type = e.rtmsg_flags & RTF_REJECT ? RTN_UNREACHABLE : RTN_UNICAST};
    memcpy(r.dst.bytes, &e.rtmsg_dst, 16);
    net_address_mask(&r.dst, AF_INET6, r.dst_len);
    if (e.rtmsg_flags & RTF_GATEWAY) {
        memcpy(r.gateway.bytes, &e.rtmsg_gateway, 16);
        r.gateway_family = AF_INET6;
    }
    MUTEX_GUARD(&netcfg_lock);
    if (cmd == SIOCADDRT)
        return netcfg_route_new(s->ns, &r, NLM_F_CREATE);
    r.protocol = r.type = 0;
    return netcfg_route_delete(s->ns, &r);
}

/* ---- IPv6 addresses ---- */

int net_ioctl_address6(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct in6_ifreq_guest {
        struct in6_addr addr;
        uint32_t prefix_len;
        int index;
    } q;
    if (!netns_capable(s->ns, CAP_NET_ADMIN))
        return -EPERM;
    int err = get_user(&q, arg);
    if (err < 0)
        return err;
    if (q.prefix_len > 128)
        return -EINVAL;
    MUTEX_GUARD(&netcfg_lock);
    struct net_interface *i = netns_interface(s->ns, q.index);
    if (!i)
        return -ENODEV;
    struct net_ifaddr *a = netcfg_addr_find(i, AF_INET6, &(union net_address){.v6 = q.addr}, (int)q.prefix_len);
    if (cmd == SIOCDIFADDR) {
        if (a)
            netcfg_addr_delete(a);
        return a ? 0 : -EADDRNOTAVAIL;
    }
    a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->family = AF_INET6;
    a->local.v6 = a->peer.v6 = q.addr;
    a->prefix_len = (uint8_t)q.prefix_len;
    a->scope = net_scope_v6(&a->local);
    a->flags = IFA_F_PERMANENT;
    a->valid = a->preferred = UINT32_MAX;
    err = netcfg_addr_add(i, a);
    if (err < 0)
        free(a);
    return err;
}

/* ---- neighbours ---- */

static struct net_neighbour *find_neighbour(struct net_namespace *ns, uint32_t v4, int index)
{
    struct net_neighbour *n;
    list_for_each(n, &ns->neighbours, link)
        if (n->family == AF_INET && n->dst.v4 == v4 && (!index || n->interface == index))
            return n;
    return NULL;
}

static int set_neighbour(struct net_namespace *ns, const struct arpreq *q, uint32_t v4, int index)
{
    struct net_path path;
    struct net_flow flow = {.family = AF_INET, .dst.v4 = v4, .interface = index};
    int err = index ? 0 : netns_route(ns, &flow, &path);
    if (err < 0)
        return err;
    struct net_neighbour *n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->family = AF_INET;
    n->dst.v4 = v4;
    n->interface = index ? index : path.interface;
    n->address_len = NET_HW_LEN;
    memcpy(n->address, q->arp_ha.sa_data, NET_HW_LEN);
    n->state = q->arp_flags & ATF_PERM ? NUD_PERMANENT : NUD_STALE;
    n->type = RTN_UNICAST;
    struct net_neighbour *old = find_neighbour(ns, v4, n->interface);
    if (old)
        netcfg_neighbour_delete(ns, old);
    err = netcfg_neighbour_add(ns, n);
    if (err < 0)
        free(n);
    return err;
}

int net_ioctl_arp(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct arpreq q;
    struct net_interface *i = NULL;
    if (cmd != SIOCGARP && !netns_capable(s->ns, CAP_NET_ADMIN))
        return -EPERM;
    int err = get_user(&q, arg);
    if (err < 0)
        return err;
    if (q.arp_pa.sa_family != AF_INET)
        return -EPFNOSUPPORT;
    q.arp_dev[sizeof(q.arp_dev) - 1] = '\0';
    uint32_t v4 = inet_of(&q.arp_pa);
    MUTEX_GUARD(&netcfg_lock);
    if (q.arp_dev[0] && !(i = netns_interface_named(s->ns, q.arp_dev)))
        return -ENODEV;
    if (cmd == SIOCSARP)
        return set_neighbour(s->ns, &q, v4, i ? i->index : 0);
    struct net_neighbour *n = find_neighbour(s->ns, v4, i ? i->index : 0);
    if (!n)
        return -ENXIO;
    if (cmd == SIOCDARP) {
        netcfg_neighbour_delete(s->ns, n);
        return 0;
    }
    q.arp_flags = n->state & NUD_PERMANENT ? ATF_PERM | ATF_COM : ATF_COM;
    memcpy(q.arp_ha.sa_data, n->address, NET_HW_LEN);
    q.arp_ha.sa_family = ARPHRD_ETHER;
    i = netns_interface(s->ns, n->interface);
    memcpy(q.arp_dev, i ? i->name : "", i ? sizeof(i->name) : 1);
    return copy_to_user(arg, &q, sizeof(q));
}
