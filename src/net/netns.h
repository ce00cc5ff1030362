/*
 * Network namespaces: interfaces, addresses, routes, rules, neighbours and sysctls of one network.
 *
 * A task has one (current_netns()), a socket keeps a reference to the one it was made in. The
 * sandbox's first has its loopback interface up; one made by unshare(2) or clone(2) starts with it
 * down and without addresses, as on Linux.
 *
 * What the protocols ask of it:
 *
 *     netns_address_type(ns, AF_INET, &a)   RTN_LOCAL: may be bound to; RTN_BROADCAST, ...
 *     netns_route(ns, &flow, &path)         source address and interface for a destination
 *     netns_part(ns, NETNS_INET)            the protocols' own tables, made and freed with it
 *
 * Locks, in order:
 *   netcfg_lock (mutex)  one changer at a time in all namespaces; dumps. What is on the lists stays meanwhile
 *   ns->lock (spinlock)  the lists and what is in their elements: changers hold both, others this one
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "kernel/namespaces.h"
#include "net/sysctl.h"
#include "sched/mutex.h"
#include <linux/rtnetlink.h>
#include <netinet/in.h>

extern struct mutex netcfg_lock; /* [config] in the comments of fields */

#define NET_NAME_LEN 16 /* IFNAMSIZ */
#define NET_HW_LEN 6
#define NET_LOOPBACK_INDEX 1
#define NET_LIST_MAX 4096 /* routes, rules, neighbours, interfaces, addresses of an interface: -ENOBUFS beyond */

union net_address {
    uint32_t v4; /* network order */
    struct in6_addr v6;
    uint8_t bytes[16];
};

static inline unsigned net_address_len(int family)
{
    return family == AF_INET ? 4 : 16;
}

/* Each protocol's tables in a namespace. */
enum netns_part { NETNS_INET, NETNS_UNIX, NETNS_NETLINK, NETNS_PACKET, NETNS_PARTS };

struct netns_part_ops {
    int (*create)(struct net_namespace *ns, void **ret);
    void (*destroy)(void *part);
};

struct net_counters {
    _Atomic uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped, rx_multicast;
    _Atomic uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};

struct net_interface;

/* A kind of interface: "dummy", "veth". What is NULL does nothing. */
struct net_interface_ops {
    const char *kind; /* IFLA_INFO_KIND, or NULL: loopback */
    void (*destroy)(struct net_interface *i); /* off its list, config held */
    void (*changed)(struct net_interface *i); /* flags changed, config held: carrier of a peer */
    /* A bridge's: takes i as a port, lets it go; config held. NULL: none can be. */
    int (*add_port)(struct net_interface *master, struct net_interface *i);
    void (*remove_port)(struct net_interface *master, struct net_interface *i);
};

struct net_interface {
    struct refcount ref;      /* its namespace's list; whoever refers to it */
    struct net_namespace *ns; /* [config] weak; NULL once deleted */
    struct list link;         /* [ns->lock] */
    const struct net_interface_ops *ops; /* [I] */
    int index;                /* [I] */
    char name[NET_NAME_LEN];  /* [ns->lock] */
    char alias[256];          /* [ns->lock] */
    unsigned flags;           /* [ns->lock] IFF_...; without the derived ones, see netif_flags() */
    bool carrier, was_up;     /* [ns->lock] */
    uint16_t type;            /* [I] ARPHRD_... */
    uint32_t mtu, min_mtu, max_mtu, tx_queue_len, group, promiscuity; /* [ns->lock] */
    uint8_t address[NET_HW_LEN], broadcast[NET_HW_LEN], permanent[NET_HW_LEN]; /* [ns->lock] */
    struct list addresses;    /* [ns->lock] of net_ifaddr.link, IPv4 and IPv6 */
    unsigned address_count;   /* [ns->lock] */
    struct net_interface *peer;   /* [config] veth: the other end, weak */
    struct net_interface *master; /* [ns->lock] the bridge it is a port of; weak */
    void *private_data;       /* the kind's own */
    struct net_counters counters;
    struct net_conf4 conf4;   /* [a] net.ipv4.conf.NAME */
    struct net_conf6 conf6;   /* [a] net.ipv6.conf.NAME */
};

struct net_ifaddr {
    struct list link;
    struct net_interface *interface; /* [I] weak: it is on that one's list */
    int family;
    union net_address local, peer, broadcast; /* peer: the same as local but for point-to-point */
    uint8_t prefix_len, scope, protocol;
    uint32_t flags;                  /* IFA_F_... */
    uint32_t metric;                 /* of its prefix route, 0: the default */
    uint32_t valid, preferred;       /* seconds, UINT32_MAX for ever */
    int64_t created, updated;        /* monotonic ns */
    char label[NET_NAME_LEN];        /* IPv4 */
};

struct net_route {
    struct list link;
    int family;
    union net_address dst, src, gateway, preferred_source;
    uint8_t dst_len, src_len, tos, scope, type, protocol, preference;
    int gateway_family; /* 0: none */
    uint32_t table, flags, metric, mtu, advmss, hoplimit, window, rtt, initcwnd, initrwnd, quickack, cc_features;
    int interface;      /* index; 0 for those without a device (unreachable ...) */
};

struct net_rule {
    struct list link;
    int family;
    uint32_t priority, table, mark, mark_mask, flags, target;
    union net_address src, dst;
    uint8_t src_len, dst_len, tos, action, protocol, ip_protocol, l3mdev;
    char in[NET_NAME_LEN], out[NET_NAME_LEN];
    uint32_t uid_low, uid_high; /* has_uids */
    uint16_t sport_low, sport_high, dport_low, dport_high; /* high 0: none */
    int suppress_prefix_len;    /* -1: none */
    bool has_uids;
};

struct net_neighbour {
    struct list link;
    int family, interface;
    union net_address dst;
    uint8_t address[NET_HW_LEN], address_len;
    uint16_t state; /* NUD_... */
    uint8_t flags, type, protocol;
    int64_t updated;
};

struct net_namespace {
    struct ns_common common; /* references: tasks, sockets, files of /proc/PID/ns */
    uint64_t cookie;     /* [I] SO_NETNS_COOKIE */
    bool first;          /* [I] */
    struct spinlock sockets_lock;
    struct list sockets;     /* [sockets_lock] of socket.ns_link */
    _Atomic unsigned socket_count;
    struct spinlock lock;
    struct list interfaces;  /* [lock] of net_interface, by index */
    struct list routes;      /* [lock] of net_route, IPv4 and IPv6; by table, address, prefix, metric */
    struct list rules;       /* [lock] of net_rule, by priority */
    struct list neighbours;  /* [lock] */
    unsigned interface_count, route_count, rule_count, neighbour_count; /* [lock] */
    int next_index;          /* [config] */
    _Atomic uint32_t generation; /* changes with every change of the lists: who caches a path compares it */
    struct net_sysctls sysctl;   /* [a] each value */
    struct net_conf4 conf4_all, conf4_default; /* [a] */
    struct net_conf6 conf6_all, conf6_default; /* [a] */
    struct list all_link;        /* [config] */
    uint64_t *peer_cookies;      /* [config] by the numbers this one gives to others; 0: free */
    unsigned peer_count;         /* [config] */
    void *parts[NETNS_PARTS];    /* [I] */
};

/* ---- life ---- */

/* A new one has a loopback interface that is down. owner: whose capabilities rule it. */
NODISCARD int net_namespace_new(struct user_namespace *owner, struct net_namespace **ret);
struct net_namespace *net_namespace_get(struct net_namespace *ns);
void net_namespace_put(struct net_namespace *ns); /* NULL is fine */

/* The running task's, borrowed; the sandbox's first in kernel fibers. */
struct net_namespace *current_netns(void);
struct net_namespace *netns_first(void); /* borrowed */
static inline void *netns_part(struct net_namespace *ns, enum netns_part part)
{
    return ns->parts[part];
}
/* Has the running task the capability in the user namespace that rules ns? */
bool netns_capable(struct net_namespace *ns, int capability);
void netns_part_register(enum netns_part part, const struct netns_part_ops *ops); /* at boot, before netns_init() */
NODISCARD int netns_init(void); /* at boot, after the protocols registered */

/* The number by which ns knows another (RTM_GETNSID), given on first need; -1: out of memory, or the
 * same. config held. */
int netns_number(struct net_namespace *ns, const struct net_namespace *other);

/* ---- what protocols ask ---- */

/* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST or RTN_UNICAST (anything else), as a destination. */
int netns_address_type(struct net_namespace *ns, int family, const union net_address *a);
static inline bool netns_is_local(struct net_namespace *ns, int family, const union net_address *a)
{
    return netns_address_type(ns, family, a) == RTN_LOCAL;
}
/* Is `a` assigned to the interface (0: to any that is up)? The interface's index, or 0. */
int netns_address_interface(struct net_namespace *ns, int family, const union net_address *a, int index);

struct net_flow {
    int family;
    union net_address dst, src; /* src: the bound address, or zeroes */
    int interface;              /* SO_BINDTODEVICE, IP_MULTICAST_IF, scope id; 0: any */
    uint32_t mark, uid;
    uint8_t tos, ip_protocol;
    uint16_t sport, dport;
};

struct net_path {
    uint8_t type;               /* RTN_LOCAL, RTN_UNICAST, RTN_BROADCAST, RTN_MULTICAST */
    int interface;              /* it leaves by, or is received on */
    union net_address source;   /* flow->src, or the one to use */
    int gateway_family;         /* 0: on link */
    union net_address gateway;
    uint32_t mtu;               /* of the path */
    uint32_t table;             /* the route's */
    struct net_route route;     /* a copy of it; link is not valid */
};
/* -ENETUNREACH, or what the route says (-EHOSTUNREACH, -EACCES, -EINVAL). dst may not be unspecified. */
NODISCARD int netns_route(struct net_namespace *ns, const struct net_flow *flow, struct net_path *ret);

/* A packet of `bytes` has passed through the loopback interface (any). */
void netns_count_loopback(struct net_namespace *ns, size_t bytes);

/* ---- interfaces: netcfg_lock or lock held; borrowed, NULL if there is none ---- */
struct net_interface *netns_interface(struct net_namespace *ns, int index);
struct net_interface *netns_interface_named(struct net_namespace *ns, const char *name);
/* The same for those who hold nothing: 0 or -ENODEV. */
NODISCARD int netns_interface_index(struct net_namespace *ns, const char *name, int *ret);
NODISCARD int netns_interface_name(struct net_namespace *ns, int index, char ret[NET_NAME_LEN]);
