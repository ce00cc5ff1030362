/*
 * AF_INET and AF_INET6 inside the sandbox: ip(7), ipv6(7).
 *
 *     inet.c       creation, names, what all protocols share
 *     address.c    addresses: sockaddr_in and sockaddr_in6 in and out, one form inside
 *     port.c       the tables of ports and of connected pairs: bind rules, ephemeral ports
 *     find.c       who gets what arrives at an address and port
 *     route.c      which addresses are ours, which one we send from; the seam to namespaces and to the outside
 *     option.c     options of IPPROTO_IP and IPPROTO_IPV6; multicast.c: memberships
 *     packet.c     queues of datagrams, their control messages, the queue of errors
 *     each.c       the walk over all sockets, for /proc/net and sock_diag
 *     tcp*.c, queue.c   TCP; tcp.h
 *     udp.c, raw.c      UDP; ICMP echo sockets and raw sockets
 *     backend.h    who carries what is not for us
 *
 * Nothing on the way between two sockets in here is a packet on a wire: a sender finds the receiver and puts the
 * bytes into its queue. An address has one form inside, 16 bytes; IPv4 ones are IPv4-mapped (::ffff:a.b.c.d), so
 * the two families meet in dual-stack sockets without translation.
 *
 * Locks, in order:
 *   i->send_lock (mutex)      one sender, or one bind, connect, listen, disconnect at a time
 *   i->receive_lock (mutex)   one receiver at a time
 *   table->lock (spinlock)    ports and pairs of one protocol in one namespace
 *   i->lock (spinlock)        a socket's state and queues; of two sockets the one at the lower address first
 *   queue locks of wait queues
 */
#pragma once
#include "base/base.h"
#include "net/socket.h"
#include <netinet/in.h>

struct inet_membership;
struct inet_outside;
struct net_namespace;
struct socket_filter;

#define PORT_BUCKETS 256
#define PAIR_BUCKETS 2048

/* ---- addresses ---- */

struct inet_endpoint {
    struct in6_addr addr;
    uint16_t port;  /* host order */
    uint32_t scope; /* interface of a link-local address, or 0 */
};

static inline bool inet_is_v4(const struct in6_addr *a)
{
    return IN6_IS_ADDR_V4MAPPED(a);
}
static inline uint32_t inet_v4(const struct in6_addr *a) /* host order */
{
    return be32toh(a->s6_addr32[3]);
}
static inline bool inet_same(const struct in6_addr *a, const struct in6_addr *b)
{
    return IN6_ARE_ADDR_EQUAL(a, b);
}
bool inet_is_any(const struct in6_addr *a);       /* 0.0.0.0 or :: */
bool inet_is_multicast(const struct in6_addr *a);
bool inet_is_broadcast(const struct in6_addr *a); /* 255.255.255.255 and lo's */
bool inet_is_loopback(const struct in6_addr *a);
struct in6_addr inet_from_v4(uint32_t host_order);
extern const struct in6_addr inet_any4;           /* ::ffff:0.0.0.0 */

/* ---- tables ---- */

struct inet_node {
    struct inet_node *next, **link; /* [table] link: where we are pointed to from; NULL when on no list */
};
void inet_node_add(struct inet_node **head, struct inet_node *n);
void inet_node_del(struct inet_node *n);

/* A local port in use. */
struct inet_port {
    struct inet_node node;
    uint16_t number;       /* [I] */
    unsigned bound;        /* [table] owners that were bound on purpose, not by connect(2) */
    unsigned listeners;    /* [table] so many owners at the front of the list listen */
    struct list owners;    /* [table] of inet_owner.link */
};

/* Who has a local port: a socket, or what is left of one in TIME_WAIT. */
struct inet_owner {
    struct list link;            /* [table] */
    struct inet_port *port;      /* [table] NULL: none */
    struct inet_socket *socket;  /* [I] or NULL */
    struct in6_addr addr;        /* [table] the bound address */
    uint32_t uid;                /* [table] */
    int device;                  /* [table] when there is no socket */
    uint8_t families;            /* [table] INET_V4 | INET_V6: what it would receive if it is bound to any */
    bool on_purpose, listening;
    bool reuse_address, reuse_port; /* [table] when there is no socket */
};
#define INET_V4 1
#define INET_V6 2

/* A connected pair of addresses and ports, each pair once in a namespace. */
struct inet_pair {
    struct inet_node node;
    struct inet_endpoint local, remote; /* [table] */
    int64_t waiting_since;              /* [table] of TIME_WAIT, else 0 */
};

struct inet_table {
    struct spinlock lock;
    struct inet_node *ports[PORT_BUCKETS];
    struct inet_node *pairs[PAIR_BUCKETS];
    uint32_t next_port;                 /* [lock] where the search for a free port goes on */
    struct list remains;                /* [lock] TIME_WAIT, oldest first: timewait.c */
    unsigned remains_count;
};

enum inet_table_kind { TABLE_TCP, TABLE_UDP, TABLE_UDPLITE, TABLE_PING, TABLE_COUNT };

/* What /proc/net/snmp counts; only ever grows. */
struct inet_counters {
    _Atomic uint64_t tcp_active, tcp_passive, tcp_attempt_fails, tcp_resets, tcp_in, tcp_out, tcp_out_resets;
    _Atomic uint64_t udp_in, udp_no_ports, udp_errors, udp_out, udp_receive_overflows;
    _Atomic uint64_t icmp_in, icmp_out, icmp_in_echos, icmp_out_unreachable;
};

/* The internet protocols of one network namespace. */
struct inet_net {
    struct net_namespace *ns;           /* [I] weak: it owns us */
    struct inet_table tables[TABLE_COUNT];
    _Atomic unsigned raw_sockets;       /* open: nobody looks for them while there are none */
    struct inet_counters counters;
    struct inet_backend *backend;       /* [a] who carries what is not for us, or NULL */
};

/* ---- sockets ---- */

/* Linux's numbers; a connected UDP socket is TCP_ESTABLISHED there too. */
enum inet_state {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
};

/* IPPROTO_IP and IPPROTO_IPV6 options that are yes or no: bits of inet_options.flags. */
enum inet_flag {
    IF_PKTINFO, IF_RECVTTL, IF_RECVTOS, IF_RECVOPTS, IF_RETOPTS, IF_RECVERR, IF_RECVORIGDSTADDR, IF_HDRINCL,
    IF_FREEBIND, IF_TRANSPARENT, IF_MULTICAST_LOOP, IF_MULTICAST_ALL, IF_NODEFRAG, IF_BIND_NO_PORT, IF_CHECKSUM,
    IF_RECVFRAGSIZE, IF6_ONLY, IF6_PKTINFO, IF6_HOPLIMIT, IF6_TCLASS, IF6_RTHDR, IF6_HOPOPTS, IF6_DSTOPTS,
    IF6_RECVERR, IF6_ORIGDSTADDR, IF6_MULTICAST_LOOP, IF6_MULTICAST_ALL, IF6_DONTFRAG, IF6_PATHMTU, IF6_FLOWINFO,
    IF6_FLOWINFO_SEND, IF6_AUTOFLOWLABEL, IF6_RECVFRAGSIZE, IF6_OLD_PKTINFO, IF6_OLD_HOPLIMIT, IF6_OLD_RTHDR,
    IF6_OLD_HOPOPTS, IF6_OLD_DSTOPTS, IF6_ROUTER_ALERT_ISOLATE, IF_RECVERR_RFC4884, IF6_RECVERR_RFC4884,
};

struct inet_options {
    _Atomic uint64_t flags; /* 1 << enum inet_flag */
    _Atomic int ttl, tos, mtu_discover, multicast_ttl;              /* ttl -1: the default */
    _Atomic int hops6, tclass6, mtu_discover6, multicast_hops6, addr_preferences, min_ttl, min_hops6;
    _Atomic int multicast_if, multicast_if6, unicast_if, unicast_if6; /* interface numbers, 0: none */
    _Atomic uint32_t multicast_source;                              /* IP_MULTICAST_IF's address, host order */
    _Atomic int local_port_low, local_port_high;                    /* IP_LOCAL_PORT_RANGE, 0: the namespace's */
};

struct inet_socket {
    struct socket socket;
    struct spinlock lock;
    struct mutex send_lock, receive_lock;
    struct inet_net *net;             /* [I] of socket.ns */
    struct inet_owner owner;          /* its local port */
    struct inet_pair pair;            /* the connection: local and remote end */
    uint32_t uid;                     /* [I] of who made it */
    uint8_t state;                    /* [lock] TCP_ESTABLISHED and family, also for UDP as Linux has it */
    _Atomic uint8_t shutdown;         /* RECEIVE_SHUT | SEND_SHUT */
    bool bound_address;               /* [send_lock] bind(2) named an address: it outlives a connection */
    bool bound_port;                  /* [send_lock] bind(2) named a port */
    _Atomic int device;               /* SO_BINDTODEVICE: an interface number or 0 */
    struct inet_options options;
    struct inet_membership *memberships; /* [lock] multicast.c */
    struct inet_outside *outside;     /* [send_lock] set once: carried by a backend, which has its end here */
};

#define RECEIVE_SHUT 1u
#define SEND_SHUT 2u

static inline struct inet_socket *inet_of(struct socket *s)
{
    return container_of(s, struct inet_socket, socket);
}
static inline bool inet_flag_get(const struct inet_socket *i, enum inet_flag f)
{
    return i->options.flags >> f & 1;
}
static inline bool inet_is6(const struct inet_socket *i)
{
    return i->socket.domain == AF_INET6;
}

/* ---- inet.c ---- */

void inet_init(void); /* at boot */
/* ns: the namespace it is in; it takes a reference. */
void inet_socket_init(struct inet_socket *i, struct net_namespace *ns, const struct socket_ops *ops, int domain,
                      int type, int protocol);
void inet_socket_fini(struct inet_socket *i); /* for ops->free: gives up what init and options took */
int inet_name(struct socket *s, bool peer, struct socket_name *ret);
int64_t inet_ioctl(struct socket *s, unsigned cmd, uaddr_t arg); /* what is not the protocol's */
struct inet_table *inet_table_of(struct inet_socket *i);
uint8_t inet_families(const struct inet_socket *i); /* what arrives at it if it is bound to any address */
void inet_lock_two(struct inet_socket *a, struct inet_socket *b); /* may be the same one */
void inet_unlock_two(struct inet_socket *a, struct inet_socket *b);

/* ---- address.c ---- */

/* An address that the guest gave to a socket of this domain: -EINVAL too short, -EAFNOSUPPORT. */
NODISCARD int inet_name_in(const struct inet_socket *i, const struct socket_name *name, struct inet_endpoint *ret);
/* As a socket of this domain shows it. */
void inet_name_out(const struct inet_socket *i, const struct inet_endpoint *e, struct socket_name *ret);

/* ---- route.c ---- */

enum inet_reach { REACH_LOCAL, REACH_MULTICAST, REACH_BROADCAST, REACH_OUTSIDE };

struct inet_route {
    enum inet_reach reach;
    struct in6_addr source; /* to send from, unless the socket is bound */
    int interface;
};

void inet_part_register(void); /* at boot, before the first namespace */
struct inet_net *inet_net_of(struct net_namespace *ns); /* lives as long as ns */
void inet_timewait_drop_all(struct inet_net *net);      /* timewait.c */
bool inet_address_is_local(struct inet_net *net, const struct in6_addr *a);
bool inet_capable(struct inet_net *net, int capability); /* of the running task, over the namespace */
/* May it be bound to? Ours, any, multicast, broadcast. */
bool inet_address_is_bindable(struct inet_net *net, const struct in6_addr *a);
/* The way to `to`: 0 or -ENETUNREACH and the like. device: an interface number it must leave by, or 0. */
NODISCARD int inet_route_find(struct inet_net *net, const struct in6_addr *to, int device, struct inet_route *ret);
/* Interfaces: 0 or -ENODEV. */
NODISCARD int inet_interface_number(struct inet_net *net, const char *name, int *ret);
NODISCARD int inet_interface_name(struct inet_net *net, int number, char *ret /* NET_NAME_LEN */);
/* The interface that has this address, or 0. */
int inet_interface_of(struct inet_net *net, const struct in6_addr *a);
/* An IPv4 address of the interface (host order), or 0. */
uint32_t inet_interface_address(struct inet_net *net, int number);

#define LOOPBACK_INTERFACE 1
#define LOOPBACK_MTU 65536

/* ---- port.c ---- */

/* bind(2) for TCP and UDP: the address is checked, the port (0: any free one) is taken. send_lock held. */
NODISCARD int inet_bind(struct socket *s, const struct socket_name *name);
/* May a program without privileges not have it? */
bool inet_port_is_privileged(struct inet_net *net, uint16_t port);
/* A port for a socket that has none: 0, -EAGAIN. send_lock held. */
NODISCARD int inet_autobind(struct inet_socket *i);
/* Does it still get on with the other owners of its port, now that it listens? send_lock held. */
NODISCARD int inet_port_recheck(struct inet_socket *i);
void inet_port_leave(struct inet_socket *i);
void inet_port_listen(struct inet_socket *i, bool listening); /* found as a listener from now on, or no longer */
/* A port owner's share of another's port: accepted sockets, TIME_WAIT. table->lock held. */
void inet_port_join_locked(struct inet_table *t, struct inet_owner *o, struct inet_port *port);
void inet_port_leave_locked(struct inet_owner *o);
struct inet_port *inet_port_find_locked(struct inet_table *t, uint16_t number);
/*
 * Enters the pair local-remote, choosing a local port if there is none yet: 0; -EADDRNOTAVAIL: taken, or no port
 * left. send_lock held.
 */
NODISCARD int inet_pair_connect(struct inet_socket *i, const struct inet_endpoint *local,
                                const struct inet_endpoint *remote);
void inet_pair_add_locked(struct inet_table *t, struct inet_pair *p);
struct inet_pair *inet_pair_find_locked(struct inet_table *t, const struct inet_endpoint *local,
                                        const struct inet_endpoint *remote);
void inet_pair_leave(struct inet_socket *i);

/* ---- find.c ---- */

/* The listener for a connection from `from` to `to`: a reference or NULL. */
struct inet_socket *inet_find_listener(struct inet_net *net, const struct inet_endpoint *to,
                                       const struct inet_endpoint *from, int device);
/* The socket of a datagram protocol that gets it: a reference or NULL. */
struct inet_socket *inet_find_datagram(struct inet_net *net, enum inet_table_kind kind, const struct inet_endpoint *to,
                                       const struct inet_endpoint *from, int interface);
/* All that get a multicast or broadcast datagram: references, at most `max`. */
unsigned inet_find_members(struct inet_net *net, enum inet_table_kind kind, const struct inet_endpoint *to,
                           const struct inet_endpoint *from, int interface, struct inet_socket **ret, unsigned max);

/* ---- option.c ---- */

/* Options of IPPROTO_IP, IPPROTO_IPV6 and SOL_SOCKET's that concern interfaces. -ENOPROTOOPT: another level's. */
int inet_set_option(struct socket *s, int level, int option, const void *value, socklen_t len);
int inet_get_option(struct socket *s, int level, int option, void *value, socklen_t *len);
void inet_options_init(struct inet_options *o);
int inet_option_give(const void *from, size_t size, void *value, socklen_t *len);
int inet_option_give_int(int v, void *value, socklen_t *len);

/* ---- multicast.c ---- */

int inet_multicast_set(struct inet_socket *i, int level, int option, const void *value, socklen_t len);
int inet_multicast_get(struct inet_socket *i, int level, int option, void *value, socklen_t *len);
/* Does a datagram for this group arrive at the socket? i->lock held. */
bool inet_multicast_wants(struct inet_socket *i, const struct in6_addr *group, const struct in6_addr *from,
                          int interface);
void inet_multicast_leave_all(struct inet_socket *i);
