/* Fibers, wait queues, sleeping locks and timers, one property a test. */
#include "sched_test.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct countdown done;

/* ---- fibers ---- */

static void yielder(void *arg)
{
    check(in_fiber());
    fiber_set_local(fiber_self(), arg);
    for (int i = 0; i < 100; i++) {
        check(fiber_local(fiber_self()) == arg);
        fiber_yield();
    }
    countdown_done(&done);
}

static void body_yield(void)
{
    countdown_init(&done, 200);
    for (long i = 0; i < 200; i++)
        spawn(yielder, (void *)i);
    countdown_wait(&done);
}

static void test_yield(void **state)
{
    assert_false(in_fiber());
    run_in_fiber(1, body_yield);
    run_in_fiber(4, body_yield);
}

static void deep(void *arg)
{
    volatile char frame[24 * 1024];
    memset((char *)frame, 1, sizeof(frame));
    fiber_yield();
    check(frame[0] == 1 && frame[sizeof(frame) - 1] == 1);
    countdown_done(&done);
}

static void body_many(void)
{
    for (int round = 0; round < 5; round++) {
        countdown_init(&done, 500);
        for (int i = 0; i < 500; i++)
            spawn(deep, NULL);
        countdown_wait(&done);
    }
}

static void test_many(void **state)
{
    run_in_fiber(2, body_many);
}

/* ---- wait queues ---- */

static struct wait_queue ping_queue, pong_queue;
static _Atomic int ball;

static void ponger(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        wait_event(&pong_queue, atomic_load(&ball) == 1);
        atomic_store(&ball, 0);
        wake_all(&ping_queue);
    }
    countdown_done(&done);
}

static void body_ping(void)
{
    countdown_init(&done, 1);
    wait_queue_init(&ping_queue);
    wait_queue_init(&pong_queue);
    spawn(ponger, NULL);
    for (int i = 0; i < 10000; i++) {
        atomic_store(&ball, 1);
        wake_all(&pong_queue);
        wait_event(&ping_queue, atomic_load(&ball) == 0);
    }
    countdown_wait(&done);
}

static void test_ping_pong(void **state)
{
    run_in_fiber(1, body_ping);
    run_in_fiber(2, body_ping);
}

static void interrupter(void *arg)
{
    sleep_until(now_monotonic() + 2 * NSEC_PER_MSEC);
    fiber_interrupt(arg);
    countdown_done(&done);
}

static void body_interrupt(void)
{
    struct wait_queue q;
    wait_queue_init(&q);
    countdown_init(&done, 1);
    spawn(interrupter, fiber_self());
    check(wait_event_interruptible(&q, false) == -ERESTARTSYS);
    check(fiber_interrupted(fiber_self()));
    check(sleep_until(now_monotonic() + NSEC_PER_SEC) == -ERESTARTSYS);
    check(wait_event_timeout(&q, true, NO_DEADLINE) == 0);
    countdown_wait(&done); /* uninterruptible: waits nevertheless */
    fiber_clear_interrupt(fiber_self());
    check(sleep_until(now_monotonic() + NSEC_PER_MSEC) == 0);
}

static void test_interrupt(void **state)
{
    run_in_fiber(2, body_interrupt);
}

static void body_timeout(void)
{
    struct wait_queue q;
    wait_queue_init(&q);
    int64_t start = now_monotonic();
    check(wait_event_timeout(&q, false, start + 5 * NSEC_PER_MSEC) == -ETIMEDOUT);
    check(now_monotonic() >= start + 5 * NSEC_PER_MSEC);
    check(wait_event_timeout(&q, false, start) == -ETIMEDOUT);
    check(wait_event_timeout(&q, true, start) == 0);
    int64_t late = 0;
    for (int i = 0; i < 50; i++) {
        int64_t deadline = now_monotonic() + NSEC_PER_MSEC;
        check(sleep_until(deadline) == 0);
        late += now_monotonic() - deadline;
    }
    printf("timers: %lld us late on average\n", (long long)(late / 50 / 1000));
}

static void test_timeout(void **state)
{
    run_in_fiber(2, body_timeout);
}

/* wake_one() must never be swallowed by a waiter that is on its way out. */
static _Atomic int tokens;
static struct wait_queue token_queue;

static bool take_token(void)
{
    int n = atomic_load(&tokens);
    while (n > 0)
        if (atomic_compare_exchange_weak(&tokens, &n, n - 1))
            return true;
    return false;
}

static void token_taker(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        struct wait_entry e;
        wait_entry_init(&e, NULL);
        e.exclusive = true;
        wait_add(&token_queue, &e);
        for (;;) {
            prepare_to_wait();
            if (take_token())
                break;
            check(wait_block(NO_DEADLINE, false) == 0);
        }
        finish_wait();
        wait_remove(&e);
    }
    countdown_done(&done);
}

static void body_wake_one(void)
{
    countdown_init(&done, 8);
    wait_queue_init(&token_queue);
    for (int i = 0; i < 8; i++)
        spawn(token_taker, NULL);
    for (int i = 0; i < 8 * 2000; i++) {
        atomic_fetch_add(&tokens, 1);
        wake_one(&token_queue);
        if (i % 7 == 0)
            fiber_yield();
    }
    countdown_wait(&done);
}

static void test_wake_one(void **state)
{
    run_in_fiber(1, body_wake_one);
    run_in_fiber(3, body_wake_one);
}

static bool count_events(struct wait_entry *e, uint32_t events)
{
    check(events == 5);
    atomic_fetch_add(&ball, 1);
    return false;
}

static void test_callback(void **state)
{
    struct wait_queue q = WAIT_QUEUE_INIT(q);
    struct wait_entry e;
    atomic_store(&ball, 0);
    wait_entry_init(&e, count_events);
    assert_false(wait_queue_active(&q));
    wait_add(&q, &e);
    assert_true(wait_queue_active(&q));
    wake_poll(&q, 5);
    wait_remove(&e);
    wait_remove(&e);
    wake_poll(&q, 5);
    assert_int_equal(ball, 1);
}

/* ---- locks ---- */

static struct mutex mutex;
static struct rwlock rwlock;
static long counter, mirror;

static void locker(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        MUTEX_GUARD(&mutex);
        mutex_assert_held(&mutex);
        long before = counter;
        if (i % 16 == 0)
            fiber_yield();
        counter = before + 1;
    }
    countdown_done(&done);
}

static void body_mutex(void)
{
    countdown_init(&done, 8);
    mutex_init(&mutex);
    counter = 0;
    for (int i = 0; i < 8; i++)
        spawn(locker, NULL);
    countdown_wait(&done);
    check(counter == 8 * 2000);
    check(mutex_trylock(&mutex));
    check(!mutex_trylock(&mutex));
    mutex_unlock(&mutex);
}

static void test_mutex(void **state)
{
    run_in_fiber(1, body_mutex);
    run_in_fiber(4, body_mutex);
}

static void interrupted_locker(void *arg)
{
    check(mutex_lock_interruptible(&mutex) == -ERESTARTSYS);
    countdown_done(&done);
}

static void body_mutex_interrupt(void)
{
    countdown_init(&done, 1);
    mutex_init(&mutex);
    mutex_lock(&mutex);
    struct fiber *f = spawn(interrupted_locker, NULL);
    sleep_until(now_monotonic() + NSEC_PER_MSEC);
    fiber_interrupt(f);
    countdown_wait(&done);
    mutex_unlock(&mutex);
    check(mutex_lock_interruptible(&mutex) == 0);
    mutex_unlock(&mutex);
}

static void test_mutex_interrupt(void **state)
{
    run_in_fiber(2, body_mutex_interrupt);
}

static void rw_user(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        if ((i + (long)arg) % 4 == 0) {
            write_lock(&rwlock);
            counter++;
            if (i % 8 == 0)
                fiber_yield();
            mirror++;
            write_unlock(&rwlock);
        } else {
            read_lock(&rwlock);
            check(counter == mirror);
            if (i % 8 == 1)
                fiber_yield();
            check(counter == mirror);
            read_unlock(&rwlock);
        }
    }
    countdown_done(&done);
}

static void body_rwlock(void)
{
    countdown_init(&done, 8);
    rwlock_init(&rwlock);
    counter = mirror = 0;
    for (long i = 0; i < 8; i++)
        spawn(rw_user, (void *)i);
    countdown_wait(&done);
    check(counter == 8 * 250);
}

static void test_rwlock(void **state)
{
    run_in_fiber(1, body_rwlock);
    run_in_fiber(4, body_rwlock);
}

/* ---- plain threads ---- */

static struct wait_queue thread_queue;

static void *plain_locker(void *arg)
{
    for (int i = 0; i < 5000; i++) {
        mutex_lock(&mutex);
        counter++;
        mutex_unlock(&mutex);
    }
    atomic_fetch_add(&ball, 1);
    wake_all(&thread_queue);
    return NULL;
}

static void test_plain_threads(void **state)
{
    pthread_t threads[3];
    mutex_init(&mutex);
    wait_queue_init(&thread_queue);
    counter = 0;
    atomic_store(&ball, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, plain_locker, NULL);
    wait_event(&thread_queue, atomic_load(&ball) == 3);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter, 15000);
    int64_t deadline = now_monotonic() + 2 * NSEC_PER_MSEC;
    assert_int_equal(wait_event_timeout(&thread_queue, false, deadline), -ETIMEDOUT);
    assert_true(now_monotonic() >= deadline);
    assert_int_equal(sleep_until(now_monotonic() + NSEC_PER_MSEC), 0);
}

/* ---- timers ---- */

struct ticker {
    struct timer timer;
    _Atomic int fired;
};

static void ticker_fire(struct timer *t)
{
    struct ticker *k = container_of(t, struct ticker, timer);
    check(!in_fiber());
    if (atomic_fetch_add(&k->fired, 1) < 9)
        timer_arm(t, now_monotonic() + 100 * NSEC_PER_USEC);
    else
        countdown_done(&done);
}

static void body_timers(void)
{
    struct ticker k = {0}, never = {0};
    countdown_init(&done, 1);
    timer_init(&k.timer, ticker_fire);
    timer_init(&never.timer, ticker_fire);
    check(!timer_cancel(&never.timer));
    timer_arm(&never.timer, now_monotonic() + NSEC_PER_SEC);
    timer_arm(&k.timer, now_monotonic() + NSEC_PER_SEC);
    timer_arm(&k.timer, now_monotonic() + NSEC_PER_MSEC);
    countdown_wait(&done);
    check(atomic_load(&k.fired) == 10);
    check(!timer_cancel(&k.timer));
    check(timer_cancel(&never.timer));
    check(!timer_cancel(&never.timer));
    check(atomic_load(&never.fired) == 0);
}

static void test_timers(void **state)
{
    run_in_fiber(1, body_timers);
    run_in_fiber(3, body_timers);
}

/* ---- host calls ---- */

static void long_call(void *arg)
{
    for (int i = 0; i < 3; i++) {
        host_call_begin();
        usleep(100000);
        host_call_end();
    }
    countdown_done(&done);
}

static void short_calls(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        host_call_begin();
        host_call_end();
        fiber_yield();
    }
    countdown_done(&done);
}

/* Fibers of a worker go on while others of its fibers sit in the host; all at once, they need as long as one. */
static void body_host_calls(void)
{
    int64_t start = now_monotonic();
    countdown_init(&done, 12);
    for (int i = 0; i < 8; i++)
        spawn(long_call, NULL);
    for (int i = 0; i < 4; i++)
        spawn(short_calls, NULL);
    countdown_wait(&done);
    int64_t took = now_monotonic() - start;
    printf("host calls: 8 x 300 ms took %lld ms\n", (long long)(took / NSEC_PER_MSEC));
    check(took < 1600 * NSEC_PER_MSEC);
}

static void test_host_calls(void **state)
{
    host_call_begin(); /* a plain thread may, for nothing */
    host_call_end();
    run_in_fiber(1, body_host_calls);
    run_in_fiber(2, body_host_calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yield),       cmocka_unit_test(test_many),
        cmocka_unit_test(test_ping_pong),   cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_timeout),     cmocka_unit_test(test_wake_one),
        cmocka_unit_test(test_callback),    cmocka_unit_test(test_mutex),
        cmocka_unit_test(test_mutex_interrupt), cmocka_unit_test(test_rwlock),
        cmocka_unit_test(test_plain_threads), cmocka_unit_test(test_timers),
        cmocka_unit_test(test_host_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
