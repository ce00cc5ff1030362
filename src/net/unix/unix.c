/*
 * The life of AF_UNIX sockets. See unix.h.
 *
 * Two connected sockets hold references to each other; closing one marks it dead and tells the
 * other, which lets go when it is closed in turn or connects elsewhere.
 */
#include "net/unix/unix.h"
#include "kernel/pid.h"
#include "kernel/user_namespace.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "net/netns.h"
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct mutex unix_lock = MUTEX_INIT(unix_lock);

struct unix_socket *unix_new(int type)
{
    struct unix_socket *u = calloc(1, sizeof(*u));
    if (!u)
        return NULL;
    socket_init(&u->socket, &unix_ops, AF_UNIX, type, 0);
    spin_init(&u->lock);
    mutex_init(&u->read_lock);
    list_init(&u->queue);
    list_init(&u->backlog);
    list_init(&u->accept_link);
    list_init(&u->inflight_link);
    list_init(&u->swamped);
    list_init(&u->swamped_link);
    u->backlog_max = (unsigned)MAX((int)u->socket.ns->sysctl.max_dgram_qlen, 0);
    u->peer_creds = (struct unix_creds){NULL, UINT32_MAX, UINT32_MAX};
    return u;
}

static int unix_create(int type, int protocol, struct socket **ret)
{
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == SOCK_RAW)
        type = SOCK_DGRAM;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    struct unix_socket *u = unix_new(type);
    if (!u)
        return -ENOMEM;
    *ret = &u->socket;
    return 0;
}

/* ---- peers and credentials ---- */

struct unix_socket *unix_peer(struct unix_socket *u)
{
    spin_lock(&u->lock);
    struct unix_socket *peer = u->peer ? unix_get(u->peer) : NULL;
    spin_unlock(&u->lock);
    return peer;
}

void unix_set_peer(struct unix_socket *u, struct unix_socket *peer)
{
    spin_lock(&u->lock);
    struct unix_socket *old = u->peer;
    u->peer = peer;
    spin_unlock(&u->lock);
    if (old)
        unix_put(old);
}

void unix_current_creds(struct unix_creds *ret)
{
    const struct cred *cred = current_cred();
    *ret = (struct unix_creds){current ? pid_get(current->process->pid) : NULL, cred->euid, cred->egid};
}

void unix_creds_put(struct unix_creds *c)
{
    if (c->pid)
        pid_put(c->pid);
    c->pid = NULL;
}

void unix_peer_is_current(struct unix_socket *u)
{
    unix_creds_put(&u->peer_creds);
    if (u->peer_cred)
        cred_put((struct cred *)u->peer_cred);
    unix_current_creds(&u->peer_creds);
    u->peer_cred = cred_get(current_cred());
}

void unix_peer_is(struct unix_socket *u, const struct unix_socket *from)
{
    const struct unix_creds *c = &from->peer_creds;
    unix_creds_put(&u->peer_creds);
    if (u->peer_cred)
        cred_put((struct cred *)u->peer_cred);
    u->peer_creds = (struct unix_creds){c->pid ? pid_get(c->pid) : NULL, c->uid, c->gid};
    u->peer_cred = from->peer_cred ? cred_get(from->peer_cred) : NULL;
}

static int unix_pair(struct socket *sa, struct socket *sb)
{
    struct unix_socket *a = unix_of(sa), *b = unix_of(sb);
    MUTEX_GUARD(&unix_lock);
    unix_set_peer(a, unix_get(b));
    unix_set_peer(b, unix_get(a));
    unix_peer_is_current(a);
    unix_peer_is_current(b);
    if (!unix_is_dgram(a))
        a->state = b->state = UNIX_CONNECTED;
    return 0;
}

/* ---- readiness ---- */

size_t unix_send_room(const struct unix_socket *u)
{
    size_t charged = u->charged, limit = (size_t)u->socket.send_buffer;
    return charged < limit ? limit - charged : 0;
}

bool unix_writable(const struct unix_socket *u)
{
    return u->state != UNIX_LISTENING && u->charged * 4 <= (size_t)u->socket.send_buffer;
}

/* A datagram socket whose receiver is swamped by others cannot send either. */
static bool peer_is_full(struct unix_socket *u)
{
    struct unix_socket *peer = unix_is_dgram(u) ? unix_peer(u) : NULL;
    bool full = peer && unix_swamped(u, peer);
    if (peer)
        unix_put(peer);
    return full;
}

static uint32_t unix_poll(struct socket *s, struct poll_table *table)
{
    struct unix_socket *u = unix_of(s);
    unsigned shut = u->shutdown;
    uint32_t events = 0;
    if (s->error)
        events |= EPOLLERR;
    if (shut == (RECEIVE_SHUT | SEND_SHUT))
        events |= EPOLLHUP;
    if (shut & RECEIVE_SHUT)
        events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
    spin_lock(&u->lock);
    if (unix_readable_locked(u) || !list_empty(&u->backlog))
        events |= EPOLLIN | EPOLLRDNORM;
    if (u->urgent)
        events |= EPOLLPRI;
    spin_unlock(&u->lock);
    if (!unix_is_dgram(u) && u->state == UNIX_UNCONNECTED)
        events |= EPOLLHUP;
    if (unix_writable(u) && !peer_is_full(u))
        events |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
    return events;
}

/* ---- shutdown and close ---- */

static void wake_both(struct unix_socket *u, uint32_t events)
{
    wake_poll(&u->socket.readers, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | events);
    wake_poll(&u->socket.writers, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | events);
}

static int unix_shutdown(struct socket *s, int how)
{
    struct unix_socket *u = unix_of(s);
    unsigned mine = how == SHUT_RD ? RECEIVE_SHUT : how == SHUT_WR ? SEND_SHUT : RECEIVE_SHUT | SEND_SHUT;
    unsigned theirs = (mine & RECEIVE_SHUT ? SEND_SHUT : 0) | (mine & SEND_SHUT ? RECEIVE_SHUT : 0);
    MUTEX_GUARD(&unix_lock);
    u->shutdown |= mine;
    wake_both(u, EPOLLHUP);
    struct unix_socket *peer = unix_is_dgram(u) ? NULL : unix_peer(u);
    if (!peer)
        return 0;
    peer->shutdown |= theirs;
    wake_both(peer, EPOLLHUP);
    unix_put(peer);
    return 0;
}

/* Empties the queue into `dropped`: was there anything in it? */
static bool drop_queue(struct unix_socket *u, struct list *dropped)
{
    spin_lock(&u->lock);
    bool any = !list_empty(&u->queue);
    list_splice_tail(dropped, &u->queue);
    u->queue_len = 0;
    u->queue_bytes = 0;
    u->urgent = NULL;
    spin_unlock(&u->lock);
    return any;
}

/* unix_lock not held: the files in messages may be sockets that end now. */
static void free_messages(struct list *dropped)
{
    struct unix_message *m, *tmp;
    list_for_each_safe(m, tmp, dropped, link) {
        list_del(&m->link);
        unix_message_free(m);
    }
}

static void close_socket(struct unix_socket *u, bool never_accepted, struct list *dropped);

static void drop_backlog(struct unix_socket *u, struct list *dropped)
{
    for (;;) {
        spin_lock(&u->lock);
        struct unix_socket *waiting = list_first(&u->backlog, struct unix_socket, accept_link);
        if (waiting)
            list_del(&waiting->accept_link);
        spin_unlock(&u->lock);
        if (!waiting)
            return;
        close_socket(waiting, true, dropped);
        unix_put(waiting);
    }
}

/* unix_lock held. */
static void leave_peer(struct unix_socket *u, bool reset)
{
    struct unix_socket *peer = unix_peer(u);
    if (!peer)
        return;
    if (!unix_is_dgram(u)) {
        peer->shutdown |= RECEIVE_SHUT | SEND_SHUT;
        if (reset)
            peer->socket.error = ECONNRESET;
        wake_both(peer, EPOLLHUP | (reset ? EPOLLERR : 0));
    } else {
        wake_both(peer, 0);
    }
    unix_set_peer(u, NULL);
    unix_put(peer);
}

/* unix_lock held. */
static void close_socket(struct unix_socket *u, bool never_accepted, struct list *dropped)
{
    u->dead = true;
    u->shutdown = RECEIVE_SHUT | SEND_SHUT;
    u->state = UNIX_UNCONNECTED;
    unix_address_unbind(u);
    drop_backlog(u, dropped);
    bool unread = drop_queue(u, dropped);
    leave_peer(u, unread || never_accepted);
    unix_unswamp(u);
    wake_both(u, EPOLLHUP);
}

static void unix_release(struct socket *s)
{
    struct list dropped;
    list_init(&dropped);
    mutex_lock(&unix_lock);
    close_socket(unix_of(s), false, &dropped);
    mutex_unlock(&unix_lock);
    free_messages(&dropped);
    unix_collect();
}

/* Closed, or never used: its queue is empty. */
static void unix_free(struct socket *s)
{
    struct unix_socket *u = unix_of(s);
    assert(list_empty(&u->queue));
    if (u->peer)
        unix_put(u->peer);
    if (u->address)
        unix_address_put(u->address);
    unix_creds_put(&u->peer_creds);
    if (u->peer_cred)
        cred_put((struct cred *)u->peer_cred);
    free(u);
}

const struct socket_ops unix_ops = {
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .pair = unix_pair,
    .name = unix_name,
    .shutdown = unix_shutdown,
    .send = unix_send,
    .receive = unix_receive,
    .poll = unix_poll,
    .ioctl = unix_ioctl,
    .set_option = unix_set_option,
    .get_option = unix_get_option,
    .release = unix_release,
    .free = unix_free,
};

static const struct socket_family unix_family = {.domain = AF_UNIX, .name = "unix", .create = unix_create};

void unix_init(void)
{
    socket_register(&unix_family);
}
