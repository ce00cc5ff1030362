/* What the files of signals share among themselves: sets of signals, and steps that run under their
 * locks. */
#pragma once
#include "base/cleanup.h"
#include "kernel/signal.h"
#include <sys/epoll.h>

#define SYNCHRONOUS_SIGNALS \
    (SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGFPE) | SIGBIT(SIGSYS))
#define STOP_SIGNALS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define IGNORED_BY_DEFAULT (SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | SIGBIT(SIGURG) | SIGBIT(SIGWINCH))
#define CORE_SIGNALS                                                                                        \
    (SIGBIT(SIGQUIT) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGABRT) | SIGBIT(SIGFPE) | SIGBIT(SIGSEGV) | \
     SIGBIT(SIGBUS) | SIGBIT(SIGSYS) | SIGBIT(SIGXCPU) | SIGBIT(SIGXFSZ))
#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))

/* process->sig.lock held: takes one pending signal of `mask`: its number or 0. */
int signal_take_locked(struct task *t, sigmask_t mask, siginfo_t *ret);
/* process->sig.lock held: tells the stub what is pending. */
void signal_publish_pending(struct task *t);
/* Both locks held: signals for the process that t blocks are offered to its other tasks. */
void signal_retarget_locked(struct task *t, sigmask_t blocked);
/* tasklist_lock held. */
void signal_notify_parent_locked(struct process *p, int code, int status);
int signal_send_task_locked(struct task *t, int sig, const siginfo_t *info);
/* tasklist_lock held: SIGCHLD's details as the parent sees them. */
void siginfo_child(siginfo_t *info, struct process *p, int code, int status);
/* Both locks held: exec ends every other task of the process. */
void signal_kill_other_tasks_locked(struct task *survivor);
/* tasklist_lock held: may `sender`'s credentials signal it? 0 or -EPERM. */
int signal_permission_locked(struct process *target, int sig);
