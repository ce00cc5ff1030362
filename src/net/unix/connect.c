/*
 * Connecting AF_UNIX sockets. A stream's client makes the server's socket as well and puts it on
 * the listener's backlog; it is connected from then on, whether accepted or not.
 */
#include "net/unix/unix.h"
#include "kernel/pid.h"
#include <limits.h>

int unix_listen(struct socket *s, int backlog)
{
    struct unix_socket *u = unix_of(s);
    if (unix_is_dgram(u))
        return -EOPNOTSUPP;
    MUTEX_GUARD(&unix_lock);
    if (!u->address || u->state == UNIX_CONNECTED)
        return -EINVAL;
    spin_lock(&u->lock);
    u->backlog_max = (unsigned)backlog > 4096 ? 4096 : (unsigned)backlog; /* net.core.somaxconn */
    spin_unlock(&u->lock);
    u->state = UNIX_LISTENING;
    s->listening = true;
    unix_peer_is_current(u); /* what clients will see */
    wake_poll(&s->writers, EPOLLOUT); /* room in the backlog */
    return 0;
}

/* ---- datagrams ---- */

static int connect_dgram(struct unix_socket *u, const struct socket_name *name)
{
    struct unix_socket *other = NULL;
    if (name->addr.sa_family != AF_UNSPEC) {
        int err = unix_find(u, name, &other);
        if (err == 0 && unix_wants_creds(u))
            err = unix_autobind(u);
        if (err < 0) {
            if (other)
                unix_put(other);
            return err;
        }
        spin_lock(&other->lock);
        bool taken = other->peer && other->peer != u;
        spin_unlock(&other->lock);
        if (taken) {
            unix_put(other);
            return -EPERM;
        }
    }
    unix_set_peer(u, other);
    wake_poll(&u->socket.writers, EPOLLOUT | EPOLLWRNORM);
    return 0;
}

/* ---- streams and sequenced packets ---- */

static bool backlog_full(struct unix_socket *listener)
{
    spin_lock(&listener->lock);
    bool full = listener->backlog_len > listener->backlog_max;
    spin_unlock(&listener->lock);
    return full;
}

/* unix_lock held: u and a new server's socket become each other's peers. */
static int join(struct unix_socket *u, struct unix_socket *listener, struct unix_socket *server)
{
    if (u->state == UNIX_CONNECTED)
        return -EISCONN;
    if (u->state == UNIX_LISTENING)
        return -EINVAL;
    if (listener->dead || listener->state != UNIX_LISTENING || (listener->shutdown & RECEIVE_SHUT))
        return -ECONNREFUSED;
    if (backlog_full(listener))
        return -EAGAIN;
    unix_peer_is_current(server);
    unix_peer_is(u, listener);
    server->address = unix_address_get(listener->address);
    server->socket.pass_credentials = (bool)listener->socket.pass_credentials;
    server->pass_pidfd = (bool)listener->pass_pidfd;
    server->socket.send_buffer = (int)listener->socket.send_buffer;
    u->state = server->state = UNIX_CONNECTED;
    unix_set_peer(u, unix_get(server));
    unix_set_peer(server, unix_get(u));
    spin_lock(&listener->lock);
    list_add_tail(&listener->backlog, &unix_get(server)->accept_link);
    listener->backlog_len++;
    spin_unlock(&listener->lock);
    return 0;
}

static int join_or_wait(struct unix_socket *u, struct unix_socket *listener, struct unix_socket *server, bool nonblock)
{
    int64_t deadline = socket_deadline(&u->socket, true);
    for (;;) {
        mutex_lock(&unix_lock);
        int err = join(u, listener, server);
        mutex_unlock(&unix_lock);
        if (err != -EAGAIN || nonblock)
            return err;
        err = wait_event_timeout(&listener->socket.writers, !backlog_full(listener) || listener->dead, deadline);
        if (err < 0)
            return socket_wait_error(err, deadline);
    }
}

int unix_connect(struct socket *s, const struct socket_name *name, bool nonblock)
{
    struct unix_socket *u = unix_of(s), *listener;
    if (unix_is_dgram(u))
        return connect_dgram(u, name);
    int err = unix_find(u, name, &listener);
    if (err < 0)
        return err;
    if (unix_wants_creds(u))
        err = unix_autobind(u);
    struct unix_socket *server = err == 0 ? unix_new(s->type) : NULL;
    if (err == 0)
        err = server ? join_or_wait(u, listener, server, nonblock) : -ENOMEM;
    if (err == 0)
        wake_poll(&listener->socket.readers, EPOLLIN | EPOLLRDNORM);
    if (server)
        unix_put(server);
    unix_put(listener);
    return err;
}

static struct unix_socket *take_waiting(struct unix_socket *u)
{
    spin_lock(&u->lock);
    struct unix_socket *waiting = list_first(&u->backlog, struct unix_socket, accept_link);
    if (waiting) {
        list_del(&waiting->accept_link);
        u->backlog_len--;
    }
    spin_unlock(&u->lock);
    return waiting;
}

int unix_accept(struct socket *s, bool nonblock, struct socket **ret)
{
    struct unix_socket *u = unix_of(s), *waiting = NULL;
    if (unix_is_dgram(u))
        return -EOPNOTSUPP;
    if (u->state != UNIX_LISTENING)
        return -EINVAL;
    int64_t deadline = socket_deadline(s, false);
    int err = 0;
    waiting = take_waiting(u);
    if (!waiting && (u->shutdown & RECEIVE_SHUT))
        return -EINVAL;
    if (!waiting && nonblock)
        return -EAGAIN;
    if (!waiting)
        err = wait_event_timeout(&s->readers, (waiting = take_waiting(u)) || (u->shutdown & RECEIVE_SHUT), deadline);
    if (!waiting)
        return err < 0 ? socket_wait_error(err, deadline) : -EINVAL;
    wake_poll(&s->writers, EPOLLOUT);
    *ret = &waiting->socket;
    return 0;
}
