/* Threads that map, write and unmap at once never see memory of each other. */
#include <sched.h>
#include "mm_check.h"

#include <pthread.h>
static void *run(void *arg)
{
    long id = (long)arg, bad = 0;
    for (int i = 0; i < 2000; i++) {
        size_t len = PAGE * (size_t)(1 + (i + id) % 5);
        long *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return (void *)1;
        bad += p[0] != 0;
        for (size_t j = 0; j < len / sizeof(long); j += 64)
            p[j] = id;
        sched_yield();
        for (size_t j = 0; j < len / sizeof(long); j += 64)
            bad += p[j] != id;
        munmap(p, len);
    }
    return (void *)bad;
}

int main(void)
{
    pthread_t t[4];
    for (long i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, run, (void *)(i + 1)) == 0);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        CHECK(bad == NULL);
    }
    CHECK_EXIT();
}
