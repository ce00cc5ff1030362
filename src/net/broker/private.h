/* What the files of net/broker share. */
#pragma once
#include "broker/protocol.h"
#include "net/broker/broker.h"
#include "net/inet/backend.h"
#include "sched/event.h"
#include "sched/mutex.h"

struct broker_listener;

struct broker_backend {
    struct inet_backend backend;
    int fd;                     /* [I] the broker's socket, non-blocking */
    struct mutex lock;          /* one call at a time */
    struct wait_queue replies;
    struct host_event event;
    _Atomic bool dead;
    struct mutex listeners_lock;
    struct list listeners;      /* [listeners_lock] of broker_listener.link */
};

struct broker_socket {
    struct inet_outside outside;
    int fd;                     /* [i->send_lock to set, once] -1: a TCP socket that was not connected yet */
    uint32_t id;                /* as fd */
    bool watched;               /* [I] after that */
    struct host_event event;
    struct sockaddr_in6 checked; /* [i->send_lock] the destination that was allowed last */
};

/* One call: 0 or -errno of the broker's; -ENETDOWN when it is gone. fd: sent beside it, or -1. ret_fd: received, or
 * NULL. */
NODISCARD int broker_call(struct broker_request *q, int fd, struct broker_reply *ret, int *ret_fd);
void broker_forget(uint32_t id); /* BROKER_CLOSE */

extern struct broker_backend broker_backend;
extern const struct inet_outside_ops broker_tcp_ops, broker_udp_ops;

struct sockaddr_in6 broker_address(const struct inet_endpoint *e);
struct inet_endpoint broker_endpoint(const struct sockaddr_in6 *a);
/* A socket around a host descriptor, which it owns; fd may be -1. */
struct broker_socket *broker_socket_new(struct inet_socket *i, const struct inet_outside_ops *ops);
void broker_socket_attach(struct broker_socket *b, int fd, uint32_t id);

/* listen.c */
int broker_listen(struct inet_backend *b, struct inet_socket *i, int backlog);
void broker_unlisten(struct inet_backend *b, struct inet_socket *i);
