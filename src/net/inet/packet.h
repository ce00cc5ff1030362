/*
 * Datagrams on their way, and what datagram sockets share: UDP, ICMP echo, raw.
 *
 * A datagram is one allocation: its bytes after a header that says where it came from and where it went. It is put
 * on the receiver's queue, charged to the receiver's SO_RCVBUF; what does not fit is dropped, as on any network.
 * Errors that come back to a sender that asked for them (IP_RECVERR) are datagrams on a queue of their own.
 */
#pragma once
#include "net/inet/inet.h"
#include <linux/errqueue.h>

struct packet {
    struct list link;
    struct inet_endpoint from, to;
    int interface;
    int ttl, tos;
    int64_t time;         /* realtime ns; 0: nobody asked */
    uint32_t cost;        /* against SO_RCVBUF */
    uint32_t segment;     /* UDP_GRO: the size of the datagrams glued together, or 0 */
    struct sock_extended_err error; /* on the queue of errors */
    uint32_t len, offset; /* offset: bytes in front that receivers do not get */
    char data[];
};

struct datagram_socket {
    struct inet_socket inet;
    struct list queue, errors;       /* [lock] of packet.link */
    unsigned queue_bytes;            /* [lock] payload */
    uint32_t queue_cost, error_cost; /* [lock] */
    _Atomic unsigned drops;
    /* UDP */
    _Atomic bool cork, gro, no_check_tx, no_check_rx;
    _Atomic int segment, send_coverage, receive_coverage;
    struct packet *corked;           /* [send_lock] */
    /* raw */
    uint32_t icmp_filter[8];         /* [lock] ICMP_FILTER, or ICMP6's */
    _Atomic int checksum_offset;     /* IPV6_CHECKSUM, -1: none */
};

static inline struct datagram_socket *datagram_of(struct socket *s)
{
    return container_of(s, struct datagram_socket, inet.socket);
}

/* <linux/udp.h>'s numbers, under names that <netinet/udp.h> does not have. */
enum udp_option {
    UDP_CORK_OPTION = 1,
    UDPLITE_SEND_CSCOV_OPTION = 10,
    UDPLITE_RECV_CSCOV_OPTION = 11,
    UDP_ENCAP_OPTION = 100,
    UDP_NO_CHECK6_TX_OPTION = 101,
    UDP_NO_CHECK6_RX_OPTION = 102,
    UDP_SEGMENT_OPTION = 103,
    UDP_GRO_OPTION = 104,
};

#define PACKET_COST 576       /* what a datagram costs its receiver beyond its bytes */
#define DATAGRAM_MAX 65535

int udp_create(int domain, int protocol, struct socket **ret); /* IPPROTO_UDP, IPPROTO_UDPLITE */
int raw_create(int domain, int type, int protocol, struct socket **ret);

/* packet.c */
struct datagram_socket *datagram_new(const struct socket_ops *ops, int domain, int type, int protocol);
struct packet *packet_new(size_t len); /* NULL: out of memory */
struct packet *packet_copy(const struct packet *p);
/* Consumes it. false: it was dropped. */
bool packet_queue(struct datagram_socket *to, struct packet *p);
void packet_error(struct datagram_socket *to, struct packet *p); /* onto the queue of errors; consumes */
ssize_t datagram_receive(struct datagram_socket *d, struct socket_message *m);
uint32_t datagram_poll(struct socket *s, struct poll_table *table);
int datagram_shutdown(struct socket *s, int how);
void datagram_release(struct socket *s);
void datagram_socket_free(struct socket *s);
int datagram_connect(struct socket *s, const struct socket_name *name, bool nonblock);
int datagram_no_listen(struct socket *s, int backlog);
int datagram_no_accept(struct socket *s, bool nonblock, struct socket **ret);
int64_t datagram_ioctl(struct socket *s, unsigned cmd, uaddr_t arg);

/* What the control messages of a send say. */
struct send_control {
    int ttl, tos, segment;        /* -1, -1, 0: not said */
    bool has_source;
    struct in6_addr source;
    int interface;
};
NODISCARD int datagram_control(struct inet_socket *i, const struct socket_message *m, struct send_control *ret);

/* Where a datagram goes: the destination of the message or the socket's. */
struct destination {
    struct inet_endpoint from, to;
    struct inet_route route;
    struct send_control control;
    bool connected;
};
NODISCARD int datagram_destination(struct datagram_socket *d, const struct socket_message *m, struct destination *ret);
void packet_address(struct packet *p, struct inet_socket *i, const struct destination *to);
