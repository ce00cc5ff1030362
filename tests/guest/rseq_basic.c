/* rseq(2): registration by the C library, errors, the CPU's number, restart on preemption, fork, threads, exec. */
// build: dynamic
#include "each.h"
#include <linux/rseq.h>
#include <stddef.h>
#include <pthread.h>
#include <sched.h>

#define SIGNATURE 0x53053053

extern const unsigned int __rseq_size __attribute__((weak));
extern const ptrdiff_t __rseq_offset __attribute__((weak));

static struct rseq *libc_area(void)
{
    if (!&__rseq_size || !__rseq_size)
        return NULL;
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static int cpu_is_right(struct rseq *r)
{
    for (int i = 0; i < 200; i++) {
        unsigned cpu;
        syscall(SYS_getcpu, &cpu, NULL, NULL);
        if (*(volatile uint32_t *)&r->cpu_id < 1024)
            return 1;
    }
    return 0;
}

static void *in_thread(void *arg)
{
    struct rseq *r = libc_area();
    HOLDS(r && cpu_is_right(r));
    return NULL;
}

static void *own_area(void *arg)
{
    static __thread struct rseq area __attribute__((aligned(32)));
    struct rseq *old = libc_area();
    if (old) {
        FAILS(syscall(SYS_rseq, &area, sizeof(area), 0, SIGNATURE), EINVAL); /* one is registered already */
        FAILS(syscall(SYS_rseq, old, 32, 0, SIGNATURE), EBUSY);
        FAILS(syscall(SYS_rseq, old, 32, 0, 1), EPERM);
        FAILS(syscall(SYS_rseq, old, 32, 1, 1), EPERM);
        FAILS(syscall(SYS_rseq, &area, 32, 1, SIGNATURE), EINVAL);
        IS(syscall(SYS_rseq, old, 32, 1, SIGNATURE), 0);
        IS((int)old->cpu_id, RSEQ_CPU_ID_UNINITIALIZED);
    }
    FAILS(syscall(SYS_rseq, &area, 31, 0, SIGNATURE), EINVAL);
    FAILS(syscall(SYS_rseq, (char *)&area + 8, 32, 0, SIGNATURE), EINVAL);
    FAILS(syscall(SYS_rseq, &area, 32, 2, SIGNATURE), EINVAL);
    FAILS(syscall(SYS_rseq, &area, 32, 1, SIGNATURE), EINVAL);
    IS(syscall(SYS_rseq, &area, 32, 0, SIGNATURE), 0);
    HOLDS(cpu_is_right(&area));
    pid_t pid = fork();
    if (pid == 0) /* a fork has it too */
        _exit(syscall(SYS_rseq, &area, 32, 0, SIGNATURE) == -1 && errno == EBUSY && cpu_is_right(&area) ? 0 : 1);
    exits_with(pid, 0);
    IS(syscall(SYS_rseq, &area, 32, 1, SIGNATURE), 0);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t;
    if (argc > 1)
        return libc_area() && !cpu_is_right(libc_area());
    for (int i = 0; i < 20; i++) {
        pthread_create(&t, NULL, in_thread, NULL);
        pthread_join(t, NULL);
    }
    pthread_create(&t, NULL, own_area, NULL);
    pthread_join(t, NULL);
    for (int i = 0; i < 3; i++) {
        pid_t pid = i == 1 ? vfork() : fork();
        if (pid == 0) {
            execl("/proc/self/exe", "self", "again", NULL);
            _exit(9);
        }
        exits_with(pid, 0);
    }
    return each_failed();
}
