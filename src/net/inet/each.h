/*
 * The walk over the internet sockets of a namespace, for /proc/net and sock_diag.
 *
 *     struct inet_snapshot all;
 *     inet_snapshot_take(ns, IPPROTO_TCP, &all);      a copy: nothing is locked afterwards
 *     for (i < all.count) ... all.infos[i] ...
 *     inet_snapshot_free(&all);
 */
#pragma once
#include "net/inet/inet.h"

struct inet_info {
    int domain, type, protocol;
    uint8_t state;          /* enum inet_state; UDP and raw: TCP_ESTABLISHED when connected, else TCP_CLOSE */
    struct inet_endpoint local, remote; /* IPv4: mapped. ICMP echo and raw: the port is identifier or protocol */
    bool v6only;
    uint32_t uid;
    uint64_t inode;         /* of the file, 0: none (TIME_WAIT, not accepted) */
    uint64_t cookie;        /* SO_COOKIE */
    int device;             /* SO_BINDTODEVICE */
    uint32_t mark;
    uint32_t unread, unsent; /* listening: backlog, and its limit */
    uint32_t receive_buffer, send_buffer, receive_cost;
    uint32_t drops;
    uint32_t refs;
    uint32_t shutdown;      /* RECEIVE_SHUT | SEND_SHUT */
    int64_t expires;        /* TIME_WAIT: ns from now; else 0 */
    const char *congestion; /* TCP */
    uint64_t bytes_sent, bytes_received;
};

struct inet_snapshot {
    struct inet_info *infos;
    size_t count;
};

/* All of a protocol (0: every one) that have a port or a state to show: IPPROTO_TCP with TIME_WAIT, IPPROTO_UDP,
 * IPPROTO_ICMP(V6) echo; SOCK_RAW ones by `type`. type 0: SOCK_STREAM and SOCK_DGRAM. */
NODISCARD int inet_snapshot_take(struct net_namespace *ns, int protocol, int type, struct inet_snapshot *ret);
void inet_snapshot_free(struct inet_snapshot *s);

/* /proc/net/sockstat: how many there are, whether they have a port or not. */
struct inet_counts {
    unsigned tcp, tcp_timewait, tcp_orphans, tcp6, udp, udp6, raw, raw6;
};
void inet_count(struct net_namespace *ns, struct inet_counts *ret);
/* /proc/net/snmp. */
const struct inet_counters *inet_counters_of(struct net_namespace *ns);
