/*
 * Listening, connecting, accepting. See tcp.h.
 *
 * A client makes the server's end itself and puts it on the listener's backlog; the connection is established from
 * then on. When the backlog is full, the client waits in the listener's list of pending ones, in SYN_SENT, and
 * accept(2) makes the connection for it. (Where Linux drops the SYN and the client repeats it.)
 */
#include "net/inet/backend.h"
#include "net/inet/tcp.h"
#include "net/netns.h"
#include "kernel/signal.h"
#include <stdlib.h>

#define SYN_TIMEOUT_NS (127 * NSEC_PER_SEC) /* six repetitions: net.ipv4.tcp_syn_retries */

/* The one timer that a socket has while it is neither connected nor accepted. */
struct tcp_timer {
    struct timer timer; /* first: freed as a timer */
    struct tcp_socket *socket; /* [I] weak: it cancels us before it goes */
};

/* NULL: out of memory. */
static struct timer *timer_of(struct tcp_socket *t, void (*func)(struct timer *t))
{
    if (!t->timer) {
        struct tcp_timer *own = calloc(1, sizeof(*own));
        if (!own)
            return NULL;
        timer_init(&own->timer, func);
        own->socket = t;
        t->timer = &own->timer;
    }
    return t->timer;
}

/* ---- listen ---- */

int tcp_listen(struct socket *s, int backlog)
{
    struct tcp_socket *t = tcp_of(s);
    MUTEX_GUARD(&t->inet.send_lock);
    if (t->inet.state != TCP_CLOSE && t->inet.state != TCP_LISTEN)
        return -EINVAL;
    if (t->phase != CONNECT_NONE)
        return -EINVAL;
    unsigned max = (unsigned)s->ns->sysctl.somaxconn;
    bool was_listening = t->inet.state == TCP_LISTEN;
    int err = was_listening ? 0 : inet_autobind(&t->inet);
    if (err == 0 && !was_listening) {
        t->inet.state = TCP_LISTEN; /* before the look at others: of two that do this at once one sees the other */
        err = inet_port_recheck(&t->inet);
        if (err < 0)
            t->inet.state = TCP_CLOSE;
    }
    if (err < 0)
        return err == -EAGAIN ? -EADDRINUSE : err;
    spin_lock(&t->inet.lock);
    t->backlog_max = MIN((unsigned)backlog, max);
    t->inet.shutdown = 0;
    spin_unlock(&t->inet.lock);
    s->listening = true;
    inet_port_listen(&t->inet, true);
    struct inet_backend *outside = t->inet.net->backend;
    return outside && outside->ops->listen && !was_listening ? outside->ops->listen(outside, &t->inet, backlog) : 0;
}

static struct tcp_socket *take_first(struct tcp_socket *t, struct list *from)
{
    spin_lock(&t->inet.lock);
    struct tcp_socket *first = list_first(from, struct tcp_socket, accept_link);
    if (first) {
        list_del(&first->accept_link);
        if (from == &t->backlog)
            t->backlog_len--;
    }
    spin_unlock(&t->inet.lock);
    return first;
}

/* A client's or child's reference to the listener, given back. */
static void forget_listener(struct tcp_socket *t)
{
    spin_lock(&t->inet.lock);
    struct tcp_socket *listener = t->listener;
    t->listener = NULL;
    spin_unlock(&t->inet.lock);
    if (listener)
        tcp_put(listener);
}

/* The connect fails: what getsockopt(SO_ERROR) and connect(2) will say. */
static void connect_fails(struct tcp_socket *t, int error)
{
    spin_lock(&t->inet.lock);
    bool waiting = t->inet.state == TCP_SYN_SENT;
    if (waiting)
        tcp_done_locked(t, error);
    spin_unlock(&t->inet.lock);
    if (!waiting)
        return;
    inet_pair_leave(&t->inet);
    if (!t->inet.bound_port)
        inet_port_leave(&t->inet);
    t->inet.net->counters.tcp_attempt_fails++;
    tcp_wake(t, EPOLLERR | EPOLLHUP);
}

void tcp_stop_listening(struct tcp_socket *t)
{
    struct tcp_socket *other;
    struct inet_backend *outside = t->inet.net->backend;
    inet_port_listen(&t->inet, false);
    if (outside && outside->ops->unlisten)
        outside->ops->unlisten(outside, &t->inet);
    t->inet.socket.listening = false;
    spin_lock(&t->inet.lock);
    t->inet.state = TCP_CLOSE;
    spin_unlock(&t->inet.lock);
    while ((other = take_first(t, &t->backlog)) || (other = take_first(t, &t->deferred))) {
        other->waits_for_bytes = false;
        forget_listener(other);
        tcp_abort(other);
        tcp_ops.release(&other->inet.socket);
        tcp_put(other);
    }
    while ((other = take_first(t, &t->pending))) {
        connect_fails(other, ECONNREFUSED);
        if (other->timer)
            timer_cancel(other->timer);
        forget_listener(other);
        tcp_put(other);
    }
    tcp_wake(t, EPOLLHUP);
}

/* ---- TCP_DEFER_ACCEPT: not to be accepted before bytes have come ---- */

void tcp_undefer(struct tcp_socket *child)
{
    spin_lock(&child->inet.lock);
    struct tcp_socket *listener = child->waits_for_bytes && child->listener ? tcp_get(child->listener) : NULL;
    spin_unlock(&child->inet.lock);
    if (!listener)
        return;
    spin_lock(&listener->inet.lock);
    bool mine = child->waits_for_bytes && !list_empty(&child->accept_link);
    if (mine) {
        list_del(&child->accept_link);
        list_add_tail(&listener->backlog, &child->accept_link);
        listener->backlog_len++;
        child->waits_for_bytes = false;
    }
    spin_unlock(&listener->inet.lock);
    if (mine) {
        forget_listener(child);
        wake_poll(&listener->inet.socket.readers, EPOLLIN | EPOLLRDNORM);
    }
    tcp_put(listener);
}

/* Nothing was sent within the time given: accepted all the same. */
static void deferred_long_enough(struct timer *timer)
{
    tcp_undefer(container_of(timer, struct tcp_timer, timer)->socket);
}

static void arm_defer_timer(struct tcp_socket *child, int tries)
{
    struct timer *timer = timer_of(child, deferred_long_enough);
    if (timer)
        timer_arm(timer, now_monotonic() + tcp_tries_to_seconds(tries) * NSEC_PER_SEC);
}

/* ---- establishing ---- */

static void inherit(struct tcp_socket *child, struct tcp_socket *listener)
{
    struct socket *c = &child->inet.socket, *l = &listener->inet.socket;
    c->send_buffer = (int)l->send_buffer;
    c->receive_buffer = (int)l->receive_buffer;
    c->send_sized = (bool)l->send_sized;
    c->receive_sized = (bool)l->receive_sized;
    c->send_timeout = (int64_t)l->send_timeout;
    c->receive_timeout = (int64_t)l->receive_timeout;
    c->receive_low = (int)l->receive_low;
    c->reuse_address = (bool)l->reuse_address;
    c->reuse_port = (bool)l->reuse_port;
    c->keepalive = (bool)l->keepalive;
    c->oob_inline = (bool)l->oob_inline;
    c->dont_route = (bool)l->dont_route;
    c->timestamps = (bool)l->timestamps;
    c->priority = (int)l->priority;
    c->mark = (int)l->mark;
    c->linger = (int)l->linger;
    child->inet.device = (int)listener->inet.device;
    child->inet.uid = listener->inet.uid;
    child->inet.options = listener->inet.options;
    child->options = listener->options;
    child->options.defer_accept = 0;
}

static void grow_buffers(struct tcp_socket *t)
{
    if (!t->inet.socket.send_sized)
        t->inet.socket.send_buffer = TCP_SEND_BUFFER_LO;
}

/* The server's end, in the tables: NULL when out of memory or the listener is gone. */
static struct tcp_socket *child_new(struct tcp_socket *client, struct tcp_socket *listener)
{
    struct tcp_socket *child = tcp_new(listener->inet.socket.ns, listener->inet.socket.domain);
    if (!child)
        return NULL;
    struct inet_socket *i = &child->inet;
    struct inet_table *table = inet_table_of(i);
    inherit(child, listener);
    i->pair.local = client->inet.pair.remote;
    i->pair.remote = client->inet.pair.local;
    spin_lock(&table->lock);
    i->owner.socket = i;
    i->owner.uid = i->uid;
    i->owner.addr = i->pair.local.addr;
    i->owner.families = inet_is_v4(&i->owner.addr) ? INET_V4 : INET_V6;
    i->owner.on_purpose = true;
    bool open = listener->inet.owner.port != NULL;
    if (open) {
        inet_port_join_locked(table, &i->owner, listener->inet.owner.port);
        inet_pair_add_locked(table, &i->pair);
    }
    spin_unlock(&table->lock);
    if (!open) {
        tcp_put(child);
        return NULL;
    }
    child->phase = CONNECT_DONE;
    child->unaccepted = true;
    return child;
}

/* ---- connections that a backend has taken ---- */

struct tcp_socket *tcp_new_outside(struct tcp_socket *listener, const struct inet_endpoint *local,
                                   const struct inet_endpoint *remote)
{
    struct tcp_socket *t = tcp_new(listener->inet.socket.ns, listener->inet.socket.domain);
    if (!t)
        return NULL;
    inherit(t, listener);
    t->inet.pair.local = *local;
    t->inet.pair.remote = *remote;
    t->inet.state = TCP_ESTABLISHED;
    t->phase = CONNECT_DONE;
    return t;
}

void tcp_accept_outside(struct tcp_socket *listener, struct tcp_socket *t)
{
    spin_lock(&listener->inet.lock);
    bool open = listener->inet.state == TCP_LISTEN && listener->backlog_len <= listener->backlog_max;
    if (open) {
        list_add_tail(&listener->backlog, &tcp_get(t)->accept_link);
        listener->backlog_len++;
    }
    spin_unlock(&listener->inet.lock);
    if (open)
        wake_poll(&listener->inet.socket.readers, EPOLLIN | EPOLLRDNORM);
    else
        tcp_ops.release(&t->inet.socket);
}

/* Both locked: child and client are each other's peers, and the child is on the backlog. */
static void join_locked(struct tcp_socket *client, struct tcp_socket *child, struct tcp_socket *listener)
{
    child->waits_for_bytes = listener->options.defer_accept > 0;
    child->peer = tcp_get(client);
    client->peer = tcp_get(child);
    child->inet.state = client->inet.state = TCP_ESTABLISHED;
    child->segments_in = client->segments_out = 2;
    child->segments_out = client->segments_in = 1;
    if (child->waits_for_bytes) {
        child->listener = tcp_get(listener);
        list_add_tail(&listener->deferred, &tcp_get(child)->accept_link);
    } else {
        list_add_tail(&listener->backlog, &tcp_get(child)->accept_link);
        listener->backlog_len++;
    }
}

enum join_result { JOINED, FULL, REFUSED, NOT_WAITING };

static enum join_result try_join(struct tcp_socket *client, struct tcp_socket *child, struct tcp_socket *listener)
{
    enum join_result result = JOINED;
    inet_lock_two(&client->inet, &listener->inet);
    if (client->inet.state != TCP_SYN_SENT) {
        result = NOT_WAITING;
    } else if (listener->inet.state != TCP_LISTEN) {
        result = REFUSED;
    } else if (listener->backlog_len > listener->backlog_max) {
        result = FULL;
    } else {
        join_locked(client, child, listener);
    }
    inet_unlock_two(&client->inet, &listener->inet);
    return result;
}

static bool is_full(struct tcp_socket *listener)
{
    spin_lock(&listener->inet.lock);
    bool full = listener->inet.state == TCP_LISTEN && listener->backlog_len > listener->backlog_max;
    spin_unlock(&listener->inet.lock);
    return full;
}

static enum join_result establish(struct tcp_socket *client, struct tcp_socket *listener)
{
    if (is_full(listener))
        return FULL;
    struct tcp_socket *child = child_new(client, listener);
    if (!child)
        return REFUSED;
    enum join_result result = try_join(client, child, listener);
    if (result == JOINED) {
        if (child->waits_for_bytes)
            arm_defer_timer(child, listener->options.defer_accept);
        grow_buffers(client);
        grow_buffers(child);
        client->inet.net->counters.tcp_active++;
        client->inet.net->counters.tcp_passive++;
        wake_poll(&listener->inet.socket.readers, EPOLLIN | EPOLLRDNORM);
        wake_poll(&client->inet.socket.writers, EPOLLOUT | EPOLLWRNORM);
    } else {
        inet_pair_leave(&child->inet);
        inet_port_leave(&child->inet);
    }
    tcp_put(child);
    return result;
}

/* ---- waiting for room in the backlog ---- */

void tcp_pending_give_up(struct tcp_socket *client)
{
    struct tcp_socket *listener;
    bool was_listed = false;
    spin_lock(&client->inet.lock);
    listener = client->listener;
    client->listener = NULL;
    spin_unlock(&client->inet.lock);
    if (listener) {
        spin_lock(&listener->inet.lock);
        was_listed = !list_empty(&client->accept_link);
        list_del(&client->accept_link);
        spin_unlock(&listener->inet.lock);
        tcp_put(listener);
    }
    if (client->timer)
        timer_cancel(client->timer);
    connect_fails(client, 0);
    if (was_listed)
        tcp_put(client);
}

static void syn_timed_out(struct timer *timer)
{
    connect_fails(container_of(timer, struct tcp_timer, timer)->socket, ETIMEDOUT);
}

static void arm_syn_timer(struct tcp_socket *client)
{
    int64_t limit = SYN_TIMEOUT_NS;
    if (client->options.syn_count > 0)
        limit = NSEC_PER_SEC * ((1LL << MIN(client->options.syn_count + 1, 7)) - 1);
    if (client->options.user_timeout > 0)
        limit = client->options.user_timeout * NSEC_PER_MSEC;
    struct timer *timer = timer_of(client, syn_timed_out);
    if (timer)
        timer_arm(timer, now_monotonic() + limit);
}

static void wait_for_room(struct tcp_socket *client, struct tcp_socket *listener)
{
    inet_lock_two(&client->inet, &listener->inet);
    bool open = listener->inet.state == TCP_LISTEN;
    if (open) {
        list_add_tail(&listener->pending, &tcp_get(client)->accept_link);
        client->listener = tcp_get(listener);
    }
    inet_unlock_two(&client->inet, &listener->inet);
    if (open)
        arm_syn_timer(client);
    else
        connect_fails(client, ECONNREFUSED);
}

/* A place in the backlog has become free: for the first who waits for one. */
static void admit_pending(struct tcp_socket *listener)
{
    struct tcp_socket *client;
    while (!is_full(listener) && (client = take_first(listener, &listener->pending))) {
        if (establish(client, listener) == REFUSED)
            connect_fails(client, ECONNREFUSED);
        if (client->timer)
            timer_cancel(client->timer);
        forget_listener(client);
        tcp_put(client);
    }
}

/* ---- connect ---- */

/* Where to, by the rules of the family: "any" means this machine. */
static int resolve(struct tcp_socket *t, const struct socket_name *name, struct inet_endpoint *ret)
{
    int err = inet_name_in(&t->inet, name, ret);
    if (err < 0)
        return err;
    if (inet_is_any(&ret->addr))
        ret->addr = inet_is_v4(&ret->addr) || inet_is_v4(&t->inet.pair.local.addr) ? inet_from_v4(INADDR_LOOPBACK)
                                                                                     : in6addr_loopback;
    if (inet_is6(&t->inet) && inet_is_v4(&ret->addr) && inet_flag_get(&t->inet, IF6_ONLY))
        return -ENETUNREACH;
    return inet_is_multicast(&ret->addr) || inet_is_broadcast(&ret->addr) ? -ENETUNREACH : 0;
}

static bool is_self(const struct tcp_socket *t)
{
    const struct inet_pair *p = &t->inet.pair;
    return p->local.port == p->remote.port && inet_same(&p->local.addr, &p->remote.addr);
}

/* A socket connected to its own address is its own peer: both ends opening at once. */
static int connect_self(struct tcp_socket *t)
{
    spin_lock(&t->inet.lock);
    t->peer = tcp_get(t);
    t->inet.state = TCP_ESTABLISHED;
    spin_unlock(&t->inet.lock);
    grow_buffers(t);
    tcp_wake(t, 0);
    return 0;
}

static int connect_local(struct tcp_socket *t, const struct inet_endpoint *to, const struct inet_route *route)
{
    struct inet_endpoint from = t->inet.pair.local;
    if (inet_is_any(&from.addr))
        from.addr = route->source;
    if (inet_is_v4(&from.addr) != inet_is_v4(&to->addr))
        return -EINVAL;
    int err = inet_pair_connect(&t->inet, &from, to);
    if (err < 0)
        return err;
    t->inet.shutdown = 0;
    t->inet.state = TCP_SYN_SENT;
    t->phase = CONNECT_PENDING;
    if (is_self(t))
        return connect_self(t);
    struct tcp_socket *listener = NULL;
    struct inet_socket *found = inet_find_listener(t->inet.net, to, &t->inet.pair.local, route->interface);
    if (found)
        listener = container_of(found, struct tcp_socket, inet);
    enum join_result result = listener ? establish(t, listener) : REFUSED;
    if (result == FULL)
        wait_for_room(t, listener);
    else if (result == REFUSED)
        connect_fails(t, ECONNREFUSED);
    if (listener)
        tcp_put(listener);
    return 0;
}

/* With a network outside, what nobody in here listens at may be listened at on the host. */
static bool is_of_host(struct tcp_socket *t, const struct inet_endpoint *to, const struct inet_route *route)
{
    if (!t->inet.net->backend || route->reach != REACH_LOCAL)
        return false;
    struct inet_endpoint from = t->inet.pair.local;
    struct inet_socket *found = inet_find_listener(t->inet.net, to, &from, route->interface);
    if (found)
        tcp_put(container_of(found, struct tcp_socket, inet));
    return !found;
}

static int start_connect(struct tcp_socket *t, const struct socket_name *name)
{
    struct inet_endpoint to;
    struct inet_route route;
    int err = resolve(t, name, &to);
    if (err == 0)
        err = inet_route_find(t->inet.net, &to.addr, t->inet.device, &route);
    if (err < 0)
        return err;
    if (route.reach == REACH_OUTSIDE || is_of_host(t, &to, &route)) {
        err = inet_outside_open(&t->inet);
        if (err == 0)
            err = t->inet.outside->ops->connect(t->inet.outside, &to);
        if (err == 0)
            t->phase = CONNECT_PENDING;
        else if (t->inet.outside)
            t->inet.outside->ops->close(t->inet.outside);
        return err;
    }
    return connect_local(t, &to, &route);
}

/* The pending connect's result, for the call that asks: it is known. send_lock held. */
static int connect_result(struct tcp_socket *t)
{
    if (t->inet.state != TCP_CLOSE || t->fin_received) {
        t->phase = CONNECT_DONE;
        return 0;
    }
    int err = socket_take_error(&t->inet.socket);
    if (t->inet.outside)
        t->inet.outside->ops->close(t->inet.outside);
    tcp_disconnect(t);
    return err < 0 ? err : -ECONNABORTED;
}

static int64_t wait_deadline(struct tcp_socket *t)
{
    return socket_deadline(&t->inet.socket, true);
}

static int begin(struct tcp_socket *t, const struct socket_name *name, bool nonblock)
{
    if (t->inet.state == TCP_LISTEN || t->phase == CONNECT_DONE)
        return -EISCONN;
    if (t->phase == CONNECT_PENDING)
        return t->inet.state == TCP_SYN_SENT && nonblock ? -EALREADY : 0;
    if (t->inet.state != TCP_CLOSE)
        return -EISCONN;
    t->inet.socket.error = 0;
    int err = start_connect(t, name);
    return err == 0 && nonblock ? -EINPROGRESS : err;
}

static int connect_unspecified(struct tcp_socket *t)
{
    if (t->inet.outside)
        return -EOPNOTSUPP;
    tcp_disconnect(t);
    return 0;
}

int tcp_connect(struct socket *s, const struct socket_name *name, bool nonblock)
{
    struct tcp_socket *t = tcp_of(s);
    int64_t deadline = wait_deadline(t);
    MUTEX_GUARD(&t->inet.send_lock);
    if (name->addr.sa_family == AF_UNSPEC)
        return connect_unspecified(t);
    if (t->inet.outside && t->phase == CONNECT_PENDING)
        (void)t->inet.outside->ops->settled(t->inet.outside);
    int err = begin(t, name, nonblock);
    while (err == 0 && t->inet.outside && t->inet.state == TCP_SYN_SENT) {
        mutex_unlock(&t->inet.send_lock);
        err = wait_event_timeout(&s->readers, t->inet.outside->ops->settled(t->inet.outside), deadline);
        mutex_lock(&t->inet.send_lock);
    }
    while (err == 0 && t->inet.state == TCP_SYN_SENT) {
        mutex_unlock(&t->inet.send_lock);
        err = wait_event_timeout(&s->writers, t->inet.state != TCP_SYN_SENT, deadline);
        mutex_lock(&t->inet.send_lock);
    }
    if (err == -ETIMEDOUT)
        err = -EINPROGRESS;
    else if (err == -ERESTARTSYS)
        err = socket_wait_error(err, deadline);
    return err < 0 ? err : connect_result(t);
}

int tcp_wait_connected(struct tcp_socket *t, bool nonblock, int64_t deadline)
{
    int err = 0;
    while (t->inet.state == TCP_SYN_SENT && err == 0 && !t->inet.socket.error) {
        if (nonblock)
            return -EAGAIN;
        mutex_unlock(&t->inet.send_lock);
        err = wait_event_timeout(&t->inet.socket.writers, t->inet.state != TCP_SYN_SENT, deadline);
        mutex_lock(&t->inet.send_lock);
    }
    if (err < 0)
        return socket_wait_error(err, deadline);
    err = socket_take_error(&t->inet.socket);
    return err < 0 ? err : t->inet.state == TCP_ESTABLISHED || t->inet.state == TCP_CLOSE_WAIT ? 0 : -EPIPE;
}

/* ---- accept ---- */

int tcp_accept(struct socket *s, bool nonblock, struct socket **ret)
{
    struct tcp_socket *t = tcp_of(s), *child;
    int64_t deadline = socket_deadline(s, false);
    int err = 0;
    if (t->inet.state != TCP_LISTEN)
        return -EINVAL;
    child = take_first(t, &t->backlog);
    if (!child && nonblock)
        return -EAGAIN;
    if (!child)
        err = wait_event_timeout(&s->readers, (child = take_first(t, &t->backlog)) || t->inet.state != TCP_LISTEN,
                                 deadline);
    if (!child)
        return err < 0 ? socket_wait_error(err, deadline) : -EINVAL;
    child->unaccepted = false;
    admit_pending(t);
    *ret = &child->inet.socket;
    return 0;
}
