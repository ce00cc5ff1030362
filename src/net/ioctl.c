/* Requests about interfaces on any socket. See ioctl.h. */
#include "net/ioctl.h"
#include "mm/uaccess.h"
#include "net/config/config.h"
#include <linux/capability.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(sizeof(struct ifreq) == 40, "the ABI's");

/* "eth0:1" names an address of eth0. */
static void cut_label(char name[NET_NAME_LEN])
{
    char *colon = strchr(name, ':');
    if (colon)
        *colon = '\0';
}

/* ---- asking: ns->lock held ---- */

static int get_locked(const struct net_interface *i, unsigned cmd, struct ifreq *r)
{
    switch (cmd) {
    case SIOCGIFFLAGS:
        r->ifr_flags = (short)(netif_flags(i) & 0xffff);
        return 0;
    case SIOCGIFMETRIC:
        r->ifr_metric = 0;
        return 0;
    case SIOCGIFMTU:
        r->ifr_mtu = (int)i->mtu;
        return 0;
    case SIOCGIFHWADDR:
        memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
        memcpy(r->ifr_hwaddr.sa_data, i->address, NET_HW_LEN);
        r->ifr_hwaddr.sa_family = i->type;
        return 0;
    case SIOCGIFMAP:
        memset(&r->ifr_map, 0, sizeof(r->ifr_map));
        return 0;
    case SIOCGIFINDEX:
        r->ifr_ifindex = i->index;
        return 0;
    case SIOCGIFTXQLEN:
        r->ifr_qlen = (int)i->tx_queue_len;
        return 0;
    default: /* SIOCGIFSLAVE */
        return -EINVAL;
    }
}

static int get_request(struct net_namespace *ns, unsigned cmd, struct ifreq *r)
{
    if (cmd == SIOCGIFNAME)
        return netns_interface_name(ns, r->ifr_ifindex, r->ifr_name);
    char name[NET_NAME_LEN];
    memcpy(name, r->ifr_name, sizeof(name));
    cut_label(name);
    spin_lock(&ns->lock);
    struct net_interface *i = netns_interface_named(ns, name);
    int err = i ? get_locked(i, cmd, r) : -ENODEV;
    spin_unlock(&ns->lock);
    return err;
}

/* ---- setting: config held ---- */

static int set_hardware(struct net_interface *i, const struct sockaddr *a, bool broadcast)
{
    if (a->sa_family != i->type)
        return -EINVAL;
    if (i->flags & IFF_LOOPBACK)
        return broadcast ? -EINVAL : -EOPNOTSUPP;
    if (!broadcast && (a->sa_data[0] & 1))
        return -EADDRNOTAVAIL;
    spin_lock(&i->ns->lock);
    memcpy(broadcast ? i->broadcast : i->address, a->sa_data, NET_HW_LEN);
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
    return 0;
}

static int set_queue_length(struct net_interface *i, int len)
{
    if (len < 0)
        return -EINVAL;
    spin_lock(&i->ns->lock);
    i->tx_queue_len = (uint32_t)len;
    spin_unlock(&i->ns->lock);
    netcfg_link_changed(i, 0);
    return 0;
}

static int set_locked(struct net_interface *i, unsigned cmd, struct ifreq *r)
{
    switch (cmd) {
    case SIOCSIFFLAGS:
        return netcfg_link_flags(i, (unsigned)(uint16_t)r->ifr_flags, UINT32_MAX);
    case SIOCSIFMETRIC:
        return -EOPNOTSUPP;
    case SIOCSIFMTU:
        return r->ifr_mtu < 0 ? -EINVAL : netcfg_link_mtu(i, (uint32_t)r->ifr_mtu);
    case SIOCSIFHWADDR:
    case SIOCSIFHWBROADCAST:
        return set_hardware(i, &r->ifr_hwaddr, cmd == SIOCSIFHWBROADCAST);
    case SIOCSIFTXQLEN:
        return set_queue_length(i, r->ifr_qlen);
    case SIOCSIFNAME:
        r->ifr_newname[NET_NAME_LEN - 1] = '\0';
        return netcfg_link_rename(i, r->ifr_newname);
    case SIOCADDMULTI:
    case SIOCDELMULTI:
        return r->ifr_hwaddr.sa_family != AF_UNSPEC ? -EINVAL : -EOPNOTSUPP;
    default: /* SIOCSIFMAP, SIOCSIFSLAVE ... */
        return -EOPNOTSUPP;
    }
}

static int set_request(struct net_namespace *ns, unsigned cmd, struct ifreq *r)
{
    if (!netns_capable(ns, CAP_NET_ADMIN))
        return -EPERM;
    MUTEX_GUARD(&netcfg_lock);
    cut_label(r->ifr_name);
    struct net_interface *i = netns_interface_named(ns, r->ifr_name);
    return i ? set_locked(i, cmd, r) : -ENODEV;
}

/* ---- which is which ---- */

enum request { REQUEST_NONE, REQUEST_GET, REQUEST_SET };

static enum request kind_of(unsigned cmd)
{
    switch (cmd) {
    case SIOCGIFNAME:
    case SIOCGIFFLAGS:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFHWADDR:
    case SIOCGIFSLAVE:
    case SIOCGIFMAP:
    case SIOCGIFINDEX:
    case SIOCGIFTXQLEN:
        return REQUEST_GET;
    case SIOCSIFFLAGS:
    case SIOCSIFMETRIC:
    case SIOCSIFMTU:
    case SIOCSIFHWADDR:
    case SIOCSIFHWBROADCAST:
    case SIOCSIFSLAVE:
    case SIOCSIFMAP:
    case SIOCADDMULTI:
    case SIOCDELMULTI:
    case SIOCSIFTXQLEN:
    case SIOCSIFNAME:
    case SIOCETHTOOL:
        return REQUEST_SET;
    default:
        return REQUEST_NONE;
    }
}

static int64_t with_ifreq(struct socket *s, unsigned cmd, uaddr_t arg, bool inet)
{
    struct ifreq r;
    int err = get_user(&r, arg);
    if (err < 0)
        return err;
    r.ifr_name[NET_NAME_LEN - 1] = '\0';
    if (inet)
        err = net_ioctl_inet_address(s, cmd, &r);
    else if (kind_of(cmd) == REQUEST_GET)
        err = get_request(s->ns, cmd, &r);
    else
        err = set_request(s->ns, cmd, &r);
    bool answers = cmd == SIOCGIFNAME || (cmd >= SIOCGIFFLAGS && cmd <= SIOCGIFMAP + 2);
    return err < 0 || !answers ? err : copy_to_user(arg, &r, sizeof(r));
}

static int64_t inet_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    if (net_ioctl_is_inet(cmd))
        return with_ifreq(s, cmd, arg, true);
    switch (cmd) {
    case SIOCADDRT:
    case SIOCDELRT:
        return net_ioctl_route(s, cmd, arg);
    case SIOCGARP:
    case SIOCSARP:
    case SIOCDARP:
        return net_ioctl_arp(s, cmd, arg);
    default:
        return -ENOTTY;
    }
}

int64_t net_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    if (cmd == SIOCGIFCONF)
        return net_ioctl_ifconf(s, arg);
    if (kind_of(cmd) != REQUEST_NONE)
        return with_ifreq(s, cmd, arg, false);
    if (s->domain == AF_INET)
        return inet_ioctl(s, cmd, arg);
    if (s->domain != AF_INET6)
        return -ENOTTY;
    switch (cmd) {
    case SIOCADDRT:
    case SIOCDELRT:
        return net_ioctl_route6(s, cmd, arg);
    case SIOCSIFADDR:
    case SIOCDIFADDR:
        return net_ioctl_address6(s, cmd, arg);
    case SIOCSIFDSTADDR:
        return -EINVAL;
    default:
        return -ENOTTY;
    }
}
