/*
 * The seccomp allow-list of the kernel process, and dropping capabilities.
 *
 * One row a host call: why it is needed, and for which kind of sandbox. tools/check-security counts the rows and
 * compares with SECURITY.md. Calls with an argument that must be constrained have their rules in functions below.
 */
#include "host/lockdown.h"
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* ---- the list ---- */

#define NR_FCHMODAT2 452 /* younger than our libseccomp */

enum rule_kind { READ, WRITE, SPECIAL }; /* WRITE: only for sandboxes with a writable volume. SPECIAL: see below. */

struct rule {
    int nr;
    enum rule_kind kind;
};

static const struct rule rules[] = {
    /* memory of our own */
    {SCMP_SYS(brk), READ},
    {SCMP_SYS(mmap), SPECIAL},
    {SCMP_SYS(mprotect), SPECIAL},
    {SCMP_SYS(munmap), READ},
    {SCMP_SYS(mremap), READ},
    {SCMP_SYS(madvise), READ},
    {SCMP_SYS(memfd_create), READ}, /* contexts, tmpfs files, patched text */
    {SCMP_SYS(getrandom), READ},

    /* threads and waiting */
    {SCMP_SYS(clone), SPECIAL},
    {SCMP_SYS(clone3), SPECIAL},
    {SCMP_SYS(set_robust_list), READ},
    {SCMP_SYS(rseq), READ},
    {SCMP_SYS(rt_sigprocmask), READ},
    {SCMP_SYS(rt_sigaction), READ},
    {SCMP_SYS(rt_sigreturn), READ},
    {SCMP_SYS(sigaltstack), READ},
    {SCMP_SYS(futex), READ},
    {SCMP_SYS(sched_yield), READ},
    {SCMP_SYS(sched_getaffinity), READ},
    {SCMP_SYS(sched_setaffinity), READ}, /* workers belong to CPUs */
    {SCMP_SYS(getcpu), READ},
    {SCMP_SYS(prctl), SPECIAL},
    {SCMP_SYS(gettid), READ},
    {SCMP_SYS(getpid), READ},
    {SCMP_SYS(exit), READ},
    {SCMP_SYS(exit_group), READ},
    {SCMP_SYS(tgkill), READ}, /* kicks, and abort() */
    {SCMP_SYS(kill), READ},   /* ends stub processes; nobody else is in the pid namespace */
    {SCMP_SYS(wait4), READ},
    {SCMP_SYS(waitid), READ},
    {SCMP_SYS(epoll_wait), READ},
    {SCMP_SYS(epoll_pwait), READ},
    {SCMP_SYS(epoll_pwait2), READ},
    {SCMP_SYS(epoll_ctl), READ},
    {SCMP_SYS(poll), READ},
    {SCMP_SYS(ppoll), READ},
    {SCMP_SYS(eventfd2), READ},
    {SCMP_SYS(clock_gettime), READ}, /* CPU clocks of guest threads, and where the vDSO cannot */
    {SCMP_SYS(clock_nanosleep), READ},
    {SCMP_SYS(restart_syscall), READ},
    {SCMP_SYS(sysinfo), READ},

    /* stub processes */
    {SCMP_SYS(process_vm_readv), READ},
    {SCMP_SYS(process_vm_writev), READ},
    {SCMP_SYS(pidfd_open), READ},
    {SCMP_SYS(pidfd_send_signal), READ},
    {SCMP_SYS(sendmsg), READ}, /* descriptors to map, over the stub's socket */
    {SCMP_SYS(recvmsg), READ},
    {SCMP_SYS(sendto), READ},
    {SCMP_SYS(recvfrom), READ},
    {SCMP_SYS(socketpair), READ},
    {SCMP_SYS(accept4), READ},       /* clients of the control socket */
    {SCMP_SYS(getsockopt), SPECIAL}, /* who they are */
    {SCMP_SYS(ioctl), SPECIAL},

    /* files that are open already */
    {SCMP_SYS(read), READ},
    {SCMP_SYS(write), READ},
    {SCMP_SYS(readv), READ},
    {SCMP_SYS(writev), READ},
    {SCMP_SYS(pread64), READ},
    {SCMP_SYS(pwrite64), READ},
    {SCMP_SYS(preadv), READ},
    {SCMP_SYS(pwritev), READ},
    {SCMP_SYS(preadv2), READ},
    {SCMP_SYS(pwritev2), READ},
    {SCMP_SYS(lseek), READ},
    {SCMP_SYS(close), READ},
    {SCMP_SYS(dup), READ},
    {SCMP_SYS(fcntl), READ},
    {SCMP_SYS(fstat), READ},
    {SCMP_SYS(ftruncate), READ}, /* memfds, too */
    {SCMP_SYS(fallocate), READ},
    {SCMP_SYS(fsync), READ},
    {SCMP_SYS(fdatasync), READ},

    /* names, below a donated directory only */
    {SCMP_SYS(openat), SPECIAL},
    {SCMP_SYS(openat2), READ},
    {SCMP_SYS(statx), READ},
    {SCMP_SYS(newfstatat), READ},
    {SCMP_SYS(readlinkat), READ},
    {SCMP_SYS(getdents64), READ},
    {SCMP_SYS(fstatfs), READ},
    {SCMP_SYS(fgetxattr), READ},
    {SCMP_SYS(flistxattr), READ},
    {SCMP_SYS(mkdirat), WRITE},
    {SCMP_SYS(mknodat), SPECIAL},
    {SCMP_SYS(symlinkat), WRITE},
    {SCMP_SYS(linkat), WRITE},
    {SCMP_SYS(unlinkat), WRITE},
    {SCMP_SYS(renameat2), WRITE},
    {SCMP_SYS(fchownat), WRITE},
    {SCMP_SYS(fchmod), WRITE},
    {NR_FCHMODAT2, WRITE}, /* on hosts that have it */
    {SCMP_SYS(utimensat), WRITE},
    {SCMP_SYS(fsetxattr), WRITE},
    {SCMP_SYS(fremovexattr), WRITE},
    {SCMP_SYS(syncfs), WRITE},
};

/* ---- rules about arguments ---- */

/* No code but what was mapped at start ever becomes executable. */
static int add_no_exec(scmp_filter_ctx f, int nr)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Threads, as pthread_create(3) makes them; never a process. */
static int add_clone(scmp_filter_ctx f, int nr)
{
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
}

/* Its flags are behind a pointer, where a filter cannot look; glibc then uses clone(2). */
static int add_clone3(scmp_filter_ctx f, int nr)
{
    return seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
}

/* malloc looks at a file of /proc before it gives memory back, and does without. */
static int add_openat(scmp_filter_ctx f, int nr)
{
    return seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOENT), nr, 0);
}

static int add_prctl(scmp_filter_ctx f, int nr)
{
    static const int allowed[] = {PR_SET_NAME, PR_SET_TIMERSLACK, PR_SET_VMA};
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
        int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 1, SCMP_A0(SCMP_CMP_EQ, (uint64_t)allowed[i]));
        if (err)
            return err;
    }
    return 0;
}

/* FIFOs, sockets and regular files; devices need CAP_MKNOD, which the process has not, as well. */
static int add_mknodat(scmp_filter_ctx f, int nr)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 1, SCMP_A3(SCMP_CMP_EQ, 0));
}

static int add_ioctl(scmp_filter_ctx f, int nr)
{
    static const unsigned long allowed[] = {
        TCGETS, TCSETS, TIOCGWINSZ, FIONREAD, /* the caller's terminal, pipes and sockets */
        SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND, /* forks of stub processes */
    };
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
        int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 1,
                                   SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, allowed[i]));
        if (err)
            return err;
    }
    return 0;
}

static int add_getsockopt(scmp_filter_ctx f, int nr)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 2, SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
                            SCMP_A2(SCMP_CMP_EQ, SO_PEERCRED));
}

static const struct {
    int nr;
    int (*add)(scmp_filter_ctx f, int nr);
    enum host_access access;
} specials[] = {
    {SCMP_SYS(mmap), add_no_exec, HOST_ACCESS_READ},  {SCMP_SYS(mprotect), add_no_exec, HOST_ACCESS_READ},
    {SCMP_SYS(clone), add_clone, HOST_ACCESS_READ},   {SCMP_SYS(clone3), add_clone3, HOST_ACCESS_READ},
    {SCMP_SYS(prctl), add_prctl, HOST_ACCESS_READ},   {SCMP_SYS(ioctl), add_ioctl, HOST_ACCESS_READ},
    {SCMP_SYS(openat), add_openat, HOST_ACCESS_READ}, {SCMP_SYS(mknodat), add_mknodat, HOST_ACCESS_WRITE},
    {SCMP_SYS(getsockopt), add_getsockopt, HOST_ACCESS_READ},
};

static int add_special(scmp_filter_ctx f, int nr, enum host_access access)
{
    for (size_t i = 0; i < ARRAY_SIZE(specials); i++)
        if (specials[i].nr == nr)
            return access >= specials[i].access ? specials[i].add(f, nr) : 0;
    return -EINVAL;
}

static int add_rule(scmp_filter_ctx f, const struct rule *r, enum host_access access)
{
    if (r->kind == SPECIAL)
        return add_special(f, r->nr, access);
    if (r->kind == WRITE && access != HOST_ACCESS_WRITE)
        return 0;
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, r->nr, 0);
}

int host_filter_install(enum host_access access, bool log_only)
{
    scmp_filter_ctx f = seccomp_init(log_only ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
    if (!f)
        return -ENOMEM;
    int err = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree: half the price of each host call */
    for (size_t i = 0; i < ARRAY_SIZE(rules) && !err; i++)
        err = add_rule(f, &rules[i], access);
    if (!err)
        err = seccomp_load(f);
    seccomp_release(f);
    return err;
}

/* ---- capabilities ---- */

int host_drop_privileges(enum host_access access)
{
    static const cap_value_t keep[] = {CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_FSETID};
    int count = access == HOST_ACCESS_WRITE ? (int)ARRAY_SIZE(keep) : 1;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return -errno;
    cap_t caps = cap_init();
    if (!caps)
        return -ENOMEM;
    int err = 0;
    if (cap_set_flag(caps, CAP_PERMITTED, count, keep, CAP_SET) < 0 ||
        cap_set_flag(caps, CAP_EFFECTIVE, count, keep, CAP_SET) < 0 || cap_set_proc(caps) < 0)
        err = -errno;
    cap_free(caps);
    return err;
}
