/* FUTEX_LOCK_PI and its family: words, errors, waiting, death of the owner, deadlocks; mutexes of the C library. */
#include "each.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static long futex(uint32_t *word, int op, uint32_t val, const struct timespec *ts)
{
    return syscall(SYS_futex, word, op, val, ts, NULL, 0);
}

static uint32_t *word, *second;

static uint32_t tid(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

static struct timespec soon(clockid_t clock, long ms)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    ts.tv_nsec += ms * 1000000;
    ts.tv_sec += ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    return ts;
}

static void basics(int flag)
{
    *word = 0;
    IS(futex(word, FUTEX_LOCK_PI | flag, 0, NULL), 0);
    IS(*word & FUTEX_TID_MASK, tid());
    FAILS(futex(word, FUTEX_LOCK_PI | flag, 0, NULL), EDEADLK);
    FAILS(futex(word, FUTEX_TRYLOCK_PI | flag, 0, NULL), EDEADLK);
    IS(futex(word, FUTEX_UNLOCK_PI | flag, 0, NULL), 0);
    IS(*word, 0);
    FAILS(futex(word, FUTEX_UNLOCK_PI | flag, 0, NULL), EPERM);
    IS(futex(word, FUTEX_TRYLOCK_PI | flag, 0, NULL), 0);
    IS(futex(word, FUTEX_UNLOCK_PI | flag, 0, NULL), 0);
    IS(futex(word, FUTEX_LOCK_PI2 | flag, 0, NULL), 0);
    IS(futex(word, FUTEX_UNLOCK_PI | flag, 0, NULL), 0);
    FAILS(futex((void *)((char *)word + 1), FUTEX_LOCK_PI | flag, 0, NULL), EINVAL);
    FAILS(futex((void *)4096, FUTEX_LOCK_PI | flag, 0, NULL), EFAULT);
    FAILS(futex(word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME | flag, 0, NULL), ENOSYS);
    *word = 0x3ffffff; /* nobody's */
    FAILS(futex(word, FUTEX_LOCK_PI | flag, 0, NULL), ESRCH);
    *word = 0;
}

static volatile int order[8], at;

static void *locker(void *arg)
{
    long r = futex(word, FUTEX_LOCK_PI, 0, NULL);
    if (r)
        return (void *)(long)errno;
    order[at++] = (int)(long)arg;
    if ((*word & FUTEX_TID_MASK) != tid())
        return (void *)1L;
    return (void *)(long)(futex(word, FUTEX_UNLOCK_PI, 0, NULL) ? errno : 0);
}

static void waiting(void)
{
    pthread_t t[2];
    void *ret;
    IS(futex(word, FUTEX_LOCK_PI, 0, NULL), 0);
    for (long i = 0; i < 2; i++) {
        CHECK(pthread_create(&t[i], NULL, locker, (void *)i) == 0);
        sleep_ms(30);
    }
    IS(*word, tid() | FUTEX_WAITERS);
    IS(futex(word, FUTEX_UNLOCK_PI, 0, NULL), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], &ret);
        IS((long)ret, 0);
    }
    IS(at, 2);
    IS(order[0], 0);
    IS(order[1], 1);
    IS(*word & FUTEX_TID_MASK, 0);
    *word = 0;
}

static void *waits_a_while(void *arg)
{
    struct timespec ts = soon(CLOCK_REALTIME, 50), mono = soon(CLOCK_MONOTONIC, 100), bad = {0, 1000000000};
    FAILS(futex(word, FUTEX_TRYLOCK_PI, 0, NULL), EAGAIN);
    FAILS(futex(word, FUTEX_LOCK_PI, 0, &bad), EINVAL);
    FAILS(futex(word, FUTEX_LOCK_PI, 0, (void *)8), EFAULT);
    FAILS(futex(word, FUTEX_LOCK_PI, 0, &ts), ETIMEDOUT);
    FAILS(futex(word, FUTEX_LOCK_PI2, 0, &mono), ETIMEDOUT);
    FAILS(futex(word, FUTEX_UNLOCK_PI, 0, NULL), EPERM);
    return NULL;
}

static void timeouts(void)
{
    pthread_t t;
    IS(futex(word, FUTEX_LOCK_PI, 0, NULL), 0);
    pthread_create(&t, NULL, waits_a_while, NULL);
    pthread_join(t, NULL);
    IS(futex(word, FUTEX_UNLOCK_PI, 0, NULL), 0);
    IS(*word & FUTEX_TID_MASK, 0);
    *word = 0;
}

static void *dies_with_lock(void *arg)
{
    futex(word, FUTEX_LOCK_PI, 0, NULL);
    sleep_ms(60);
    return NULL;
}

static void owner_death(void)
{
    pthread_t t;
    pthread_create(&t, NULL, dies_with_lock, NULL);
    sleep_ms(30);
    IS(futex(word, FUTEX_LOCK_PI, 0, NULL), 0);
    IS(*word & (FUTEX_TID_MASK | FUTEX_OWNER_DIED), tid() | FUTEX_OWNER_DIED);
    pthread_join(t, NULL);
    *word &= ~FUTEX_OWNER_DIED;
    futex(word, FUTEX_UNLOCK_PI, 0, NULL);
    *word = 0;
}

static void *holds_second(void *arg)
{
    futex(second, FUTEX_LOCK_PI, 0, NULL);
    futex(word, FUTEX_LOCK_PI, 0, NULL); /* held by main */
    futex(word, FUTEX_UNLOCK_PI, 0, NULL);
    futex(second, FUTEX_UNLOCK_PI, 0, NULL);
    return NULL;
}

static void deadlock(void)
{
    pthread_t t;
    *second = 0;
    IS(futex(word, FUTEX_LOCK_PI, 0, NULL), 0);
    pthread_create(&t, NULL, holds_second, NULL);
    sleep_ms(50);
    FAILS(futex(second, FUTEX_LOCK_PI, 0, NULL), EDEADLK);
    IS(futex(word, FUTEX_UNLOCK_PI, 0, NULL), 0);
    pthread_join(t, NULL);
}

static int child_locks(void)
{
    return futex(word, FUTEX_LOCK_PI, 0, NULL) == 0 && futex(word, FUTEX_UNLOCK_PI, 0, NULL) == 0 ? 0 : 1;
}

static void between_processes(void)
{
    uint32_t *old = word;
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    IS(futex(word, FUTEX_LOCK_PI, 0, NULL), 0);
    pid_t pid = child(child_locks);
    sleep_ms(50);
    IS(*word & FUTEX_WAITERS, FUTEX_WAITERS);
    IS(futex(word, FUTEX_UNLOCK_PI, 0, NULL), 0);
    exits_with(pid, 0);
    word = old;
}

#define THREADS 4
#define ROUNDS 300
static pthread_mutex_t mutex;
static volatile int counter;

static void *adder(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        int seen = counter;
        if (i % 16 == 0)
            sched_yield();
        counter = seen + 1;
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    return NULL;
}

static void *dies_with_mutex(void *arg)
{
    pthread_mutex_lock(&mutex);
    return NULL;
}

static void library(void)
{
    pthread_mutexattr_t a;
    pthread_t t[THREADS];
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    CHECK(pthread_mutex_init(&mutex, &a) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, adder, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    IS(counter, THREADS * ROUNDS);
    pthread_mutex_destroy(&mutex);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    CHECK(pthread_mutex_init(&mutex, &a) == 0);
    pthread_create(&t[0], NULL, dies_with_mutex, NULL);
    pthread_join(t[0], NULL);
    IS(pthread_mutex_lock(&mutex), EOWNERDEAD);
    IS(pthread_mutex_consistent(&mutex), 0);
    IS(pthread_mutex_unlock(&mutex), 0);
    IS(pthread_mutex_lock(&mutex), 0);
    IS(pthread_mutex_unlock(&mutex), 0);
}

static void other_names(void)
{
    uint32_t w = 1;
    IS(syscall(454, &w, 0xffffffffUL, 1, 2 | 128), 0);
    FAILS(syscall(454, &w, 0xffffffffUL, 1, 3), EINVAL);
    FAILS(syscall(454, &w, 0xffffffffUL, 1, 0x100), EINVAL);
    FAILS(syscall(455, &w, 0UL, 0xffffffffUL, 2 | 128, NULL, 0), EAGAIN);
    struct timespec ts = soon(CLOCK_MONOTONIC, 30);
    FAILS(syscall(455, &w, 1UL, 0xffffffffUL, 2 | 128, &ts, CLOCK_MONOTONIC), ETIMEDOUT);
    FAILS(syscall(455, &w, 1UL, 0UL, 2 | 128, &ts, CLOCK_MONOTONIC), EINVAL);
}

int main(void)
{
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    second = word + 16;
    basics(0);
    basics(FUTEX_PRIVATE_FLAG);
    waiting();
    timeouts();
    owner_death();
    deadlock();
    between_processes();
    library();
    other_names();
    return each_failed();
}
