/*
 * The platform: guest address spaces and guest threads, as seen from the kernel.
 *
 * An address space is one stub process of the host; a context is one thread in it. The kernel never
 * touches guest registers or memory directly: it asks the stub, through the context's shared pages,
 * to carry out orders, and waits for the next event. Typical life of a guest thread's fiber:
 *
 *     platform_run(ctx, &event)           flush queued orders, resume the guest, sleep until the
 * next event switch (event.kind) ...             a system call, a fault, a kick, death
 *     platform_copy_in/out, order_*()     any number of orders while the guest stands still
 *     platform_run(...)                   and so on, until context_exit()
 *
 * Who may call: every function that takes a context is called by the one fiber that serves it,
 * unless it says "any". Results that come from shared pages are copied once and checked before they
 * are returned; a stub that breaks the protocol is killed and shows up as EVENT_DEAD. After death
 * every order fails with -ESRCH.
 *
 * Deferred orders: order_defer_*() and platform_copy_out() with room in the window only queue; the
 * queue is flushed in one hand-off by the next synchronous order or by platform_run(). If a
 * deferred order fails in platform_run(), the guest is not resumed and event.kind is
 * EVENT_ORDER_FAILED (a copy_out met a bad address: the caller makes the system call fail with
 * -EFAULT and runs again).
 */
#pragma once
#include "abi/regs.h"
#include "base/base.h"

struct address_space;
struct context;

/* ---- start and end of the platform ---- */

/* Starts the stub template process. Before lock-down, once, after sched_init(), while the process
 * has one thread. -EOPNOTSUPP: this host's processor or kernel lacks something the platform needs.
 */
NODISCARD int platform_init(void);
/* After lock-down: starts the threads that reap stubs and answer fork notifications, and the pool's
 * fiber. */
NODISCARD int platform_start(void);
/* Where the host's vDSO lies in every guest address space: for AT_SYSINFO_EHDR. 0: there is none.
 */
uaddr_t platform_vdso(void);

/* The part of the address space a guest may use: [GUEST_BASE, GUEST_END). The stub lives above it.
 * The pages in [GUEST_RESERVED_START, GUEST_RESERVED_END) hold the tables of patched system call
 * sites, and are the stub's. */
#define GUEST_BASE 0x10000UL
#define GUEST_END 0x7fff00000000UL
#define GUEST_RESERVED_START 0x60000UL
#define GUEST_RESERVED_END 0x100000UL

/* ---- events ---- */

enum event_kind {
    EVENT_SYSCALL, /* nr and args are set, regs.rax is -ENOSYS, regs.rip is after the instruction */
    EVENT_FAULT,   /* a host signal raised by the guest's own instruction: fault is set */
    EVENT_KICK,    /* platform_kick() brought the thread here between two instructions */
    EVENT_ORDER_FAILED, /* a deferred order failed; the guest has not run */
    EVENT_DEAD, /* the stub process is gone (killed, or broke the protocol); only context_exit() is
                   left */
};

struct fault {
    int signo;    /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
    int code;     /* si_code as the host gave it */
    uaddr_t addr; /* si_addr */
    uint64_t trapno, error_code, cr2;
};

struct event {
    enum event_kind kind;
    uint64_t nr, args[6]; /* EVENT_SYSCALL */
    struct fault fault;
    bool interrupted; /* EVENT_SYSCALL: a futex wait that the stub made on the host was kicked out
                         of it */
};

/*
 * Resumes the guest with *context_regs(ctx) and sleeps until the next event; at return the
 * registers in *context_regs(ctx) are the guest's (all of them are always valid, fs_base and
 * gs_base only after context_save_bases()). What may change on resume: after EVENT_SYSCALL a
 * changed rax alone takes the short path back; call context_set_regs_dirty() when anything else was
 * changed (signal frames, sigreturn, exec).
 */
void platform_run(struct context *ctx, struct event *ret_event);
struct regs *context_regs(struct context *ctx);
/* The same as context_regs(ctx)->rax = result, without fetching the other registers from the stub.
 */
void context_set_result(struct context *ctx, int64_t result);
void context_set_regs_dirty(struct context *ctx);
int context_save_bases(struct context *ctx); /* fetches fs_base, gs_base into regs */

/* any: of the last call that it handed over, as the guest's memory tells now: for show only. */
void context_peek_call(const struct context *ctx, uint64_t args[6], uint64_t *ret_sp, uint64_t *ret_ip);

/* any: makes the thread come to the kernel soon: out of guest code, or out of a futex wait inside
 * the stub. At most one EVENT_KICK follows; harmless if the thread is already at a hand-off. */
void platform_kick(struct context *ctx);

/*
 * Reads n bytes of a regular file of the host at pos straight into guest memory: the stub reads, with a descriptor that
 * is lent to it. `file` names what fd stands for, and is never used again for anything else; fd must be opened for
 * reading only. Bytes read, -errno of the read, or -EAGAIN: not worth it now, or the space has several threads; read
 * in another way. `sure`: the file has the bytes and the memory takes them; then the read is deferred, and if it fails
 * all the same that shows as EVENT_ORDER_FAILED. The loan ends when another file is read much, in exec, when a thread
 * is made, and with platform_end_loan(): whenever the guest gives up a descriptor or changes its credentials.
 */
ssize_t platform_read_file(struct context *ctx, uaddr_t dst, size_t n, uint64_t file, int fd, int64_t pos,
                           bool sure);
void platform_end_loan(struct context *ctx);
uint64_t platform_new_file_id(void); /* any */

/* ---- address spaces ---- */

/* A pristine address space with one context whose thread stands ready for a first platform_run():
 * the guest range is empty. Comes from the pool. */
NODISCARD int platform_new(struct address_space **ret_as, struct context **ret_ctx);

/* fork(2): the host forks ctx's process. The child's one context has the same registers and FP
 * state, its memory is copy on write. Deferred orders of ctx are flushed first. */
NODISCARD int platform_fork(struct context *ctx, struct address_space **ret_as,
                            struct context **ret_ctx);

/* A further thread in ctx's address space (CLONE_VM): registers as in `regs`, FP state inherited
 * from ctx, FS base `fs_base` (used if set_fs). */
NODISCARD int platform_thread(struct context *ctx, const struct regs *regs, bool set_fs,
                              uint64_t fs_base, struct context **ret_ctx);

/* exec in place: empties the guest range (deferred) and resets FP state, FS and GS base. Only when
 * ctx is the only context of its address space. */
NODISCARD int platform_reset(struct context *ctx);

/* The thread leaves for good; frees ctx. If it was the last context, the process is killed and the
 * address space is freed. Deferred orders are flushed first (so that a last copy_out takes effect)
 * unless it is dead. */
void context_exit(struct context *ctx);

/* any: kills the stub process: every one of its contexts gets EVENT_DEAD (exit_group, SIGKILL). */
void platform_kill(struct address_space *as);

struct address_space *context_as(struct context *ctx);
pid_t platform_host_pid(const struct address_space *as); /* any */
pid_t context_host_tid(const struct context *ctx);       /* any */
/* CPU time used by the thread / the process in ns, from the host (any); 0 when unknown. */
int64_t context_cpu_time(const struct context *ctx);

/* ---- what the host knows of the process (measure.c) ---- */

/* A procfs of the sandbox's pid namespace, for good: before platform_start(). Without one all of
 * these give -EOPNOTSUPP. Any fiber; each costs host calls. */
void platform_set_proc(int fd);
struct memory_usage {
    uint64_t anonymous, file, shared, peak, swap, tables; /* KiB */
};
NODISCARD int platform_measure(struct address_space *as, struct memory_usage *ret);
/* A whole file of /proc/PID: NUL-terminated, the caller frees. */
NODISCARD int platform_proc_text(struct address_space *as, const char *file, char **ret,
                                 size_t *ret_len);
/* Entries of pagemap from the page of addr on: how many, or -errno. */
NODISCARD ssize_t platform_pagemap(struct address_space *as, uaddr_t addr, uint64_t *entries,
                                   size_t count);
NODISCARD int platform_clear_refs(struct address_space *as, int what);
void platform_set_oom(struct address_space *as, int guest_adj); /* -1000 to 1000, as the guest sees it */

/* ---- orders ---- */

/* Copies between a kernel buffer and guest memory. Return the bytes copied before a fault: n when
 * all went well, less (perhaps 0) on a bad address, -ESRCH after death. Any size. copy_in uses
 * bytes that the stub sent ahead when it can. copy_out is deferred while it fits (then returns n).
 */
NODISCARD ssize_t platform_copy_in(struct context *ctx, void *dst, uaddr_t src, size_t n);
ssize_t platform_copy_out(struct context *ctx, uaddr_t dst, const void *src, size_t n);
ssize_t platform_copy_out_sync(struct context *ctx, uaddr_t dst, const void *src, size_t n);
/* Copies a NUL-terminated string of at most max bytes, NUL included: its length without the NUL,
 * -ENAMETOOLONG, -EFAULT. */
NODISCARD ssize_t platform_copy_string(struct context *ctx, char *dst, uaddr_t src, size_t max);

/*
 * Window buffers: bytes on their way to or from the guest without a second copy in the kernel.
 * window_reserve() gives kernel-side memory of up to `want` bytes (ret_len, at least 1 page unless
 * want is less) inside the shared window. A caller fills it, then order_defer_window_out() queues
 * "window -> dst". The bytes may change under the kernel's hands: write-only for it.
 */
void *window_reserve(struct context *ctx, size_t want, size_t *ret_len);
void order_defer_window_out(struct context *ctx, uaddr_t dst, void *window, size_t n);

/* Any process's memory while it is not at a hand-off (any): process_vm_readv/writev. Bytes moved or
 * -errno. */
ssize_t platform_peek(struct address_space *as, void *dst, uaddr_t src, size_t n);
ssize_t platform_poke(struct address_space *as, uaddr_t dst, const void *src, size_t n);

/* A host call in the guest's process, restricted to what the stub's filter allows: mmap without fd,
 * munmap, mprotect, mremap, madvise, msync, mincore, mlock family, futex. The host's result. */
NODISCARD int64_t order_host(struct context *ctx, int nr, const uint64_t args[6]);
/* The same, queued; a failure shows as EVENT_ORDER_FAILED unless ignore_errors. */
void order_defer_host(struct context *ctx, int nr, const uint64_t args[6], bool ignore_errors);

/* futex(2) in the guest's process, any operation but those of priority inheritance; a wait ends with
 * -EINTR when the thread is kicked. */
NODISCARD int64_t order_futex(struct context *ctx, const uint64_t args[6]);

/* mmap of a host descriptor: fd travels to the stub, is mapped and closed there. `deferred` queues
 * the mapping (the fd is duplicated into the message at once). fd must be opened no more
 * permissively than the guest's file. MAP_FIXED addresses only. The address or -errno. */
NODISCARD int64_t order_mmap_fd(struct context *ctx, uaddr_t addr, size_t len, int prot, int flags,
                                int fd, uint64_t offset, bool deferred);

/* FP state. Saves the live XSAVE area to guest memory at dst (64-byte aligned,
 * platform_xsave_size() bytes), or loads it from there; -EFAULT on a bad address or an invalid
 * image. */
NODISCARD int order_save_fp(struct context *ctx, uaddr_t dst);
NODISCARD int order_load_fp(struct context *ctx, uaddr_t src);
/* The same, queued, for signal frames; and the state of a new image. */
void order_defer_save_fp(struct context *ctx, uaddr_t dst);
void order_defer_load_fp(struct context *ctx, uaddr_t src);
void order_defer_reset_fp(struct context *ctx);
/* The live state as an XSAVE image in kernel memory, for debuggers: platform_xsave_size() bytes. 0, -ESRCH, or
 * -EFAULT: no valid image. */
NODISCARD int context_get_fp(struct context *ctx, void *image);
NODISCARD int context_set_fp(struct context *ctx, const void *image);
size_t platform_xsave_size(void);
uint64_t platform_xsave_features(void); /* XCR0 */
/* FS base of the guest thread (arch_prctl ARCH_SET_FS), deferred. GS base: patched sites of the
 * process then fall back to the slow entry. */
void order_defer_set_fs(struct context *ctx, uint64_t base);
NODISCARD int order_set_gs(struct context *ctx, uint64_t base);

/* ---- what the stub answers by itself (a per-thread page of values the kernel publishes) ---- */

/* Whether stubs answer at all: off while every call is to be seen (--strace). For address spaces
 * made from now on; call before platform_start(). */
void platform_set_local_answers(bool on);

/* any: the same for one thread: while on, every call of it comes to the kernel, futex included
 * (which then goes back by order_futex()). New threads and forked children take after it. */
void context_set_all_calls(struct context *ctx, bool on);

struct stub_answers {
    uint32_t pid, tid, ppid, uid, euid, gid, egid;
};
/* Published before the next resume; ppid may be published by any fiber (the parent died). */
void context_set_answers(struct context *ctx, const struct stub_answers *answers);
void context_set_ppid(struct context *ctx, uint32_t ppid); /* any */

/*
 * The blocked-signal mask lives in the shared page so that rt_sigprocmask needs no hand-off; it
 * concerns nobody but the thread itself. The kernel sets `pending` when it queues a blocked signal:
 * the stub enters the kernel when an unblocked one is pending. SIGKILL and SIGSTOP are stripped by
 * the reader.
 */
uint64_t context_sigmask(struct context *ctx); /* any */
void context_set_sigmask(struct context *ctx,
                         uint64_t mask); /* own fiber, or before the first run */
void context_set_sigpending(struct context *ctx, uint64_t pending); /* any */

/* set_robust_list(2) is remembered in the shared page as well: a guest can lie only to itself. */
uaddr_t context_robust_list(struct context *ctx); /* any */
void context_set_robust_list(struct context *ctx, uaddr_t head);

/* ---- patched system call sites (platform/patch.c) ---- */

/* Called by mm when it maps `len` bytes at file offset `off` of an executable private file mapping
 * to addr: the file is known by a stable key. May substitute a patched copy: returns its host fd
 * (same offsets; borrowed) or -1 to map the file itself. */
struct patch_file; /* all that is known of one file's sites */
NODISCARD int patch_file_get(uint64_t dev, uint64_t ino, uint64_t generation,
                             struct patch_file **ret);
void patch_file_put(struct patch_file *f);
/* Told of every executable mapping (pf NULL: not file backed: never patched) and of every unmapping
 * or protection change of executable ranges. */
int patch_map(struct context *ctx, struct patch_file *pf, int host_fd, uaddr_t addr, size_t len,
              uint64_t off);
/* The text of the range is about to move: patched sites, which know their address, become what they were. */
void patch_restore(struct context *ctx, uaddr_t addr, size_t len);
void patch_unmap(struct address_space *as, uaddr_t addr, size_t len);
