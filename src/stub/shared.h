/*
 * The protocol between the kernel and the stub: what lies where in a guest address space above
 * GUEST_END, and what the pages that both sides see contain. This is the manual of the hand-off.
 *
 * ADDRESS LAYOUT, the same in every stub process:
 *
 *     STUB_BASE       text of the stub, read-only constants        the only addresses whose system
 * calls pass STUB_VALUES     one page of values, read-only after set-up STUB_VDSO       the host's
 * vvar pages and vDSO, moved here CONTEXT_BASE    the contexts, CONTEXT_STRIDE bytes for each
 * thread: one memfd per address space, shared with the kernel and with nobody else
 *
 * A CONTEXT is found from its address: GS base points at it while the guest runs (unless the guest
 * uses GS), and its signal stack lies in it. In it, one after the other: struct stub_context, the
 * order list, the stub's stack, the signal stack, bytes sent ahead, the window.
 *
 * THE HAND-OFF. state is a futex word and belongs to one side at a time:
 *
 *     STATE_RING    the stub has stored an event and stands still: the kernel's turn
 *     STATE_REPLY   the kernel has stored its orders, or the guest runs: the stub's turn
 *
 *     stub:    store the event; state = RING; fence; if (!polled) write(eventfd of this CPU, 1);
 *              spin while state == RING, as long as polled, not parked, and within the spin budget;
 *              then xchg sleeping = 1; while (state == RING) futex_wait(state, RING); sleeping = 0
 *     kernel:  store orders and reply; state = REPLY; fence; if (sleeping) futex_wake
 *
 * What an ordinary call and its answer need lies in the cache line of the state word, because a line's way from
 * processor to processor is most of what a hand-off costs: the arguments as copies, the result, and few bytes for the
 * guest's memory (REPLY_BYTES). The line is filled and released by plain stores in a row: a locked instruction among
 * them would give the other side time to take the line away in the middle.
 *
 * Each side stores its word, fences, and then looks at the other's, so no wake-up can be lost. A context starts in
 * STATE_RING, as if it had just asked: its thread waits for the first reply.
 *
 * ORDERS are executed in sequence, all of them. The list ends with REPLY_RESUME (run the guest) or
 * without it (ring again with KIND_ORDERS_DONE). If one fails that is not marked
 * ORDER_IGNORE_ERRORS, the stub rings with KIND_ORDER_FAILED at the end, and the guest does not
 * run. A copy fails when it is short, anything else when its result is negative.
 *
 * LINGERING. Waking a thread on an idle CPU costs some ten times what most waits of talking threads last. So a stub
 * that is parked, or is about to wait for a futex, gives way for a moment (sched_yield) before it sleeps: its CPU stays
 * awake, who runs there runs, and the answer needs no wake-up. Where that was in vain, the next waits go without, twice
 * as many each time.
 *
 * RESUME takes one of two ways. Short, REPLY_FULL unset: only rax comes from the reply, all else is
 * as the guest left it (regs in the context). Full: the kernel has stored every register there. FP
 * registers are always the guest's live ones: the stub uses none, so they move only by
 * ORDER_SAVE_FP and ORDER_LOAD_FP.
 *
 * KICKS. The kernel sets kick and sends KICK_SIGNAL to the thread. The handler turns a guest
 * position into an event. In the stub it looks for the two places where a kick could be missed
 * (between the last look at kick and the jump to the guest, or the futex call), and moves the
 * thread to their start again. All others look at kick before they leave. The stub clears kick
 * whenever it rings.
 *
 * Everything here is writable by hostile guests: the kernel copies once, checks, then uses.
 */
#pragma once

#define STUB_BASE 0x7fff00000000
#define STUB_TEXT_SIZE 0x10000
#define STUB_VALUES (STUB_BASE + STUB_TEXT_SIZE)
#define STUB_VDSO (STUB_BASE + 0x100000)
#define STUB_END 0x7ffffffff000

/*
 * Patched system call sites jump through slots in low memory to thunks, which load the return
 * address and enter the stub (platform/patch_table.c). Slots and thunks are one table for the whole
 * sandbox, shared and read-only for guests. What depends on the process is in private pages: the
 * address of the stub's entry, and the addresses at which patched files are mapped.
 */
#define PATCH_TABLE 0x60000
#define PATCH_SLOTS 0x60000
#define PATCH_THUNKS 0x80000
#define PATCH_SLOW_ENTRY 0x80000 /* an invalid opcode: how guests that use GS enter */
#define PATCH_THUNK_SIZE 32
#define PATCH_MAX_THUNKS 0x3e00
#define PATCH_TABLE_SIZE 0x9c000
#define PATCH_PRIVATE 0xfc000
#define PATCH_PRIVATE_SIZE 0x4000
#define PATCH_ENTRY PATCH_PRIVATE
#define PATCH_BUSY (PATCH_PRIVATE + 8) /* the site that is being patched while other threads run \
                                        */
#define PATCH_BASES (PATCH_PRIVATE + 64)
#define PATCH_MAX_BASES 2000

#define CONTEXT_BASE (STUB_BASE + 0x40000000)
#define CONTEXT_STRIDE 0x20000
#define CONTEXT_MAX 8192
#define CONTEXT_REGION 0x40000000 /* CONTEXT_MAX * CONTEXT_STRIDE */

/* Inside a context. */
#define CONTEXT_ORDERS 0x1000
#define CONTEXT_STACK_TOP 0x4000 /* the stub's stack: two pages below */
#define CONTEXT_ALTSTACK 0x4000
#define CONTEXT_ALTSTACK_SIZE 0xa000
#define CONTEXT_HINT 0xe000 /* two buffers of HINT_SIZE */
#define CONTEXT_WINDOW 0x10000
#define HINT_SIZE 0x1000
#define HINT_NEAR_SIZE 0xda8 /* to the end of the context's first page */
#define WINDOW_SIZE 0x10000

/* Descriptors of a stub process: the control socket, one eventfd a worker; what is lent for a
 * moment lies above. */
#define STUB_CONTROL_FD 0
#define STUB_EVENT_FD 1
#define STUB_MAX_EVENT_FDS 64
#define STUB_FIRST_FREE_FD 65

/* clone(2) flags the filter accepts: exactly one of these. */
#define STUB_THREAD_FLAGS 0x250f00     /* VM FS FILES SIGHAND THREAD SYSVSEM CHILD_CLEARTID */
#define STUB_THREAD_FLAGS_TLS 0x2d0f00 /* and SETTLS */
#define STUB_FORK_FLAGS 0x8000         /* PARENT: all stubs are children of the kernel process */

#define KICK_SIGNAL 10 /* SIGUSR1: guests' signals never are signals of the host */

#define STATE_NEW 0 /* the template, before it is set up */
#define STATE_RING 1
#define STATE_REPLY 2

/* Offsets in struct stub_context that the assembler needs; checked in stub.h. */
#define CTX_STATE 0x00
#define CTX_NR 0x40
#define CTX_RDI 0x48
#define CTX_RSI 0x50
#define CTX_RDX 0x58
#define CTX_R10 0x60
#define CTX_R8 0x68
#define CTX_R9 0x70
#define CTX_RIP 0x78
#define CTX_RSP 0x80
#define CTX_RBX 0x88
#define CTX_RBP 0x90
#define CTX_R12 0x98
#define CTX_R13 0xa0
#define CTX_R14 0xa8
#define CTX_R15 0xb0
#define CTX_EFLAGS 0xb8
#define CTX_RAX 0xc0
#define CTX_RCX 0xc8
#define CTX_R11 0xd0
#define CTX_PATCHED 0xd8
#define CTX_KICK 0x110
#define CTX_TID 0x114
#define CTX_GUEST_GS 0x118
#define CTX_USES_GS 0x120
#define CTX_BLOCKED 0x210

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What the stub tells the kernel when it rings. */
enum stub_kind {
    KIND_SYSCALL = 1,
    KIND_FAULT,
    KIND_KICK,
    KIND_ORDERS_DONE,
    KIND_ORDER_FAILED,
    KIND_TRAPPED, /* a site that the stub answers keeps trapping: patch it, and resume */
};
#define KIND_INTERRUPTED 0x100 /* with KIND_SYSCALL: a futex wait in the stub was kicked */
#define KIND_PATCHED 0x200     /* with KIND_SYSCALL: came from a patched site */
#define KIND_HINTS 0x400       /* with KIND_SYSCALL: bytes were sent ahead */
#define KIND_MASK 0xff

/* A reply: the number of orders in the low half, and these. */
#define REPLY_COUNT(reply) ((reply)&0xffff)
#define REPLY_RESUME 0x10000
#define REPLY_FULL 0x20000
#define REPLY_BYTES(reply) ((reply) >> 24) /* before the orders: that many bytes of args[2..] go to address args[1] */
#define REPLY_MAX_BYTES 32

/* Registers in the order the hand-off likes: what every call needs first. */
struct stub_regs {
    uint64_t nr, rdi, rsi, rdx, r10, r8, r9, rip; /* nr: the call's number, or -1 */
    uint64_t rsp, rbx, rbp, r12, r13, r14, r15, eflags;
    uint64_t rax, rcx, r11;
};

struct stub_fault {
    int32_t signo, code;
    uint64_t addr, trapno, error_code, cr2;
};

/* context flags, set by the kernel */
#define CONTEXT_LOCAL_ANSWERS \
    1                   /* the stub answers by itself what it can (off: strace sees every call) */
#define CONTEXT_HINTS 2 /* the stub sends bytes ahead */

struct stub_context {
    /* line 0: all that an ordinary call and its answer need; both write, on every hand-off */
    uint32_t state, sleeping; /* sleeping: the thread's CPU + 1, or 0 */
    uint32_t word;    /* the stub's: kind and flags; the kernel's: reply */
    uint32_t nr;      /* KIND_SYSCALL */
    uint64_t args[6]; /* KIND_SYSCALL; in a reply the first is the call's result */
    /* lines 1 to 3: the stub's; the kernel looks when it needs more than the call */
    struct stub_regs regs;
    uint32_t patched; /* the event came from a patched site: the short way back needs no rcx, r11,
                         flags */
    uint32_t local_traps; /* calls answered by the stub that came by a trap, since the last
                             KIND_TRAPPED */
    uint64_t reserved2[4];
    /* line 4: the kernel writes, seldom */
    uint32_t polled;      /* a worker looks at state, no eventfd needed: its CPU + 1 */
    uint32_t parked;      /* the answer will take long: do not spin */
    uint32_t spin_budget; /* in ticks of the time stamp counter */
    uint32_t flags;
    uint32_t kick;
    uint32_t
        tid; /* not 0 while the thread exists: the host clears it at the very end of its life */
    uint64_t guest_gs; /* GS base of a guest that uses GS */
    uint32_t uses_gs;
    uint32_t reserved3[7];
    /* line 5 */
    uint32_t pid_answer, tid_answer, ppid_answer, uid_answer, euid_answer, gid_answer, egid_answer;
    uint32_t reserved4[9];
    /* line 6 */
    uint64_t sigmask, sigpending;
    uint64_t robust_list; /* set_robust_list: the kernel looks when the thread ends */
    uint64_t reserved5[5];
    /* line 7 */
    struct stub_fault fault;
    uint64_t fs_base, gs_base; /* answers of ORDER_GET_BASES */
    uint64_t reserved6;
    /* line 8 */
    uint8_t nonce[16]; /* proves to the kernel which process has these pages mapped */
    uint32_t blocked;  /* the thread sleeps in the host on its own account, or gives way to others */
    uint32_t linger_skips, linger_wait; /* the stub's: waits to go without lingering, the last time and still */
    uint32_t reserved7[9];
    /* line 9: bytes sent ahead, if KIND_HINTS says so: hint_len bytes from hint_addr lie in hint buffer 0 or 1; the
     * first ones, when they are few enough, right here */
    uint64_t hint_addr[2];
    uint32_t hint_len[2];
    char hint_near[HINT_NEAR_SIZE];
};

enum stub_op {
    ORDER_COPY_IN = 1, /* guest address, stub address, size: bytes copied */
    ORDER_COPY_OUT,    /* guest address, stub address, size: bytes copied */
    ORDER_COPY_STRING, /* guest address, stub address, size: bytes with the NUL; size + 1: none
                          found; -EFAULT */
    ORDER_HOST,        /* nr, args: the host's result */
    ORDER_MAP_FD,      /* args of mmap but fd: receives a descriptor, maps it, closes it */
    ORDER_LEND,        /* receives a descriptor and keeps it: its number */
    ORDER_READ,        /* descriptor, guest address, size, position: the whole, or it has failed */
    ORDER_SAVE_FP,     /* guest address, component mask */
    ORDER_LOAD_FP,     /* guest address, component mask */
    ORDER_RESET_FP,    /* component mask */
    ORDER_SET_FS,      /* base */
    ORDER_SET_GS,      /* base, uses_gs, entry of patched sites */
    ORDER_GET_BASES,
    ORDER_FORK,   /* receives memfd and control socket: the child's pid */
    ORDER_THREAD, /* address of the new context, flags to clone, fs base: tid */
    ORDER_EXIT,   /* the thread leaves; never rings again */
    ORDER_PARK,   /* the first thread of a process leaves: sleeps for ever instead */
    ORDER_FUTEX,  /* args of futex: its result; a kick ends a wait */
    ORDER_PATCH,  /* site, its 8 bytes as they should be, its new 8 bytes, base slot, base, entry to
                     store or 0 */
};
#define ORDER_IGNORE_ERRORS 1
#define ORDER_SET_TLS 2    /* ORDER_THREAD */
#define ORDER_NO_RESULT 8 /* ORDER_COPY_OUT: nobody reads how much was copied */
#define ORDER_OTHERS_RUN 4 /* ORDER_PATCH: other threads may be executing the bytes */

#define MAX_ORDERS 64

struct stub_order {
    uint16_t op, nr;
    uint32_t flags;
    uint64_t args[6];
    int64_t result;
};

/* The page of values: written during set-up, then read-only. */
struct stub_values {
    uint32_t event_fds;
    uint32_t reserved;
    uint64_t xfeatures; /* XCR0 */
};

/* The message that starts the template; the context memfd comes with it. */
#define STUB_MAX_MOVES 8
struct stub_setup {
    struct {
        uint64_t from, size, to;
    } moves[STUB_MAX_MOVES]; /* vvar and vDSO */
    uint32_t move_count;
    uint32_t filter_len; /* instructions; they lie in the window of context 0 */
    struct stub_values values;
};
#endif
