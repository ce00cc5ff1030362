/*
 * The life of a TCP socket: creation, shutdown, close and reset, readiness. See tcp.h.
 */
#include "net/inet/tcp.h"
#include "net/inet/backend.h"
#include "net/inet/timewait.h"
#include "net/netns.h"
#include <stdlib.h>

struct tcp_socket *tcp_new(struct net_namespace *ns, int domain)
{
    struct tcp_socket *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    inet_socket_init(&t->inet, ns, &tcp_ops, domain, SOCK_STREAM, IPPROTO_TCP);
    t->inet.socket.send_buffer = TCP_SEND_BUFFER;
    t->inet.socket.receive_buffer = TCP_RECEIVE_BUFFER;
    tcp_options_init(&t->options);
    list_init(&t->backlog);
    list_init(&t->pending);
    list_init(&t->deferred);
    list_init(&t->accept_link);
    return t;
}

int tcp_create(int domain, struct socket **ret)
{
    struct tcp_socket *t = tcp_new(current_netns(), domain);
    if (!t)
        return -ENOMEM;
    *ret = &t->inet.socket;
    return 0;
}

/* ---- both ends ---- */

struct tcp_socket *tcp_lock_peer(struct tcp_socket *t)
{
    struct tcp_socket *peer = t->peer;
    if (peer)
        inet_lock_two(&t->inet, &peer->inet);
    else
        spin_lock(&t->inet.lock);
    return peer;
}

void tcp_unlock_peer(struct tcp_socket *t, struct tcp_socket *peer)
{
    if (peer)
        inet_unlock_two(&t->inet, &peer->inet);
    else
        spin_unlock(&t->inet.lock);
}

void tcp_wake(struct tcp_socket *t, uint32_t events)
{
    wake_poll(&t->inet.socket.readers, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | events);
    wake_poll(&t->inet.socket.writers, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | events);
}

void tcp_done_locked(struct tcp_socket *t, int error)
{
    spin_assert_held(&t->inet.lock);
    t->inet.state = TCP_CLOSE;
    t->inet.shutdown = RECEIVE_SHUT | SEND_SHUT;
    if (error)
        t->inet.socket.error = error;
}

/* A connection that is over gives up its pair, and the port unless bind(2) asked for it. */
static void leave_tables(struct tcp_socket *t)
{
    inet_pair_leave(&t->inet);
    if (!t->inet.bound_port || t->dead)
        inet_port_leave(&t->inet);
}

static struct timewait *take_remains(struct tcp_socket *t)
{
    struct timewait *w = t->remains;
    t->remains = NULL;
    return w;
}

void tcp_drop_queue(struct tcp_socket *t)
{
    struct tcp_queue q = {0};
    spin_lock(&t->inet.lock);
    t->queue.doomed = t->queue.consuming;
    if (!t->queue.producing && !t->queue.consuming) {
        q = t->queue;
        t->queue = (struct tcp_queue){.read = q.read + q.bytes};
    }
    spin_unlock(&t->inet.lock);
    tcp_queue_clear(&q);
}

/* ---- the end of sending: FIN ---- */

struct aftermath {
    struct timewait *remains; /* of the other end, which was closed before */
    bool over;                /* both directions are closed */
    bool peer_waits;          /* the peer closed its direction first: its end goes to TIME_WAIT */
};

/* Both locked. */
static struct aftermath fin_locked(struct tcp_socket *t, struct tcp_socket *peer)
{
    struct aftermath a = {0};
    t->segments_out++;
    peer->segments_in++;
    peer->fin_received = true;
    peer->inet.shutdown |= RECEIVE_SHUT;
    if (t->inet.state == TCP_ESTABLISHED) {
        t->inet.state = TCP_FIN_WAIT2;
        peer->inet.state = TCP_CLOSE_WAIT;
        return a;
    }
    a.over = true;
    a.remains = take_remains(t);
    a.peer_waits = !peer->dead;
    tcp_done_locked(t, 0);
    if (!peer->dead)
        tcp_done_locked(peer, 0);
    return a;
}

/* Unlocked; the peer is still referred to. */
static void clean_up_after(struct tcp_socket *t, struct tcp_socket *peer, struct aftermath *a)
{
    if (a->over)
        leave_tables(t);
    if (a->peer_waits) {
        struct timewait *w = timewait_new(&peer->inet, false, TIMEWAIT_NS);
        if (w)
            timewait_put(w);
        leave_tables(peer);
    }
    timewait_other_closed(t->inet.net, a->remains, false);
    tcp_undefer(peer);
    tcp_wake(peer, a->over ? EPOLLHUP : 0);
}

static bool can_send_fin(const struct tcp_socket *t)
{
    return t->inet.state == TCP_ESTABLISHED || t->inet.state == TCP_CLOSE_WAIT;
}

static void shutdown_send(struct tcp_socket *t)
{
    struct aftermath a = {0};
    struct tcp_socket *peer = tcp_lock_peer(t);
    bool fin = peer && can_send_fin(t) && !(t->inet.shutdown & SEND_SHUT);
    t->inet.shutdown |= SEND_SHUT;
    if (fin)
        a = fin_locked(t, peer);
    tcp_unlock_peer(t, peer);
    if (fin)
        clean_up_after(t, peer, &a);
}

static int tcp_shutdown(struct socket *s, int how)
{
    struct tcp_socket *t = tcp_of(s);
    if (t->inet.outside)
        return t->inet.outside->ops->shutdown(t->inet.outside, how);
    mutex_lock(&t->inet.send_lock);
    int err = 0;
    switch (t->inet.state) {
    case TCP_CLOSE: /* the directions are closed all the same: whoever polls learns of it */
        err = -ENOTCONN;
        t->inet.shutdown |= (how != SHUT_WR ? RECEIVE_SHUT : 0) | (how != SHUT_RD ? SEND_SHUT : 0);
        break;
    case TCP_LISTEN:
        if (how != SHUT_WR)
            tcp_disconnect(t);
        break;
    case TCP_SYN_SENT:
        tcp_disconnect(t);
        break;
    default:
        if (how != SHUT_WR)
            t->inet.shutdown |= RECEIVE_SHUT;
        if (how != SHUT_RD)
            shutdown_send(t);
    }
    mutex_unlock(&t->inet.send_lock);
    tcp_wake(t, t->inet.shutdown == (RECEIVE_SHUT | SEND_SHUT) ? EPOLLHUP : 0);
    return err;
}

/* ---- reset ---- */

void tcp_reset_by_peer(struct tcp_socket *t, struct tcp_socket *peer)
{
    inet_lock_two(&t->inet, &peer->inet);
    bool was_open = t->inet.state != TCP_CLOSE;
    bool peer_open = !peer->dead && peer->inet.state != TCP_CLOSE;
    struct timewait *remains = take_remains(t);
    if (was_open)
        tcp_done_locked(t, t->inet.state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
    if (peer_open)
        tcp_done_locked(peer, peer->inet.state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
    inet_unlock_two(&t->inet, &peer->inet);
    timewait_other_closed(t->inet.net, remains, true);
    t->inet.net->counters.tcp_resets++;
    if (was_open) {
        leave_tables(t);
        tcp_wake(t, EPOLLHUP | EPOLLERR);
    }
    if (peer_open) {
        leave_tables(peer);
        tcp_wake(peer, EPOLLHUP | EPOLLERR);
    }
}

void tcp_abort(struct tcp_socket *t)
{
    struct tcp_socket *peer = tcp_lock_peer(t);
    struct timewait *remains = take_remains(t);
    bool open = t->inet.state != TCP_CLOSE;
    bool peer_open = open && peer && !peer->dead && peer->inet.state != TCP_CLOSE;
    if (open)
        tcp_done_locked(t, 0);
    if (peer_open)
        tcp_done_locked(peer, peer->inet.state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
    tcp_unlock_peer(t, peer);
    timewait_other_closed(t->inet.net, remains, true);
    if (open) {
        leave_tables(t);
        t->inet.net->counters.tcp_out_resets++;
    }
    if (peer_open) {
        leave_tables(peer);
        tcp_undefer(peer);
        tcp_wake(peer, EPOLLHUP | EPOLLERR);
    }
}

/* ---- disconnect and close ---- */

static void let_go_of_peer(struct tcp_socket *t)
{
    spin_lock(&t->inet.lock);
    struct tcp_socket *peer = t->peer;
    t->peer = NULL;
    spin_unlock(&t->inet.lock);
    if (peer)
        tcp_put(peer);
}

void tcp_disconnect(struct tcp_socket *t)
{
    uint8_t before = t->inet.state;
    if (before == TCP_LISTEN)
        tcp_stop_listening(t);
    else if (before == TCP_SYN_SENT)
        tcp_pending_give_up(t);
    mutex_lock(&t->inet.receive_lock);
    if (before != TCP_CLOSE && before != TCP_LISTEN) {
        tcp_abort(t);
        t->inet.socket.error = ECONNRESET;
    }
    let_go_of_peer(t);
    tcp_drop_queue(t);
    inet_pair_leave(&t->inet);
    if (!t->inet.bound_port)
        inet_port_leave(&t->inet);
    spin_lock(&t->inet.lock);
    t->inet.state = TCP_CLOSE;
    t->inet.shutdown = 0;
    t->fin_received = t->urgent = t->urgent_unread = false;
    t->queue.read = 0;
    t->sent = t->sent_urgent = 0;
    t->inet.pair.remote = (struct inet_endpoint){.addr = inet_is6(&t->inet) ? in6addr_any : inet_any4};
    if (!t->inet.bound_address)
        t->inet.pair.local.addr = t->inet.pair.remote.addr;
    spin_unlock(&t->inet.lock);
    mutex_unlock(&t->inet.receive_lock);
    t->phase = CONNECT_NONE;
    tcp_wake(t, EPOLLHUP | EPOLLERR);
}

/* close(2) with unread bytes, or told not to linger, is a reset. */
static bool closes_by_reset(const struct tcp_socket *t)
{
    return t->queue.bytes > 0 || t->inet.socket.linger == 0;
}

/* How long FIN_WAIT2 lasts without a socket: TCP_LINGER2, net.ipv4.tcp_fin_timeout. */
static int64_t fin_wait_time(const struct tcp_socket *t)
{
    int seconds = t->options.linger2;
    if (seconds == 0)
        seconds = t->inet.net->ns->sysctl.tcp_fin_timeout;
    return MAX(seconds, 0) * NSEC_PER_SEC;
}

static void close_connection(struct tcp_socket *t)
{
    struct aftermath a = {0};
    struct tcp_socket *peer = tcp_lock_peer(t);
    bool fin = peer && can_send_fin(t) && !(t->inet.shutdown & SEND_SHUT);
    if (fin)
        a = fin_locked(t, peer);
    t->dead = true;
    t->inet.shutdown = RECEIVE_SHUT | SEND_SHUT;
    bool survived = t->inet.state == TCP_FIN_WAIT2;
    tcp_unlock_peer(t, peer);
    if (fin)
        clean_up_after(t, peer, &a);
    struct timewait *w = survived ? timewait_new(&t->inet, true, fin_wait_time(t)) : NULL;
    if (!w)
        return;
    peer = tcp_lock_peer(t);
    bool kept = t->inet.state == TCP_FIN_WAIT2 && peer->inet.state != TCP_CLOSE && !peer->remains;
    if (kept)
        peer->remains = w;
    tcp_unlock_peer(t, peer);
    if (!kept)
        timewait_other_closed(t->inet.net, w, false);
}

static void tcp_release(struct socket *s)
{
    struct tcp_socket *t = tcp_of(s);
    if (t->inet.outside)
        t->inet.outside->ops->close(t->inet.outside);
    mutex_lock(&t->inet.send_lock);
    if (t->inet.state == TCP_LISTEN)
        tcp_stop_listening(t);
    else if (t->inet.state == TCP_SYN_SENT || (t->listener && !t->waits_for_bytes))
        tcp_pending_give_up(t); /* it waits for a place in a backlog, or did when its time was over */
    else if (closes_by_reset(t))
        tcp_abort(t);
    close_connection(t);
    mutex_unlock(&t->inet.send_lock);
    inet_pair_leave(&t->inet);
    inet_port_leave(&t->inet);
    tcp_drop_queue(t);
    let_go_of_peer(t);
    tcp_wake(t, EPOLLHUP);
}

static void tcp_free(struct socket *s)
{
    struct tcp_socket *t = tcp_of(s);
    assert(list_empty(&t->accept_link) && list_empty(&t->backlog) && !t->peer && !t->listener);
    tcp_queue_clear(&t->queue);
    if (t->remains)
        timewait_put(t->remains);
    if (t->timer)
        timer_cancel(t->timer);
    free(t->timer);
    inet_socket_fini(&t->inet);
    free(t);
}

/* ---- room and readiness ---- */

size_t tcp_window(const struct tcp_socket *to)
{
    return to->inet.socket.receive_sized ? (size_t)to->inet.socket.receive_buffer / 2 : TCP_WINDOW;
}

size_t tcp_capacity(const struct tcp_socket *from, const struct tcp_socket *to)
{
    size_t own = (size_t)from->inet.socket.send_buffer;
    if (!from->inet.socket.send_sized)
        own = TCP_SEND_BUFFER_LO;
    return own + tcp_window(to);
}

/* The peer's count is read without its lock: a producer alone makes it grow, and that is us. */
static size_t queued_at(const struct tcp_socket *peer)
{
    return __atomic_load_n(&peer->queue.bytes, __ATOMIC_RELAXED);
}

size_t tcp_room(struct tcp_socket *t)
{
    size_t room = 0;
    spin_lock(&t->inet.lock);
    if (t->peer) {
        size_t used = queued_at(t->peer), capacity = tcp_capacity(t, t->peer);
        room = used < capacity ? capacity - used : 0;
    }
    spin_unlock(&t->inet.lock);
    return room;
}

size_t tcp_unsent(struct tcp_socket *t)
{
    size_t unsent = 0;
    spin_lock(&t->inet.lock);
    if (t->peer && t->inet.state != TCP_CLOSE) {
        size_t used = queued_at(t->peer), window = tcp_window(t->peer);
        unsent = used > window ? used - window : 0;
    }
    spin_unlock(&t->inet.lock);
    return unsent;
}

/* A third of the buffer is free, and no more waits here than TCP_NOTSENT_LOWAT says. */
static bool writable_locked(struct tcp_socket *t)
{
    if (!t->peer)
        return true;
    size_t used = queued_at(t->peer), capacity = tcp_capacity(t, t->peer), window = tcp_window(t->peer);
    unsigned low = (unsigned)t->options.notsent_low;
    if (low && used > window && used - window >= low)
        return false;
    return used < capacity && capacity - used >= capacity / 3;
}

bool tcp_writable(struct tcp_socket *t)
{
    spin_lock(&t->inet.lock);
    bool writable = writable_locked(t);
    spin_unlock(&t->inet.lock);
    return writable;
}

/* Whoever finds no room is told when there is; looks again, since it may have come meanwhile. */
static uint32_t writable_events(struct tcp_socket *t)
{
    if (t->inet.shutdown & SEND_SHUT)
        return EPOLLOUT | EPOLLWRNORM;
    bool writable = writable_locked(t);
    if (!writable) {
        t->peer->starved = true;
        writable = writable_locked(t);
    }
    return writable ? EPOLLOUT | EPOLLWRNORM : 0;
}

static uint32_t connection_events(struct tcp_socket *t)
{
    uint32_t events = 0;
    size_t target = (size_t)t->inet.socket.receive_low;
    bool at_mark = t->urgent && t->urgent_at == t->queue.read && !t->inet.socket.oob_inline;
    if (tcp_readable(t, at_mark ? target + 1 : target))
        events |= EPOLLIN | EPOLLRDNORM;
    events |= writable_events(t);
    if (t->urgent && t->urgent_unread)
        events |= EPOLLPRI;
    return events;
}

static uint32_t tcp_poll(struct socket *s, struct poll_table *table)
{
    struct tcp_socket *t = tcp_of(s);
    uint32_t events = 0;
    if (t->inet.outside)
        return t->inet.outside->ops->poll(t->inet.outside, table);
    spin_lock(&t->inet.lock);
    if (t->inet.state == TCP_LISTEN) {
        events = list_empty(&t->backlog) ? 0 : EPOLLIN | EPOLLRDNORM;
        spin_unlock(&t->inet.lock);
        return events;
    }
    if (t->inet.shutdown == (RECEIVE_SHUT | SEND_SHUT) || t->inet.state == TCP_CLOSE)
        events |= EPOLLHUP;
    if (t->inet.shutdown & RECEIVE_SHUT)
        events |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
    if (t->inet.state != TCP_SYN_SENT)
        events |= connection_events(t);
    else if (t->options.fastopen_connect && !t->listener)
        events |= EPOLLOUT | EPOLLWRNORM;
    if (s->error)
        events |= EPOLLERR;
    spin_unlock(&t->inet.lock);
    return events;
}

const struct socket_ops tcp_ops = {
    .bind = inet_bind,
    .connect = tcp_connect,
    .listen = tcp_listen,
    .accept = tcp_accept,
    .name = inet_name,
    .shutdown = tcp_shutdown,
    .send = tcp_send,
    .receive = tcp_receive,
    .poll = tcp_poll,
    .ioctl = tcp_ioctl,
    .set_option = tcp_set_option,
    .get_option = tcp_get_option,
    .release = tcp_release,
    .free = tcp_free,
};
