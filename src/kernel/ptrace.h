/*
 * ptrace(2): one process (the tracer) runs the threads of others (tracees) step by step.
 *
 * A tracee stops on its own fiber, in ptrace_stop(): its deferred orders are carried out, a copy of
 * its registers is laid open in struct ptrace_state, the tracer is told (SIGCHLD, wait4). It sleeps
 * until the tracer resumes it, is gone, or somebody kills it; what the tracer changed is put back
 * on the way out. What needs the tracee's own thread meanwhile (FP state, writing to what it may
 * not write) is a *request* that the sleeping tracee carries out (ptrace_call()).
 *
 * Where it stops: at the entry and exit of system calls (call_entry.c), before a signal takes
 * effect and for job control (signal_deliver.c), and at events of its life: fork, vfork, clone,
 * exec, exit, and seccomp's TRACE.
 *
 * DEVIATION: the tracer is a process. On Linux it is one thread of it, and no other may ask.
 */
#pragma once
#include "abi/regs.h"
#include "base/base.h"
#include "sched/wait.h"
#include <signal.h>

struct task;
struct process;
struct wait_args;
struct wait_result;

struct ptrace_state {
    struct task *task;       /* [I] whose it is; it lives as long */
    struct process *tracer;  /* [tasklist] weak; NULL: not traced */
    struct list link;        /* [tasklist] of tracer->tracees, which holds a reference to the task */
    unsigned options;        /* [tasklist] PTRACE_O_... */
    bool seized;             /* [tasklist] */
    bool zombie;             /* [tasklist] a thread that has exited and waits for the tracer */
    int zombie_status;
    /* how it was resumed: set by the tracer while it is stopped, read by itself */
    bool syscalls, emulate, step;
    bool stepping; /* [t] the trap flag in its registers is ours */
    /* the stop */
    bool stopped;            /* [tasklist] */
    bool reported;           /* [tasklist] wait4 has told */
    bool listening;          /* [tasklist] PTRACE_LISTEN */
    bool in_event_stop;      /* [tasklist] the stop is a PTRACE_EVENT_STOP */
    int code, why;           /* [tasklist] of wait4, CLD_... */
    int signal;              /* [tasklist] what the tracer resumed it with */
    bool has_info;
    siginfo_t info;          /* while stopped: the tracer's */
    struct regs regs;        /* while stopped: the tracer's */
    bool regs_changed;
    uint64_t message;        /* PTRACE_GETEVENTMSG */
    int op;                  /* PTRACE_SYSCALL_INFO_... */
    uint32_t seccomp_data;
    uint64_t debug[8];       /* the debug registers, as far as they mean nothing */
    /* asked for by others */
    bool trap_stop, trap_notify; /* [tasklist] PTRACE_INTERRUPT, SIGCONT: a PTRACE_EVENT_STOP is due */
    unsigned stop_seen;          /* [t] the group stop it has reported */
    struct wait_queue queue;     /* the tracee sleeps here */
    int (*request)(struct task *t, void *arg); /* [tasklist] */
    void *request_arg;
    int request_result;
    bool request_done;
    struct wait_queue answered; /* the tracer sleeps here */
};

int64_t do_ptrace(int64_t request, int32_t pid, uaddr_t addr, uaddr_t data);

bool ptrace_is_traced(const struct task *t); /* a hint without tasklist_lock */

/* ---- steps of the tracee: own task; none of them does anything if it is not traced ---- */

/* Stops with `signo` about to be delivered; *info may be changed. The signal to deliver, or 0. */
int ptrace_signal(struct task *t, int signo, siginfo_t *info);
/* Is a stop other than for signals due? Then signal_deliver() calls ptrace_trap(). */
bool ptrace_trap_pending(const struct task *t);
void ptrace_trap(struct task *t);
/* Stops for event PTRACE_EVENT_... if the tracer asked for it. */
void ptrace_event(struct task *t, int event, uint64_t message);
bool ptrace_event_seccomp(struct task *t, int data); /* false: nobody asked */
/* The entry of a call: false if it is not to be executed. And its exit. */
bool ptrace_call_entry(struct task *t);
void ptrace_call_exit(struct task *t);
/* Events that arrive with the trap flag that single-stepping had set. */
void ptrace_clear_step(struct task *t);
/* Does a new child of t (clone event `event`, CLONE_PTRACE?) begin traced? tasklist_lock held. */
void ptrace_new_child_locked(struct task *child, struct task *t, int event, bool clone_ptrace);
bool ptrace_event_enabled(const struct task *t, int event);

/* ---- for exit.c, signal.c, wait.c: tasklist_lock held ---- */

struct process *ptrace_tracer_locked(const struct task *t); /* or NULL */
/* A thread other than the leader ends: true if it stays for its tracer. */
bool ptrace_thread_exit_locked(struct task *t, int status);
/* A zombie process: true if its tracer, which is not its parent, is told first. */
bool ptrace_notify_exit_locked(struct process *p);
/* SIGCONT or a new group stop reaches t. */
void ptrace_job_control_locked(struct task *t, bool continued);
/* One tracee that fits: 1 and ret, 0 there are some, -ECHILD. Processes to reap go on `dead`, a task to put in
 * *ret_put. */
int ptrace_wait_locked(const struct wait_args *args, struct wait_result *ret, struct list *dead,
                       struct task **ret_put);
/* Not locked: the tracer ends. */
void ptrace_tracer_exit(struct process *p);
void ptrace_free(struct task *t);

/* ---- between ptrace.c, ptrace_request.c and ptrace_regs.c ---- */

/* Runs fn on the stopped tracee's fiber: its result, or -ESRCH if it is not stopped any more. */
NODISCARD int ptrace_call(struct task *t, int (*fn)(struct task *t, void *arg), void *arg);
int64_t ptrace_regs_request(struct task *t, int64_t request, uaddr_t addr, uaddr_t data);
/* Memory of the tracee as a debugger sees it: read-only and unreadable pages are no obstacle. */
NODISCARD ssize_t ptrace_peek(struct task *t, uaddr_t addr, void *buf, size_t n);
NODISCARD ssize_t ptrace_poke(struct task *t, uaddr_t addr, const void *buf, size_t n);
/* A stopped tracee of the current process: is t one? Any that has this memory: a reference, or NULL. */
bool ptrace_is_stopped(struct task *t);
struct mm;
struct task *ptrace_find_stopped(const struct mm *mm);
