/*
 * Timers: one red-black tree a worker, ordered by deadline. A timer lives on the worker that armed
 * it, where its fiber ran, and fires from that worker's loop; the worker's sleep in the host ends
 * at its first deadline. A timer armed by another thread than the worker's own pokes the worker if
 * it has become the first.
 */
#include "sched/timer.h"
#include "sched/private.h"
#include <sched.h>

void worker_init_timers(struct worker *w)
{
    w->timers = (struct rb_root){0};
    atomic_store(&w->next_timer, NO_DEADLINE);
}

void timer_init(struct timer *t, void (*func)(struct timer *t))
{
    *t = (struct timer){.func = func};
}

/* Locks the worker that t is on; t stays there while the lock is held. NULL if t never was on one. */
static struct worker *lock_base(struct timer *t)
{
    for (;;) {
        struct worker *w = atomic_load(&t->worker);
        if (!w)
            return NULL;
        spin_lock(&w->timer_lock);
        if (atomic_load(&t->worker) == w)
            return w;
        spin_unlock(&w->timer_lock);
    }
}

static void publish_next(struct worker *w)
{
    struct rb_node *first = rb_first(&w->timers);
    atomic_store(&w->next_timer, first ? rb_entry(first, struct timer, node)->deadline : NO_DEADLINE);
}

static void insert(struct worker *w, struct timer *t)
{
    struct rb_node *parent = NULL, **link = &w->timers.node;
    while (*link) {
        parent = *link;
        link = t->deadline < rb_entry(parent, struct timer, node)->deadline ? &parent->left : &parent->right;
    }
    rb_insert(&w->timers, &t->node, parent, link);
    t->armed = true;
}

static bool erase(struct worker *w, struct timer *t)
{
    bool was = t->armed;
    if (was)
        rb_erase(&w->timers, &t->node);
    t->armed = false;
    return was;
}

void timer_arm(struct timer *t, int64_t deadline)
{
    struct worker *here = this_worker();
    struct worker *w = lock_base(t);
    if (!w || (!t->armed && !t->running && here && here != w)) {
        /* Idle: it moves to this worker. Nobody else can be arming it: that is the owner's to serialise. */
        if (w)
            spin_unlock(&w->timer_lock);
        w = here ? here : &workers[0];
        spin_lock(&w->timer_lock);
        atomic_store(&t->worker, w);
    }
    erase(w, t);
    t->deadline = deadline;
    insert(w, t);
    publish_next(w);
    bool first = atomic_load_explicit(&w->next_timer, memory_order_relaxed) == deadline;
    spin_unlock(&w->timer_lock);
    if (first && w != here)
        worker_poke(w);
}

bool timer_cancel(struct timer *t)
{
    for (;;) {
        struct worker *w = lock_base(t);
        if (!w)
            return false;
        bool was = erase(w, t);
        if (was)
            publish_next(w);
        bool running = t->running;
        spin_unlock(&w->timer_lock);
        if (was || !running)
            return was;
        sched_yield(); /* the callback is on another thread, and short */
    }
}

void worker_run_timers(struct worker *w)
{
    while (atomic_load_explicit(&w->next_timer, memory_order_relaxed) <= w->now) {
        spin_lock(&w->timer_lock);
        struct rb_node *first = rb_first(&w->timers);
        struct timer *t = first ? rb_entry(first, struct timer, node) : NULL;
        if (!t || t->deadline > w->now) {
            spin_unlock(&w->timer_lock);
            return;
        }
        erase(w, t);
        publish_next(w);
        t->running = true;
        spin_unlock(&w->timer_lock);
        t->func(t);
        spin_lock(&w->timer_lock);
        t->running = false;
        spin_unlock(&w->timer_lock);
    }
}
