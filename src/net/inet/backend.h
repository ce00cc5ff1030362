/*
 * Who carries what is not for this sandbox's own addresses.
 *
 * A network namespace may have one backend: a broker that holds sockets of the host, or a TCP/IP stack of our own
 * over a packet device. A socket whose destination is not local is opened there, once, and from then on belongs to
 * it: every operation goes to its `struct inet_outside`. Sockets never call a backend in any other way.
 *
 *     inet_outside_open(i)                 asks the namespace's backend: i->outside is set, or -ENETUNREACH
 *     o->ops->connect(o, &to) ...          the socket's calls, in the caller's context; they may block
 *     inet_outside_event(i, events, err)   the backend's side: readiness has changed; any context
 *
 * What a backend promises: events are level-triggered in poll() and announced when they become true; an error that
 * ends the socket is left in socket.error; close() returns at once and never fails. When a backend dies every call
 * gives -ENETDOWN.
 */
#pragma once
#include "net/inet/inet.h"

struct inet_outside_ops;

struct inet_outside {
    const struct inet_outside_ops *ops;
    struct inet_socket *socket; /* [I] weak: the socket closes us before it goes */
};

struct inet_backend {
    const struct inet_backend_ops *ops;
};

struct inet_backend_ops {
    /* A socket of i's type, protocol and options, bound as i is: 0 and *ret, or -errno. May block. */
    int (*open)(struct inet_backend *b, struct inet_socket *i, struct inet_outside **ret);
    /* A listener has appeared (send_lock held): connections from outside are handed to tcp_accept_outside(). May be
     * NULL. unlisten: it is gone, or was never announced. */
    int (*listen)(struct inet_backend *b, struct inet_socket *i, int backlog);
    void (*unlisten)(struct inet_backend *b, struct inet_socket *i);
};

struct inet_outside_ops {
    int (*connect)(struct inet_outside *o, const struct inet_endpoint *to);
    /* Is a TCP socket that was in TCP_SYN_SENT no longer? Then its state and socket.error are set. */
    bool (*settled)(struct inet_outside *o);
    int (*shutdown)(struct inet_outside *o, int how);
    ssize_t (*send)(struct inet_outside *o, struct socket_message *m);
    ssize_t (*receive)(struct inet_outside *o, struct socket_message *m);
    uint32_t (*poll)(struct inet_outside *o, struct poll_table *table); /* the file's queues are registered already */
    int (*name)(struct inet_outside *o, bool peer, struct inet_endpoint *ret);
    int (*set_option)(struct inet_outside *o, int level, int option, const void *value, socklen_t len);
    int (*get_option)(struct inet_outside *o, int level, int option, void *value, socklen_t *len);
    size_t (*unread)(struct inet_outside *o); /* FIONREAD */
    size_t (*unsent)(struct inet_outside *o); /* SIOCOUTQ */
    void (*close)(struct inet_outside *o);    /* frees it */
};

/* send_lock held. 0, -ENETUNREACH (no backend), or the backend's error. */
NODISCARD int inet_outside_open(struct inet_socket *i);
/* The host's resolver, at a loopback address that nobody in here serves: datagrams for it go outside. */
bool inet_is_host_resolver(struct inet_net *net, const struct inet_endpoint *to);
void inet_outside_event(struct inet_socket *i, uint32_t events, int error);
