// A semaphore eventfd shared by threads: every post wakes exactly one taker.
#include "expect.h"
#include <pthread.h>
#include <sys/eventfd.h>

#define THREADS 6
#define POSTS 3000

static int sem;
static long taken;

static void *taker(void *arg)
{
    uint64_t v;
    for (;;) {
        CHECK_EQ(read(sem, &v, 8), 8);
        CHECK_EQ(v, 1);
        if (__atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST) > POSTS)
            return arg; // one of the posts that end us
    }
}

int main(void)
{
    pthread_t t[THREADS];
    sem = eventfd(0, EFD_SEMAPHORE);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, taker, NULL);
    uint64_t one = 1;
    for (int i = 0; i < POSTS; i++)
        CHECK_EQ(write(sem, &one, 8), 8);
    for (int i = 0; i < 500 && __atomic_load_n(&taken, __ATOMIC_SEQ_CST) < POSTS; i++)
        check_sleep_ms(10);
    CHECK_EQ(taken, POSTS);
    uint64_t all = THREADS;
    CHECK_EQ(write(sem, &all, 8), 8);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(taken, POSTS + THREADS);
    return check_done();
}
