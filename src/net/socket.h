/*
 * Sockets: socket(2).
 *
 * A socket is a file whose operations come from its address family: a family registers a create
 * function, the sockets it makes carry a const table of operations. What all families share
 * (options of SOL_SOCKET, time limits, control messages, the file) is here; names, queues and
 * protocols are the families'.
 *
 *     socket_create(AF_UNIX, SOCK_STREAM, 0, &s)      family->create; one reference
 *     socket_file(s, flags, &file)                    the file takes the reference over
 *     ops->bind/connect/...                           with no lock held; they may block
 *     ops->release(s)                                 the file's last reference went
 *     ops->free(s)                                    the socket's last reference went
 */
#pragma once
#include "base/refcount.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "vfs/file.h"
#include <sys/socket.h>

struct socket;
struct net_namespace;

#define SOCKET_CONTROL_MAX 65536 /* bytes of control messages in one call */
#define SOCKET_BUFFER_DEFAULT 212992 /* /proc/sys/net/core/wmem_default */
#define SOCKET_BUFFER_MIN 4608

/* An address as system calls see it. */
struct socket_name {
    socklen_t len;
    union {
        struct sockaddr addr;
        struct sockaddr_storage storage;
        char bytes[sizeof(struct sockaddr_storage)];
    };
};

/* One message on its way in or out. */
struct socket_message {
    struct uio *data;
    struct socket_name *name; /* send: the destination or NULL; receive: filled, len 0 if there is none; may be NULL */
    int flags;                /* MSG_... of the call; MSG_DONTWAIT is set for non-blocking files */
    int ret_flags;            /* receive: msg_flags */
    const char *control;      /* send: cmsghdrs, `control_len` bytes of kernel memory */
    size_t control_len;
    char *control_out;        /* receive: room for them in kernel memory, or NULL */
    size_t control_room, control_used;
};

struct socket_ops {
    int (*bind)(struct socket *s, const struct socket_name *name);
    int (*connect)(struct socket *s, const struct socket_name *name, bool nonblock);
    int (*listen)(struct socket *s, int backlog);
    int (*accept)(struct socket *s, bool nonblock, struct socket **ret); /* a reference */
    int (*pair)(struct socket *a, struct socket *b);                     /* NULL: -EOPNOTSUPP */
    int (*name)(struct socket *s, bool peer, struct socket_name *ret);
    int (*shutdown)(struct socket *s, int how); /* SHUT_..., checked */
    ssize_t (*send)(struct socket *s, struct socket_message *m);
    ssize_t (*receive)(struct socket *s, struct socket_message *m);
    uint32_t (*poll)(struct socket *s, struct poll_table *table);
    int64_t (*ioctl)(struct socket *s, unsigned cmd, uaddr_t arg); /* NULL: -ENOTTY. Those of
     * interfaces (ioctl.h) come after -ENOTTY. */
    /* Options the generic code doesn't know. *len in: room, out: used. NULL: -ENOPROTOOPT. */
    int (*set_option)(struct socket *s, int level, int option, const void *value, socklen_t len);
    int (*get_option)(struct socket *s, int level, int option, void *value, socklen_t *len);
    void (*release)(struct socket *s);
    void (*free)(struct socket *s);
};

struct socket {
    struct refcount ref;
    const struct socket_ops *ops;       /* [I] */
    struct net_namespace *ns;           /* [I] reference: the creator's */
    struct list ns_link;                /* [ns->sockets_lock] */
    uint64_t cookie;                    /* [I] SO_COOKIE: unique in the sandbox */
    _Atomic uint64_t ino;               /* of its file; 0 before it has one */
    int domain, type, protocol;         /* [I] */
    struct spinlock file_lock;
    struct file *file;                  /* [file_lock to change] weak; NULL before accept and after release */
    struct wait_queue readers, writers; /* woken with poll bits */
    _Atomic int error;                  /* SO_ERROR: positive errno, taken by the next call */
    _Atomic bool listening;             /* SO_ACCEPTCONN */
    _Atomic int send_buffer, receive_buffer;
    _Atomic int64_t send_timeout, receive_timeout; /* ns, 0: none */
    _Atomic int receive_low;            /* SO_RCVLOWAT */
    _Atomic bool pass_credentials, pass_security;
    _Atomic bool timestamps, timestamps_ns; /* SO_TIMESTAMP, SO_TIMESTAMPNS: at most one */
    _Atomic bool overflow_wanted, select_errors, no_check, filter_locked, debug, mark_wanted, wifi_status;
    _Atomic bool prefer_busy_poll;
    _Atomic bool send_sized, receive_sized; /* SO_SNDBUF, SO_RCVBUF were set: no autotuning */
    _Atomic int64_t stamp;                /* SIOCGSTAMP: of the last message, 0: not known, -1: none came */
    _Atomic bool no_frame_check, priority_wanted;
    _Atomic int busy_poll, busy_poll_budget, incoming_cpu, timestamping;
    _Atomic uint64_t pacing_rate;         /* inverted */
    struct socket_filter *_Atomic filter; /* SO_ATTACH_FILTER: net/filter.h */
    _Atomic bool reuse_address, reuse_port, keepalive, broadcast, dont_route, oob_inline;
    _Atomic int priority, mark, peek_offset;
    _Atomic int linger; /* seconds, -1: off */
};

struct socket_family {
    int domain;
    const char *name;
    /* type without SOCK_NONBLOCK and SOCK_CLOEXEC. -ESOCKTNOSUPPORT, -EPROTONOSUPPORT. */
    int (*create)(int type, int protocol, struct socket **ret);
};

void socket_register(const struct socket_family *family); /* at boot */
NODISCARD int socket_create(int domain, int type, int protocol, struct socket **ret); /* -EAFNOSUPPORT, ... */
void socket_init(struct socket *s, const struct socket_ops *ops, int domain, int type, int protocol);
/* The same in a given namespace. */
void socket_init_in(struct socket *s, struct net_namespace *ns, const struct socket_ops *ops, int domain, int type,
                    int protocol);
struct socket *socket_get(struct socket *s);
void socket_put(struct socket *s);
/* A file for it; takes the reference over on success. flags: SOCK_NONBLOCK. */
NODISCARD int socket_file(struct socket *s, int flags, struct file **ret);
struct socket *socket_of(const struct file *f); /* borrowed; NULL if it is no socket */

/* The sockets of a domain (0: of all) in a namespace: references. -ENOMEM. */
struct socket_list {
    struct socket **sockets;
    size_t count;
};
NODISCARD int socket_list(struct net_namespace *ns, int domain, struct socket_list *ret);
void socket_list_free(struct socket_list *l);

/* ---- for families ---- */

/* Takes the pending error: 0 or -errno. */
int socket_take_error(struct socket *s);
/* When a blocking call of now gives up (SO_SNDTIMEO, SO_RCVTIMEO); NO_DEADLINE for never. */
int64_t socket_deadline(struct socket *s, bool sending);
/* What a failed wait means to the caller: -EAGAIN at the deadline; interrupted, only calls without
 * one are restarted. */
int socket_wait_error(int err, int64_t deadline);
/* Walks over a sender's control messages from *at (0 at first): 1 and one of them, its data inside m->control; 0 at
 * the end; -EINVAL for a length that cannot be. */
struct cmsghdr;
NODISCARD int message_next_control(const struct socket_message *m, size_t *at, struct cmsghdr *ret,
                                   const char **ret_data, size_t *ret_len);
/* Appends a control message for the receiver; sets MSG_CTRUNC when it does not fit. */
void message_put_control(struct socket_message *m, int level, int type, const void *data, size_t len);

/* SIGPIPE unless MSG_NOSIGNAL: -EPIPE. */
int socket_broken_pipe(int flags);
/* Urgent data has come: SIGURG to the owner of the file. */
void socket_signal_urgent(struct socket *s);
/* The time at which a message arrived (realtime ns; 0: not known), to those who asked for it. */
void socket_give_timestamp(struct socket *s, struct socket_message *m, int64_t time);

/* ---- for system calls ---- */

int socket_set_option(struct socket *s, int level, int option, const void *value, socklen_t len);
int socket_get_option(struct socket *s, int level, int option, void *value, socklen_t *len);
