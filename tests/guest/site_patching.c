/*
 * System call instructions called often enough that a kernel which rewrites them does: the calls,
 * the registers around them, jumps into their middle, restarts after signals, forks, and guests
 * that use GS behave as before.
 */
#include "check.h"
#include <asm/prctl.h>
#include <immintrin.h>
#include <sys/time.h>

#define MANY 3000

/* Two shapes of sites; each function is one site. getpgid(0) is as good as any call. */
long load_site(long arg);
long compare_site(long nr, long arg);
long load_site_middle(long nr, long arg); /* jumps to the syscall instruction of load_site */
long read_site(long fd, void *buf, long n);
__asm__(".text\n"
        ".skip 32, 0x90\n"
        "load_site: mov $121, %eax\n"
        "load_site_call: syscall\n"
        "ret\n"
        "load_site_middle: mov %rdi, %rax\n"
        "mov %rsi, %rdi\n"
        "jmp load_site_call\n"
        "compare_site: mov %rdi, %rax\n"
        "mov %rsi, %rdi\n"
        "syscall\n"
        "cmp $-4095, %rax\n"
        "jae 1f\n"
        "ret\n"
        "1: mov $-1, %rax\n"
        "ret\n"
        "read_site: xor %eax, %eax\n"
        "syscall\n"
        "cmp $-4096, %rax\n"
        "ja 1b\n"
        "ret\n");

static void test_results(void)
{
    long pgid = getpgid(0);
    for (int i = 0; i < MANY; i++) {
        CHECK(load_site(0) == pgid);
        CHECK(load_site(-1) == -ESRCH);
        CHECK(compare_site(SYS_getpgid, 0) == pgid);
        CHECK(compare_site(SYS_getpgid, -1) == -1);
        CHECK(compare_site(SYS_getppid, 0) == getppid());
    }
}

static void test_middle(void)
{
    long sid = getsid(0);
    for (int i = 0; i < MANY; i++) {
        CHECK(load_site_middle(SYS_getsid, 0) == sid);
        CHECK(load_site_middle(SYS_getpid, 0) == getpid());
        CHECK(load_site_middle(100000, 0) == -ENOSYS);
    }
}

/* Everything but rax, rcx and r11 survives; so does the memory below the stack pointer. */
static void test_registers(void)
{
    for (int i = 0; i < MANY; i++) {
        long in[14], out[14], red = 0;
        for (int j = 0; j < 14; j++)
            in[j] = i * 1000L + j;
        in[0] = 0;
        __asm__ volatile("sub $512, %%rsp\n"
                         "push %%rbp\n"
                         "push %[out]\n"
                         "push %[in]\n"
                         "mov (%%rsp), %%rax\n"
                         "mov 0(%%rax), %%rdi\n"
                         "mov 8(%%rax), %%rsi\n"
                         "mov 16(%%rax), %%rdx\n"
                         "mov 24(%%rax), %%r10\n"
                         "mov 32(%%rax), %%r8\n"
                         "mov 40(%%rax), %%r9\n"
                         "mov 48(%%rax), %%rbx\n"
                         "mov 56(%%rax), %%rbp\n"
                         "mov 64(%%rax), %%r12\n"
                         "mov 72(%%rax), %%r13\n"
                         "mov 80(%%rax), %%r14\n"
                         "mov 88(%%rax), %%r15\n"
                         "movq $0x1234567, -100(%%rsp)\n"
                         "call load_site\n"
                         "mov 8(%%rsp), %%rax\n"
                         "mov %%rdi, 0(%%rax)\n"
                         "mov %%rsi, 8(%%rax)\n"
                         "mov %%rdx, 16(%%rax)\n"
                         "mov %%r10, 24(%%rax)\n"
                         "mov %%r8, 32(%%rax)\n"
                         "mov %%r9, 40(%%rax)\n"
                         "mov %%rbx, 48(%%rax)\n"
                         "mov %%rbp, 56(%%rax)\n"
                         "mov %%r12, 64(%%rax)\n"
                         "mov %%r13, 72(%%rax)\n"
                         "mov %%r14, 80(%%rax)\n"
                         "mov %%r15, 88(%%rax)\n"
                         "mov -100(%%rsp), %%rbx\n"
                         "pop %[in]\n"
                         "pop %[out]\n"
                         "pop %%rbp\n"
                         "add $512, %%rsp\n"
                         "mov %%rbx, %[red]\n"
                         : [red] "=&D"(red)
                         : [in] "S"(in), [out] "d"(out)
                         : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                           "r15", "memory");
        CHECK(memcmp(in, out, 12 * sizeof(long)) == 0);
        CHECK(red == 0x1234567);
    }
}

static void test_vectors(void)
{
    __m128i before = _mm_set_epi64x(0x1122334455667788, 0x99aabbccddeeff00), after;
    for (int i = 0; i < MANY; i++) {
        __asm__ volatile("movdqa %1, %%xmm7\n"
                         "xor %%edi, %%edi\n"
                         "call load_site\n"
                         "movdqa %%xmm7, %0\n"
                         : "=x"(after)
                         : "x"(before)
                         : "rax", "rcx", "rdi", "r11", "xmm7", "memory");
        CHECK(memcmp(&before, &after, sizeof(before)) == 0);
    }
}

/* ---- signals at a site ---- */

static int pipe_fds[2];
static volatile int ticks;

static void on_alarm(int sig)
{
    char c;
    if (ticks >= 20) /* on a slow machine one may come before the byte is read */
        return;
    int flags = fcntl(pipe_fds[0], F_GETFL);
    fcntl(pipe_fds[0], F_SETFL, flags | O_NONBLOCK);
    for (int i = 0; i < 20; i++) /* the interrupted site itself becomes hot in here */
        CHECK(read_site(pipe_fds[0], &c, 1) == -1);
    fcntl(pipe_fds[0], F_SETFL, flags);
    CHECK(load_site(0) == getpgid(0));
    if (++ticks == 20)
        CHECK(write(pipe_fds[1], "x", 1) == 1);
}

static void test_restart(int flags)
{
    struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = flags};
    struct itimerval timer = {{0, 3000}, {0, 3000}}, off = {{0, 0}, {0, 0}};
    char c = 0;
    int interrupted = 0;
    ticks = 0;
    CHECK(pipe(pipe_fds) == 0);
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    long n;
    while ((n = read_site(pipe_fds[0], &c, 1)) == -1)
        interrupted++;
    CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
    CHECK(n == 1 && c == 'x');
    CHECK(flags & SA_RESTART ? interrupted == 0 : interrupted > 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* Signals between any two instructions of a hot loop. */
static void count_only(int sig)
{
    ticks++;
}

static void test_storm(void)
{
    struct sigaction sa = {.sa_handler = count_only, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, 200}, {0, 200}}, off = {{0, 0}, {0, 0}};
    long pgid = getpgid(0);
    ticks = 0;
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    for (int i = 0; ticks < 100 && i < 10000000; i++) {
        CHECK(load_site(0) == pgid);
        CHECK(compare_site(SYS_getpgid, 0) == pgid);
    }
    CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
}

/* ---- forks and GS ---- */

static int in_child(void)
{
    test_results();
    test_middle();
    return 0;
}

static uint64_t gs_area[8];

static uint64_t gs_word(void)
{
    uint64_t v;
    __asm__ volatile("mov %%gs:8, %0" : "=r"(v));
    return v;
}

static int with_gs(void)
{
    unsigned long base = 0;
    gs_area[1] = 0xabcdef;
    CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, gs_area) == 0);
    for (int i = 0; i < 200; i++) {
        test_results();
        CHECK(gs_word() == 0xabcdef);
        i += 50;
    }
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0);
    CHECK(base == (unsigned long)gs_area);
    exits_with(child(in_child), 0);
    CHECK(gs_word() == 0xabcdef);
    return 0;
}

int main(void)
{
    test_results();
    test_middle();
    test_registers();
    test_vectors();
    test_restart(SA_RESTART);
    test_restart(0);
    test_storm();
    for (int i = 0; i < 5; i++)
        exits_with(child(in_child), 0);
    exits_with(child(with_gs), 0);
    test_results();
    return 0;
}
