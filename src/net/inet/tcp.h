/*
 * TCP between two sockets of the sandbox: tcp(7).
 *
 *     tcp.c           life: creation, shutdown, close, reset, readiness
 *     tcp_connect.c   listen, connect, accept
 *     tcp_send.c, tcp_receive.c
 *     tcp_option.c    IPPROTO_TCP, TCP_INFO, ioctls
 *     queue.h         the bytes on their way
 *
 * No segments are made. Each end has a queue of what it can read; the other end's send(2) copies from the guest
 * right into it, recv(2) copies out of it. State changes that a segment would bring (SYN, FIN, RST) are made on
 * both ends at once, under both locks. So what takes a round trip elsewhere has happened when the call returns.
 *
 * The states are Linux's and change as Linux's do when both ends answer at once. An end that was closed first is
 * survived by a `struct timewait`; an end that was closed has no socket, and what is sent to it brings a reset.
 *
 * References: an end refers to its peer until it is closed, disconnected or connected anew. A listener refers to
 * the sockets in its backlog, and to clients that wait for room in it.
 */
#pragma once
#include "net/inet/inet.h"
#include "net/inet/queue.h"
#include "sched/timer.h"
#include <linux/tcp.h>

struct timewait;

#define TCP_SEND_BUFFER 16384       /* net.ipv4.tcp_wmem[1] */
#define TCP_RECEIVE_BUFFER 131072   /* net.ipv4.tcp_rmem[1] */
#define TCP_SEND_BUFFER_LO 2626560  /* what the send buffer grows to on the loopback */
#define TCP_WINDOW 65536            /* of unread bytes so many count as having reached the receiver */
#define TCP_MSS_LOOPBACK 65483

/* How far connect(2) has got: what it says the next time. */
enum connect_phase { CONNECT_NONE, CONNECT_PENDING, CONNECT_DONE };

struct tcp_options {
    _Atomic bool nodelay, cork, quick_ack, fastopen_connect, fastopen_no_cookie, inquire, repair;
    _Atomic int keep_idle, keep_interval, keep_count, user_timeout, defer_accept, max_segment, syn_count, linger2;
    _Atomic int window_clamp, notsent_low, fastopen_queue, thin, save_syn;
    _Atomic char congestion; /* index in the list of names */
};

struct tcp_socket {
    struct inet_socket inet;
    struct tcp_queue queue;          /* [lock] what can be read here */
    struct tcp_socket *peer;         /* [lock; stable under send_lock or receive_lock] reference, or NULL */
    struct timewait *remains;        /* [lock] of the peer that was closed first: reference or NULL */
    enum connect_phase phase;        /* [send_lock] */
    bool fin_received;               /* [lock] SOCK_DONE: the end of the stream has come */
    bool dead;                       /* [lock] closed: what is sent to it brings a reset */
    bool unaccepted;                 /* in a backlog */
    bool waits_for_bytes;            /* [the listener's lock] on its list of deferred ones */
    _Atomic bool starved;            /* the peer wants to know when there is room in this queue */
    bool urgent, urgent_unread;      /* [lock] there is an urgent mark; its byte was not read by MSG_OOB */
    uint8_t urgent_byte;             /* [lock] */
    uint64_t urgent_at;              /* [lock] its position in the stream received */
    struct tcp_options options;
    /* listening */
    struct list backlog;             /* [lock] of accept_link: to be accepted; references */
    struct list deferred;            /* [lock] of accept_link: to be, once bytes have come; references */
    struct list pending;             /* [lock] of accept_link: clients that wait for room; references */
    struct list accept_link;         /* [the listener's lock] */
    unsigned backlog_len, backlog_max; /* [lock] */
    struct tcp_socket *listener;     /* [lock] deferred, or waiting: reference */
    struct timer *timer;             /* of a connect that waits for room, or a deferred accept; made when needed */
    uint64_t sent, sent_urgent;      /* [send_lock] bytes, and where the last urgent one was */
    _Atomic uint64_t segments_in, segments_out;
    int64_t last_sent, last_received; /* [a] monotonic, for TCP_INFO */
};

extern const struct socket_ops tcp_ops;

static inline struct tcp_socket *tcp_of(struct socket *s)
{
    return container_of(s, struct tcp_socket, inet.socket);
}
static inline void tcp_put(struct tcp_socket *t)
{
    socket_put(&t->inet.socket);
}
static inline struct tcp_socket *tcp_get(struct tcp_socket *t)
{
    socket_get(&t->inet.socket);
    return t;
}

/* tcp.c */
int tcp_create(int domain, struct socket **ret);
struct tcp_socket *tcp_new(struct net_namespace *ns, int domain); /* NULL: out of memory */
struct tcp_socket *tcp_lock_peer(struct tcp_socket *t); /* locks t and its peer; NULL: none, and t alone is locked */
void tcp_unlock_peer(struct tcp_socket *t, struct tcp_socket *peer);
void tcp_wake(struct tcp_socket *t, uint32_t events); /* both queues */
/* The connection is over for this end, with an error (positive errno) or 0. t locked. */
void tcp_done_locked(struct tcp_socket *t, int error);
/* Resets the connection from t's side: the peer gets ECONNRESET. send_lock or the only user. */
void tcp_abort(struct tcp_socket *t);
/* Back to what socket(2) made: connect(AF_UNSPEC), a connect that failed. send_lock held. */
void tcp_disconnect(struct tcp_socket *t);
void tcp_drop_queue(struct tcp_socket *t); /* what nobody will read */
/* A closed end has been sent to, or something else that TCP answers with a reset: `t` learns of it. t unlocked. */
void tcp_reset_by_peer(struct tcp_socket *t, struct tcp_socket *peer);
size_t tcp_room(struct tcp_socket *t);     /* bytes that can be sent now; any */
size_t tcp_capacity(const struct tcp_socket *from, const struct tcp_socket *to);
size_t tcp_window(const struct tcp_socket *to); /* of which so many are at the receiver, the rest at the sender */
bool tcp_writable(struct tcp_socket *t);   /* as poll(2) means it */
size_t tcp_unsent(struct tcp_socket *t);   /* SIOCOUTQ */

/* tcp_connect.c */
int tcp_listen(struct socket *s, int backlog);
/* For backends: a connection that one has taken for a listener, not on its backlog yet (NULL: out of memory), and
 * onto it, or closed when there is no room any more. */
struct tcp_socket *tcp_new_outside(struct tcp_socket *listener, const struct inet_endpoint *local,
                                   const struct inet_endpoint *remote);
void tcp_accept_outside(struct tcp_socket *listener, struct tcp_socket *t);
void tcp_stop_listening(struct tcp_socket *t);
int tcp_connect(struct socket *s, const struct socket_name *name, bool nonblock);
int tcp_accept(struct socket *s, bool nonblock, struct socket **ret);
void tcp_undefer(struct tcp_socket *child); /* bytes have come: it may be accepted */
void tcp_pending_give_up(struct tcp_socket *client); /* it no longer waits for room; t unlocked */
NODISCARD int tcp_wait_connected(struct tcp_socket *t, bool nonblock, int64_t deadline);

/* tcp_send.c, tcp_receive.c */
ssize_t tcp_send(struct socket *s, struct socket_message *m);
ssize_t tcp_receive(struct socket *s, struct socket_message *m);
ssize_t tcp_broken_pipe(struct tcp_socket *t, int flags, ssize_t err); /* the error of a send; SIGPIPE */
bool tcp_readable(struct tcp_socket *t, size_t target); /* t locked */

/* tcp_option.c */
int tcp_set_option(struct socket *s, int level, int option, const void *value, socklen_t len);
int tcp_get_option(struct socket *s, int level, int option, void *value, socklen_t *len);
int64_t tcp_ioctl(struct socket *s, unsigned cmd, uaddr_t arg);
void tcp_options_init(struct tcp_options *o);
int64_t tcp_tries_to_seconds(int tries); /* TCP_DEFER_ACCEPT */
const char *tcp_congestion_name(const struct tcp_socket *t);
