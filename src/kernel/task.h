/*
 * Tasks and processes.
 *
 * A task is a guest thread: one fiber, one platform context. A process is a thread group: the tasks
 * that share a pid, signal handlers' dispositions, limits and a place in the process tree. What may
 * be shared more finely (memory, descriptors, file-system context, handlers) hangs off the task by
 * reference, as on Linux.
 *
 * Life: task_new() (clone.c) -> task_start() -> task_main() (run.c) loops platform_run / dispatch /
 * signals -> task_exit() (exit.c), which ends the fiber. The last task of a process turns it into a
 * zombie; wait.c reaps it. The struct process stays while anything refers to it (pid table,
 * waiters, pidfds, fown).
 *
 * Locks, in order:
 *   process->exec_lock (mutex)     exec against ptrace, /proc readers of mm
 *   tasklist_lock (spinlock)       the process tree, thread lists, pid tables, sessions and groups, exit state
 *   process->sig.lock (spinlock)   pending signals, dispositions, stop state; see kernel/signal.h
 *   wait queue locks
 * Anything else (fdtable, fs_context, mm) has its own and is never taken under these spinlocks.
 */
#pragma once
#include "base/base.h"
#include "base/rbtree.h"
#include "base/refcount.h"
#include "kernel/cred.h"
#include "kernel/limits.h"
#include "kernel/rseq.h"
#include "kernel/namespaces.h"
#include "kernel/seccomp.h"
#include "kernel/signal.h"
#include "kernel/user_dispatch.h"
#include "platform/platform.h"
#include "sched/fiber.h"
#include "sched/mutex.h"
#include "sched/timer.h"
#include "sched/wait.h"

struct fdtable;
struct fs_context;
struct mm;
struct pid_namespace;
struct ipc_namespace;
struct net_namespace;
struct key;
struct pi_state;
struct sem_undo_list;
struct tty;
struct file;
struct container;
struct sock_filter;

#define TASK_COMM_LEN 16

/* One number in each pid namespace from the task's own outwards; numbers[0] is the root
 * namespace's. Kept by pid.c. */
#define PID_NS_DEPTH 33
struct pid {
    struct refcount ref;
    unsigned level;               /* [I] numbers[0..level] are valid */
    struct pid_namespace *ns;     /* [I] innermost, reference */
    int32_t numbers[PID_NS_DEPTH];
    struct task *task;            /* [tasklist] weak; NULL when the thread is gone */
    struct process *process;      /* [tasklist] weak; the process this is the pid of; NULL for other threads */
    struct list group_members;    /* [tasklist] of process.group_link */
    struct list session_members;  /* [tasklist] of process.session_link */
    struct wait_queue exit_queue; /* woken when the process becomes a zombie (pidfd poll) */
    bool numbered;                /* [tasklist] its numbers are taken */
    struct pid_link {
        struct rb_node node;      /* [tasklist] in the namespace's tree of numbers */
        struct pid *pid;
    } links[]; /* level + 1 of them */
};

/* The namespaces of a task, but for its own pid namespace (pid->ns), its mounts (fs->ns) and its
 * user namespace (cred->user_ns). References; kernel/namespaces.h. */
struct ns_set {
    union {
        struct {
            struct uts_namespace *uts;
            struct ipc_namespace *ipc;
            struct net_namespace *net;
            struct cgroup_namespace *cgroup;
            struct time_namespace *time, *time_for_children;
            struct pid_namespace *pid_for_children;
        };
        struct ns_common *all[NS_SLOTS]; /* by slot: each begins with it; NULL: there is no such kind */
    };
};

enum process_state { PROCESS_RUNNING, PROCESS_ZOMBIE, PROCESS_REAPED };

struct cpu_times {
    int64_t user, system; /* ns */
};

/* /proc/PID/io: what read(2) and write(2) and their like have moved. */
struct io_counts {
    uint64_t rchar, wchar, syscr, syscw;
};

struct process {
    struct refcount ref;
    struct pid *pid;                 /* [I] reference */
    struct process *parent;          /* [tasklist] weak; NULL only for the first process and orphans of the kernel */
    struct list children;            /* [tasklist] of child_link */
    struct list child_link;          /* [tasklist] */
    struct list tracees;             /* [tasklist] of ptrace_state.link */
    struct list tasks;               /* [tasklist] of task.thread_link; the leader stays until reaped */
    unsigned task_count;             /* [tasklist] live tasks */
    struct task *leader;             /* [tasklist] */
    enum process_state state;        /* [tasklist] */
    int exit_status;                 /* [tasklist] wait status encoding, valid from zombie on */
    bool exiting;                    /* [sig.lock] group exit under way: group_exit_status is set */
    int group_exit_status;           /* [sig.lock] */
    struct task *exec_task;          /* [sig.lock] the task whose exec is ending all the others, or NULL */
    bool unkillable;                 /* [I] an init: signals it has no handler for do not reach it */
    int exit_signal;                 /* [tasklist] sent to the parent at exit: SIGCHLD usually, 0 none */
    bool child_subreaper;            /* [tasklist] prctl */
    bool did_exec;                   /* [tasklist] setpgid refuses after it */
    bool dumpable;
    struct key *key_process;         /* [keys_lock] reference or NULL */
    bool thp_disabled, io_flusher;   /* [a] prctl */
    unsigned char mce_policy, mdwe;  /* [a] prctl; mdwe: no memory that was writable becomes executable */
    unsigned core_filter;            /* /proc/PID/coredump_filter */
    struct wait_queue child_wait;    /* wait4: children changed state */
    struct pid *group, *session;     /* [tasklist] references */
    struct list group_link, session_link; /* [tasklist] */
    struct container *container;     /* [I] once linked; reference, or NULL: kernel/container.h */
    struct list container_link;      /* [tasklist] */
    struct tty *tty;                 /* [tasklist] controlling terminal, reference; see fs/devpts/tty.h */
    struct process_signals sig;      /* kernel/signal.h */
    struct limits limits;            /* kernel/limits.h, own lock */
    struct cpu_limit *cpu_limit;     /* [a] the watch over RLIMIT_CPU, or NULL: kernel/cpu_limit.c */
    struct itimers *itimers;         /* [sig.lock] made on first use: kernel/itimer.c */
    struct list posix_timers;        /* [sig.lock] kernel/posix_timers.c */
    int next_timer_id;               /* [sig.lock] */
    int64_t start_time;              /* [I] monotonic */
    struct cpu_times dead_times;     /* [tasklist] of exited threads */
    struct io_counts dead_io;        /* [tasklist] the same */
    struct cpu_times child_times;    /* [tasklist] of waited-for children */
    long max_rss, child_max_rss;     /* [tasklist] KiB, as far as somebody asked: usage.h */
    int64_t measured_at;             /* [a] */
    bool measures_children;          /* [a] it has asked for a child's resource usage */
    struct pid *yama_tracer;         /* [tasklist] PR_SET_PTRACER: reference, or NULL; trace_access.h */
    bool yama_any;                   /* [tasklist] */
    struct mutex exec_lock;
    struct file *exe;                /* [exec_lock] reference: /proc/PID/exe */
    unsigned char oom_score_adj_set;
    int oom_score_adj;
    void (*exited)(void *arg, int wait_status); /* [I] of the first process, else NULL */
    void (*stopped)(void *arg, int signo);
    void *exited_arg;
};

/* Guest memory that was found writable, as long as mm->changes stands. */
struct known_range {
    const struct mm *mm;
    uint64_t changes;
    uaddr_t start, end;
};

struct task {
    struct refcount ref;             /* the fiber, the pid look-ups, the thread list */
    struct process *process;         /* [I] reference */
    struct pid *pid;                 /* [I] reference: the tid */
    struct list thread_link;         /* [tasklist] */
    struct fiber *fiber;             /* [platform_lock] NULL once it ends */
    struct context *ctx;             /* [t] NULL once the host side is gone; others only under platform_lock */
    struct spinlock platform_lock;   /* fiber and ctx against kicks from others; ordered after sig.lock */
    struct mm *mm;                   /* [t] reference; read by others under exec_lock */
    struct fdtable *files;           /* [t] reference; others: task_get_files() */
    struct fs_context *fs;           /* [t] reference; others: task_get_fs() */
    struct spinlock alloc_lock;      /* files, fs, cred, ns pointers against other tasks' reading */
    const struct cred *cred;         /* [alloc_lock to change] reference */
    struct ns_set ns;                /* [alloc_lock] references */
    struct cgroup *cgroup;           /* [tasklist] reference, counted in its pids: kernel/cgroup.h */
    bool freeze;                     /* [tasklist to change] it is to stand still */
    bool frozen;                     /* [tasklist] it does */
    struct sem_undo_list *sem_undo;  /* [t] shared with CLONE_SYSVSEM, or NULL: ipc/sem_undo.h */
    struct task_signals sig;         /* kernel/signal.h */
    char comm[TASK_COMM_LEN];        /* [alloc_lock] */
    uaddr_t clear_child_tid;         /* [t] set_tid_address */
    bool vfork_pending;              /* [a] the parent sleeps on vfork_queue until exec or exit */
    struct wait_queue vfork_queue;
    uaddr_t set_child_tid;           /* [t] where the child writes its tid before it runs, or 0 */
    struct cpu_times past_times;     /* [platform_lock] of contexts it had before this one */
    bool counted;                    /* [t] it is in counted_uid's RLIMIT_NPROC count: users.h */
    uint32_t counted_uid;
    int exit_code;                   /* [t] wait status encoding */
    bool exit_requested;             /* [t] do_exit(): the task ends when its system call returns */
    bool frame_queued, image_queued; /* [t] what a failing deferred order means: a signal frame, a new image */
    struct fault fault;              /* [t] the last one: trapno, error code and cr2 of signal frames */
    bool exiting, exited;            /* [tasklist] */
    int pdeath_signal;
    unsigned long personality;
    struct rseq_registration rseq;   /* [t] */
    struct key *key_thread, *key_session; /* [keys_lock] references or NULL: kernel/keys.h */
    int key_default;                 /* [t] keyctl(KEYCTL_SET_REQKEY_KEYRING) */
    struct pi_state *pi_waits_for;   /* [futex_pi.c's lock] */
    struct known_range known_writable; /* [t] mm_known_writable() */
    uint32_t mempolicy;              /* [t] mm/mempolicy.h */
    uint16_t ioprio;                 /* [a] ioprio_set(2); 0: none */
    int nice, sched_policy, sched_priority;
    bool sched_reset;                /* SCHED_RESET_ON_FORK */
    uint64_t cpu_mask[16];           /* sched_setaffinity as asked for; 1024 CPUs */
    int64_t timer_slack;
    int syscall_nr;                  /* [t] current call, -1 outside */
    struct restart_block restart;    /* [t] for restart_syscall */
    uint64_t syscall_count;
    struct io_counts io;             /* [t] */
    unsigned call_work;              /* [a] CALL_WORK_...: why its calls take the long way; call_entry.h */
    struct seccomp_state seccomp;    /* kernel/seccomp.h */
    struct user_dispatch dispatch;   /* [t] kernel/user_dispatch.h */
    struct ptrace_state *ptrace;     /* made when first traced, kept with the task: kernel/ptrace.h */
};

extern struct spinlock tasklist_lock;

/* The task served by the running fiber; NULL in kernel background fibers and on plain threads. */
static inline struct task *current_task(void)
{
    return in_fiber() ? (struct task *)fiber_local(fiber_self()) : NULL;
}
#define current current_task()

struct task *task_get(struct task *t);
void task_put(struct task *t);
struct process *process_get(struct process *p);
void process_put(struct process *p);

/* ---- references to another task's parts; NULL once it has exited ---- */
struct fdtable *task_get_files(struct task *t);
struct fs_context *task_get_fs(struct task *t);
struct mm *task_get_mm(struct task *t);
const struct cred *task_get_cred(struct task *t);
struct ns_common *task_get_ns(struct task *t, const struct ns_kind *kind);
/* pid and time: what its children will have. Else, and where there is none, NULL. */
struct ns_common *task_get_child_ns(struct task *t, const struct ns_kind *kind);
/* Own task; consumes the reference; updates the stub's answers. */
void task_set_cred(struct task *t, const struct cred *cred);
void task_set_comm(struct task *t, const char *name);

/* ---- verbs ---- */

/* clone(2)/clone3/fork/vfork decoded. */
struct clone_args {
    uint64_t flags;
    uaddr_t stack, stack_size; /* stack: top of the stack (already base + size for clone3) or 0 */
    uaddr_t parent_tid, child_tid, tls, pidfd;
    int exit_signal;
    uaddr_t set_tid;
    size_t set_tid_size;
    int cgroup; /* CLONE_INTO_CGROUP */
};
/* The child's pid in the caller's namespace; the child is started. For CLONE_VFORK waits. */
NODISCARD int64_t do_clone(const struct clone_args *args);

/* execve decoded: argv and envv are bounded vectors in kernel memory, owned by the caller. On
 * success does not return to the old image: the caller returns 0 from its system call and the
 * registers are the new image's. */
struct exec_args {
    int dirfd;
    const char *filename;
    unsigned walk_flags;
    char **argv, **envv; /* NULL-terminated */
};
NODISCARD int do_execve(const struct exec_args *args);

/* Both mark the current task as ending and return: it ends when the system call (or
 * signal_deliver()) returns to task_main(), so every scope on the way is left in the ordinary way.
 * */
void do_exit(int wait_status);       /* this task only: exit(2) */
void do_exit_group(int wait_status); /* wait status encoding */
/* From any fiber: every task of the process ends soon with this wait status. */
void process_kill_group(struct process *p, int wait_status);

struct wait_args {
    int type;          /* P_PID, P_PGID, P_ALL, P_PIDFD resolved to a pid */
    struct pid *pid;   /* for P_PID and P_PGID; borrowed */
    int options;       /* WNOHANG, WUNTRACED/WSTOPPED, WCONTINUED, WEXITED, WNOWAIT, __WCLONE, __WALL, __WNOTHREAD */
};
struct wait_result {
    int32_t pid;
    uint32_t uid;
    int status;        /* wait status encoding */
    int code;          /* CLD_EXITED ... */
    struct cpu_times times;
    long max_rss;      /* KiB, if it was measured: usage.h */
};
/* 1: ret is filled; 0: WNOHANG and nothing; -ECHILD, -ERESTARTSYS. */
NODISCARD int do_wait(const struct wait_args *args, struct wait_result *ret);

/* The first process of a container: credentials, root, descriptors and limits are given. Started by
 * task_start(). */
struct first_process_args {
    const char *filename;
    char **argv, **envv;
    const struct cred *cred;      /* reference consumed on success */
    struct fs_context *fs;        /* consumed on success */
    struct fdtable *files;        /* consumed on success */
    struct container *container;  /* borrowed; its namespaces are the process's */
    struct cgroup *cgroup;        /* borrowed; NULL: the container's */
    const struct limits *limits;
    uint64_t ignored_signals;     /* SIGBIT(n) */
    struct tty *tty;              /* controlling terminal, or NULL; reference consumed on success */
    bool init;                    /* behave as a container's init: signals without a handler do not end it */
    int oom_score_adj, nice;
    unsigned long personality;
    /* Called once, when the process is a zombie, with its wait status; from a fiber. */
    void (*exited)(void *arg, int wait_status);
    /* Called each time a signal has stopped it, as its parent would be told; from a fiber. May be
     * NULL. */
    void (*stopped)(void *arg, int signo);
    void *exited_arg; /* of both */
};
/* Must run in a fiber. An exec failure (ENOENT, EACCES, ENOEXEC) is returned and nothing is left
 * behind. */
NODISCARD int process_start_first(const struct first_process_args *args, struct process **ret);

int kernel_init(void); /* tables; before the first process */

/* How run.c reaches the system calls; set by syscalls_init(). */
extern int64_t (*task_syscall_hook)(uint64_t nr, const uint64_t *args);

/* ---- for kernel/ itself ---- */

/* A task of `process` (NULL: a new process with `parent`'s attributes, or bare for parent NULL),
 * not yet started, not in the tree. On failure nothing is left. */
NODISCARD int task_new(struct process *process, struct task *from, struct task **ret);
NODISCARD int process_new(struct task *from, struct process **ret);
void task_main(void *task); /* run.c: the fiber of a task */
void task_exit(struct task *t); /* exit.c: the end of task_main() */
/* Makes the task look at its signals soon, wherever it is (any). */
void task_kick(struct task *t);
/* Has the task been told to end? Long waits that ignore signals give up on this. */
bool task_dying(const struct task *t);
void task_publish_answers(struct task *t); /* own task, or before it runs */
void tasks_publish_ids(const struct user_namespace *ns); /* its maps have changed */
void task_vfork_done(struct task *t);
/* Leaves the memory of the old image: robust futexes, clear_child_tid, the vfork parent. exit.c,
 * exec.c. */
void task_release_memory(struct task *t);
/* CPU time of a live or dead task (any); tasklist_lock held for the process variant. */
void task_cpu_times(struct task *t, struct cpu_times *ret);
void process_cpu_times(struct process *p, struct cpu_times *ret);
void io_counts_add(struct io_counts *sum, const struct io_counts *one);
/* Waits for cond, through signals, until the task is told to end (-EINTR). */
#define wait_event_killable(q, cond)                                     \
    ({                                                                   \
        int kill_err_;                                                   \
        for (;;) {                                                       \
            kill_err_ = wait_event_interruptible(q, cond);               \
            if (!kill_err_)                                              \
                break;                                                   \
            fiber_clear_interrupt(fiber_self());                         \
            if (task_dying(current)) {                                   \
                kill_err_ = -EINTR;                                      \
                break;                                                   \
            }                                                            \
        }                                                                \
        signal_recalculate(current);                                     \
        kill_err_;                                                       \
    })

/* ---- look-ups (tasklist_lock inside; references returned) ---- */
struct task *task_find(int32_t tid);        /* in the current task's pid namespace */
struct process *process_find(int32_t pid);
