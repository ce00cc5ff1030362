/* futex: wake, mismatch, time-outs, refused operations. */
#include <linux/futex.h>
#include <pthread.h>
#include <time.h>
#include "mm_check.h"

static int word;
static long futex(int *p, int op, int val, void *timeout, int *p2, int val3)
{
    return syscall(SYS_futex, p, op, val, timeout, p2, val3);
}
static void *waiter(void *arg)
{
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return NULL;
}
static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(void)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, waiter, NULL);
    usleep(20000);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0) <= 3);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN);
    struct timespec ts = {0, 50 * 1000 * 1000}, bad = {0, 2000000000};
    double before = now();
    CHECK_ERR(futex(&word, FUTEX_WAIT, 1, &ts, NULL, 0), ETIMEDOUT);
    CHECK(now() - before >= 0.049);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0), EINVAL);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 1, (void *)8, NULL, 0), EFAULT);
    CHECK_ERR(futex((int *)((char *)&word + 1), FUTEX_WAIT, 1, &ts, NULL, 0), EINVAL);
    CHECK_ERR(futex((int *)4096, FUTEX_WAIT, 1, &ts, NULL, 0), EFAULT);
    CHECK_ERR(futex(&word, 99, 1, NULL, NULL, 0), ENOSYS);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 1, &ts, NULL, -1), ETIMEDOUT);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 1, &ts, NULL, 0), EINVAL);
    CHECK(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
    int second = 0;
    CHECK(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &second, 1) == 0);
    CHECK_ERR(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &second, 7), EAGAIN);
    CHECK_EXIT();
}
