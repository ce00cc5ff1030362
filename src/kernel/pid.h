/*
 * Pid numbers and pid namespaces. A struct pid is the identity that outlives its task: groups,
 * sessions, pidfds and file owners refer to it. Numbers are handed out in order and wrap at
 * pid_max, as Linux does.
 */
#pragma once
#include "kernel/namespaces.h"
#include "kernel/task.h"

#define PID_MAX_DEFAULT 4194304

struct pid_namespace {
    struct ns_common common;
    struct pid_namespace *parent; /* [I] reference, NULL for the root */
    unsigned level;               /* [I] */
    struct rb_root numbers;       /* [tasklist] of pid_link */
    int32_t last;                 /* [tasklist] last number handed out */
    struct process *init;         /* [tasklist] weak: pid 1 */
    unsigned count;               /* [tasklist] live numbers */
    bool dying;                   /* [tasklist] init has exited: no new processes */
    bool reusable;                /* [tasklist] nothing has run in it yet: starts afresh after a failed first process */
};

extern struct pid_namespace root_pid_ns;
extern const struct ns_kind pid_ns_kind;

NODISCARD int pid_namespace_new(struct pid_namespace *parent, struct user_namespace *owner,
                                struct pid_namespace **ret);
struct pid_namespace *pid_namespace_get(struct pid_namespace *ns);
void pid_namespace_put(struct pid_namespace *ns);
void pid_namespace_end_locked(struct pid_namespace *ns); /* its init is reaped; tasklist_lock held */

/* -EAGAIN, -ENOMEM when the namespace is dying. set_tid (clone3): wanted numbers, innermost
 * namespace first: -EEXIST, -EINVAL. */
NODISCARD int pid_alloc(struct pid_namespace *ns, const int32_t *set_tid, size_t set_tid_size, struct pid **ret);
/* Gives the numbers back unless a task, a group or a session still uses them. tasklist_lock held.
 * */
void pid_release_numbers_locked(struct pid *pid);
struct pid *pid_get(struct pid *pid);
void pid_put(struct pid *pid);
/* The number as seen from ns; 0 if it has none there. */
int32_t pid_number_in(const struct pid *pid, const struct pid_namespace *ns);
int32_t pid_number(const struct pid *pid); /* as the current task sees it */
/* tasklist_lock held; borrowed. */
struct pid *pid_find_locked(struct pid_namespace *ns, int32_t number);
struct pid *pid_find(int32_t number); /* in current's namespace; reference */
/* Iterates the processes visible in ns in order of number: the first one >= start, with a
 * reference, or NULL. For /proc. */
struct process *process_next(struct pid_namespace *ns, int32_t start, int32_t *ret_number);
/* The same over the threads of one process. */
struct task *thread_next(struct process *p, struct pid_namespace *ns, int32_t start, int32_t *ret_number);
struct pid_namespace *current_pid_ns(void);
/* The processes of ns in order of number, for walks under tasklist_lock: the first one above
 * `after`, borrowed. */
struct process *process_next_locked(struct pid_namespace *ns, int32_t after, int32_t *ret_number);
unsigned task_total(void); /* live tasks in the sandbox: sysinfo, loadavg, limits */
