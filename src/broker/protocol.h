/*
 * Between the kernel process and the broker, the process that makes host sockets for it.
 *
 * One SOCK_SEQPACKET socket; each request is one struct broker_request and has one struct
 * broker_reply, in order, but BROKER_CLOSE, which has none. A new socket's descriptor travels beside the
 * reply. Addresses are sockaddr_in6, IPv4 ones mapped. Either side's end is noticed by the other as
 * the end of the socket.
 */
#pragma once
#include <netinet/in.h>
#include <stdint.h>

enum broker_op {
    BROKER_HELLO = 1,  /* what the network looks like: a struct broker_network follows the reply, as one message */
    BROKER_CONNECT,    /* a TCP socket on its way to `to`, bound to `from` if that has an address or port */
    BROKER_UDP,        /* a UDP socket of `domain`, bound to `from` */
    BROKER_UDP_PEER,   /* connect(2) of it to `to`; family AF_UNSPEC: to nobody */
    BROKER_UDP_CHECK,  /* may be sent to `to`? */
    BROKER_LISTEN,     /* a TCP socket that listens at `from` */
    BROKER_ADOPT,      /* the descriptor beside the request, an accepted connection, gets an id */
    BROKER_SHUTDOWN,
    BROKER_SET_OPTION,
    BROKER_GET_OPTION,
    BROKER_CLOSE,
};

#define BROKER_VALUE_MAX 256

struct broker_request {
    uint32_t op, id;
    int32_t domain, backlog, how, level, option;
    uint32_t len; /* of value */
    struct sockaddr_in6 to, from;
    char value[BROKER_VALUE_MAX];
};

struct broker_reply {
    int32_t error; /* 0 or -errno; -EINPROGRESS is 0 */
    uint32_t id, len;
    struct sockaddr_in6 local;
    char value[BROKER_VALUE_MAX];
};

#define BROKER_LINKS 16
#define BROKER_ADDRESSES 64

struct broker_network {
    uint32_t link_count, address_count;
    struct broker_link {
        char name[16]; /* IFNAMSIZ */
        uint32_t index, mtu;
        uint8_t hardware[6];
    } links[BROKER_LINKS]; /* up, and not loopback */
    struct broker_address {
        uint32_t index, prefix_len;
        struct sockaddr_in6 address;
    } addresses[BROKER_ADDRESSES];
    uint32_t gateway_index[2];          /* IPv4, IPv6: 0: no default route */
    struct sockaddr_in6 gateways[2];
};
