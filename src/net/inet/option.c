/*
 * Options of IPPROTO_IP and IPPROTO_IPV6: ip(7), ipv6(7). Tables for those that are a flag or a number within
 * bounds; memberships are in multicast.c.
 */
#include "net/inet/inet.h"
#include "net/netns.h"
#include <limits.h>
#include <linux/capability.h>
#include <linux/ipv6.h>
#include <string.h>

#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884 26
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define ADDR_PREFERENCES_DEFAULT 0x500 /* IPV6_PREFER_SRC_PUBTMP_DEFAULT | IPV6_PREFER_SRC_HOME */

void inet_options_init(struct inet_options *o)
{
    o->flags = 1ULL << IF_MULTICAST_LOOP | 1ULL << IF_MULTICAST_ALL | 1ULL << IF6_MULTICAST_LOOP |
               1ULL << IF6_MULTICAST_ALL | 1ULL << IF6_AUTOFLOWLABEL;
    if (current_netns()->sysctl.ipv6_bindv6only)
        o->flags |= 1ULL << IF6_ONLY;
    o->ttl = o->hops6 = -1;
    o->multicast_ttl = o->multicast_hops6 = 1;
    o->mtu_discover = IP_PMTUDISC_WANT;
    o->mtu_discover6 = IPV6_PMTUDISC_WANT;
}

int inet_option_give(const void *from, size_t size, void *value, socklen_t *len)
{
    *len = (socklen_t)MIN((size_t)*len, size);
    memcpy(value, from, *len);
    return 0;
}

int inet_option_give_int(int v, void *value, socklen_t *len)
{
    return inet_option_give(&v, sizeof(v), value, len);
}

/* ---- flags ---- */

enum need { NEED_NOTHING, NEED_RAW_SOCKET, NEED_DATAGRAMS, NEED_CAPABILITY, NEED_0_OR_1 };

struct flag_option {
    int option;
    enum inet_flag flag;
    enum need need;
};

static const struct flag_option flags4[] = {
    {IP_PKTINFO, IF_PKTINFO, NEED_NOTHING},
    {IP_RECVTTL, IF_RECVTTL, NEED_NOTHING},
    {IP_RECVTOS, IF_RECVTOS, NEED_NOTHING},
    {IP_RECVOPTS, IF_RECVOPTS, NEED_NOTHING},
    {IP_RETOPTS, IF_RETOPTS, NEED_NOTHING},
    {IP_RECVERR, IF_RECVERR, NEED_NOTHING},
    {IP_RECVORIGDSTADDR, IF_RECVORIGDSTADDR, NEED_NOTHING},
    {IP_HDRINCL, IF_HDRINCL, NEED_RAW_SOCKET},
    {IP_FREEBIND, IF_FREEBIND, NEED_NOTHING},
    {IP_TRANSPARENT, IF_TRANSPARENT, NEED_CAPABILITY},
    {IP_MULTICAST_LOOP, IF_MULTICAST_LOOP, NEED_NOTHING},
    {IP_MULTICAST_ALL, IF_MULTICAST_ALL, NEED_0_OR_1},
    {IP_NODEFRAG, IF_NODEFRAG, NEED_RAW_SOCKET},
    {IP_BIND_ADDRESS_NO_PORT, IF_BIND_NO_PORT, NEED_NOTHING},
    {IP_CHECKSUM, IF_CHECKSUM, NEED_NOTHING},
    {IP_RECVFRAGSIZE, IF_RECVFRAGSIZE, NEED_DATAGRAMS},
    {IP_RECVERR_RFC4884, IF_RECVERR_RFC4884, NEED_0_OR_1},
};

static const struct flag_option flags6[] = {
    {IPV6_RECVPKTINFO, IF6_PKTINFO, NEED_NOTHING},
    {IPV6_RECVHOPLIMIT, IF6_HOPLIMIT, NEED_NOTHING},
    {IPV6_RECVTCLASS, IF6_TCLASS, NEED_NOTHING},
    {IPV6_RECVRTHDR, IF6_RTHDR, NEED_NOTHING},
    {IPV6_RECVHOPOPTS, IF6_HOPOPTS, NEED_NOTHING},
    {IPV6_RECVDSTOPTS, IF6_DSTOPTS, NEED_NOTHING},
    {IPV6_RECVERR, IF6_RECVERR, NEED_NOTHING},
    {IPV6_RECVORIGDSTADDR, IF6_ORIGDSTADDR, NEED_NOTHING},
    {IPV6_MULTICAST_LOOP, IF6_MULTICAST_LOOP, NEED_0_OR_1},
    {IPV6_MULTICAST_ALL, IF6_MULTICAST_ALL, NEED_0_OR_1},
    {IPV6_DONTFRAG, IF6_DONTFRAG, NEED_NOTHING},
    {IPV6_RECVPATHMTU, IF6_PATHMTU, NEED_NOTHING},
    {IPV6_FLOWINFO, IF6_FLOWINFO, NEED_NOTHING},
    {IPV6_FLOWINFO_SEND, IF6_FLOWINFO_SEND, NEED_NOTHING},
    {IPV6_AUTOFLOWLABEL, IF6_AUTOFLOWLABEL, NEED_NOTHING},
    {IPV6_RECVFRAGSIZE, IF6_RECVFRAGSIZE, NEED_NOTHING},
    {IPV6_2292PKTINFO, IF6_OLD_PKTINFO, NEED_NOTHING},
    {IPV6_2292HOPLIMIT, IF6_OLD_HOPLIMIT, NEED_NOTHING},
    {IPV6_2292RTHDR, IF6_OLD_RTHDR, NEED_NOTHING},
    {IPV6_2292HOPOPTS, IF6_OLD_HOPOPTS, NEED_NOTHING},
    {IPV6_2292DSTOPTS, IF6_OLD_DSTOPTS, NEED_NOTHING},
    {IPV6_ROUTER_ALERT_ISOLATE, IF6_ROUTER_ALERT_ISOLATE, NEED_NOTHING},
    {IPV6_TRANSPARENT, IF_TRANSPARENT, NEED_CAPABILITY},
    {IPV6_FREEBIND, IF_FREEBIND, NEED_NOTHING},
};

static const struct flag_option *find_flag(int level, int option)
{
    const struct flag_option *table = level == IPPROTO_IP ? flags4 : flags6;
    size_t count = level == IPPROTO_IP ? ARRAY_SIZE(flags4) : ARRAY_SIZE(flags6);
    for (size_t i = 0; i < count; i++)
        if (table[i].option == option)
            return &table[i];
    return NULL;
}

static int check_need(struct inet_socket *i, enum need need, int value)
{
    switch (need) {
    case NEED_RAW_SOCKET:
        return i->socket.type == SOCK_RAW ? 0 : -ENOPROTOOPT;
    case NEED_DATAGRAMS:
        return i->socket.type != SOCK_STREAM ? 0 : -EINVAL;
    case NEED_CAPABILITY:
        return !value || inet_capable(i->net, CAP_NET_RAW) || inet_capable(i->net, CAP_NET_ADMIN) ? 0 : -EPERM;
    case NEED_0_OR_1:
        return value == 0 || value == 1 ? 0 : -EINVAL;
    default:
        return 0;
    }
}

static void change_flag(struct inet_socket *i, enum inet_flag flag, bool on)
{
    if (on)
        atomic_fetch_or(&i->options.flags, 1ULL << flag);
    else
        atomic_fetch_and(&i->options.flags, ~(1ULL << flag));
}

static int set_flag(struct inet_socket *i, const struct flag_option *f, int value)
{
    int err = check_need(i, f->need, value);
    if (err == 0)
        change_flag(i, f->flag, value != 0);
    return err;
}

/* ---- numbers ---- */

static const struct number_option {
    int level, option;
    size_t offset;
    int min, max;
    int instead_of_minus_1; /* what -1 stands for */
    bool datagrams_only;
} numbers[] = {
#define NUMBER(level, option, field, ...) {level, option, offsetof(struct inet_options, field), __VA_ARGS__}
    NUMBER(IPPROTO_IP, IP_MTU_DISCOVER, mtu_discover, 0, IP_PMTUDISC_OMIT, 0, false),
    NUMBER(IPPROTO_IP, IP_MULTICAST_TTL, multicast_ttl, -1, 255, 1, true),
    NUMBER(IPPROTO_IP, IP_MINTTL, min_ttl, 0, 255, 0, false),
    NUMBER(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops6, -1, 255, -1, false),
    NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, multicast_hops6, -1, 255, 1, true),
    NUMBER(IPPROTO_IPV6, IPV6_MTU_DISCOVER, mtu_discover6, 0, IPV6_PMTUDISC_OMIT, 0, false),
    NUMBER(IPPROTO_IPV6, IPV6_TCLASS, tclass6, -1, 255, 0, false),
    NUMBER(IPPROTO_IPV6, IPV6_MINHOPCOUNT, min_hops6, 0, 255, 0, false),
#undef NUMBER
};

static const struct number_option *find_number(int level, int option)
{
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i].level == level && numbers[i].option == option)
            return &numbers[i];
    return NULL;
}

static int set_number(struct inet_socket *i, const struct number_option *n, int value)
{
    if (n->datagrams_only && i->socket.type == SOCK_STREAM)
        return n->level == IPPROTO_IP ? -EINVAL : -ENOPROTOOPT;
    if (value < n->min || value > n->max)
        return -EINVAL;
    *(_Atomic int *)((char *)&i->options + n->offset) = value == -1 ? n->instead_of_minus_1 : value;
    return 0;
}

/* ---- IPv4's others ---- */

static int set_ttl(struct inet_socket *i, int value, socklen_t len)
{
    if (len < 1 || (value != -1 && (value < 1 || value > 255)))
        return -EINVAL;
    i->options.ttl = value;
    return 0;
}

static int set_tos(struct inet_socket *i, int value)
{
    if (i->socket.type == SOCK_STREAM)
        value = (value & ~3) | (i->options.tos & 3); /* the ECN bits are TCP's own */
    i->options.tos = value & 0xff;
    return 0;
}

static int set_interface(struct inet_socket *i, _Atomic int *field, int number)
{
    char name[NET_NAME_LEN];
    if (number && inet_interface_name(i->net, number, name) < 0)
        return -ENODEV;
    if (number && i->device && i->device != number)
        return -EINVAL;
    *field = number;
    return 0;
}

/* IP_UNICAST_IF and IPV6_UNICAST_IF: the number is in network order. */
static int set_unicast_if(struct inet_socket *i, _Atomic int *field, int value)
{
    char name[NET_NAME_LEN];
    int number = (int)be32toh((uint32_t)value);
    if (number && inet_interface_name(i->net, number, name) < 0)
        return -EADDRNOTAVAIL;
    if (number && i->device)
        return -EINVAL;
    *field = number;
    return 0;
}

static int set_port_range(struct inet_socket *i, const void *value, socklen_t len)
{
    uint32_t range;
    if (len != sizeof(range))
        return -EINVAL;
    memcpy(&range, value, sizeof(range));
    int low = (int)(range & 0xffff), high = (int)(range >> 16);
    if (low && high && low > high)
        return -EINVAL;
    i->options.local_port_low = low;
    i->options.local_port_high = high;
    return 0;
}

static int set_other4(struct inet_socket *i, int option, int number, const void *value, socklen_t len)
{
    switch (option) {
    case IP_TTL:
        return set_ttl(i, number, len);
    case IP_TOS:
        return set_tos(i, number);
    case IP_UNICAST_IF:
        return len == sizeof(int) ? set_unicast_if(i, &i->options.unicast_if, number) : -EINVAL;
    case IP_LOCAL_PORT_RANGE:
        return set_port_range(i, value, len);
    case IP_OPTIONS:
        return len == 0 ? 0 : -EINVAL; /* DEVIATION: no options are sent */
    case IP_ROUTER_ALERT:
        return i->socket.type == SOCK_RAW ? 0 : -EINVAL;
    case IP_IPSEC_POLICY:
    case IP_XFRM_POLICY:
        return inet_capable(i->net, CAP_NET_ADMIN) ? -ENOPROTOOPT : -EPERM;
    default:
        return -ENOPROTOOPT;
    }
}

static int set4(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    int number = 0;
    const struct flag_option *f = find_flag(IPPROTO_IP, option);
    const struct number_option *n = find_number(IPPROTO_IP, option);
    if (len >= sizeof(int))
        memcpy(&number, value, sizeof(number));
    else if (len >= 1)
        number = *(const unsigned char *)value;
    if (f)
        return set_flag(i, f, number);
    if (n)
        return len >= 1 ? set_number(i, n, number) : -EINVAL;
    return set_other4(i, option, number, value, len);
}

/* ---- IPv6's others ---- */

static int set_v6only(struct inet_socket *i, int value)
{
    if (i->owner.port)
        return -EINVAL;
    change_flag(i, IF6_ONLY, value != 0);
    return 0;
}

static int set_other6(struct inet_socket *i, int option, int number)
{
    switch (option) {
    case IPV6_V6ONLY:
        return set_v6only(i, number);
    case IPV6_MULTICAST_IF:
        return i->socket.type == SOCK_STREAM ? -ENOPROTOOPT : set_interface(i, &i->options.multicast_if6, number);
    case IPV6_UNICAST_IF:
        return set_unicast_if(i, &i->options.unicast_if6, number);
    case IPV6_MTU:
        return number && number < 1280 ? -EINVAL : 0;
    case IPV6_ADDR_PREFERENCES:
        i->options.addr_preferences = number;
        return 0;
    case IPV6_IPSEC_POLICY:
    case IPV6_XFRM_POLICY:
        return inet_capable(i->net, CAP_NET_ADMIN) ? -ENOPROTOOPT : -EPERM;
    default:
        return -ENOPROTOOPT;
    }
}

static bool is_header_option(int option)
{
    return option == IPV6_RTHDR || option == IPV6_HOPOPTS || option == IPV6_DSTOPTS || option == IPV6_RTHDRDSTOPTS ||
           option == IPV6_2292PKTOPTIONS;
}

static int set6(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    int number;
    const struct flag_option *f = find_flag(IPPROTO_IPV6, option);
    const struct number_option *n = find_number(IPPROTO_IPV6, option);
    if (is_header_option(option))
        return len == 0 ? 0 : inet_capable(i->net, CAP_NET_RAW) ? -EINVAL : -EPERM;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    if (f)
        return set_flag(i, f, number);
    return n ? set_number(i, n, number) : set_other6(i, option, number);
}

/* ---- SOL_SOCKET's that concern interfaces ---- */

static int bind_to_device(struct inet_socket *i, int number)
{
    if (i->device && i->device != number && !inet_capable(i->net, CAP_NET_RAW))
        return -EPERM;
    i->device = number;
    return 0;
}

static int set_device(struct inet_socket *i, int option, const void *value, socklen_t len)
{
    char name[NET_NAME_LEN] = {0};
    int number = 0;
    if (option == SO_BINDTOIFINDEX) {
        if (len < sizeof(number))
            return -EINVAL;
        memcpy(&number, value, sizeof(number));
        if (number < 0)
            return -EINVAL;
        return bind_to_device(i, number);
    }
    memcpy(name, value, MIN((size_t)len, sizeof(name) - 1));
    if (name[0] && inet_interface_number(i->net, name, &number) < 0)
        return -ENODEV;
    return bind_to_device(i, number);
}

static int give_device(struct inet_socket *i, int option, void *value, socklen_t *len)
{
    char name[NET_NAME_LEN] = {0};
    if (option == SO_BINDTOIFINDEX)
        return inet_option_give_int(i->device, value, len);
    if (!i->device) {
        *len = 0;
        return 0;
    }
    if (*len < NET_NAME_LEN)
        return -EINVAL;
    int err = inet_interface_name(i->net, i->device, name);
    return err < 0 ? err : inet_option_give(name, strlen(name) + 1, value, len);
}

/* ---- the two verbs ---- */

int inet_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    struct inet_socket *i = inet_of(s);
    if (level == SOL_SOCKET)
        return option == SO_BINDTODEVICE || option == SO_BINDTOIFINDEX ? set_device(i, option, value, len)
                                                                          : -ENOPROTOOPT;
    if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !inet_is6(i)))
        return -ENOPROTOOPT;
    int err = inet_multicast_set(i, level, option, value, len);
    if (err != -ENOPROTOOPT)
        return err;
    return level == IPPROTO_IP ? set4(i, option, value, len) : set6(i, option, value, len);
}

static int give_mtu(struct inet_socket *i, void *value, socklen_t *len)
{
    if (i->state != TCP_ESTABLISHED && i->state != TCP_CLOSE_WAIT)
        return -ENOTCONN;
    return inet_option_give_int(inet_is_v4(&i->pair.remote.addr) ? LOOPBACK_MTU - 1 : LOOPBACK_MTU, value, len);
}

static int get_other(struct inet_socket *i, int level, int option, int *ret)
{
    switch (level == IPPROTO_IP ? option : option | 1 << 16) {
    case IP_TTL:
        *ret = i->options.ttl >= 0 ? i->options.ttl : i->net->ns->sysctl.ip_default_ttl;
        return 0;
    case IP_TOS:
        *ret = i->options.tos;
        return 0;
    case IP_ROUTER_ALERT:
    case IP_PASSSEC:
        *ret = 0;
        return 0;
    case IP_MSFILTER:
    case MCAST_MSFILTER:
        return -EINVAL;
    case IP_UNICAST_IF:
        *ret = (int)htobe32((uint32_t)i->options.unicast_if);
        return 0;
    case IP_LOCAL_PORT_RANGE:
        *ret = i->options.local_port_low | i->options.local_port_high << 16;
        return 0;
    case IPV6_V6ONLY | 1 << 16:
        *ret = inet_flag_get(i, IF6_ONLY);
        return 0;
    case IPV6_MULTICAST_IF | 1 << 16:
        *ret = i->options.multicast_if6;
        return 0;
    case IPV6_UNICAST_IF | 1 << 16:
        *ret = (int)htobe32((uint32_t)i->options.unicast_if6);
        return 0;
    case IPV6_ADDR_PREFERENCES | 1 << 16:
        *ret = i->options.addr_preferences ? (int)i->options.addr_preferences : ADDR_PREFERENCES_DEFAULT;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_known(struct inet_socket *i, int level, int option, int *ret)
{
    const struct flag_option *f = find_flag(level, option);
    const struct number_option *n = find_number(level, option);
    if (f)
        *ret = inet_flag_get(i, f->flag);
    else if (n)
        *ret = *(_Atomic int *)((char *)&i->options + n->offset);
    if (n && option == IPV6_UNICAST_HOPS && level == IPPROTO_IPV6 && *ret < 0)
        *ret = 64;
    return f || n ? 0 : get_other(i, level, option, ret);
}

/* A small value fits into one byte, if that is the room there is: as IPv4 has it on Linux. */
static int give_number4(int number, void *value, socklen_t *len)
{
    if (*len > 0 && *len < sizeof(int) && number >= 0 && number <= 255) {
        *len = 1;
        *(unsigned char *)value = (unsigned char)number;
        return 0;
    }
    return inet_option_give_int(number, value, len);
}

int inet_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    struct inet_socket *i = inet_of(s);
    int number;
    if (level == SOL_SOCKET)
        return option == SO_BINDTODEVICE || option == SO_BINDTOIFINDEX ? give_device(i, option, value, len)
                                                                          : -ENOPROTOOPT;
    if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !inet_is6(i)))
        return inet_is6(i) ? -ENOPROTOOPT : -EOPNOTSUPP;
    int err = inet_multicast_get(i, level, option, value, len);
    if (err != -ENOPROTOOPT)
        return err;
    if (level == IPPROTO_IP ? option == IP_MTU : option == IPV6_MTU)
        return give_mtu(i, value, len);
    if ((level == IPPROTO_IP && option == IP_OPTIONS) || (level == IPPROTO_IPV6 && is_header_option(option))) {
        *len = 0;
        return 0;
    }
    err = get_known(i, level, option, &number);
    if (err < 0)
        return err;
    return level == IPPROTO_IP ? give_number4(number, value, len) : inet_option_give_int(number, value, len);
}
