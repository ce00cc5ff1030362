/*
 * Workers: the threads that run fibers.
 *
 * A worker's loop: what is ready in its queue; doorbells that have rung; timers and host events
 * that are due; what other workers have too much of. With nothing to do it spins over its doorbells
 * while the policy of doorbell.c says so, and then sleeps in the host on its event descriptor, with
 * a timeout only if a timer is pending: an idle sandbox never wakes up.
 *
 * A fiber made ready goes to the queue of the worker that made it ready: the waker usually blocks
 * soon, and waking another CPU costs more than most fibers run for. Workers that are awake and idle
 * steal; sleeping ones are woken only when work piles up and a CPU is free.
 */
#include "sched/private.h"
#include "base/log.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PILE 2 /* ready fibers in a busy worker's queue that are worth waking another CPU for */

struct worker *workers;
unsigned worker_count;

#define THREAD_STACK_SIZE (256 * 1024)

static cpu_set_t cpus_allowed;         /* [I] after sched_init() */
static _Atomic(struct thread *) threads; /* all; only one thread at a time starts more */
static _Atomic bool stopping;
static _Atomic uint32_t stopped; /* futex word of sched_run() */
static _Atomic int stop_status;
static _Atomic unsigned next_victim; /* round robin for threads without a worker */

static __thread struct thread *this_thread_tls;

/* Out of line, so that no caller keeps a thread-local address while its fiber moves to another thread. */
static __attribute__((noinline)) struct thread *this_thread(void)
{
    __asm__ volatile("");
    return this_thread_tls;
}

bool in_fiber(void)
{
    struct thread *t = this_thread();
    return t && t->current;
}

struct worker *this_worker(void)
{
    struct thread *t = this_thread();
    return t ? t->worker : NULL;
}

bool sched_stopping(void)
{
    return atomic_load_explicit(&stopping, memory_order_relaxed);
}

/* ---- queues ---- */

static void queue_push(struct worker *w, struct fiber *f)
{
    spin_lock(&w->queue_lock);
    list_add_tail(&w->queue, &f->link);
    atomic_store_explicit(&w->queue_len, w->queue_len + 1, memory_order_relaxed);
    spin_unlock(&w->queue_lock);
}

static struct fiber *queue_pop(struct worker *w)
{
    if (atomic_load_explicit(&w->queue_len, memory_order_relaxed) == 0)
        return NULL;
    spin_lock(&w->queue_lock);
    struct fiber *f = list_first(&w->queue, struct fiber, link);
    if (f) {
        list_del(&f->link);
        atomic_store_explicit(&w->queue_len, w->queue_len - 1, memory_order_relaxed);
    }
    spin_unlock(&w->queue_lock);
    return f;
}

static struct fiber *steal(struct worker *thief)
{
    for (unsigned i = 1; i < worker_count; i++) {
        struct fiber *f = queue_pop(&workers[(thief->index + i) % worker_count]);
        if (f)
            return f;
    }
    return NULL;
}

void worker_poke(struct worker *w)
{
    /* The caller's change comes before this exchange; a worker sets `sleeping` before it looks a last time. */
    if (atomic_exchange(&w->sleeping, false)) {
        uint64_t one = 1;
        ssize_t n = write(w->eventfd, &one, sizeof(one));
        assert_always(n == sizeof(one) || errno == EAGAIN);
    }
}

/* Wakes a sleeping worker to help `busy`, if one sleeps and its CPU is likely to be free. */
static void call_for_help(struct worker *busy)
{
    unsigned awake = 0;
    struct worker *sleeper = NULL;
    for (unsigned i = 0; i < worker_count; i++) {
        if (!atomic_load_explicit(&workers[i].sleeping, memory_order_relaxed))
            awake++;
        else if (&workers[i] != busy)
            sleeper = &workers[i];
    }
    if (sleeper && awake + guests_running() < worker_count)
        worker_poke(sleeper);
}

void worker_push(struct worker *w, struct fiber *f)
{
    queue_push(w, f);
    if (w != this_worker())
        worker_poke(w);
    else if (atomic_load_explicit(&w->queue_len, memory_order_relaxed) >= PILE)
        call_for_help(w);
}

void make_ready(struct fiber *f)
{
    struct worker *w = this_worker();
    if (!w)
        w = &workers[atomic_fetch_add(&next_victim, 1) % worker_count];
    worker_push(w, f);
}

/* ---- running fibers ---- */

void leave_stack(enum after after, void *arg)
{
    struct fiber *f = fiber_self();
    struct thread *t = f->thread;
    t->after = after;
    t->after_arg = arg;
    if (after == AFTER_EXIT)
        sanitizer_leave_last(&f->stack, &t->stack);
    else
        sanitizer_leave(&f->stack, &t->stack);
    stack_switch(&f->sp, t->sp);
    /* Perhaps another thread by now. */
    sanitizer_enter(&f->stack, &f->thread->stack);
}

/* Carries out what the fiber left its stack for. Returns a fiber to run at once, or NULL. */
static struct fiber *after_fiber(struct thread *t, struct fiber *f)
{
    uint32_t state = FIBER_PREPARED;
    switch (t->after) {
    case AFTER_BLOCK:
        if (atomic_compare_exchange_strong(&f->state, &state, FIBER_BLOCKED))
            return NULL;
        return f; /* woken on its way to sleep */
    case AFTER_YIELD:
        queue_push(t->worker, f);
        return NULL;
    case AFTER_DOORBELL:
        return watch_add(t->worker, t->after_arg) ? NULL : f;
    case AFTER_EXIT:
        fiber_free(f);
        return NULL;
    case AFTER_LOST_SEAT:
        worker_push(t->after_arg, f);
        return NULL;
    }
    assert_always(!"unknown reason to leave a stack");
}

static void run_fiber(struct thread *t, struct fiber *f)
{
    while (f) {
        t->current = f;
        f->thread = t;
        atomic_store_explicit(&f->state, FIBER_RUNNING, memory_order_relaxed);
        sanitizer_leave(&t->stack, &f->stack);
        stack_switch(&t->sp, f->sp);
        sanitizer_enter(&t->stack, &f->stack);
        t->current = NULL;
        f = after_fiber(t, f);
    }
}

/* ---- the loop ---- */

/* Timers and host events that are due. */
static void tick(struct worker *w)
{
    w->passes = 0;
    w->now = now_monotonic();
    worker_run_timers(w);
    worker_poll_events(w);
}

static struct fiber *next_fiber(struct worker *w)
{
    if (++w->passes >= TICK_PASSES) {
        tick(w);
        struct fiber *rung = watch_scan(w, w);
        if (rung)
            return rung;
    }
    struct fiber *f = queue_pop(w);
    if (!f)
        f = watch_scan(w, w);
    return f;
}

/* After a wake-up: all doorbells, until a whole round finds none rung. Several pokes may have been read as one. */
static struct fiber *scan_everybody(struct worker *w)
{
    for (unsigned i = 0; w->woken && i < worker_count; i++) {
        struct fiber *f = watch_scan(w, &workers[(w->index + i) % worker_count]);
        if (f)
            return f;
    }
    w->woken = false;
    return NULL;
}

static void sleep_in_host(struct worker *w)
{
    int64_t deadline = atomic_load(&w->next_timer);
    if (deadline != NO_DEADLINE || atomic_load(&w->host_events)) {
        worker_wait_events(w, deadline);
        return;
    }
    uint64_t count;
    ssize_t n = read(w->eventfd, &count, sizeof(count));
    assert_always(n == sizeof(count) || errno == EINTR);
}

/* Sleeps until somebody pokes. */
static void worker_sleep(struct worker *w)
{
    atomic_store(&w->sleeping, true);
    if (!w->woken && watch_prepare_sleep(w) && atomic_load(&w->queue_len) == 0 && !sched_stopping())
        sleep_in_host(w);
    atomic_store(&w->sleeping, false);
    w->woken = true;
    w->now = now_monotonic();
}

/* A fiber to run, or NULL after having polled or slept in vain. */
static struct fiber *find_work(struct worker *w)
{
    struct fiber *f;
    if ((f = next_fiber(w)) || (f = scan_everybody(w)))
        return f;
    tick(w);
    if (w->woken || (f = queue_pop(w)) || (f = steal(w)))
        return f;
    if (!watch_poll(w, &f))
        worker_sleep(w);
    return f;
}

static void pin(struct thread *t, int cpu)
{
    cpu_set_t set;
    if (t->cpu == cpu)
        return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        log_debug("worker: cannot stay on cpu %d: errno %d", cpu, errno);
    t->cpu = cpu;
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;
    this_thread_tls = t;
    sanitizer_this_thread(&t->stack);
    prctl(PR_SET_TIMERSLACK, 1);
    while (!sched_stopping()) {
        if (!t->worker) {
            thread_wait_for_seat(t);
            continue;
        }
        pin(t, t->worker->cpu);
        run_fiber(t, find_work(t->worker));
    }
    this_thread_tls = NULL;
    return NULL;
}

/* ---- start and stop ---- */

static void worker_free(struct worker *w)
{
    close(w->eventfd);
    close(w->epfd);
    free(w->watch);
}

static int worker_init(struct worker *w, unsigned index, int cpu)
{
    w->index = index;
    w->cpu = cpu;
    list_init(&w->queue);
    worker_init_timers(w);
    worker_init_watch(w);
    w->eventfd = eventfd(0, EFD_CLOEXEC);
    w->epfd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    if (w->eventfd < 0 || w->epfd < 0 || epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->eventfd, &ev) < 0)
        return -ENOMEM;
    return 0;
}

const cpu_set_t *sched_cpus(void)
{
    return &cpus_allowed;
}

/* The CPUs this process may use, in order; returns how many (at most MAX_WORKERS). */
static unsigned list_cpus(int cpus[static MAX_WORKERS])
{
    unsigned n = 0;
    if (sched_getaffinity(0, sizeof(cpus_allowed), &cpus_allowed) < 0)
        CPU_ZERO(&cpus_allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && n < MAX_WORKERS; cpu++)
        if (CPU_ISSET(cpu, &cpus_allowed))
            cpus[n++] = cpu;
    if (n == 0)
        cpus[n++] = -1;
    return n;
}

/* Worker i belongs to a CPU whose number is i modulo their count where there is one: stubs compute it that way. */
static int cpu_for(unsigned index, unsigned count, const int *cpus, unsigned cpu_count)
{
    for (unsigned i = 0; i < cpu_count; i++)
        if (cpus[i] >= 0 && cpus[i] % count == index)
            return cpus[i];
    return cpus[index % cpu_count];
}

int sched_init(unsigned count)
{
    int cpus[MAX_WORKERS];
    unsigned cpu_count = list_cpus(cpus);
    count = MIN(count ? count : cpu_count, (unsigned)MAX_WORKERS);
    assert_always(!workers);
    workers = aligned_alloc(64, count * sizeof(*workers));
    if (!workers)
        return -ENOMEM;
    memset(workers, 0, count * sizeof(*workers));
    worker_count = count;
    atomic_store(&stopping, false);
    atomic_store(&stopped, 0);
    for (unsigned i = 0; i < count; i++) {
        int err = worker_init(&workers[i], i, cpu_for(i, count, cpus, cpu_count));
        if (err)
            return err; /* the process cannot go on: nothing to undo */
    }
    return 0;
}

struct thread *thread_start(struct worker *w)
{
    struct thread *t = calloc(1, sizeof(*t));
    pthread_attr_t attr;
    assert_always(t);
    t->worker = w;
    t->cpu = -1;
    list_init(&t->spare_link);
    t->next = atomic_load(&threads);
    atomic_store(&threads, t);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK_SIZE);
    int err = pthread_create(&t->pthread, &attr, thread_main, t);
    assert_always(err == 0);
    pthread_attr_destroy(&attr);
    return t;
}

static void join_all(void)
{
    struct thread *t;
    monitor_stop(); /* nobody starts threads any more */
    while ((t = atomic_load(&threads))) {
        atomic_store(&threads, t->next);
        pthread_join(t->pthread, NULL);
        free(t);
    }
}

int sched_run(void)
{
    for (unsigned i = 0; i < worker_count; i++)
        workers[i].thread = thread_start(&workers[i]);
    monitor_start();
    while (!atomic_load(&stopped))
        host_futex_wait(&stopped, 0, NO_DEADLINE);
    join_all();
    for (unsigned i = 0; i < worker_count; i++)
        worker_free(&workers[i]);
    free(workers);
    workers = NULL;
    worker_count = 0;
    return atomic_load(&stop_status);
}

void sched_stop(int status)
{
    atomic_store(&stop_status, status);
    atomic_store(&stopping, true);
    for (unsigned i = 0; i < worker_count; i++)
        worker_poke(&workers[i]);
    atomic_store(&stopped, 1);
    host_futex_wake(&stopped, 1);
}
