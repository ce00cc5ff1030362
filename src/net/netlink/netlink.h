/*
 * AF_NETLINK sockets: netlink(7).
 *
 *     netlink.c  sockets: create, bind, groups, options
 *     queue.c    packets: queues, unicast, groups, receiving
 *     request.c  the messages of a packet sent to the kernel: handler, acknowledgement
 *     message.c  making and taking apart messages and attributes
 *     route.c link.c addr.c ...   NETLINK_ROUTE
 *     diag.c     NETLINK_SOCK_DIAG
 *     generic.c  NETLINK_GENERIC
 *
 * A request is handled by the sender, in sendmsg(2): the answers are on its queue when that
 * returns. A dump is made at once as well, as packets of the size the kernel's are; one dump at a
 * time, so what a socket can make the kernel hold is bounded by the tables' own limits.
 *
 * Locks, in order: netcfg_lock, table_lock (netlink.c), s->lock.
 */
#pragma once
#include "net/netlink/message.h"
#include "net/netns.h"
#include "net/socket.h"

#define NETLINK_PACKET_MAX 32768 /* what one notification or answer may be */

struct pid;

struct netlink_packet {
    struct list link;   /* [receiver's lock] */
    struct refcount ref; /* a notification is on many queues */
    uint32_t sender;    /* its port, 0: the kernel */
    uint32_t group;     /* 0: sent to one */
    uint32_t uid, gid;
    struct pid *pid;    /* reference or NULL */
    size_t len;
    char *data;
};

struct netlink_entry { /* a packet on a queue */
    struct list link;
    struct netlink_packet *packet; /* reference */
    bool dump, last;               /* part of a dump; its end */
};

struct netlink_protocol;

struct netlink_socket {
    struct socket socket;
    const struct netlink_protocol *protocol; /* [I] */
    struct list link;        /* [table_lock] */
    struct spinlock lock;
    uint32_t port;           /* [table_lock to change] */
    bool bound;              /* [table_lock to change] */
    uint32_t peer_port, peer_groups; /* [lock] connect(2) */
    uint64_t groups[2];      /* [table_lock] bit N: group N + 1 */
    struct list queue;       /* [lock] of netlink_entry */
    size_t queued;           /* [lock] bytes charged to the receive buffer */
    bool dumping;            /* [lock] */
    _Atomic unsigned drops;
    _Atomic bool packet_info, broadcast_error, no_enobufs, listen_all, cap_ack, ext_ack, strict;
};

#define NETLINK_GROUPS_MAX 128

struct netlink_request {
    struct netlink_socket *from;
    struct net_namespace *ns;
    struct nlmsghdr h;
    const char *payload; /* behind the header, h.nlmsg_len - NLMSG_HDRLEN bytes */
    size_t len;
    struct nl_writer out;  /* answers; sent when the handler succeeds */
    const char *why;       /* extended acknowledgement */
    size_t why_offset;     /* of the offending attribute in the message, 0: none */
    bool dumping;          /* a dump is under way: what goes wrong is told at its end */
    struct net_namespace *held; /* put when no lock is held any more: its end takes them */
};

struct netlink_protocol {
    int protocol;
    unsigned groups;
    bool anybody_receives, anybody_sends; /* without CAP_NET_ADMIN: groups, other users */
    int bind_capability;                  /* for groups, or -1 */
    /* NULL: nobody listens: messages to the kernel give -ECONNREFUSED. */
    int (*request)(struct netlink_request *q);
};

void netlink_init(void); /* at boot */
/* Bare bytes onto the queue of an open netlink socket (mq_notify): -ENOTSOCK, -EINVAL: it is none. n 0 only looks. */
int netlink_post(struct file *file, const void *bytes, size_t n);

static inline struct netlink_socket *netlink_of(struct socket *s)
{
    return container_of(s, struct netlink_socket, socket);
}

/* ---- netlink.c ---- */
extern const struct netlink_protocol netlink_protocols[];
int netlink_autobind(struct netlink_socket *n);
struct netlink_socket *netlink_find(struct net_namespace *ns, int protocol, uint32_t port); /* reference */
/* Calls fn for every socket of the namespace (NULL: of all) with table_lock held. */
void netlink_each(struct net_namespace *ns, void (*fn)(struct netlink_socket *n, void *arg), void *arg);
bool netlink_has_listeners(struct net_namespace *ns, int protocol, unsigned group);

/* ---- queue.c ---- */
struct netlink_packet *netlink_packet_new(size_t len);
void netlink_packet_put(struct netlink_packet *p);
/* 0, -ENOBUFS (the socket has SO_ERROR then), -ENOMEM. */
int netlink_queue(struct netlink_socket *to, struct netlink_packet *p, bool dump, bool last);
/* To every member of the group but `except`. -ESRCH: there is none. */
int netlink_broadcast(struct net_namespace *ns, int protocol, unsigned group, struct netlink_packet *p,
                      const struct netlink_socket *except);
ssize_t netlink_receive(struct socket *s, struct socket_message *m);
void netlink_flush(struct netlink_socket *n);

/* ---- request.c ---- */
/* Every message of a packet for the kernel. */
int netlink_handle(struct netlink_socket *from, const char *data, size_t len);

/* ---- the protocols ---- */
void rtnetlink_init(void);
int route_request(struct netlink_request *q);
int diag_request(struct netlink_request *q);
int generic_request(struct netlink_request *q);
