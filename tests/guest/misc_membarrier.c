/* membarrier: the private commands, registration first; store buffering between two threads is never seen. */
#include "check.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>

#define ROUNDS 300

static volatile int x, y, turn, seen_by_fast;

static int membarrier(int command, unsigned flags)
{
    return (int)syscall(SYS_membarrier, command, flags, 0);
}

/* The fast side has only a compiler barrier. */
static void *fast(void *arg)
{
    for (int i = 1; i <= ROUNDS; i++) {
        while (turn != i)
            ;
        x = 1;
        __asm__ volatile("" ::: "memory");
        seen_by_fast = y;
        __atomic_store_n(&turn, -i, __ATOMIC_SEQ_CST);
    }
    return arg;
}

int main(void)
{
    pthread_t t;
    int query = membarrier(MEMBARRIER_CMD_QUERY, 0);
    CHECK(query >= 0 && query & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    CHECK_ERR(membarrier(MEMBARRIER_CMD_QUERY, 1 << 20), EINVAL);
    CHECK_ERR(membarrier(1 << 30, 0), EINVAL);
    CHECK(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0);
    CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0);
    CHECK(pthread_create(&t, NULL, fast, NULL) == 0);
    for (int i = 1; i <= ROUNDS; i++) {
        x = y = 0;
        __atomic_store_n(&turn, i, __ATOMIC_SEQ_CST);
        y = 1;
        CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0);
        int seen = x;
        while (turn != -i)
            sched_yield();
        CHECK(seen || seen_by_fast);
    }
    return pthread_join(t, NULL);
}
