/*
 * AF_UNIX sockets: unix(7).
 *
 *     unix.c     life: create, pair, shutdown, close, poll, options
 *     name.c     addresses: paths, abstract names, autobind; look-up
 *     connect.c  listen, connect, accept
 *     send.c     messages in: credentials and files attached, flow control
 *     receive.c  messages out
 *     gc.c       sockets that only their own messages still hold
 *
 * Bytes live in messages on the receiver's queue; each is charged to its sender until it is
 * consumed (flow control by the sender's SO_SNDBUF, as on Linux). A listening socket's queue holds
 * the sockets that wait to be accepted.
 *
 * Locks, in order:
 *   unix_lock (mutex)      binding, connecting, closing: names, peers, states of all sockets
 *   u->read_lock (mutex)   one receiver at a time: only its holder takes messages off the queue
 *   gc_lock (mutex)        the counts of sockets in flight, and moving files into and out of queued messages
 *   u->lock (spinlock)     queue, peer pointer, shutdown flags; two at once only for a listener and those
 *                          on its backlog, in this order
 */
#pragma once
#include "kernel/cred.h"
#include "net/socket.h"
#include <sys/un.h>

#define UNIX_MAX_FILES 253      /* SCM_MAX_FD */
#define UNIX_CHUNK 32768        /* a stream is cut into messages of this size */
#define UNIX_MESSAGE_COST 704   /* what a message costs its sender beyond its bytes */

struct pid;

/* A bound address, shared by the sockets that carry it (a listener and those it accepted). */
struct unix_address {
    struct refcount ref;
    struct list hash_link;      /* [unix_lock] abstract names only: unique in a namespace and for a type */
    const struct net_namespace *ns; /* [I] weak, compared */
    int type;                   /* [I] */
    struct unix_socket *socket; /* [unix_lock] weak: who is found under it, or NULL */
    struct path path;           /* [I] reference, for names in the file system */
    struct socket_name name;    /* [I] as getsockname(2) shows it */
};

struct unix_creds {
    struct pid *pid; /* reference or NULL */
    uint32_t uid, gid;
};

struct unix_files {
    unsigned count;
    uint32_t uid; /* [gc_lock once queued] who has them in flight */
    struct file *files[UNIX_MAX_FILES]; /* references */
};

struct unix_message {
    struct list link;             /* [receiver's lock] */
    struct unix_socket *sender;   /* reference: charged for it */
    struct unix_address *from;    /* reference or NULL: where a datagram came from */
    struct unix_creds creds;
    struct unix_files *files;     /* [gc_lock once queued] */
    size_t len, offset, cost;     /* offset: how much of a stream's message is consumed */
    int64_t time;                 /* realtime ns, when the receiver wants to know */
    bool mark;                    /* [receiver's lock] where an urgent byte was that has been read */
    char data[];
};

enum unix_state { UNIX_UNCONNECTED, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_socket {
    struct socket socket;
    struct spinlock lock;
    struct mutex read_lock;
    enum unix_state state;        /* [unix_lock to change] */
    struct unix_socket *peer;     /* [lock] reference */
    struct unix_address *address; /* [unix_lock to set, once] reference */
    _Atomic unsigned shutdown;    /* RECEIVE_SHUT, SEND_SHUT */
    _Atomic bool dead;            /* closed */
    struct list queue;            /* [lock] of unix_message.link */
    unsigned queue_len;           /* [lock] */
    size_t queue_bytes;           /* [lock] for streams: bytes to read */
    struct unix_message *urgent;  /* [lock] weak: the byte sent with MSG_OOB last, on the queue */
    _Atomic size_t charged;       /* cost of the messages sent and not consumed */
    struct list backlog;          /* [lock] listening: of accept_link, connected and not accepted; references */
    struct list accept_link;      /* [listener's lock] */
    unsigned backlog_len, backlog_max; /* [lock] */
    struct list swamped;          /* [lock] of swamped_link: who waits for room in the queue; references */
    struct list swamped_link;     /* [the other's lock] */
    struct unix_creds peer_creds; /* [unix_lock] SO_PEERCRED */
    const struct cred *peer_cred; /* [unix_lock] reference or NULL: SO_PEERGROUPS */
    _Atomic bool pass_pidfd;      /* SO_PASSPIDFD */
    /* gc.c */
    struct list inflight_link;    /* [gc_lock] */
    unsigned inflight;            /* [gc_lock] messages that carry a file of this socket */
    unsigned gc_refs;             /* [gc_lock] */
};

#define RECEIVE_SHUT 1u
#define SEND_SHUT 2u

extern struct mutex unix_lock;
extern const struct socket_ops unix_ops;

static inline struct unix_socket *unix_of(struct socket *s)
{
    return container_of(s, struct unix_socket, socket);
}
static inline bool unix_is_stream(const struct unix_socket *u)
{
    return u->socket.type == SOCK_STREAM;
}
static inline bool unix_is_dgram(const struct unix_socket *u)
{
    return u->socket.type == SOCK_DGRAM;
}
static inline struct unix_socket *unix_get(struct unix_socket *u)
{
    socket_get(&u->socket);
    return u;
}
static inline void unix_put(struct unix_socket *u)
{
    socket_put(&u->socket);
}

void unix_init(void); /* at boot */
int unix_tcp_state(const struct unix_socket *u); /* TCP_... as ss(8) and /proc/net/unix want it */

/* unix.c */
struct unix_socket *unix_new(int type);
struct unix_socket *unix_peer(struct unix_socket *u); /* a reference, or NULL */
void unix_set_peer(struct unix_socket *u, struct unix_socket *peer); /* consumes the reference; drops the old one */
void unix_current_creds(struct unix_creds *ret);
void unix_creds_put(struct unix_creds *c);
/* What the other end will be told of the running task, or of whoever `from` (a listener) was told of.
 * unix_lock held. */
void unix_peer_is_current(struct unix_socket *u);
void unix_peer_is(struct unix_socket *u, const struct unix_socket *from);
static inline bool unix_wants_creds(const struct unix_socket *u)
{
    return u->socket.pass_credentials || u->pass_pidfd;
}
bool unix_writable(const struct unix_socket *u);
size_t unix_send_room(const struct unix_socket *u);

/* name.c */
int unix_bind(struct socket *s, const struct socket_name *name);
int unix_autobind(struct unix_socket *u);
int unix_name(struct socket *s, bool peer, struct socket_name *ret);
/* The socket of from's type bound to a name: a reference. -ECONNREFUSED, -EPROTOTYPE, -EACCES,
 * -ENOENT, -EINVAL. */
int unix_find(const struct unix_socket *from, const struct socket_name *name, struct unix_socket **ret);
struct unix_address *unix_address_get(struct unix_address *a);
void unix_address_put(struct unix_address *a);
void unix_address_unbind(struct unix_socket *u);

/* connect.c */
int unix_listen(struct socket *s, int backlog);
int unix_connect(struct socket *s, const struct socket_name *name, bool nonblock);
int unix_accept(struct socket *s, bool nonblock, struct socket **ret);

/* option.c */
int unix_get_option(struct socket *s, int level, int option, void *value, socklen_t *len);
int unix_set_option(struct socket *s, int level, int option, const void *value, socklen_t len);
int64_t unix_ioctl(struct socket *s, unsigned cmd, uaddr_t arg);

/* send.c, receive.c */
bool unix_readable_locked(const struct unix_socket *u); /* is there more than marks on the queue? */
ssize_t unix_send(struct socket *s, struct socket_message *m);
ssize_t unix_receive(struct socket *s, struct socket_message *m);
bool unix_swamped(struct unix_socket *u, struct unix_socket *to); /* and u is woken when it no longer is */
void unix_unswamp(struct unix_socket *to);
void unix_message_free(struct unix_message *m); /* off the queue: gives the charge back */

/* gc.c */
bool unix_too_many_in_flight(void); /* has the running task's user as many as it may have open? */
void unix_files_in_flight(struct unix_files *f);  /* a message with them is about to be queued */
void unix_files_landed(struct unix_files *f);     /* ... has been taken off */
struct unix_files *unix_files_copy(const struct unix_files *f); /* with references; NULL when out of memory */
void unix_files_free(struct unix_files *f);
void unix_collect(void);
void unix_gc_lock(void);
void unix_gc_unlock(void);
