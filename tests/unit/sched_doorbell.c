/* Doorbells against a thread that plays the stub, host events on a pipe, and the cost of a round trip. */
#include "sched/doorbell.h"
#include "sched/event.h"
#include "sched_test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ANSWERED = 0, RING = DOORBELL_RING, QUIT = 7 };

/* What the platform does with a doorbell, in small: the stub's side is a thread. */
struct stub {
    _Atomic uint32_t word ALIGNED(128); /* the page shared with the stub */
    _Atomic uint32_t polled ALIGNED(64);
    struct doorbell bell ALIGNED(128);
    int rounds;
    int pause_ns;
    long ns_per_round;
    pthread_t thread;
};

static int eventfds[64];
static unsigned eventfd_count;
static struct countdown done;

static void stub_call(struct stub *s)
{
    uint64_t one = 1;
    atomic_store(&s->word, RING);
    if (!atomic_load(&s->polled)) {
        check(write(eventfds[sched_getcpu() % eventfd_count], &one, sizeof(one)) == sizeof(one));
        for (int i = 0; i < 5 && atomic_load(&s->word) == RING; i++)
            sched_yield();
    }
    while (atomic_load(&s->word) == RING)
        ;
}

static void spin_for(int ns)
{
    int64_t end = now_monotonic() + ns;
    while (ns && now_monotonic() < end)
        ;
}

static void *stub_main(void *arg)
{
    struct stub *s = arg;
    int64_t start = now_monotonic();
    for (int i = 0; i < s->rounds; i++) {
        spin_for(s->pause_ns);
        stub_call(s);
    }
    s->ns_per_round = (now_monotonic() - start) / s->rounds - s->pause_ns;
    return NULL;
}

static void serve(void *arg)
{
    struct stub *s = arg;
    doorbell_init(&s->bell, &s->word, &s->polled);
    check(pthread_create(&s->thread, NULL, stub_main, s) == 0);
    for (int i = 0; i < s->rounds; i++) {
        check(doorbell_wait(&s->bell));
        check(atomic_load(&s->word) == RING);
        atomic_store(&s->word, ANSWERED);
    }
    pthread_join(s->thread, NULL);
    countdown_done(&done);
}

static struct stub stubs[8];

static void run_stubs(int n, int rounds, int pause_ns)
{
    eventfd_count = doorbell_eventfds(eventfds);
    countdown_init(&done, n);
    memset(stubs, 0, sizeof(stubs));
    int64_t start = now_monotonic();
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < n; i++) {
        stubs[i].rounds = rounds;
        stubs[i].pause_ns = pause_ns;
        spawn(serve, &stubs[i]);
    }
    countdown_wait(&done);
    getrusage(RUSAGE_SELF, &after);
    long worst = 0;
    for (int i = 0; i < n; i++)
        worst = MAX(worst, stubs[i].ns_per_round);
    printf("%d stubs, a call every %d ns: %ld ns a call (%lld ms, %ld+%ld switches)\n", n, pause_ns, worst,
           (long long)(now_monotonic() - start) / 1000000, after.ru_nvcsw - before.ru_nvcsw,
           after.ru_nivcsw - before.ru_nivcsw);
}

static void body_doorbells(void)
{
    run_stubs(1, 200000, 0);
    run_stubs(1, 20000, 5000);
    run_stubs(1, 5000, 100000);
    run_stubs(2, 50000, 0);
    run_stubs(2, 5000, 5000);
    run_stubs(4, 10000, 0);
    run_stubs(8, 10000, 0);
}

static void test_doorbells(void **state)
{
    run_in_fiber(0, body_doorbells);
}

static void body_one_worker(void)
{
    run_stubs(1, 2000, 0);
    run_stubs(3, 2000, 0);
}

static void test_one_worker(void **state)
{
    run_in_fiber(1, body_one_worker);
}

/* ---- doorbell_ring() ---- */

static struct doorbell lonely;
static _Atomic uint32_t lonely_word, lonely_polled;

static void lonely_waiter(void *arg)
{
    check(!doorbell_wait(&lonely));
    countdown_done(&done);
}

static void body_ring(void)
{
    for (int i = 0; i < 200; i++) {
        countdown_init(&done, 1);
        doorbell_init(&lonely, &lonely_word, &lonely_polled);
        spawn(lonely_waiter, NULL);
        if (i % 3 == 1)
            fiber_yield();
        if (i % 3 == 2)
            sleep_until(now_monotonic() + 100 * NSEC_PER_USEC);
        doorbell_ring(&lonely);
        countdown_wait(&done);
    }
}

static void test_ring(void **state)
{
    run_in_fiber(1, body_ring);
    run_in_fiber(4, body_ring);
}

/* ---- host events ---- */

static void body_events(void)
{
    int fds[2];
    check(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    struct wait_queue q;
    wait_queue_init(&q);
    struct host_event event;
    check(host_event_add(&event, fds[0], &q) == 0);
    char c;
    for (int i = 0; i < 100; i++) {
        check(read(fds[0], &c, 1) == -1);
        check(wait_event_timeout(&q, read(fds[0], &c, 1) == 1, now_monotonic() + NSEC_PER_MSEC) == -ETIMEDOUT);
        check(write(fds[1], "x", 1) == 1);
        check(wait_event_timeout(&q, read(fds[0], &c, 1) == 1, now_monotonic() + NSEC_PER_SEC) == 0);
    }
    host_event_remove(&event);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    check(host_event_add(&event, file, &q) == -EPERM);
    close(file);
    close(fds[0]);
    close(fds[1]);
}

static void test_events(void **state)
{
    run_in_fiber(1, body_events);
    run_in_fiber(2, body_events);
}

/* A byte written from outside wakes a scheduler that is fast asleep. */
static int outside[2];

static void *writer(void *arg)
{
    usleep(20000);
    check(write(outside[1], "x", 1) == 1);
    return NULL;
}

static void body_outside(void)
{
    pthread_t thread;
    struct wait_queue q;
    struct host_event event;
    char c;
    check(pipe2(outside, O_NONBLOCK | O_CLOEXEC) == 0);
    wait_queue_init(&q);
    check(host_event_add(&event, outside[0], &q) == 0);
    pthread_create(&thread, NULL, writer, NULL);
    wait_event(&q, read(outside[0], &c, 1) == 1);
    pthread_join(thread, NULL);
    host_event_remove(&event);
    close(outside[0]);
    close(outside[1]);
}

static void test_outside(void **state)
{
    run_in_fiber(2, body_outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring),      cmocka_unit_test(test_events),     cmocka_unit_test(test_outside),
        cmocka_unit_test(test_doorbells), cmocka_unit_test(test_one_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
