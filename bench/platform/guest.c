/* What drive.c runs as a guest: a freestanding program at a fixed address. */
#include <asm/unistd.h>
#include <stdint.h>
static inline long sys(long nr, long a, long b, long c, long d, long e, long f)
{
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
static void say(const char *s)
{
    long n = 0;
    while (s[n])
        n++;
    sys(__NR_write, 1, (long)s, n, 0, 0, 0);
}
static uint64_t tsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
static void num(const char *what, uint64_t v)
{
    char b[24], *p = b + 23;
    *p = 0;
    *--p = '\n';
    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    say(what);
    say(p);
}
static char stack[65536] __attribute__((aligned(16)));
static volatile int flag;
static volatile double fp;
__attribute__((noreturn)) static void thread(void)
{
    flag = 1;
    sys(__NR_exit, 0, 0, 0, 0, 0, 0);
    __builtin_unreachable();
}
static long getpgid_(void)
{
    long ret;
    __asm__ volatile("mov $121, %%eax; syscall" : "=a"(ret)::"rcx", "r11", "memory");
    return ret;
}
static long getpgid_compare(void)
{
    long ret;
    __asm__ volatile("mov $121, %%rax; syscall; cmp $-4095, %%rax; jae 1f; nop; 1:"
                     : "=a"(ret)::"rcx", "r11", "memory");
    return ret;
}
static long getpid_(void)
{
    long ret;
    __asm__ volatile("mov $39, %%eax; syscall" : "=a"(ret)::"rcx", "r11", "memory");
    return ret;
}
static long kick_me(void)
{
    flag = 2;
    while (flag == 2)
        ;
    return 0;
}
void _start(void)
{
    double d = 1.5;
    say("hello from the guest\n");
    for (int i = 0; i < 3; i++) {
        d = d * 2;
        getpgid_();
    }
    if (d != 12)
        say("FP LOST\n");
    for (int rep = 0; rep < 3; rep++) {
        uint64_t t = tsc();
        for (int i = 0; i < 100000; i++)
            getpgid_();
        num("getpgid, ticks: ", (tsc() - t) / 100000);
    }
    for (int rep = 0; rep < 3; rep++) {
        uint64_t t = tsc();
        for (int i = 0; i < 100000; i++)
            if (getpgid_compare() != 42)
                say("WRONG\n");
        num("syscall; cmp: ", (tsc() - t) / 100000);
    }
    for (int rep = 0; rep < 3; rep++) {
        uint64_t t = tsc();
        for (int i = 0; i < 100000; i++)
            getpid_();
        num("getpid, ticks: ", (tsc() - t) / 100000);
    }
    if (sys(__NR_read, 0, 8, 10, 0, 0, 0) != -14)
        say("NO EFAULT\n");
    if (sys(__NR_write, 1, 8, 10, 0, 0, 0) != -14)
        say("NO EFAULT out\n");
    static char big[300000];
    for (unsigned i = 0; i < sizeof big; i++)
        big[i] = (char)i;
    num("big write: ", sys(__NR_write, 2, (long)big, sizeof big, 0, 0, 0));
    long pid = sys(__NR_fork, 0, 0, 0, 0, 0, 0);
    if (pid == 0) {
        say("child\n");
        sys(__NR_exit_group, 3, 0, 0, 0, 0, 0);
    }
    num("forked, status ", sys(__NR_wait4, pid, 0, 0, 0, 0, 0));
    uint64_t t = tsc();
    for (int i = 0; i < 200; i++) {
        pid = sys(__NR_fork, 0, 0, 0, 0, 0, 0);
        if (pid == 0)
            sys(__NR_exit_group, 3, 0, 0, 0, 0, 0);
        sys(__NR_wait4, pid, 0, 0, 0, 0, 0);
    }
    num("fork+exit, ticks: ", (tsc() - t) / 200);
    t = tsc();
    for (int i = 0; i < 300; i++) {
        flag = 0;
        long tid =
            sys(__NR_clone, 0x50f00, (long)(stack + sizeof stack - 8), (long)thread, 0, 0, 0);
        if (tid < 0)
            num("thread error ", (uint64_t)-tid);
        while (!flag)
            ;
    }
    num("thread, ticks: ", (tsc() - t) / 300);
    sys(__NR_getpgid, 77, 0, 0, 0, 0, 0); /* ask for a kick */
    kick_me();
    say("kicked\n");
    sys(__NR_open, (long)"/some/path", 0, 0, 0, 0, 0);
    *(volatile int *)16 = 1;
    say("after fault\n");
    sys(__NR_exit_group, 7, 0, 0, 0, 0, 0);
}
