/* What a system call leaves alone: RFLAGS (also seen in r11), every register but rax, rcx and r11; GS bases set by an
 * instruction. At cold sites and at hot ones. */
#include "check.h"
#include <asm/prctl.h>
#include <cpuid.h>

#define MANY 2000

/* (flags, nr): sets the flags, calls, and gives r11 and the flags back. Two shapes of sites. */
struct after {
    uint64_t rax, rcx, r11, flags, expected_rcx;
};
void load_site(uint64_t flags, struct after *ret);
void plain_site(uint64_t flags, struct after *ret);
#define BODY(name, load)                     \
    ".globl " #name "\n"                     \
    #name ": push %rbx\n"                    \
    "mov %rsi, %rbx\n"                       \
    "mov $121, %eax\n"                       \
    "push %rdi\n"                            \
    "xor %edi, %edi\n"                       \
    "popfq\n" load "syscall\n"               \
    "1: pushfq\n"                            \
    "cld\n"                                  \
    "mov %rax, (%rbx)\n"                     \
    "mov %rcx, 8(%rbx)\n"                    \
    "mov %r11, 16(%rbx)\n"                   \
    "popq 24(%rbx)\n"                        \
    "lea 1b(%rip), %rax\n"                   \
    "mov %rax, 32(%rbx)\n"                   \
    "pop %rbx\n"                             \
    "ret\n"
__asm__(".text\n" BODY(load_site, "mov $121, %eax\n") BODY(plain_site, ""));

#define CF 1u
#define PF 4u
#define ZF 0x40u
#define SF 0x80u
#define DF 0x400u
#define OF 0x800u
#define ALL (CF | PF | ZF | SF | DF | OF)

static void check_flags(void (*site)(uint64_t, struct after *))
{
    static const uint64_t sets[] = {0, CF, ZF, SF, OF, PF, DF, CF | ZF | OF, ALL};
    long pgid = getpgid(0);
    for (int i = 0; i < MANY; i++) {
        uint64_t flags = sets[(unsigned)i % (sizeof(sets) / sizeof(*sets))];
        struct after a;
        site(flags | 0x202, &a);
        CHECK((long)a.rax == pgid);
        if ((a.flags & ALL) != flags || (a.r11 & ALL) != flags || a.rcx != a.expected_rcx)
            dprintf(2, "call %d: flags %#lx, not %#lx, r11 %#lx, rcx %#lx\n", i, a.flags, flags, a.r11, a.rcx);
        CHECK((a.flags & ALL) == flags && (a.r11 & ALL) == flags && a.rcx == a.expected_rcx);
    }
}

static unsigned long cell[1024]; /* what GS points to */

/* GS bases that were never told to the kernel. */
static void check_gs(void)
{
    struct after a;
    unsigned long base, seen;
    for (int i = 0; i < MANY; i++) { /* hot */
        load_site(0x202, &a);
        plain_site(0x202, &a);
    }
    memset(cell, 0x5a, sizeof(cell));
    __asm__ volatile("wrgsbase %0" ::"r"(cell));
    for (int i = 0; i < 50; i++) {
        load_site(0x202, &a);
        CHECK((long)a.rax == getpgid(0));
        plain_site(0x203, &a);
        CHECK((long)a.rax == getpgid(0));
    }
    __asm__ volatile("rdgsbase %0" : "=r"(base));
    __asm__ volatile("mov %%gs:8, %0" : "=r"(seen));
    CHECK(base == (unsigned long)cell && seen == 0x5a5a5a5a5a5a5a5a);
    for (unsigned i = 0; i < 1024; i++)
        CHECK(cell[i] == 0x5a5a5a5a5a5a5a5a); /* nobody has written to what is there */
    __asm__ volatile("wrgsbase %0" ::"r"(0x1234000UL)); /* where nothing is */
    load_site(0x202, &a);
    plain_site(0x202, &a);
    CHECK((long)a.rax == getpgid(0));
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0 && base == 0x1234000);
    exits_with(fork() ?: (_exit(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) || base != 0x1234000), 0), 0);
}

int main(void)
{
    unsigned a, b, c, d;
    check_flags(load_site);
    check_flags(plain_site);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1)
        check_gs();
    return 0;
}
