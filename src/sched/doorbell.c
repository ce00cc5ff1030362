/*
 * Doorbells: which worker looks at which shared word, and for how long.
 *
 * A fiber that sleeps on a doorbell is on the watch list of one worker, the one it last ran on. To
 * be listed is to be asleep: whoever takes the entry off the list (under the list's lock) owns the
 * fiber and runs it, so a word is only ever read while its memory is sure to be there. A worker
 * that polls keeps its list's lock between looks; others who want the list announce themselves in
 * `watch_wanted` and it steps aside.
 *
 * Policy. A doorbell is worth polling while its average interval (reply to next ring) is below
 * POLL_BUDGET. A worker polls only while there are fewer running guest threads and polling workers
 * than CPUs, and gives up when none of its doorbells has rung within the budget. A guest thread
 * that had to wake a worker woke the one of its own CPU. That one goes on polling if another CPU is
 * free: the host moves the guest there when it wakes it. When the two take turns on one CPU
 * instead, the guest is sent to a CPU that is free (send_away()).
 */
#include "sched/doorbell.h"
#include "sched/private.h"
#include <sched.h>
#include <stdlib.h>

#define POLL_BUDGET (100 * NSEC_PER_USEC)
#define LONG_INTERVAL (4 * POLL_BUDGET) /* longer ones count as this, so that one pause is soon forgotten */
#define YIELD_INTERVAL (10 * NSEC_PER_USEC)
#define CONTENDED (150 * NSEC_PER_USEC) /* a yield that takes longer gave the CPU to somebody */
#define BACK_OFF_MIN (200 * NSEC_PER_USEC)
#define BACK_OFF_MAX (10 * NSEC_PER_MSEC)
#define COUNT_INTERVAL (200 * NSEC_PER_USEC)
#define COUNT_INTERVAL_FEW (5 * NSEC_PER_USEC)
#define FEW_GUESTS 8
#define SAME_CPU_MAX 8 /* turns; going to an idle CPU costs about as much */
#define ROUNDS 32                       /* looks at the list between two looks at the clock */

void worker_init_watch(struct worker *w)
{
    spin_init(&w->watch_lock);
}

void doorbell_init(struct doorbell *d, _Atomic uint32_t *word, _Atomic uint32_t *polled)
{
    *d = (struct doorbell){.word = word, .polled = polled};
}

void doorbell_set_blocked_hint(struct doorbell *d, _Atomic uint32_t *blocked)
{
    d->blocked = blocked;
}

void doorbell_set_thread(struct doorbell *d, pid_t tid)
{
    d->tid = tid;
}

void doorbell_set_parked_word(struct doorbell *d, _Atomic uint32_t *parked)
{
    d->parked = parked;
}

void doorbell_forget(struct doorbell *d)
{
    if (in_fiber() && fiber_self()->bell == d)
        fiber_self()->bell = NULL;
}

void doorbell_park(struct doorbell *d)
{
    if (d->parked && !d->is_parked) {
        atomic_store_explicit(d->parked, 1, memory_order_relaxed);
        d->is_parked = true;
    }
}

static bool has_rung(_Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire) == DOORBELL_RING;
}

/* ---- watch lists ---- */

/* For everybody but the list's own worker, which takes watch_lock as it is. */
static void lock_list(struct worker *w)
{
    atomic_fetch_add(&w->watch_wanted, 1);
    spin_lock(&w->watch_lock);
    atomic_fetch_sub(&w->watch_wanted, 1);
}

static void list_append(struct worker *w, struct doorbell *d)
{
    assert(w->watch_count < w->watch_cap);
    d->index = w->watch_count;
    w->watch[d->index] = (struct watch_entry){d->word, d};
    atomic_store(&w->watch_count, d->index + 1);
    atomic_store(&d->worker, w);
}

static void list_take(struct worker *w, struct doorbell *d)
{
    unsigned last = w->watch_count - 1;
    w->watch[d->index] = w->watch[last];
    w->watch[d->index].bell->index = d->index;
    atomic_store(&w->watch_count, last);
    atomic_store(&d->worker, NULL);
}

/* Room for one more. Only the worker itself adds to its list. */
static void list_reserve(struct worker *w)
{
    if (w->watch_count < w->watch_cap)
        return;
    unsigned cap = MAX(16u, w->watch_cap * 2);
    struct watch_entry *grown = malloc(cap * sizeof(*grown)), *old;
    assert_always(grown);
    spin_lock(&w->watch_lock);
    for (unsigned i = 0; i < w->watch_count; i++)
        grown[i] = w->watch[i];
    old = w->watch;
    w->watch = grown;
    w->watch_cap = cap;
    spin_unlock(&w->watch_lock);
    free(old);
}

/* Lists d on w, the caller's own worker; false if doorbell_ring() came before. */
bool watch_add(struct worker *w, struct doorbell *d)
{
    d->since = now_monotonic();
    list_reserve(w);
    spin_lock(&w->watch_lock);
    list_append(w, d);
    bool rung = atomic_load(&d->rung);
    if (rung)
        list_take(w, d);
    spin_unlock(&w->watch_lock);
    return !rung;
}

void doorbell_ring(struct doorbell *d)
{
    struct worker *w;
    bool took = false;
    atomic_store(&d->rung, true);
    while (!took && (w = atomic_load(&d->worker))) {
        lock_list(w);
        took = atomic_load(&d->worker) == w;
        if (took)
            list_take(w, d);
        spin_unlock(&w->watch_lock);
    }
    if (took)
        make_ready(d->fiber);
}

/* By w, or NULL: by nobody. */
static void set_polled(struct doorbell *d, const struct worker *w)
{
    uint32_t by = w ? (uint32_t)w->cpu + 1 : 0;
    if (d->polled_by != by)
        atomic_store(d->polled, by);
    d->polled_by = by;
}

static void note_interval(struct doorbell *d, int64_t interval)
{
    interval = MAX(MIN(interval, LONG_INTERVAL), (int64_t)0);
    d->average += (interval - d->average) / 8;
}

/* Takes a doorbell that has rung off the list; its fiber is the caller's to run. */
static struct fiber *claim(struct worker *owner, struct doorbell *d, int64_t now)
{
    note_interval(d, now - d->since);
    list_take(owner, d);
    return d->fiber;
}

/* One fiber whose doorbell has rung, the others into the queue of w. The list is locked. */
static struct fiber *scan_locked(struct worker *w, struct worker *owner)
{
    struct fiber *first = NULL;
    for (unsigned i = 0; i < owner->watch_count;) {
        if (!has_rung(owner->watch[i].word)) {
            i++;
            continue;
        }
        struct doorbell *d = owner->watch[i].bell;
        struct fiber *f = claim(owner, d, w->now);
        if (first)
            worker_push(w, f);
        else
            first = f;
    }
    return first;
}

struct fiber *watch_scan(struct worker *w, struct worker *owner)
{
    if (atomic_load_explicit(&owner->watch_count, memory_order_relaxed) == 0)
        return NULL;
    if (owner == w)
        spin_lock(&owner->watch_lock);
    else
        lock_list(owner);
    struct fiber *f = scan_locked(w, owner);
    spin_unlock(&owner->watch_lock);
    return f;
}

bool watch_prepare_sleep(struct worker *w)
{
    if (atomic_load(&w->watch_count) == 0)
        return true;
    bool rung = false;
    spin_lock(&w->watch_lock);
    for (unsigned i = 0; i < w->watch_count; i++)
        set_polled(w->watch[i].bell, NULL);
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < w->watch_count; i++)
        rung |= has_rung(w->watch[i].word);
    spin_unlock(&w->watch_lock);
    return !rung;
}

/* ---- policy ---- */

/* Guest threads that want a CPU, as far as is known: those that owe a request, less those asleep by themselves. */
unsigned guests_running(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < worker_count; i++) {
        struct worker *w = &workers[i];
        unsigned listed = atomic_load_explicit(&w->watch_count, memory_order_relaxed);
        unsigned blocked = atomic_load_explicit(&w->watch_blocked, memory_order_relaxed);
        n += listed - MIN(listed, blocked) + atomic_load_explicit(&w->in_place, memory_order_relaxed);
    }
    return n;
}

static unsigned guests_listed(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < worker_count; i++)
        n += atomic_load_explicit(&workers[i].watch_count, memory_order_relaxed);
    return n;
}

/* Counts the listed threads that say they sleep in the host. Their words are far away, so this is done seldom. */
static void count_blocked(struct worker *w)
{
    static _Atomic int64_t last;
    int64_t interval = guests_listed() <= FEW_GUESTS ? COUNT_INTERVAL_FEW : COUNT_INTERVAL;
    if (w->now - atomic_load_explicit(&last, memory_order_relaxed) < interval)
        return;
    atomic_store_explicit(&last, w->now, memory_order_relaxed);
    for (unsigned i = 0; i < worker_count; i++) {
        struct worker *of = &workers[i];
        unsigned n = 0;
        if (atomic_load_explicit(&of->watch_count, memory_order_relaxed) == 0)
            continue;
        lock_list(of);
        for (unsigned j = 0; j < of->watch_count; j++) {
            _Atomic uint32_t *blocked = of->watch[j].bell->blocked;
            n += blocked && atomic_load_explicit(blocked, memory_order_relaxed);
        }
        atomic_store_explicit(&of->watch_blocked, n, memory_order_relaxed);
        spin_unlock(&of->watch_lock);
    }
}

static unsigned others_polling(const struct worker *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < worker_count; i++)
        n += &workers[i] != w && (atomic_load_explicit(&workers[i].polling, memory_order_relaxed) ||
                                  atomic_load_explicit(&workers[i].in_place, memory_order_relaxed));
    return n;
}

static bool cpu_is_free(const struct worker *w)
{
    return guests_running() + others_polling(w) < worker_count;
}

/* No polling on this CPU for a while; longer each time, unless the last time is long ago. */
static void back_off(struct worker *w)
{
    bool again = w->now - w->no_polling_until < BACK_OFF_MAX;
    w->back_off = again ? MIN(2 * w->back_off, BACK_OFF_MAX) : BACK_OFF_MIN;
    atomic_store(&w->no_polling_until, w->now + w->back_off);
}

/* Asked between the rounds of a spin: reads the clock; false when the CPU was taken away meanwhile
 * or other work is there. */
static bool may_go_on(struct worker *w, int64_t last)
{
    w->now = now_monotonic();
    if (w->now - last > CONTENDED) {
        back_off(w);
        return false;
    }
    return !atomic_load_explicit(&w->queue_len, memory_order_relaxed) &&
           w->now < atomic_load_explicit(&w->next_timer, memory_order_relaxed) && cpu_is_free(w);
}

static bool worth_polling(const struct doorbell *d, int64_t now)
{
    return d->average < POLL_BUDGET && now - d->since < POLL_BUDGET;
}

/* The time until which w should poll, 0 for not at all. Marks the doorbells it will poll for. The list is locked. */
static int64_t plan_locked(struct worker *w)
{
    int64_t until = 0;
    for (unsigned i = 0; i < w->watch_count; i++) {
        struct doorbell *d = w->watch[i].bell;
        if (!worth_polling(d, w->now))
            continue;
        set_polled(d, w);
        until = MAX(until, d->since + POLL_BUDGET);
    }
    return until;
}

/* Lets those in who want the list. */
static void step_aside(struct worker *w)
{
    spin_unlock(&w->watch_lock);
    while (atomic_load_explicit(&w->watch_wanted, memory_order_relaxed))
        cpu_relax();
    spin_lock(&w->watch_lock);
}

/*
 * Asks the host to run whoever else it has for this CPU; if that took long, the CPU is not ours to
 * burn for a while. Stubs that ring meanwhile go on spinning: told to wake a worker, they would wake
 * the one of their own CPU, and then share that CPU with it. False: no more polling. The list is
 * locked, and let go for the time.
 */
static bool offer_cpu(struct worker *w)
{
    spin_unlock(&w->watch_lock);
    sched_yield();
    int64_t before = w->now;
    w->last_yield = w->now = now_monotonic();
    spin_lock(&w->watch_lock);
    if (w->now - before > CONTENDED)
        back_off(w);
    return w->now >= w->no_polling_until;
}

/* Looks until something has rung, or anything else wants this worker. The list is locked. */
static struct fiber *poll_until(struct worker *w, int64_t until)
{
    for (int64_t last = now_monotonic(); last < until; last = w->now) {
        for (int i = 0; i < ROUNDS; i++) {
            struct fiber *f = scan_locked(w, w);
            if (f)
                return f;
            cpu_relax();
        }
        if (!may_go_on(w, last))
            return NULL;
        if (atomic_load_explicit(&w->watch_wanted, memory_order_relaxed))
            step_aside(w);
        if (w->now - w->last_yield >= YIELD_INTERVAL) {
            if (!offer_cpu(w))
                return NULL;
            until = plan_locked(w);
        }
    }
    return NULL;
}

bool watch_poll(struct worker *w, struct fiber **ret_fiber)
{
    if (atomic_load_explicit(&w->watch_count, memory_order_relaxed) == 0)
        return false;
    count_blocked(w);
    if (!cpu_is_free(w) || w->now < w->no_polling_until)
        return false;
    spin_lock(&w->watch_lock);
    int64_t until = plan_locked(w);
    if (until) {
        atomic_store(&w->polling, true);
        *ret_fiber = poll_until(w, until);
        atomic_store(&w->polling, false);
    }
    spin_unlock(&w->watch_lock);
    return until != 0;
}

/* True if a doorbell on w's list has rung. */
static bool any_rung(struct worker *w)
{
    bool rung = false;
    if (atomic_load_explicit(&w->watch_count, memory_order_relaxed) == 0)
        return false;
    spin_lock(&w->watch_lock);
    for (unsigned i = 0; i < w->watch_count; i++)
        rung |= has_rung(w->watch[i].word);
    spin_unlock(&w->watch_lock);
    return rung;
}

void doorbell_note_sleeper(struct doorbell *d, uint32_t cpu_plus_one)
{
    d->sleeper = cpu_plus_one;
}

/* The last answer woke the guest thread on w's own CPU. */
static bool woken_here(const struct doorbell *d, const struct worker *w)
{
    return d->sleeper == (uint32_t)w->cpu + 1;
}

/*
 * The short way for a guest that calls again at once: the fiber looks at its own word before it
 * leaves its stack. True if it has rung. The doorbell is on no list meanwhile; that harms nobody
 * while `polled` is set.
 */
static bool spin_in_place(struct doorbell *d)
{
    struct worker *w = fiber_self()->thread->worker;
    if (!d->polled_by || d->average >= POLL_BUDGET || ++w->passes >= TICK_PASSES)
        return false;
    bool hit = false;
    set_polled(d, w);
    if (woken_here(d, w)) {
        sched_yield(); /* it waits for this CPU */
        w->last_yield = w->now = now_monotonic();
    }
    atomic_store_explicit(&w->in_place, true, memory_order_relaxed);
    int64_t since = 0, last;
    do {
        for (int i = 0; i < ROUNDS && !hit; i++) {
            cpu_relax();
            hit = has_rung(d->word);
        }
        if (hit)
            break;
        last = since ? w->now : now_monotonic();
        since = since ? since : last;
    } while (may_go_on(w, last) && w->now < since + POLL_BUDGET && !any_rung(w) &&
             !atomic_load_explicit(&d->rung, memory_order_relaxed) &&
             w->now - w->last_yield < YIELD_INTERVAL); /* offer_cpu() is for listed doorbells */
    atomic_store_explicit(&w->in_place, false, memory_order_relaxed);
    if (hit)
        note_interval(d, since ? w->now - since : 0);
    return hit;
}

/* Where the guest thread may run: anywhere, or anywhere but on w's CPU. A thread that is gone needs no place. */
static void place_thread(const struct doorbell *d, const struct worker *w)
{
    cpu_set_t set = *sched_cpus();
    if (w)
        CPU_CLR(w->cpu, &set);
    sched_setaffinity(d->tid, sizeof(set), &set);
}

/*
 * A worker and a guest thread on one CPU can take turns for ever: the guest runs when it is woken, and has asked again
 * when the worker comes back, so the doorbell is never listed and no policy applied. If another CPU is free, the guest
 * thread is sent there for its next run. It comes back by itself or not at all: hosts move threads only with reason.
 */
static void send_away(struct doorbell *d)
{
    struct worker *w = fiber_self()->thread->worker;
    if (!woken_here(d, w)) {
        d->same_cpu = 0;
        return;
    }
    if (++d->same_cpu < SAME_CPU_MAX || !d->tid)
        return;
    d->same_cpu = 0;
    w->now = now_monotonic();
    if (w->now < w->no_polling_until || guests_running() + 1 + others_polling(w) >= worker_count)
        return;
    d->is_away = true;
    place_thread(d, w);
}

bool doorbell_wait(struct doorbell *d)
{
    if (d->is_away) { /* and woken, so it is there */
        d->is_away = false;
        place_thread(d, NULL);
    }
    for (;;) {
        if (atomic_load(&d->rung)) {
            atomic_store(&d->rung, false);
            return false;
        }
        if (has_rung(d->word)) {
            send_away(d);
            fiber_self()->bell = d;
            return true;
        }
        if (spin_in_place(d)) {
            fiber_self()->bell = d;
            return true;
        }
        d->fiber = fiber_self();
        leave_stack(AFTER_DOORBELL, d);
    }
}

unsigned doorbell_eventfds(int fds[static 64])
{
    for (unsigned i = 0; i < worker_count; i++)
        fds[i] = workers[i].eventfd;
    return worker_count;
}
