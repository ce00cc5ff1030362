/* ptrace(2): stops for signals and system calls, registers, memory, single steps, and what is refused. */
#include "check.h"
#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

static long word = 0x1122334455667788;
static const char text_page[] = "read-only";

static int wait_stop(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, __WALL) == pid);
    if (!WIFSTOPPED(status))
        dprintf(2, "status %#x\n", status);
    CHECK(WIFSTOPPED(status));
    return status >> 8;
}

static pid_t traced(int (*fn)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        CHECK_ERR(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM);
        raise(SIGSTOP);
        _exit(fn());
    }
    CHECK(wait_stop(pid) == SIGSTOP);
    return pid;
}

static int calls(void)
{
    syscall(SYS_getppid, 1, 2, 3, 4, 5, 6);
    syscall(SYS_lseek, -1, 0, 0);
    return 3;
}

static void check_info(pid_t pid, int op, long nr, long result)
{
    struct __ptrace_syscall_info info;
    long size = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
    CHECK(size == (op == PTRACE_SYSCALL_INFO_ENTRY ? 80 : op == PTRACE_SYSCALL_INFO_EXIT ? 33 : 24));
    CHECK(info.op == op && info.arch == 0xc000003e && info.instruction_pointer && info.stack_pointer);
    if (op == PTRACE_SYSCALL_INFO_ENTRY) {
        CHECK((long)info.entry.nr == nr);
        if (nr == SYS_getppid)
            for (unsigned i = 0; i < 6; i++)
                CHECK(info.entry.args[i] == i + 1);
    }
    if (op == PTRACE_SYSCALL_INFO_EXIT)
        CHECK(info.exit.rval == result && info.exit.is_error == (result < 0));
}

/* Runs on to the next stop at a system call. */
static int to_call(pid_t pid)
{
    CHECK(ptrace(PTRACE_SYSCALL, pid, 0, 0) == 0);
    return wait_stop(pid);
}

static void system_calls(void)
{
    struct user_regs_struct r;
    pid_t pid = traced(calls);
    unsigned long message;
    check_info(pid, PTRACE_SYSCALL_INFO_NONE, 0, 0);
    CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD) == 0);
    CHECK_ERR(ptrace(PTRACE_SETOPTIONS, pid, 0, 0x10000000), EINVAL);
    CHECK(to_call(pid) == (SIGTRAP | 0x80)); /* getppid */
    check_info(pid, PTRACE_SYSCALL_INFO_ENTRY, SYS_getppid, 0);
    CHECK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message) == 0 && message == 1);
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
    CHECK(r.orig_rax == SYS_getppid && (long)r.rax == -ENOSYS && r.rdi == 1 && r.r9 == 6);
    CHECK(r.cs == 0x33 && r.ss == 0x2b);
    CHECK(r.fs_base != 0 && r.rcx == r.rip);
    siginfo_t info;
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
    CHECK(info.si_signo == SIGTRAP && info.si_code == (SIGTRAP | 0x80));
    CHECK(to_call(pid) == (SIGTRAP | 0x80));
    check_info(pid, PTRACE_SYSCALL_INFO_EXIT, 0, getpid());
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && (long)r.rax == getpid());
    CHECK(to_call(pid) == (SIGTRAP | 0x80)); /* lseek */
    check_info(pid, PTRACE_SYSCALL_INFO_ENTRY, SYS_lseek, 0);
    CHECK(to_call(pid) == (SIGTRAP | 0x80));
    check_info(pid, PTRACE_SYSCALL_INFO_EXIT, 0, -EBADF);
    CHECK(to_call(pid) == (SIGTRAP | 0x80)); /* exit_group */
    check_info(pid, PTRACE_SYSCALL_INFO_ENTRY, SYS_exit_group, 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
    exits_with(pid, 3);
}

static int calls_changed(void)
{
    CHECK(syscall(SYS_getppid) == 777);           /* another result */
    CHECK(syscall(SYS_getppid) == getpid());      /* another call */
    CHECK_ERR(syscall(SYS_getppid), ENOSYS);      /* no call */
    CHECK(syscall(SYS_getppid) == 888);           /* no call, but a result */
    CHECK(syscall(SYS_getppid) == getppid());
    return 4;
}

static void set_reg(pid_t pid, size_t offset, long value)
{
    CHECK(ptrace(PTRACE_POKEUSER, pid, offset, value) == 0);
    CHECK(ptrace(PTRACE_PEEKUSER, pid, offset, 0) == value);
}
#define REG(name) offsetof(struct user_regs_struct, name)

static void changed_calls(void)
{
    pid_t pid = traced(calls_changed);
    to_call(pid), to_call(pid);
    set_reg(pid, REG(rax), 777);
    to_call(pid);
    set_reg(pid, REG(orig_rax), SYS_getpid);
    to_call(pid), to_call(pid); /* the test's own getpid */
    to_call(pid), to_call(pid);
    set_reg(pid, REG(orig_rax), -1);
    to_call(pid);
    CHECK(ptrace(PTRACE_PEEKUSER, pid, REG(rax), 0) == -ENOSYS);
    to_call(pid);
    set_reg(pid, REG(orig_rax), -1);
    set_reg(pid, REG(rax), 888);
    to_call(pid);
    CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
    exits_with(pid, 4);
}

static volatile sig_atomic_t got;
static void on_signal(int sig)
{
    got = sig;
}

static int signals(void)
{
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    signal(SIGCHLD, SIG_IGN);
    raise(SIGUSR1);
    CHECK(got == 0); /* suppressed */
    raise(SIGUSR1);
    CHECK(got == SIGUSR2); /* another */
    raise(SIGCHLD); /* ignored ones are seen as well */
    raise(SIGTERM);
    return 5;
}

static void signal_stops(void)
{
    siginfo_t info;
    pid_t pid = traced(signals);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0 && wait_stop(pid) == SIGUSR1);
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_TKILL && info.si_pid == pid);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0 && wait_stop(pid) == SIGUSR1);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGUSR2) == 0 && wait_stop(pid) == SIGCHLD);
    CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 999), EIO);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGCHLD) == 0 && wait_stop(pid) == SIGTERM);
    CHECK(waitpid(pid, NULL, WNOHANG | __WALL) == 0); /* reported once */
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGTERM) == 0);
    dies_by(pid, SIGTERM);
}

static int faults(void)
{
    *(volatile int *)8 = 1;
    return 0;
}

static void fatal_signals_stop_first(void)
{
    siginfo_t info;
    pid_t pid = traced(faults);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0 && wait_stop(pid) == SIGSEGV);
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
    CHECK(info.si_code == SEGV_MAPERR && info.si_addr == (void *)8);
    CHECK(ptrace(PTRACE_CONT, pid, 0, SIGSEGV) == 0);
    dies_by(pid, SIGSEGV);
}

static int idle(void)
{
    return word == 99 ? 6 : 7;
}

static void memory(void)
{
    pid_t pid = traced(idle);
    CHECK(ptrace(PTRACE_PEEKDATA, pid, &word, 0) == 0x1122334455667788);
    CHECK(ptrace(PTRACE_POKEDATA, pid, &word, 99) == 0);
    CHECK(ptrace(PTRACE_PEEKTEXT, pid, &word, 0) == 99 && word != 99);
    CHECK_ERR(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_POKEDATA, pid, 8, 0), EIO);
    long was = ptrace(PTRACE_PEEKTEXT, pid, text_page, 0); /* read-only pages can be written */
    CHECK(ptrace(PTRACE_POKETEXT, pid, text_page, was + 1) == 0);
    CHECK(ptrace(PTRACE_PEEKTEXT, pid, text_page, 0) == was + 1 && memcmp(text_page, "read", 4) == 0);
    CHECK(ptrace(PTRACE_POKETEXT, pid, idle, ptrace(PTRACE_PEEKTEXT, pid, idle, 0)) == 0);
    char path[64], buf[8];
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pread(fd, buf, 8, (off_t)(uintptr_t)text_page) == 8 && memcmp(buf + 1, "ead", 3) == 0);
    CHECK(pwrite(fd, "REA", 3, (off_t)(uintptr_t)text_page) == 3);
    CHECK(pread(fd, buf, 8, (off_t)(uintptr_t)text_page) == 8 && memcmp(buf, "READ", 3) == 0);
    close(fd);
    CHECK_ERR(ptrace(PTRACE_PEEKUSER, pid, 3, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_PEEKUSER, pid, 4096, 0), EIO);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
    exits_with(pid, 6);
}

static int computes(void)
{
    volatile double d = 2.5;
    raise(SIGSTOP);
    return d * 2 == 5.0 ? 8 : 9;
}

static void register_sets(void)
{
    struct user_regs_struct r, again;
    struct user_fpregs_struct fp, fp2;
    static char xstate[16384];
    struct iovec v = {&r, sizeof(r)};
    pid_t pid = traced(computes);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0 && wait_stop(pid) == SIGSTOP);
    CHECK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) == 0 && v.iov_len == sizeof(r));
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &again) == 0 && memcmp(&r, &again, sizeof(r)) == 0);
    v = (struct iovec){&r, 16};
    CHECK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) == 0 && v.iov_len == 16);
    v = (struct iovec){&r, 3};
    CHECK_ERR(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v), EINVAL);
    v = (struct iovec){&r, sizeof(r)};
    CHECK_ERR(ptrace(PTRACE_GETREGSET, pid, 0x999, &v), EINVAL);
    CHECK(ptrace(PTRACE_GETFPREGS, pid, 0, &fp) == 0 && fp.cwd == 0x37f);
    fp.xmm_space[0] = 0x12345678;
    CHECK(ptrace(PTRACE_SETFPREGS, pid, 0, &fp) == 0);
    CHECK(ptrace(PTRACE_GETFPREGS, pid, 0, &fp2) == 0 && fp2.xmm_space[0] == 0x12345678);
    v = (struct iovec){xstate, sizeof(xstate)};
    CHECK(ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &v) == 0 && v.iov_len >= 576 && v.iov_len < sizeof(xstate));
    CHECK(*(unsigned *)(xstate + 160) == 0x12345678 && *(uint64_t *)(xstate + 464) & 3);
    CHECK(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &v) == 0);
    r.cs = 0;
    CHECK_ERR(ptrace(PTRACE_SETREGS, pid, 0, &r), EIO);
    CHECK(ptrace(PTRACE_SETREGS, pid, 0, &again) == 0);
    uint64_t mask = 0;
    CHECK_ERR(ptrace(PTRACE_GETSIGMASK, pid, 4, &mask), EINVAL);
    CHECK(ptrace(PTRACE_GETSIGMASK, pid, 8, &mask) == 0);
    mask = 1u << (SIGUSR1 - 1) | 1u << (SIGKILL - 1);
    CHECK(ptrace(PTRACE_SETSIGMASK, pid, 8, &mask) == 0);
    CHECK(ptrace(PTRACE_GETSIGMASK, pid, 8, &mask) == 0 && mask == 1u << (SIGUSR1 - 1));
    kill(pid, SIGUSR1);
    siginfo_t infos[4];
    struct __ptrace_peeksiginfo_args args = {.off = 0, .flags = PTRACE_PEEKSIGINFO_SHARED, .nr = 4};
    CHECK(ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos) == 1 && infos[0].si_signo == SIGUSR1);
    args.flags = 0;
    CHECK(ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos) == 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
    exits_with(pid, 8);
}

static int steps(void)
{
    __asm__ volatile("nop\n nop\n nop\n" ::: "memory");
    syscall(SYS_getppid);
    return 10;
}

/* So many steps over so many instructions and calls, and no more SIGTRAP than steps. */
static void single_steps(void)
{
    struct user_regs_struct r, last;
    pid_t pid = traced(steps);
    int nops = 0, repeated = 0, n = 0;
    siginfo_t info;
    memset(&last, 0, sizeof(last));
    for (n = 0; n < 400; n++) {
        int status;
        CHECK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0) == 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        if (WIFEXITED(status)) {
            CHECK(WEXITSTATUS(status) == 10);
            break;
        }
        CHECK(WSTOPSIG(status) == SIGTRAP);
        CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_signo == SIGTRAP);
        CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
        CHECK(!(r.eflags & 0x100));
        nops += r.rip == last.rip + 1 && (ptrace(PTRACE_PEEKTEXT, pid, last.rip, 0) & 0xff) == 0x90;
        repeated += r.rip == last.rip;
        last = r;
    }
    if (n >= 400 || nops != 3 || repeated)
        dprintf(2, "%d steps, %d nops, %d repeated\n", n, nops, repeated);
    CHECK(n < 400 && nops == 3 && repeated == 0);
}

static int hits(void)
{
    return idle();
}

static void breakpoints(void)
{
    struct user_regs_struct r;
    pid_t pid = traced(hits);
    long was = ptrace(PTRACE_PEEKTEXT, pid, idle, 0);
    CHECK(ptrace(PTRACE_POKETEXT, pid, idle, (was & ~0xffL) | 0xcc) == 0);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0 && wait_stop(pid) == SIGTRAP);
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && r.rip == (uintptr_t)idle + 1);
    CHECK(ptrace(PTRACE_POKETEXT, pid, idle, was) == 0);
    r.rip--;
    CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0);
    CHECK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0) == 0 && wait_stop(pid) == SIGTRAP);
    CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
    exits_with(pid, 7);
}

static void emulation(void)
{
    pid_t pid = traced(calls_changed);
    CHECK(ptrace(31 /* SYSEMU */, pid, 0, 0) == 0 && wait_stop(pid) == SIGTRAP);
    CHECK(ptrace(PTRACE_PEEKUSER, pid, REG(orig_rax), 0) == SYS_getppid);
    set_reg(pid, REG(rax), 777);
    CHECK(ptrace(31, pid, 0, 0) == 0 && wait_stop(pid) == SIGTRAP); /* not executed: no stop at its exit */
    CHECK(ptrace(PTRACE_PEEKUSER, pid, REG(orig_rax), 0) == SYS_getppid);
    CHECK(ptrace(PTRACE_KILL, pid, 0, 0) == 0);
    dies_by(pid, SIGKILL);
}

static void refusals(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH); /* not traced */
    CHECK_ERR(ptrace(PTRACE_PEEKDATA, pid, &word, 0), ESRCH);
    CHECK_ERR(ptrace(PTRACE_ATTACH, 99999, 0, 0), ESRCH);
    CHECK_ERR(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    CHECK_ERR(ptrace(PTRACE_SEIZE, pid, 1, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_SEIZE, pid, 0, 0x40000000), EIO);
    CHECK(ptrace(PTRACE_ATTACH, pid, 0, 0) == 0);
    CHECK_ERR(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
    CHECK(wait_stop(pid) == SIGSTOP);
    CHECK_ERR(ptrace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_LISTEN, pid, 0, 0), EIO);
    CHECK_ERR(ptrace(0x7777, pid, 0, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0), EINVAL);
    CHECK(ptrace(PTRACE_DETACH, pid, 0, SIGTERM) == 0);
    dies_by(pid, SIGTERM);
    pid = fork();
    if (pid == 0) {
        CHECK(setresgid(1234, 1234, 1234) == 0 && setresuid(1234, 1234, 1234) == 0);
        CHECK_ERR(ptrace(PTRACE_ATTACH, getppid(), 0, 0), EPERM);
        _exit(11);
    }
    exits_with(pid, 11);
}

int main(void)
{
    system_calls();
    changed_calls();
    signal_stops();
    fatal_signals_stop_first();
    memory();
    register_sets();
    single_steps();
    breakpoints();
    emulation();
    refusals();
    return 0;
}
