/*
 * What the files of the scheduler share.
 *
 * A *worker* is a seat: one a CPU, with a queue of ready fibers, an event descriptor, timers, host
 * events and a list of doorbells it watches. A *thread* is the host thread that sits on it, pinned
 * to its CPU. They are two things because a thread stuck in a long host call loses its seat to a
 * spare thread (hostcall.c).
 *
 * Life of a fiber's `state`: RUNNING -> PREPARED (prepare_to_wait) -> BLOCKED (its stack has been
 * left) -> READY (in a queue) -> RUNNING. A wake moves PREPARED to RUNNING and BLOCKED to READY.
 * What a fiber asks for when it leaves its stack (block, yield, exit, wait on a doorbell) is
 * carried out by its thread afterwards, so nobody can run a fiber whose registers are not saved
 * yet.
 *
 * Locks, all spinlocks, outermost first: wait queue or mutex -> timers of a worker -> watch list of
 * a worker -> queue of a worker. Events: events_lock -> wait queue.
 */
#pragma once
#include "sched/doorbell.h"
#include "sched/fiber.h"
#include "sched/sanitize.h"
#include "sched/spinlock.h"
#include "sched/timer.h"
#include "sched/x86_64/switch.h"
#include <pthread.h>

#define MAX_WORKERS 64
#define TICK_PASSES 32 /* fibers run, or doorbells answered in place, between two looks at timers and host events */
#define NO_DEADLINE INT64_MAX

enum fiber_state { FIBER_RUNNING, FIBER_PREPARED, FIBER_BLOCKED, FIBER_READY };

/* Sits at the high end of its stack, where fiber_self() finds it. Plain threads have one in thread-local storage
 * for the waits they make (fiber_or_thread()). */
struct fiber {
    void *local;               /* [t] first: fiber_local() reads it in line */
    void *sp;                  /* [t] while not running */
    struct thread *thread;     /* [t] the host thread it runs on, while it runs */
    _Atomic uint32_t state;    /* [a] enum fiber_state; a plain thread sleeps in a futex on it */
    _Atomic bool interrupted;  /* [a] */
    _Atomic bool interruptible; /* [a] in an interruptible wait */
    _Atomic bool timed_out;    /* [a] set by `timer` */
    bool is_thread;            /* [I] */
    struct list link;          /* [queue lock] */
    struct timer timer;        /* [t] of a timed wait */
    struct doorbell *bell;     /* [t] whose stub waits for an answer while this fiber runs */
    void (*fn)(void *arg);     /* [I] */
    void *arg;                 /* [I] */
    const char *name;          /* [I] */
    _Atomic int64_t blocked_since; /* [a] when the wait under way began, or 0 */
    struct sanitizer_stack stack;
};
_Static_assert(sizeof(struct fiber) <= FIBER_HEADER_SIZE, "the header fits");

/* What a thread does for a fiber that has just left its stack. */
enum after { AFTER_BLOCK, AFTER_YIELD, AFTER_DOORBELL, AFTER_EXIT, AFTER_LOST_SEAT };

struct thread {
    struct worker *worker;  /* [t] its seat, or NULL for a spare one; set by the monitor before `seated` */
    struct fiber *current;  /* [t] the fiber it runs */
    void *sp;               /* [t] its own stack while a fiber runs */
    enum after after;       /* [t] */
    void *after_arg;        /* [t] */
    struct sanitizer_stack stack;
    pthread_t pthread;
    struct thread *next;    /* [I] all threads */
    int cpu;                /* [t] where it is pinned */

    _Atomic uint32_t call_state;  /* [a] hostcall.c */
    _Atomic uint32_t call_number; /* written by its own thread */
    _Atomic uint32_t seated;      /* [a] futex of a spare thread */
    struct list spare_link;       /* [monitor lock] */
};

struct watch_entry {
    _Atomic uint32_t *word;
    struct doorbell *bell;
};

struct worker {
    unsigned index;  /* [I] */
    int cpu;         /* [I] host CPU, or -1 */
    int eventfd;     /* [I] */
    int epfd;        /* [I] its host events and its eventfd, edge-triggered */
    struct thread *thread; /* who sits here; changed by the monitor */

    struct spinlock queue_lock ALIGNED(64);
    struct list queue;             /* [queue_lock] */
    _Atomic unsigned queue_len;    /* written under queue_lock */
    _Atomic bool sleeping;         /* [a] in the host, or about to be */

    struct spinlock timer_lock ALIGNED(64);
    struct rb_root timers;         /* [timer_lock] */
    _Atomic int64_t next_timer;    /* deadline of the first, NO_DEADLINE; written under timer_lock */
    _Atomic unsigned host_events;  /* [a] how many descriptors epfd has besides the eventfd */

    struct spinlock watch_lock ALIGNED(64);
    struct watch_entry *watch;     /* [watch_lock] dense */
    unsigned watch_cap;            /* [watch_lock] */
    _Atomic unsigned watch_count;  /* written under watch_lock */
    _Atomic unsigned watch_blocked; /* how many of them sleep by themselves, when last counted */
    _Atomic unsigned watch_wanted; /* [a] somebody wants watch_lock while its worker polls under it */
    _Atomic bool polling;          /* [a] */
    _Atomic bool in_place;         /* [a] its fiber spins for its own, unlisted doorbell */

    int64_t now ALIGNED(64);       /* [t] the clock when last read */
    bool woken;                    /* [t] out of a sleep, and has not yet looked at every doorbell */
    int64_t last_events;           /* [t] when host events were last looked for */
    int64_t last_yield;            /* [t] when the CPU was last offered to others during a spin */
    _Atomic int64_t no_polling_until; /* written by its own thread: others need this CPU */
    int64_t back_off;              /* [t] the length of the last such pause */
    unsigned passes;               /* [t] fibers run since the last tick */
};

extern struct worker *workers; /* [I] after sched_init() */
extern unsigned worker_count;  /* [I] */

/* worker.c */
const cpu_set_t *sched_cpus(void); /* what this process may use */
struct worker *this_worker(void); /* NULL on a thread without a seat; the answer goes stale when the fiber blocks */
void make_ready(struct fiber *f);
void worker_push(struct worker *w, struct fiber *f);
void worker_poke(struct worker *w); /* out of its sleep, if it is in one */
bool sched_stopping(void);
void leave_stack(enum after after, void *arg); /* from a fiber: switches to its thread */

struct thread *thread_start(struct worker *w); /* a new one, on w; never fails */

/* hostcall.c */
void monitor_start(void);
void monitor_stop(void);
void thread_wait_for_seat(struct thread *t); /* or until sched_stop() */

/* fiber.c */
struct fiber *fiber_or_thread(void); /* the current fiber, or the stand-in of a plain thread */
void fiber_free(struct fiber *f);

/* timer.c */
void worker_init_timers(struct worker *w);
void worker_run_timers(struct worker *w); /* those due at w->now */

/* event.c */
void worker_poll_events(struct worker *w);                   /* without blocking */
void worker_wait_events(struct worker *w, int64_t deadline); /* until poked, an event, or the deadline */

/* doorbell.c */
void doorbell_park(struct doorbell *d);
void worker_init_watch(struct worker *w);
NODISCARD bool watch_add(struct worker *w, struct doorbell *d); /* false: rung already, its fiber shall run */
struct fiber *watch_scan(struct worker *w, struct worker *owner); /* one rung; more go to w's queue */
/* Spins while the policy says so, until something rings (ret_fiber) or other work turns up; false: no spinning now. */
bool watch_poll(struct worker *w, struct fiber **ret_fiber);
bool watch_prepare_sleep(struct worker *w);  /* polled = 0; false when one has rung meanwhile */
unsigned guests_running(void);

/* host futex */
void host_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
void host_futex_wake(_Atomic uint32_t *word, int count);
