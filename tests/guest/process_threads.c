/* Threads: ids, shared memory and descriptors, join, many at once, mutexes and condition variables,
 * thread-local data. */
#include "check.h"
#include <pthread.h>

#define THREADS 50

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static __thread int local;
static int sum, ready;
static pid_t tids[THREADS];

static void *thread(void *arg)
{
    long i = (long)arg;
    tids[i] = (pid_t)syscall(SYS_gettid);
    local = (int)i;
    CHECK(getpid() != tids[i]);
    for (int n = 0; n < 1000; n++) {
        pthread_mutex_lock(&lock);
        sum++;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    ready++;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&lock);
    CHECK(local == i);
    return (void *)(i * 2);
}

int main(void)
{
    pthread_t t[THREADS];
    void *result;
    for (int round = 0; round < 4; round++) {
        sum = ready = 0;
        for (long i = 0; i < THREADS; i++)
            CHECK(pthread_create(&t[i], NULL, thread, (void *)i) == 0);
        pthread_mutex_lock(&lock);
        while (ready < THREADS)
            pthread_cond_wait(&cond, &lock);
        pthread_mutex_unlock(&lock);
        CHECK(sum == THREADS * 1000);
        for (long i = 0; i < THREADS; i++)
            CHECK(pthread_join(t[i], &result) == 0 && (long)result == i * 2);
        for (int i = 0; i < THREADS; i++)
            for (int j = 0; j < i; j++)
                CHECK(tids[i] != tids[j]);
    }
    return 0;
}
