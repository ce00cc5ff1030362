/* Threads that call, for the first time and ever again, at the same system call instructions while
 * others run there. */
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 4
#define SITES 24

static atomic_int ready;
static long pgid;

/* SITES functions, each a site of its own at another alignment. */
#define SITE(n)                                                                            \
    __attribute__((noinline, aligned(1))) static long site_##n(void)                       \
    {                                                                                      \
        long ret;                                                                          \
        __asm__ volatile("jmp 1f; .skip " #n                                               \
                         " * 3 %% 61, 0x90; 1: xor %%edi, %%edi; mov $121, %%eax; syscall" \
                         : "=a"(ret)                                                       \
                         :                                                                 \
                         : "rdi", "rcx", "r11", "memory");                                 \
        return ret;                                                                        \
    }
SITE(1)
SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7) SITE(8) SITE(9) SITE(10) SITE(11) SITE(12) SITE(13)
    SITE(14) SITE(15) SITE(16) SITE(17) SITE(18) SITE(19) SITE(20) SITE(21) SITE(22) SITE(23)
        SITE(24)

            static long (*const sites[SITES])(void) = {
                site_1,  site_2,  site_3,  site_4,  site_5,  site_6,  site_7,  site_8,
                site_9,  site_10, site_11, site_12, site_13, site_14, site_15, site_16,
                site_17, site_18, site_19, site_20, site_21, site_22, site_23, site_24,
};

static void *hammer(void *arg)
{
    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < THREADS)
        ;
    for (int s = 0; s < SITES; s++)
        for (int i = 0; i < 300; i++)
            CHECK(sites[s]() == pgid);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    pgid = getpgid(0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, hammer, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
