/*
 * TIME_WAIT. See timewait.h.
 */
#include "net/inet/timewait.h"
#include <stdlib.h>

void timewait_put(struct timewait *w)
{
    if (refcount_put(&w->ref))
        free(w);
}

static void drop(struct inet_table *t, struct timewait *w)
{
    spin_assert_held(&t->lock);
    inet_port_leave_locked(&w->owner);
    inet_node_del(&w->pair.node);
    list_del(&w->link);
    t->remains_count--;
    timewait_put(w);
}

void timewait_drop_locked(struct inet_table *t, struct inet_pair *p)
{
    drop(t, container_of(p, struct timewait, pair));
}

void timewait_expire_locked(struct inet_table *t)
{
    struct timewait *w;
    int64_t now = list_empty(&t->remains) ? 0 : now_monotonic();
    while ((w = list_first(&t->remains, struct timewait, link)) && now >= w->until)
        drop(t, w);
}

void inet_timewait_drop_all(struct inet_net *net)
{
    struct inet_table *t = &net->tables[TABLE_TCP];
    struct timewait *w;
    spin_lock(&t->lock);
    while ((w = list_first(&t->remains, struct timewait, link)))
        drop(t, w);
    spin_unlock(&t->lock);
}

/* Where its time ends: nearly always last. */
static void enqueue(struct inet_table *t, struct timewait *w)
{
    struct list *at = t->remains.prev;
    while (at != &t->remains && list_entry(at, struct timewait, link)->until > w->until)
        at = at->prev;
    list_add(at, &w->link);
}

/* In place of the socket, among its port's owners and in the table of pairs. */
static void take_over(struct inet_table *t, struct timewait *w, struct inet_socket *i)
{
    struct inet_port *port = i->owner.port;
    w->owner = i->owner;
    list_init(&w->owner.link);
    w->owner.port = NULL;
    inet_port_join_locked(t, &w->owner, port);
    inet_port_leave_locked(&i->owner);
    w->pair = (struct inet_pair){.local = i->pair.local, .remote = i->pair.remote, .waiting_since = now_monotonic()};
    inet_node_del(&i->pair.node);
    inet_pair_add_locked(t, &w->pair);
    enqueue(t, w);
    if (++t->remains_count > TIMEWAIT_MAX)
        drop(t, list_first(&t->remains, struct timewait, link));
}

struct timewait *timewait_new(struct inet_socket *i, bool fin_wait, int64_t lifetime)
{
    struct inet_table *t = inet_table_of(i);
    struct timewait *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    refcount_init(&w->ref);
    refcount_get(&w->ref);
    list_init(&w->link);
    w->fin_wait = fin_wait;
    w->until = now_monotonic() + lifetime;
    w->domain = i->socket.domain;
    spin_lock(&t->lock);
    bool taken = i->owner.port != NULL;
    if (taken) {
        take_over(t, w, i);
        w->owner.socket = NULL;
        w->owner.reuse_address = i->socket.reuse_address;
        w->owner.reuse_port = i->socket.reuse_port;
        w->owner.device = i->device;
        timewait_expire_locked(t);
    }
    spin_unlock(&t->lock);
    if (!taken) {
        free(w);
        return NULL;
    }
    return w;
}

void timewait_other_closed(struct inet_net *net, struct timewait *w, bool reset)
{
    struct inet_table *t = &net->tables[TABLE_TCP];
    if (!w)
        return;
    spin_lock(&t->lock);
    if (!list_empty(&w->link)) {
        w->fin_wait = false;
        w->pair.waiting_since = now_monotonic();
        w->until = w->pair.waiting_since + TIMEWAIT_NS;
        list_del(&w->link);
        enqueue(t, w);
        if (reset)
            drop(t, w);
    }
    spin_unlock(&t->lock);
    timewait_put(w);
}
