/*
 * The whole scheduler at once, at random: fibers that lock, wait, sleep, time out, are interrupted,
 * make host calls and start other fibers, beside stub threads that ring doorbells at all intervals.
 * Every operation must end; a watchdog aborts if nothing has moved for ten seconds.
 */
#include "sched/doorbell.h"
#include "sched/event.h"
#include "sched_test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define RUN_TIME (1500 * NSEC_PER_MSEC)
#define ACTORS 40
#define STUBS 3
#define READERS 4
#define CHANNELS 5

static struct countdown done;
static _Atomic long operations;
static int64_t end_of_test;

static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* ---- actors ---- */

struct channel {
    struct mutex lock;
    struct wait_queue readers;
    int tokens; /* [lock] */
    struct rwlock rw;
    long a, b; /* [rw] equal */
};

static struct channel channels[CHANNELS];

struct actor {
    struct fiber *fiber;
    uint32_t seed;
    _Atomic bool alive;
};

static struct actor actors[ACTORS];
static struct mutex actors_lock; /* an actor's fiber may be interrupted while it is alive */

static bool channel_take(struct channel *c)
{
    MUTEX_GUARD(&c->lock);
    if (c->tokens == 0)
        return false;
    c->tokens--;
    return true;
}

static void channel_give(struct channel *c)
{
    mutex_lock(&c->lock);
    c->tokens++;
    mutex_unlock(&c->lock);
    wake_all(&c->readers);
}

static void use_rwlock(struct channel *c, bool write)
{
    if (write) {
        write_lock(&c->rw);
        c->a++;
        fiber_yield();
        c->b++;
        write_unlock(&c->rw);
        return;
    }
    read_lock(&c->rw);
    check(c->a == c->b);
    fiber_yield();
    check(c->a == c->b);
    read_unlock(&c->rw);
}

static void interrupt_somebody(uint32_t n)
{
    struct actor *a = &actors[n % ACTORS];
    MUTEX_GUARD(&actors_lock);
    if (atomic_load(&a->alive))
        fiber_interrupt(a->fiber);
}

static void short_lived(void *arg)
{
    atomic_fetch_add(&operations, 1);
    fiber_yield();
    countdown_done(&done);
}

static void spawn_short_lived(void)
{
    spin_lock(&done.queue.lock);
    atomic_fetch_add(&done.left, 1);
    spin_unlock(&done.queue.lock);
    spawn(short_lived, NULL);
}

static void act(struct actor *self, uint32_t n)
{
    struct channel *c = &channels[n / 16 % CHANNELS];
    int64_t soon = now_monotonic() + n % 700 * NSEC_PER_USEC;
    int err = 0;
    switch (n % 12) {
    case 0:
    case 1:
        channel_give(c);
        break;
    case 2:
        err = wait_event_timeout(&c->readers, channel_take(c), soon);
        check(err == 0 || err == -ETIMEDOUT || err == -ERESTARTSYS);
        break;
    case 3:
        channel_give(c);
        wait_event_interruptible(&c->readers, channel_take(c));
        break;
    case 4:
        sleep_until(soon);
        break;
    case 5:
        use_rwlock(c, n % 5 == 0);
        break;
    case 6:
        host_call_begin();
        if (n % 200 < 3)
            usleep(n % 4000);
        host_call_end();
        break;
    case 7:
        interrupt_somebody(n / 7);
        break;
    case 8:
        if (mutex_lock_interruptible(&c->lock) == 0) {
            fiber_yield();
            mutex_unlock(&c->lock);
        }
        break;
    case 9:
        spawn_short_lived();
        break;
    default:
        fiber_yield();
    }
    if (fiber_interrupted(fiber_self()))
        fiber_clear_interrupt(fiber_self());
}

static void actor_main(void *arg)
{
    struct actor *self = arg;
    while (now_monotonic() < end_of_test) {
        act(self, random_number(&self->seed));
        atomic_fetch_add(&operations, 1);
    }
    mutex_lock(&actors_lock);
    atomic_store(&self->alive, false);
    mutex_unlock(&actors_lock);
    for (int i = 0; i < CHANNELS; i++) /* nobody is left waiting for a token */
        channel_give(&channels[i]);
    countdown_done(&done);
}

/* ---- stubs ---- */

struct stub {
    _Atomic uint32_t word ALIGNED(128);
    _Atomic uint32_t polled ALIGNED(64);
    struct doorbell bell ALIGNED(128);
    uint32_t seed ALIGNED(128);
    _Atomic bool quit;
    pthread_t thread;
};

static struct stub stubs[STUBS];
static int eventfds[64];
static unsigned eventfd_count;

static void stub_call(struct stub *s)
{
    const uint64_t one = 1;
    atomic_store(&s->word, DOORBELL_RING);
    if (!atomic_load(&s->polled))
        check(write(eventfds[sched_getcpu() % eventfd_count], &one, sizeof(one)) == sizeof(one));
    int64_t start = now_monotonic();
    while (atomic_load(&s->word) == DOORBELL_RING && !atomic_load(&s->quit)) {
        sched_yield();
        check(now_monotonic() < start + 5 * NSEC_PER_SEC);
    }
}

static void *stub_main(void *arg)
{
    struct stub *s = arg;
    while (!atomic_load(&s->quit)) {
        stub_call(s);
        uint32_t n = random_number(&s->seed);
        if (n % 16 == 0)
            usleep(n / 16 % 300);
    }
    return NULL;
}

static void ring_from_kernel(struct timer *t);

struct ringer {
    struct timer timer;
    struct stub *stub;
};

static void ring_from_kernel(struct timer *t)
{
    doorbell_ring(&container_of(t, struct ringer, timer)->stub->bell);
}

static void serve(void *arg)
{
    struct stub *s = arg;
    struct ringer ringer = {.stub = s};
    uint32_t seed = s->seed + 1;
    timer_init(&ringer.timer, ring_from_kernel);
    doorbell_init(&s->bell, &s->word, &s->polled);
    check(pthread_create(&s->thread, NULL, stub_main, s) == 0);
    while (now_monotonic() < end_of_test) {
        if (s != &stubs[0] && random_number(&seed) % 4 == 0) /* nothing rescues stub 0 from a lost ring */
            timer_arm(&ringer.timer, now_monotonic() + 50 * NSEC_PER_USEC);
        if (doorbell_wait(&s->bell)) {
            check(atomic_load(&s->word) == DOORBELL_RING);
            channel_give(&channels[0]);
            atomic_store(&s->word, 0);
        }
        atomic_fetch_add(&operations, 1);
    }
    timer_cancel(&ringer.timer);
    atomic_store(&s->quit, true);
    pthread_join(s->thread, NULL);
    countdown_done(&done);
}

/* ---- host events ---- */

static int pipe_fds[2];

static void read_pipe(void *arg)
{
    struct wait_queue q;
    struct host_event event;
    char c;
    int fd = fcntl(pipe_fds[0], F_DUPFD_CLOEXEC, 0);
    wait_queue_init(&q);
    check(host_event_add(&event, fd, &q) == 0);
    while (now_monotonic() < end_of_test) {
        check(write(pipe_fds[1], "x", 1) == 1 || errno == EAGAIN);
        wait_event_timeout(&q, read(fd, &c, 1) == 1, now_monotonic() + NSEC_PER_MSEC);
        sleep_until(now_monotonic() + 3 * NSEC_PER_MSEC);
    }
    host_event_remove(&event);
    close(fd);
    countdown_done(&done);
}

/* ---- */

static void *watchdog(void *arg)
{
    long last = -1;
    for (int i = 0; i < 100; i++) {
        if (atomic_load((_Atomic bool *)arg))
            return NULL;
        usleep(100000);
        long now = atomic_load(&operations);
        i = now == last ? i : 0;
        last = now;
    }
    assert_always(!"the scheduler stands still");
}

static void body(void)
{
    _Atomic bool over = false;
    pthread_t dog;
    pthread_create(&dog, NULL, watchdog, (void *)&over);
    end_of_test = now_monotonic() + RUN_TIME;
    atomic_store(&operations, 0);
    eventfd_count = doorbell_eventfds(eventfds);
    countdown_init(&done, ACTORS + STUBS + READERS);
    check(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) == 0);
    for (int i = 0; i < READERS; i++)
        spawn(read_pipe, NULL);
    mutex_init(&actors_lock);
    memset(channels, 0, sizeof(channels));
    for (int i = 0; i < CHANNELS; i++) {
        mutex_init(&channels[i].lock);
        wait_queue_init(&channels[i].readers);
        rwlock_init(&channels[i].rw);
    }
    mutex_lock(&actors_lock);
    for (int i = 0; i < ACTORS; i++) {
        actors[i].seed = i * 7919 + 13;
        atomic_store(&actors[i].alive, true);
        actors[i].fiber = spawn(actor_main, &actors[i]);
    }
    mutex_unlock(&actors_lock);
    for (int i = 0; i < STUBS; i++) {
        memset(&stubs[i], 0, sizeof(stubs[i]));
        stubs[i].seed = i + 99;
        spawn(serve, &stubs[i]);
    }
    countdown_wait(&done);
    atomic_store(&over, true);
    pthread_join(dog, NULL);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    printf("%ld operations\n", atomic_load(&operations));
}

static void test_stress(void **state)
{
    run_in_fiber(1, body);
    run_in_fiber(2, body);
    run_in_fiber(8, body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stress)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
