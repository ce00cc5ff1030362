/* Hot system call sites that mremap(2) moves, and what debuggers and handlers see of positions behind calls. */
#include "check.h"
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/ucontext.h>
#include <sys/user.h>

/* Two pages of their own: one site of each shape. */
long moved_load(void);
long moved_compare(long nr);
extern char moved_load_after[], moved_compare_after[];
__asm__(".section .text.moved, \"ax\"\n"
        ".balign 4096\n"
        "moved_load: mov $110, %eax\n"
        "syscall\n"
        "moved_load_after: ret\n"
        ".balign 64\n"
        "moved_compare: mov %rdi, %rax\n"
        "xor %edi, %edi\n"
        "xor %esi, %esi\n"
        "syscall\n"
        "moved_compare_after: cmp $-4095, %rax\n"
        "jae 1f\n"
        "ret\n"
        "1: mov $-1, %rax\n"
        "ret\n"
        ".balign 4096\n"
        ".text\n");

#define MANY 200

static void heat(void)
{
    for (int i = 0; i < MANY; i++) {
        CHECK(moved_load() == getppid());
        CHECK(moved_compare(SYS_getppid) == getppid());
    }
}

static int moves(void)
{
    char *page = (char *)((uintptr_t)moved_load & ~4095UL);
    char *to = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    heat();
    CHECK(mremap(page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    long (*load)(void) = (long (*)(void))(to + ((char *)moved_load - page));
    long (*compare)(long) = (long (*)(long))(to + ((char *)moved_compare - page));
    for (int i = 0; i < MANY; i++)
        CHECK(load() == getppid() && compare(SYS_getppid) == getppid() && compare(100000) == -1);
    return 5;
}

/* A tracer sees the guest's own addresses at the stops of hot sites. */
static int hot_calls(void)
{
    heat();
    raise(SIGSTOP);
    moved_load();
    moved_compare(SYS_getppid);
    return 6;
}

static void seen_by_tracer(void)
{
    struct user_regs_struct r;
    int status, load = 0, compare = 0;
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        _exit(hot_calls());
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    for (;;) {
        CHECK(ptrace(PTRACE_SYSCALL, pid, 0, 0) == 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        if (WIFEXITED(status))
            break;
        CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
        load += r.rip == (uintptr_t)moved_load_after && r.rcx == r.rip;
        compare += r.rip == (uintptr_t)moved_compare_after && r.rcx == r.rip;
    }
    CHECK(WEXITSTATUS(status) == 6 && load == 2 && compare == 2);
}

static volatile uintptr_t seen;
static void on_alarm(int sig, siginfo_t *info, void *uc)
{
    seen = (uintptr_t)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
}

/* And so does a handler that interrupts one. */
static int seen_by_handler(void)
{
    struct sigaction sa = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
    heat();
    alarm(1);
    CHECK(moved_compare(SYS_pause) == -1);
    CHECK(seen == (uintptr_t)moved_compare_after);
    return 7;
}

int main(void)
{
    exits_with(child(moves), 5);
    seen_by_tracer();
    exits_with(child(seen_by_handler), 7);
    return 0;
}
