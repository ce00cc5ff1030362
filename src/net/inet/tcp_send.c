/*
 * Sending: from the guest's memory straight into the receiver's queue. See tcp.h.
 */
#include "net/inet/backend.h"
#include "net/inet/tcp.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "vfs/uio.h"

ssize_t tcp_broken_pipe(struct tcp_socket *t, int flags, ssize_t err)
{
    if (err == -EPIPE) {
        int pending = socket_take_error(&t->inet.socket);
        err = pending ? pending : -EPIPE;
    }
    if (err == -EPIPE && !(flags & MSG_NOSIGNAL) && current) {
        siginfo_t info;
        siginfo_user(&info, SIGPIPE, SI_USER);
        signal_send_task(current, SIGPIPE, &info);
    }
    return err;
}

/* The receiver's end cannot take bytes any more: it was closed, or closed both ways and would not read them. */
static bool refuses_locked(const struct tcp_socket *peer)
{
    if (peer->dead || peer->inet.state == TCP_CLOSE)
        return true;
    return peer->inet.state == TCP_FIN_WAIT2 && (peer->inet.shutdown & RECEIVE_SHUT);
}

/* The last of n bytes just committed is urgent. peer locked. */
static void mark_urgent(struct tcp_socket *peer, uint8_t byte)
{
    /* A mark that was reached and not read is passed over: its byte was never part of the stream. */
    if (peer->urgent && peer->urgent_at == peer->queue.read && !peer->inet.socket.oob_inline && peer->queue.bytes > 1 &&
        !peer->queue.consuming)
        tcp_queue_consume(&peer->queue, 1);
    peer->urgent = peer->urgent_unread = true;
    peer->urgent_byte = byte;
    peer->urgent_at = peer->queue.read + peer->queue.bytes - 1;
}

/* n bytes at `at` are the receiver's: false when it does not take them. */
static bool deliver(struct tcp_socket *t, struct tcp_socket *peer, const char *at, size_t n, bool urgent)
{
    spin_lock(&peer->inet.lock);
    bool refused = refuses_locked(peer);
    tcp_queue_commit(&peer->queue, refused ? 0 : n);
    if (!refused && urgent && n > 0)
        mark_urgent(peer, (uint8_t)at[n - 1]);
    peer->segments_in++;
    bool enough = peer->queue.bytes >= (size_t)peer->inet.socket.receive_low || urgent;
    spin_unlock(&peer->inet.lock);
    if (refused) {
        tcp_drop_queue(peer);
        tcp_reset_by_peer(t, peer);
        return false;
    }
    t->sent += n;
    t->segments_out++;
    if (UNLIKELY(peer->waits_for_bytes))
        tcp_undefer(peer);
    if (enough)
        wake_poll(&peer->inet.socket.readers, EPOLLIN | EPOLLRDNORM | (urgent ? EPOLLPRI : 0));
    if (urgent)
        socket_signal_urgent(&peer->inet.socket);
    return true;
}

/* Some bytes of the message, at most `room`: how many, or -errno. */
static ssize_t send_piece(struct tcp_socket *t, struct socket_message *m, size_t room)
{
    struct tcp_socket *peer = t->peer;
    size_t n, want = MIN(m->data->remaining, room);
    char *at = tcp_queue_space(&peer->queue, &peer->inet.lock, want, &n);
    if (!at)
        return -ENOBUFS;
    ssize_t taken = uio_take(m->data, at, n);
    bool last = m->data->remaining == 0;
    deliver(t, peer, at, taken > 0 ? (size_t)taken : 0, last && (m->flags & MSG_OOB));
    if (taken >= 0 && (size_t)taken < n)
        return taken > 0 ? taken : -EFAULT; /* the rest of the guest's memory is bad */
    return taken;
}

static bool send_ends(struct tcp_socket *t)
{
    return t->inet.socket.error || (t->inet.shutdown & SEND_SHUT);
}

/* Room for bytes: looks again after saying that it is wanted, since it may have come meanwhile. */
static bool has_room(struct tcp_socket *t)
{
    spin_lock(&t->inet.lock);
    if (t->peer)
        t->peer->starved = true;
    spin_unlock(&t->inet.lock);
    return tcp_writable(t);
}

/* send_lock is let go meanwhile. */
static int wait_room(struct tcp_socket *t, const struct socket_message *m, int64_t deadline)
{
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    mutex_unlock(&t->inet.send_lock);
    int err = wait_event_timeout(&t->inet.socket.writers, has_room(t) || send_ends(t), deadline);
    mutex_lock(&t->inet.send_lock);
    return socket_wait_error(err, deadline);
}

static int send_all(struct tcp_socket *t, struct socket_message *m, int64_t deadline, size_t *done)
{
    while (m->data->remaining > 0) {
        if (send_ends(t) || !t->peer)
            return -EPIPE;
        size_t room = tcp_room(t);
        if (room == 0) {
            int err = wait_room(t, m, deadline);
            if (err < 0)
                return err;
            continue;
        }
        ssize_t n = send_piece(t, m, room);
        if (n < 0)
            return (int)n;
        *done += (size_t)n;
    }
    return send_ends(t) && *done == 0 ? -EPIPE : 0;
}

/* sendto(2) with MSG_FASTOPEN, or the first bytes after TCP_FASTOPEN_CONNECT: connects first. */
static int connect_first(struct tcp_socket *t, const struct socket_message *m)
{
    bool nonblock = m->flags & MSG_DONTWAIT;
    if (!m->name || !m->name->len)
        return -EDESTADDRREQ;
    if (t->phase != CONNECT_NONE)
        return -EISCONN;
    int err = tcp_connect(&t->inet.socket, m->name, nonblock);
    return err == -EINPROGRESS && t->inet.state == TCP_ESTABLISHED ? 0 : err;
}

ssize_t tcp_send(struct socket *s, struct socket_message *m)
{
    struct tcp_socket *t = tcp_of(s);
    int64_t deadline = socket_deadline(s, true);
    size_t done = 0;
    int err = m->flags & MSG_FASTOPEN ? connect_first(t, m) : 0;
    if (err < 0)
        return err;
    if (UNLIKELY(t->inet.outside))
        return t->inet.outside->ops->send(t->inet.outside, m);
    mutex_lock(&t->inet.send_lock);
    if (UNLIKELY(t->inet.state != TCP_ESTABLISHED && t->inet.state != TCP_CLOSE_WAIT))
        err = tcp_wait_connected(t, m->flags & MSG_DONTWAIT, deadline);
    if (err == 0)
        err = send_all(t, m, deadline, &done);
    mutex_unlock(&t->inet.send_lock);
    if (done > 0)
        return (ssize_t)done;
    return err < 0 ? tcp_broken_pipe(t, m->flags, err) : 0;
}
