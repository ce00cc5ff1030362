/* Sockets the broker made: their calls. See broker.h. */
#include "net/broker/private.h"
#include "vfs/uio.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK 65536

static struct broker_socket *of(struct inet_outside *o)
{
    return container_of(o, struct broker_socket, outside);
}

struct broker_socket *broker_socket_new(struct inet_socket *i, const struct inet_outside_ops *ops)
{
    struct broker_socket *b = calloc(1, sizeof(*b));
    if (b)
        *b = (struct broker_socket){.outside = {ops, i}, .fd = -1};
    return b;
}

/* Edges of the host wake whoever waits in the readers' queue: senders and connecters wait there as well. */
void broker_socket_attach(struct broker_socket *b, int fd, uint32_t id)
{
    b->fd = fd;
    b->id = id;
    b->watched = host_event_add(&b->event, fd, &b->outside.socket->socket.readers) == 0;
}

static void close_socket(struct inet_outside *o)
{
    struct broker_socket *b = of(o);
    if (b->watched)
        host_event_remove(&b->event);
    if (b->fd >= 0) {
        close(b->fd);
        broker_forget(b->id);
    }
    o->socket->outside = NULL;
    free(b);
}

static uint32_t host_poll(struct broker_socket *b)
{
    struct pollfd p = {.fd = b->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    return b->fd >= 0 && poll(&p, 1, 0) == 1 ? (uint32_t)(uint16_t)p.revents : 0;
}

/* ---- connecting ---- */

/* A connect that is under way: has it been decided? An empty send tells without consuming anything. */
static void settle(struct broker_socket *b)
{
    struct inet_socket *i = b->outside.socket;
    if (i->state != TCP_SYN_SENT || b->fd < 0)
        return;
    ssize_t n = send(b->fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL);
    int err = n < 0 ? errno : 0;
    if (err == EAGAIN || err == EINTR)
        return;
    spin_lock(&i->lock);
    if (i->state == TCP_SYN_SENT) {
        i->socket.error = err;
        i->state = err ? TCP_CLOSE : TCP_ESTABLISHED;
    }
    spin_unlock(&i->lock);
}

static bool tcp_settled(struct inet_outside *o)
{
    settle(of(o));
    return o->socket->state != TCP_SYN_SENT;
}

static int tcp_connect_outside(struct inet_outside *o, const struct inet_endpoint *to)
{
    struct broker_socket *b = of(o);
    struct inet_socket *i = o->socket;
    struct broker_request q = {.op = BROKER_CONNECT, .to = broker_address(to), .from = broker_address(&i->pair.local)};
    struct broker_reply r;
    int fd = -1;
    if (b->fd >= 0)
        return -EISCONN;
    if (!i->bound_port)
        q.from.sin6_port = 0;
    if (!i->bound_address)
        q.from.sin6_addr = inet_is_v4(&to->addr) ? inet_any4 : in6addr_any;
    int err = broker_call(&q, -1, &r, &fd);
    if (err < 0)
        return err;
    spin_lock(&i->lock);
    i->pair.local = broker_endpoint(&r.local);
    i->pair.remote = *to;
    i->state = TCP_SYN_SENT;
    spin_unlock(&i->lock);
    broker_socket_attach(b, fd, r.id);
    return 0;
}

static int udp_connect_outside(struct inet_outside *o, const struct inet_endpoint *to)
{
    struct broker_request q = {.op = BROKER_UDP_PEER, .id = of(o)->id, .domain = o->socket->socket.domain,
                               .to = broker_address(to)};
    struct broker_reply r;
    return broker_call(&q, -1, &r, NULL);
}

/* ---- bytes ---- */

/* Sleeps until the host says something new and one of `events` holds, or the time is over. */
static int wait_for(struct broker_socket *b, uint32_t events, const struct socket_message *m, bool sending)
{
    struct socket *s = &b->outside.socket->socket;
    int64_t deadline = socket_deadline(s, sending);
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    int err = wait_event_timeout(&s->readers, host_poll(b) & (events | POLLERR | POLLHUP), deadline);
    return socket_wait_error(err, deadline);
}

static ssize_t receive_once(struct broker_socket *b, struct socket_message *m, int flags, struct sockaddr_in6 *from)
{
    size_t room;
    char nothing;
    void *to = m->data->remaining ? uio_reserve(m->data, m->data->remaining, &room) : &nothing;
    struct iovec v = {to, m->data->remaining ? room : 0};
    struct sockaddr_storage name;
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = &name, .msg_namelen = sizeof(name)};
    ssize_t n = recvmsg(b->fd, &h, flags | MSG_DONTWAIT);
    int err = errno;
    m->ret_flags |= h.msg_flags & (MSG_TRUNC | MSG_OOB);
    if (n >= 0 && h.msg_namelen) {
        struct sockaddr_in in;
        memcpy(&in, &name, sizeof(in));
        memcpy(from, &name, sizeof(*from));
        if (in.sin_family == AF_INET) {
            from->sin6_addr = inet_from_v4(be32toh(in.sin_addr.s_addr));
            from->sin6_port = in.sin_port;
        }
    }
    if (m->data->remaining || v.iov_len) {
        ssize_t put = uio_commit(m->data, n > 0 ? MIN((size_t)n, v.iov_len) : 0);
        if (put < 0 && n > 0)
            return put;
    }
    return n < 0 ? -err : n;
}

static ssize_t receive_outside(struct inet_outside *o, struct socket_message *m)
{
    struct broker_socket *b = of(o);
    struct inet_socket *i = o->socket;
    bool stream = i->socket.type == SOCK_STREAM;
    struct sockaddr_in6 from = {0};
    int flags = m->flags & (MSG_PEEK | MSG_OOB | MSG_TRUNC);
    size_t done = 0, target = stream && m->flags & MSG_WAITALL && !(flags & MSG_PEEK) ? m->data->remaining : 1;
    settle(b);
    if (b->fd < 0 || (stream && i->state == TCP_SYN_SENT))
        return b->fd < 0 ? -ENOTCONN : -EAGAIN;
    for (;;) {
        ssize_t n = receive_once(b, m, flags, &from);
        if (n >= 0) {
            done += (size_t)n;
            if (n == 0 || done >= target || m->data->remaining == 0)
                break;
            continue;
        }
        if (n != -EAGAIN && n != -EINTR)
            return done ? (ssize_t)done : n;
        int err = n == -EINTR ? 0 : wait_for(b, POLLIN | POLLRDHUP, m, false);
        if (err < 0)
            return done ? (ssize_t)done : err;
    }
    if (m->name && !stream) {
        struct inet_endpoint e = broker_endpoint(&from);
        inet_name_out(i, &e, m->name);
    } else if (m->name) {
        m->name->len = 0;
    }
    return (ssize_t)done;
}

static ssize_t send_once(struct broker_socket *b, const char *data, size_t len, int flags,
                         const struct sockaddr_in6 *to)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    const void *name = to;
    socklen_t name_len = to ? sizeof(*to) : 0;
    if (to && b->outside.socket->socket.domain == AF_INET) {
        in.sin_port = to->sin6_port;
        in.sin_addr.s_addr = to->sin6_addr.s6_addr32[3];
        name = &in;
        name_len = sizeof(in);
    }
    ssize_t n = sendto(b->fd, data, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL, name, name_len);
    return n < 0 ? -errno : n;
}

/* All of data, or what went before something happened. */
static ssize_t send_all(struct broker_socket *b, struct socket_message *m, const char *data, size_t len,
                        const struct sockaddr_in6 *to)
{
    size_t done = 0;
    do {
        ssize_t n = send_once(b, data + done, len - done, m->flags & (MSG_OOB | MSG_MORE), to);
        if (n >= 0) {
            done += (size_t)n;
            continue;
        }
        int err = n == -EAGAIN ? wait_for(b, POLLOUT, m, true) : n == -EINTR ? 0 : (int)n;
        if (err < 0)
            return done ? (ssize_t)done : err;
    } while (done < len);
    return (ssize_t)done;
}

/* Where a datagram goes, if the message says so, and may it? */
static int destination(struct broker_socket *b, const struct socket_message *m, struct sockaddr_in6 *ret, bool *ret_any)
{
    struct inet_endpoint e;
    *ret_any = m->name && m->name->len;
    if (!*ret_any)
        return 0;
    int err = inet_name_in(b->outside.socket, m->name, &e);
    if (err < 0)
        return err;
    *ret = broker_address(&e);
    if (memcmp(ret, &b->checked, sizeof(*ret)) == 0)
        return 0;
    struct broker_request q = {.op = BROKER_UDP_CHECK, .to = *ret};
    struct broker_reply r;
    err = broker_call(&q, -1, &r, NULL);
    if (err == 0)
        b->checked = *ret;
    return err;
}

static ssize_t send_outside(struct inet_outside *o, struct socket_message *m)
{
    struct broker_socket *b = of(o);
    bool stream = o->socket->socket.type == SOCK_STREAM, named = false;
    struct sockaddr_in6 to;
    size_t total = 0;
    settle(b);
    if (b->fd < 0 || (stream && o->socket->state == TCP_SYN_SENT))
        return b->fd < 0 ? -ENOTCONN : -EAGAIN;
    int err = stream ? 0 : destination(b, m, &to, &named);
    char *buffer = err < 0 ? NULL : malloc(MIN(m->data->remaining, (size_t)CHUNK) + 1);
    if (!buffer)
        return err < 0 ? err : -ENOMEM;
    ssize_t result = 0;
    do {
        size_t n = MIN(m->data->remaining, (size_t)CHUNK);
        ssize_t got = n ? uio_take(m->data, buffer, n) : 0;
        result = got < 0 ? got : send_all(b, m, buffer, (size_t)got, named ? &to : NULL);
        total += result > 0 ? (size_t)result : 0;
        if (result < got)
            break;
    } while (stream && result > 0 && m->data->remaining);
    free(buffer);
    if (total > 0 || result >= 0)
        return (ssize_t)total;
    return result == -EPIPE ? socket_broken_pipe(m->flags) : result;
}

/* ---- the rest ---- */

static uint32_t poll_outside(struct inet_outside *o, struct poll_table *table)
{
    struct broker_socket *b = of(o);
    settle(b);
    uint32_t events = host_poll(b);
    if (events & POLLIN)
        events |= EPOLLRDNORM;
    if (events & POLLOUT)
        events |= EPOLLWRNORM;
    if (b->fd < 0)
        events = EPOLLOUT | EPOLLHUP;
    return o->socket->socket.error ? events | EPOLLERR : events;
}

static int shutdown_outside(struct inet_outside *o, int how)
{
    struct broker_request q = {.op = BROKER_SHUTDOWN, .id = of(o)->id, .how = how};
    struct broker_reply r;
    settle(of(o));
    return of(o)->fd < 0 ? -ENOTCONN : broker_call(&q, -1, &r, NULL);
}

static int name_outside(struct inet_outside *o, bool peer, struct inet_endpoint *ret)
{
    *ret = peer ? o->socket->pair.remote : o->socket->pair.local;
    return 0;
}

static int set_option_outside(struct inet_outside *o, int level, int option, const void *value, socklen_t len)
{
    struct broker_request q = {.op = BROKER_SET_OPTION, .id = of(o)->id, .level = level, .option = option,
                               .len = MIN(len, (socklen_t)BROKER_VALUE_MAX)};
    struct broker_reply r;
    memcpy(q.value, value, q.len);
    return of(o)->fd < 0 ? 0 : broker_call(&q, -1, &r, NULL);
}

static int get_option_outside(struct inet_outside *o, int level, int option, void *value, socklen_t *len)
{
    struct broker_request q = {.op = BROKER_GET_OPTION, .id = of(o)->id, .level = level, .option = option,
                               .len = MIN(*len, (socklen_t)BROKER_VALUE_MAX)};
    struct broker_reply r;
    int err = of(o)->fd < 0 ? -ENOTCONN : broker_call(&q, -1, &r, NULL);
    if (err < 0)
        return err;
    r.len = MIN(r.len, (uint32_t)BROKER_VALUE_MAX);
    *len = MIN(*len, r.len);
    memcpy(value, r.value, *len);
    return 0;
}

static size_t unread_outside(struct inet_outside *o)
{
    int n = 0;
    return of(o)->fd >= 0 && ioctl(of(o)->fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

static size_t unsent_outside(struct inet_outside *o)
{
    return 0; /* the host's business */
}

const struct inet_outside_ops broker_tcp_ops = {
    .connect = tcp_connect_outside,
    .settled = tcp_settled,
    .shutdown = shutdown_outside,
    .send = send_outside,
    .receive = receive_outside,
    .poll = poll_outside,
    .name = name_outside,
    .set_option = set_option_outside,
    .get_option = get_option_outside,
    .unread = unread_outside,
    .unsent = unsent_outside,
    .close = close_socket,
};

const struct inet_outside_ops broker_udp_ops = {
    .connect = udp_connect_outside,
    .shutdown = shutdown_outside,
    .send = send_outside,
    .receive = receive_outside,
    .poll = poll_outside,
    .name = name_outside,
    .set_option = set_option_outside,
    .get_option = get_option_outside,
    .unread = unread_outside,
    .unsent = unsent_outside,
    .close = close_socket,
};
