/*
 * What /proc/net, /proc/sys/net and /sys/class/net tell of a network namespace, as text. The file
 * systems know the places and whose namespace is meant.
 */
#pragma once
#include "net/netns.h"
#include "base/strbuf.h"

/* ---- /proc/net ---- */
typedef int net_show_fn(struct net_namespace *ns, struct strbuf *out);
/* A file of /proc/PID/net; NULL: there is none of that name. */
net_show_fn *net_show_find(const char *name);
net_show_fn net_show_dev, net_show_if_inet6, net_show_route, net_show_ipv6_route, net_show_arp, net_show_dev_mcast,
    net_show_igmp, net_show_igmp6, net_show_fib_trie, net_show_unix, net_show_netlink, net_show_packet, net_show_tcp,
    net_show_tcp6, net_show_udp, net_show_udp6, net_show_raw, net_show_raw6, net_show_icmp, net_show_icmp6,
    net_show_protocols, net_show_snmp, net_show_snmp6, net_show_sockstat, net_show_sockstat6, net_show_netstat,
    net_show_psched, net_show_ptype, net_show_softnet_stat, net_show_rt_cache;

/* ---- /proc/sys/net: rows are numbered; a name of -1 ends the list ---- */
enum net_sysctl_folder { NET_FOLDER_CORE, NET_FOLDER_UNIX, NET_FOLDER_IPV4, NET_FOLDER_IPV6 };
/* Row `n` of the list, in no order: its name, or NULL beyond the end. */
const char *net_sysctl_name(unsigned n, enum net_sysctl_folder *ret_folder);
int net_sysctl_show(struct net_namespace *ns, unsigned n, struct strbuf *out);
NODISCARD int net_sysctl_write(struct net_namespace *ns, unsigned n, const char *text);

/* net.ipv4.conf and net.ipv6.conf: values of "all", "default" or of an interface. */
#define NET_CONF_ALL 0x7ffffffe
#define NET_CONF_DEFAULT 0x7fffffff
const char *net_conf_name(int family, unsigned n);
int net_conf_show(struct net_namespace *ns, int family, int of, unsigned n, struct strbuf *out); /* -ENOENT */
NODISCARD int net_conf_write(struct net_namespace *ns, int family, int of, unsigned n, const char *text);

/* ---- /sys/class/net ---- */
/* The first interface whose index is at least `from`: its index and name, or -ENOENT. */
NODISCARD int net_next_interface(struct net_namespace *ns, int from, int *ret_index, char ret_name[NET_NAME_LEN]);
int net_link_show(struct net_namespace *ns, int index, const char *file, struct strbuf *out); /* -ENOENT, -EINVAL */
NODISCARD int net_link_write(struct net_namespace *ns, int index, const char *file, const char *text);
