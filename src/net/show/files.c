/* The files of /proc/net by name. See show.h. */
#include "net/show.h"
#include <string.h>

static const struct {
    const char *name;
    net_show_fn *show;
} files[] = {
    {"arp", net_show_arp},
    {"dev", net_show_dev},
    {"dev_mcast", net_show_dev_mcast},
    {"fib_trie", net_show_fib_trie},
    {"icmp", net_show_icmp},
    {"icmp6", net_show_icmp6},
    {"if_inet6", net_show_if_inet6},
    {"igmp", net_show_igmp},
    {"igmp6", net_show_igmp6},
    {"ipv6_route", net_show_ipv6_route},
    {"netlink", net_show_netlink},
    {"netstat", net_show_netstat},
    {"packet", net_show_packet},
    {"protocols", net_show_protocols},
    {"psched", net_show_psched},
    {"ptype", net_show_ptype},
    {"raw", net_show_raw},
    {"raw6", net_show_raw6},
    {"route", net_show_route},
    {"rt_cache", net_show_rt_cache},
    {"snmp", net_show_snmp},
    {"snmp6", net_show_snmp6},
    {"sockstat", net_show_sockstat},
    {"sockstat6", net_show_sockstat6},
    {"softnet_stat", net_show_softnet_stat},
    {"tcp", net_show_tcp},
    {"tcp6", net_show_tcp6},
    {"udp", net_show_udp},
    {"udp6", net_show_udp6},
    {"unix", net_show_unix},
};

net_show_fn *net_show_find(const char *name)
{
    for (size_t f = 0; f < ARRAY_SIZE(files); f++)
        if (strcmp(files[f].name, name) == 0)
            return files[f].show;
    return NULL;
}
