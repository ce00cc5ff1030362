/*
 * Containers, as the kernel knows them: which processes belong together, and what can be done to all of them at once.
 *
 * A container has namespaces for its processes, and a list of them: the first process and those that are exec'd into
 * it are put there, and every child is where its parent is. What has become of it as the control interface sees it
 * (created, running, stopped) is control/'s business.
 *
 *     container_new(id, &c)          one reference
 *     c->mounts, c->ns ... = ...     set before the first process
 *     process_start_first(.container = c)
 *     container_kill(c); wait_event(&c->changed, !container_alive(c)); container_forget(c)
 *     container_put(c)
 *
 * References: whoever keeps it, and each process on the list. Locks: tasklist_lock protects the list.
 */
#pragma once
#include "base/base.h"
#include "kernel/task.h"

struct cgroup;
struct mount_namespace;
struct sock_filter;

struct container {
    struct refcount ref;
    char *id;                       /* [I] */
    struct mount_namespace *mounts; /* [I] once it is set up, as all of the namespaces; references */
    struct ns_set ns;               /* [I] */
    struct user_namespace *user_ns; /* [I] NULL: the root */
    struct cgroup *cgroup;          /* [I] reference; NULL: the root */
    struct sock_filter *filter; /* [I] of its first process and all that are exec'd into it, or NULL */
    size_t filter_len;          /* [I] */
    struct list processes;      /* [tasklist] of process.container_link */
    bool closed;                /* [tasklist] no process is started in it any more */
    unsigned signals;           /* [tasklist] how often all were signalled: a fork that met one begins again */
    _Atomic bool frozen;        /* [tasklist to change] */
    struct wait_queue changed;  /* a process has ended; or it is thawed */
};

NODISCARD int container_new(const char *id, struct container **ret);
struct container *container_get(struct container *c);
void container_put(struct container *c);
static inline struct pid_namespace *container_pid_ns(const struct container *c)
{
    return c->ns.pid_for_children;
}

/* ---- membership; tasklist_lock held ---- */
void container_join_locked(struct container *c, struct process *p); /* c may be NULL: nothing */
void container_leave_locked(struct process *p);                      /* and gives its reference back later */

/* ---- all processes at once ---- */

bool container_alive(struct container *c); /* has it a task that has not ended? */
/* Every process is sent the signal, and none is born without it: how many there were. */
unsigned container_signal_all(struct container *c, int sig);
void container_close(struct container *c); /* SIGKILL for all, and nobody comes after */
void container_forget(struct container *c); /* zombies that others have still to reap are not its any more */
/* The processes, with references; the caller frees the array. */
NODISCARD int container_list(struct container *c, struct process ***ret, size_t *ret_count);

/* ---- pausing: no task runs guest code until it is thawed, or killed ---- */

void container_freeze(struct container *c, bool freeze);
void containers_freeze_all(bool freeze); /* the whole sandbox, what is started later too */
extern _Atomic bool containers_frozen;

static inline bool task_frozen(const struct task *t)
{
    const struct container *c = t->process->container;
    return UNLIKELY(containers_frozen) || (c && UNLIKELY(c->frozen));
}
void task_wait_thawed(struct task *t); /* own task, before it goes on to the guest */

/* ---- watching ---- */

/* Told of every exec, and of every end (exec false: exit_status is valid), of a container's processes, on the fiber of
 * the process. NULL: nobody wants to know. */
typedef void container_watcher_fn(struct container *c, struct process *p, bool exec);
extern container_watcher_fn *_Atomic container_watcher;
void container_watch(struct process *p, bool exec); /* tells the watcher, if there is one */

/* ---- acting in a container without being one of its processes ---- */

/* The running fiber (that has no task) sees files, names and ids as a process of the container would, with `cred`
 * (borrowed; NULL: root). Undone by container_step_out(). For building it, and for look-ups on behalf of a process
 * that does not exist yet. */
struct cred;
NODISCARD int container_step_in(struct container *c, const struct cred *cred);
void container_step_out(void);
