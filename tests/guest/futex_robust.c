/* A robust mutex whose owner dies is handed on. */
#include <pthread.h>
#include "mm_check.h"

static pthread_mutex_t *m;
static void die_with_lock(void)
{
    pthread_mutex_lock(m);
}
static void *die_thread(void *arg)
{
    pthread_mutex_lock(m);
    return NULL;
}

int main(void)
{
    m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_mutex_init(m, &a) == 0);
    CHECK_CHILD_OK(die_with_lock);
    CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(m) == 0 && pthread_mutex_unlock(m) == 0);
    pthread_t t;
    pthread_create(&t, NULL, die_thread, NULL);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
    CHECK_EXIT();
}
