/*
 * Receiving: out of the queue into the guest's memory; urgent data, peeking. See tcp.h.
 */
#include "net/inet/backend.h"
#include "net/inet/tcp.h"
#include "vfs/uio.h"
#include <limits.h>

bool tcp_readable(struct tcp_socket *t, size_t target)
{
    return t->queue.bytes >= MAX(target, (size_t)1);
}

/* ---- urgent data ---- */

static ssize_t receive_urgent(struct tcp_socket *t, struct socket_message *m)
{
    spin_lock(&t->inet.lock);
    bool valid = t->urgent && t->urgent_unread, closed = t->inet.state == TCP_CLOSE;
    bool read_shut = closed || (t->inet.shutdown & RECEIVE_SHUT);
    bool none = t->inet.socket.oob_inline || !t->urgent || !t->urgent_unread;
    uint8_t byte = t->urgent_byte;
    if (!none && valid && !(m->flags & MSG_PEEK))
        t->urgent_unread = false;
    spin_unlock(&t->inet.lock);
    if (none)
        return -EINVAL;
    if (closed && !t->fin_received)
        return -ENOTCONN;
    if (!valid)
        return read_shut ? 0 : -EAGAIN;
    m->ret_flags |= MSG_OOB;
    if (m->data->remaining == 0) {
        m->ret_flags |= MSG_TRUNC;
        return 0;
    }
    return m->flags & MSG_TRUNC ? 1 : uio_put(m->data, &byte, 1);
}

/* ---- the stream ---- */

struct stream {
    size_t done, target;
    size_t offset;   /* of the next byte in the queue: only peeking leaves bytes behind */
    bool peek, trunc;
};

/* What can be read at once, before the urgent mark; *ret_skip: the byte at the mark is to be left out. t locked. */
static const char *next_run(struct tcp_socket *t, struct stream *r, size_t *ret_n, bool *ret_skip)
{
    const char *at = tcp_queue_peek(&t->queue, r->offset, ret_n);
    *ret_skip = false;
    if (!at || !t->urgent)
        return at;
    uint64_t position = t->queue.read + r->offset;
    if (t->urgent_at < position)
        return at;
    uint64_t distance = t->urgent_at - position;
    if (distance == 0)
        *ret_skip = !t->inet.socket.oob_inline;
    if (distance == 0 && *ret_skip)
        *ret_n = 1;
    else if (distance > 0 && distance < *ret_n)
        *ret_n = distance;
    return at;
}

/* n bytes are read: the sender may have waited for the room. */
static void consumed(struct tcp_socket *t, struct stream *r, size_t n)
{
    spin_lock(&t->inet.lock);
    t->queue.consuming = false;
    bool doomed = t->queue.doomed;
    if (r->peek) {
        r->offset += n;
    } else {
        tcp_queue_consume(&t->queue, n);
        if (UNLIKELY(t->urgent && t->urgent_at < t->queue.read))
            t->urgent = false;
    }
    struct tcp_socket *peer = t->starved && !r->peek ? t->peer : NULL;
    spin_unlock(&t->inet.lock);
    if (UNLIKELY(doomed))
        tcp_drop_queue(t);
    if (peer && tcp_writable(peer)) {
        t->starved = false;
        wake_poll(&peer->inet.socket.writers, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
    }
}

/* Copies what lies in one piece: 1 to go on, 0 to stop, -errno. */
static int read_run(struct tcp_socket *t, struct socket_message *m, struct stream *r, const char *at, size_t n,
                    bool skip)
{
    if (skip) {
        consumed(t, r, 1);
        return 1;
    }
    n = MIN(n, m->data->remaining);
    ssize_t put = r->trunc ? (ssize_t)n : uio_put(m->data, at, n);
    if (put < 0) {
        consumed(t, r, 0);
        return r->done > 0 ? 0 : (int)put;
    }
    if (r->trunc)
        uio_skip(m->data, n);
    r->done += (size_t)put;
    consumed(t, r, (size_t)put);
    return (size_t)put == n;
}

/* Nothing is left to read for now: 1 at the end, 0 to wait, -errno. */
static int at_the_end(struct tcp_socket *t, const struct socket_message *m, const struct stream *r)
{
    bool nonblock = m->flags & MSG_DONTWAIT;
    if (r->done > 0)
        return nonblock || t->inet.socket.error || t->inet.state == TCP_CLOSE || (t->inet.shutdown & RECEIVE_SHUT);
    if (t->fin_received)
        return 1;
    int err = socket_take_error(&t->inet.socket);
    if (err < 0)
        return err;
    if (t->inet.shutdown & RECEIVE_SHUT)
        return 1;
    if (t->inet.state == TCP_CLOSE)
        return -ENOTCONN;
    return nonblock ? -EAGAIN : 0;
}

static bool has_more(struct tcp_socket *t, const struct stream *r)
{
    spin_lock(&t->inet.lock);
    bool more = t->queue.bytes > r->offset;
    spin_unlock(&t->inet.lock);
    return more;
}

static bool receive_ends(struct tcp_socket *t)
{
    return t->inet.socket.error || (t->inet.shutdown & RECEIVE_SHUT) || t->inet.state == TCP_CLOSE;
}

static int wait_bytes(struct tcp_socket *t, const struct stream *r, int64_t deadline)
{
    mutex_unlock(&t->inet.receive_lock);
    int err = wait_event_timeout(&t->inet.socket.readers, has_more(t, r) || receive_ends(t), deadline);
    mutex_lock(&t->inet.receive_lock);
    return socket_wait_error(err, deadline);
}

static int read_stream(struct tcp_socket *t, struct socket_message *m, struct stream *r)
{
    int64_t deadline = socket_deadline(&t->inet.socket, false);
    do { /* asked for nothing, it still waits for something */
        size_t n;
        bool skip;
        spin_lock(&t->inet.lock);
        const char *at = next_run(t, r, &n, &skip);
        bool at_mark = at && t->urgent && t->urgent_at == t->queue.read + r->offset;
        bool stop = at && at_mark && r->done > 0;
        t->queue.consuming = at && !stop;
        spin_unlock(&t->inet.lock);
        if (stop)
            return 0; /* what follows the mark is for the next call */
        if (at) {
            int more = read_run(t, m, r, at, n, skip);
            if (more <= 0 || m->data->remaining == 0)
                return MIN(more, 0);
            continue;
        }
        if (r->done >= r->target && r->target > 0)
            return 0;
        int end = at_the_end(t, m, r);
        if (end == 0)
            end = wait_bytes(t, r, deadline);
        if (end != 0)
            return end < 0 ? end : 0;
    } while (m->data->remaining > 0 || r->target == 0);
    return 0;
}

/* TCP_INQ: how many bytes are left, as a control message. */
static void give_inquiry(struct tcp_socket *t, struct socket_message *m)
{
    spin_lock(&t->inet.lock);
    int left = (int)MIN(t->queue.bytes, (size_t)INT_MAX);
    if (left == 0 && t->fin_received)
        left = 1;
    spin_unlock(&t->inet.lock);
    message_put_control(m, IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left));
}

ssize_t tcp_receive(struct socket *s, struct socket_message *m)
{
    struct tcp_socket *t = tcp_of(s);
    struct stream r = {.peek = m->flags & MSG_PEEK, .trunc = m->flags & MSG_TRUNC};
    if (UNLIKELY(t->inet.outside))
        return t->inet.outside->ops->receive(t->inet.outside, m);
    if (m->name)
        m->name->len = 0;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN;
    if (t->inet.state == TCP_LISTEN)
        return -ENOTCONN;
    if (m->flags & MSG_OOB)
        return receive_urgent(t, m);
    r.target = m->flags & MSG_WAITALL ? m->data->remaining : (size_t)s->receive_low;
    r.target = MIN(MAX(r.target, (size_t)1), m->data->remaining);
    int peek_offset = s->peek_offset;
    if (r.peek && peek_offset >= 0)
        r.offset = (size_t)peek_offset;
    mutex_lock(&t->inet.receive_lock);
    int err = read_stream(t, m, &r);
    mutex_unlock(&t->inet.receive_lock);
    if (UNLIKELY(t->options.inquire) && (r.done > 0 || err == 0))
        give_inquiry(t, m);
    if (UNLIKELY(s->timestamps || s->timestamps_ns) && r.done > 0)
        socket_give_timestamp(s, m, 0);
    if (UNLIKELY(peek_offset >= 0) && r.done > 0)
        s->peek_offset = r.peek ? peek_offset + (int)r.done : MAX(peek_offset - (int)r.done, 0);
    return r.done > 0 ? (ssize_t)r.done : err;
}
