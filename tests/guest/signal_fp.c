/* The FP state survives a handler that spoils it; a handler starts with its own; the frame shows
 * the XSAVE magic. */
#include "check.h"
#include <ucontext.h>

static volatile unsigned magic1, magic2_ok, aligned, fresh;

static void spoil(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    char *fp = (char *)uc->uc_mcontext.fpregs;
    char here[16] __attribute__((aligned(16)));
    unsigned size, start;
    __asm__ volatile("stmxcsr %0" : "=m"(start));
    fresh = start == 0x1f80;
    memcpy((void *)&magic1, fp + 464, 4);
    memcpy(&size, fp + 464 + 16, 4);
    magic2_ok = memcmp(fp + size, "\x45\x58\x50\x46", 4) == 0;
    aligned = ((uintptr_t)fp % 64 == 0) && ((uintptr_t)here % 16 == 0);
    __asm__ volatile("pcmpeqd %%xmm0,%%xmm0\n pcmpeqd %%xmm7,%%xmm7\n pcmpeqd %%xmm15,%%xmm15\n "
                     "fld1\n fstp %%st(0)" ::
                         : "xmm0", "xmm7", "xmm15");
    unsigned mxcsr = 0x1f80 | 0x6000;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = spoil, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    long pid = getpid();
    unsigned long a = 0x1122334455667788, b = 0x99aabbccddeeff00, ra, rb;
    unsigned before, after, rounding = 0x1f80 | 0x2000;
    __asm__ volatile("ldmxcsr %0" : : "m"(rounding));
    __asm__ volatile("stmxcsr %0" : "=m"(before));
    __asm__ volatile("movq %[a],%%xmm0\n movq %[b],%%xmm15\n mov $62,%%eax\n mov $10,%%esi\n "
                     "syscall\n movq %%xmm0,%[ra]\n"
                     "movq %%xmm15,%[rb]"
                     : [ra] "=&r"(ra), [rb] "=&r"(rb)
                     : [a] "r"(a), [b] "r"(b), "D"(pid)
                     : "rax", "rsi", "rcx", "r11", "xmm0", "xmm15", "memory");
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    CHECK(ra == a && rb == b && before == after && before == rounding && fresh);
    CHECK(magic1 == 0x46505853 && magic2_ok && aligned);
    return 0;
}
