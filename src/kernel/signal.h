/*
 * Signals: signal(7).
 *
 * Pending signals sit in two queues: the task's own and the process's. Dispositions may be shared
 * between processes (CLONE_SIGHAND). The blocked mask of a task lives in its platform context so
 * that the stub can change it by itself (platform.h): read with task_sigmask().
 *
 * Sending: signal_send_*() decides whether it is ignored, queues it, picks a task that does not
 * block it, and makes that task come to the kernel: fiber_interrupt() if it sleeps in a call,
 * platform_kick() if it runs guest code. Receiving: task_main() calls signal_deliver() before each
 * resume; it takes the next unblocked signal and stops, ends the process, or builds the handler's
 * frame (signal_frame.c).
 *
 * Interrupted calls return -ERESTARTSYS (restart if SA_RESTART or no handler), -ERESTARTNOINTR
 * (always), -ERESTARTNOHAND (if no handler) or -ERESTART_RESTARTBLOCK (restart_syscall via
 * task->restart); signal_deliver() turns them into a restart (rip -= 2, rax = number) or -EINTR. A
 * guest never sees them.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "sched/spinlock.h"
#include "sched/wait.h"
#include <signal.h>

#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

#define SIGNAL_COUNT 64
typedef uint64_t sigmask_t; /* bit n-1 is signal n */
#define SIGBIT(n) (1ULL << ((n)-1))

struct task;
struct process;
struct pid;

/* As the guest's rt_sigaction sees it. */
struct guest_sigaction {
    uint64_t handler; /* SIG_DFL 0, SIG_IGN 1, or an address */
    uint64_t flags, restorer, mask;
};

struct sighand {
    struct refcount ref;
    struct spinlock lock;
    struct guest_sigaction action[SIGNAL_COUNT]; /* [lock] */
};

struct queued_signal {
    struct list link;
    siginfo_t info;
    void *timer; /* the POSIX timer it belongs to, or NULL */
};

struct pending {
    struct list queue; /* of queued_signal; standard signals at most once */
    sigmask_t set;
};

void pending_init(struct pending *q);

struct process_signals {
    struct spinlock lock;
    struct pending shared;        /* [lock] */
    struct sighand *sighand;      /* [I] reference */
    unsigned queued;              /* [a] against RLIMIT_SIGPENDING */
    bool stopped;                 /* [lock] group stop in force */
    unsigned stop_count;          /* [lock] group stops so far */
    int stop_signal;              /* [lock] */
    bool stop_reported, continued, continue_reported; /* [lock] for wait4 WUNTRACED, WCONTINUED */
    struct wait_queue stop_queue; /* stopped tasks sleep here */
    struct core *core;            /* [lock to change] a core file is being written: core_dump.h */
    struct task *core_dumper;     /* [lock to change] by whom */
    struct wait_queue core_queue; /* the other tasks sleep here meanwhile */
    struct wait_queue signalfd_queue; /* woken at each new signal: signalfd, sigtimedwait */
};

struct task_signals {
    struct pending own;           /* [process sig.lock] */
    sigmask_t saved_mask;         /* [t] of sigsuspend, ppoll, pselect, epoll_pwait */
    bool restore_mask;            /* [t] */
    uaddr_t altstack;             /* [t] */
    size_t altstack_size;
    int altstack_flags;
    sigmask_t waiting_for;        /* [lock] sigtimedwait: these are wanted although blocked */
    bool kill_pending;            /* [lock] SIGKILL or group exit: fatal, cannot be blocked */
};

struct restart_block {
    int64_t (*func)(struct restart_block *r);
    int64_t deadline;
    uint64_t args[5];
};

sigmask_t task_sigmask(struct task *t);
void task_set_sigmask(struct task *t, sigmask_t mask); /* own; SIGKILL and SIGSTOP stripped; recomputes pending */
/* For ppoll and friends: installs mask until signal_deliver() or task_restore_sigmask(). */
void task_set_temporary_sigmask(struct task *t, sigmask_t mask);
void task_restore_sigmask(struct task *t); /* the call was not interrupted */

/* Senders. `info` NULL: SI_KERNEL. Return 0, -EAGAIN (queue full), -ESRCH. Any fiber or timer
 * callback. */
int signal_send_task(struct task *t, int sig, const siginfo_t *info);
int signal_send_process(struct process *p, int sig, const siginfo_t *info);
int signal_send_group(struct pid *group, int sig, const siginfo_t *info); /* every process in a process group */
int signal_send_process_locked(struct process *p, int sig, const siginfo_t *info); /* tasklist_lock held */
/* A POSIX timer's own queued signal, at most once in the queue: 0 queued, 1 it was still there (an
 * overrun). */
int signal_send_timer(struct process *p, struct task *t, struct queued_signal *q);
/* Takes a timer's signal off whatever queue it is on. */
void signal_unqueue_timer(struct process *p, struct task *t, struct queued_signal *q);
void signal_flush_queue(struct pending *q); /* frees what is pending: an exiting task or process */
/* The guest's own fault: cannot be ignored or blocked (then it kills). */
void signal_force(struct task *t, int sig, const siginfo_t *info);
/* kill(2)'s permission check. */
NODISCARD int signal_permission(struct process *target, int sig);
void siginfo_user(siginfo_t *info, int sig, int code); /* si_pid, si_uid of current */

/* Interrupts the own fiber if there is something to deliver, else clears the interruption. Own
 * task. */
void signal_recalculate(struct task *t);
/* Is there something signal_deliver() would act on? Interruptible waits use fiber_interrupted()
 * instead. */
bool signal_pending(struct task *t);
/* Takes one pending signal in mask off the queues (sigtimedwait, signalfd): its number or 0. */
int signal_dequeue(struct task *t, sigmask_t mask, siginfo_t *ret_info);
sigmask_t signal_pending_set(struct task *t);

/* Called by task_main() before resuming, when the fiber is interrupted or the call's result is a
 * restart code. May mark the task as ending (task->exit_requested). */
void signal_deliver(struct task *t);
/* The task's own process ends by a signal that nothing can stop. */
void signal_kill_self(struct task *t, int sig, const siginfo_t *info);
/* Builds the handler's frame and points the registers at it: -EFAULT when the stack is bad.
 * signal_frame.c */
NODISCARD int signal_push_frame(struct task *t, const struct guest_sigaction *action, const siginfo_t *info,
                                sigmask_t saved_mask);
/* sigaltstack(2) decoded; either may be NULL. */
NODISCARD int signal_altstack(struct task *t, const stack_t *new_stack, stack_t *ret_old);
/* sigreturn(2): restores registers from the frame at the stack pointer. */
int64_t signal_return(struct task *t);

NODISCARD int sighand_new(struct sighand **ret);
NODISCARD int sighand_copy(struct sighand *from, struct sighand **ret);
struct sighand *sighand_get(struct sighand *s);
void sighand_put(struct sighand *s);
void sighand_exec(struct sighand *s); /* handlers back to default, ignored stay */
NODISCARD int signal_action(struct task *t, int sig, const struct guest_sigaction *new_action,
                            struct guest_sigaction *ret_old);
