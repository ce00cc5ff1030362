/* A stand-in for the scheduler, for measuring and trying the platform alone: fibers are threads, doorbells spin. */
#include "sched/doorbell.h"
#include "sched/wait.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

struct fiber {
    void (*fn)(void *);
    void *arg;
};

void spin_lock_slow(struct spinlock *l)
{
    while (atomic_exchange(&l->word, 2))
        syscall(SYS_futex, &l->word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void spin_unlock_slow(struct spinlock *l)
{
    syscall(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

struct fiber *fiber_new(const char *name, void (*fn)(void *arg), void *arg)
{
    struct fiber *f = malloc(sizeof(*f));

    f->fn = fn;
    f->arg = arg;
    return f;
}

static void *main_of(void *arg)
{
    struct fiber *f = arg;

    f->fn(f->arg);
    return NULL;
}

void fiber_start(struct fiber *f)
{
    pthread_t t;

    pthread_create(&t, NULL, main_of, f);
    pthread_detach(t);
}

void fiber_yield(void)
{
    sched_yield();
}

void doorbell_init(struct doorbell *d, _Atomic uint32_t *word, _Atomic uint32_t *polled)
{
    d->word = word;
    d->polled = polled;
    atomic_init(&d->rung, false);
    atomic_store(polled, 1);
}

bool doorbell_wait(struct doorbell *d)
{
    for (unsigned i = 0;; i++) {
        if (atomic_load(d->word) == DOORBELL_RING)
            return true;
        if (atomic_exchange(&d->rung, false))
            return false;
        if (i > 20000)
            usleep(50);
        __builtin_ia32_pause();
    }
}

void doorbell_set_blocked_hint(struct doorbell *d, _Atomic uint32_t *blocked)
{
}

void doorbell_ring(struct doorbell *d)
{
    atomic_store(&d->rung, true);
}

unsigned doorbell_eventfds(int fds[static 64])
{
    fds[0] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    fds[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return 2;
}

/* wait_event() polls. */
void wait_queue_init(struct wait_queue *q) {}
void wait_entry_init(struct wait_entry *e, wait_func *func) {}
void wait_add(struct wait_queue *q, struct wait_entry *e) {}
void wait_remove(struct wait_entry *e) {}
void wake_poll(struct wait_queue *q, uint32_t events) {}
void prepare_to_wait(void) {}
void finish_wait(void) {}
int wait_block(int64_t deadline, bool interruptible)
{
    usleep(100);
    return 0;
}

int sched_init(unsigned workers)
{
    return 0;
}

static _Atomic int stopped;
int sched_run(void)
{
    while (!stopped)
        usleep(1000);
    return 0;
}

void sched_stop(int status)
{
    stopped = 1;
}
