/*
 * Listeners inside, on the host as well: a fiber for each takes connections from the host's socket and puts
 * them on the backlog. See broker.h.
 */
#include "net/broker/private.h"
#include "net/inet/tcp.h"
#include "sched/fiber.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct broker_listener {
    struct list link;            /* [listeners_lock] */
    struct inet_socket *socket;  /* reference, until the fiber ends */
    int fd;
    uint32_t id;
    _Atomic bool stop;
    struct wait_queue queue;
    struct host_event event;
};

static int take(struct broker_listener *l, struct sockaddr_in6 *ret_peer)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in in;
    socklen_t len = sizeof(a);
    int fd = accept4(l->fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -errno;
    memcpy(&in, &a, sizeof(in));
    memcpy(ret_peer, &a, sizeof(*ret_peer));
    if (in.sin_family == AF_INET)
        *ret_peer = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = in.sin_port,
                                          .sin6_addr = inet_from_v4(be32toh(in.sin_addr.s_addr))};
    return fd;
}

static void hand_over(struct broker_listener *l, int fd, const struct sockaddr_in6 *peer)
{
    struct broker_request q = {.op = BROKER_ADOPT};
    struct broker_reply r;
    if (broker_call(&q, fd, &r, NULL) < 0) {
        close(fd);
        return;
    }
    struct inet_endpoint local = broker_endpoint(&r.local), remote = broker_endpoint(peer);
    struct tcp_socket *t = tcp_new_outside(tcp_of(&l->socket->socket), &local, &remote);
    struct broker_socket *b = t ? broker_socket_new(&t->inet, &broker_tcp_ops) : NULL;
    if (!b) {
        close(fd);
        broker_forget(r.id);
    } else {
        t->inet.outside = &b->outside;
        broker_socket_attach(b, fd, r.id);
        tcp_accept_outside(tcp_of(&l->socket->socket), t);
    }
    if (t)
        tcp_put(t);
}

static void listener_main(void *arg)
{
    struct broker_listener *l = arg;
    struct sockaddr_in6 peer;
    int fd = -1;
    while (!l->stop) {
        wait_event(&l->queue, l->stop || (fd = take(l, &peer)) != -EAGAIN);
        if (fd >= 0)
            hand_over(l, fd, &peer);
        else if (fd != -ECONNABORTED && fd != -EINTR && !l->stop)
            (void)!sleep_until(now_monotonic() + NSEC_PER_SEC / 10);
        fd = -1;
    }
    host_event_remove(&l->event);
    close(l->fd);
    broker_forget(l->id);
    mutex_lock(&broker_backend.listeners_lock); /* broker_unlisten() has let go of it */
    mutex_unlock(&broker_backend.listeners_lock);
    socket_put(&l->socket->socket);
    free(l);
}

/* DEVIATION: a port that is taken on the host is listened at inside alone. */
int broker_listen(struct inet_backend *b, struct inet_socket *i, int backlog)
{
    struct broker_request q = {.op = BROKER_LISTEN, .domain = i->socket.domain, .backlog = backlog,
                               .how = inet_flag_get(i, IF6_ONLY), .from = broker_address(&i->pair.local)};
    struct broker_reply r;
    struct broker_listener *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    int err = broker_call(&q, -1, &r, &l->fd);
    if (err < 0) {
        free(l);
        return 0;
    }
    l->id = r.id;
    l->socket = inet_of(socket_get(&i->socket));
    wait_queue_init(&l->queue);
    struct fiber *f = fiber_new("broker-listen", listener_main, l);
    if (!f || host_event_add(&l->event, l->fd, &l->queue) < 0) {
        close(l->fd);
        broker_forget(l->id);
        socket_put(&i->socket);
        free(l);
        return -ENOMEM;
    }
    mutex_lock(&broker_backend.listeners_lock);
    list_add_tail(&broker_backend.listeners, &l->link);
    mutex_unlock(&broker_backend.listeners_lock);
    fiber_start(f);
    return 0;
}

void broker_unlisten(struct inet_backend *b, struct inet_socket *i)
{
    struct broker_listener *l, *next;
    MUTEX_GUARD(&broker_backend.listeners_lock);
    list_for_each_safe(l, next, &broker_backend.listeners, link) {
        if (l->socket != i)
            continue;
        list_del(&l->link);
        l->stop = true;
        wake_all(&l->queue);
    }
}
