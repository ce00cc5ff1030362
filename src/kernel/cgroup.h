/*
 * Control groups: one tree for the sandbox, seen through cgroup2 (and, for the controllers that
 * have such files, version 1) mounts in fs/cgroup, through /proc/PID/cgroup, and by the control
 * interface.
 *
 * A cgroup is made by mkdir or cgroup_create() and removed when nothing is in it. Every task is in
 * one; a new one is in its creator's. The struct lives on while anything refers to it (tasks,
 * inodes, cgroup namespaces), `dead` then.
 *
 * What counts: the number of tasks is limited by pids.max; cpuset.cpus narrows the affinity;
 * memory.max that a guest has set is enforced by killing (kernel/cgroup_memory.c); freezing and
 * killing work.
 * DEVIATION: cpu and io values are checked, kept and shown, but the host schedules as it likes; version 1
 * hierarchies are views of the one tree.
 *
 * Locks: cgroup_mutex (the tree, the values) > tasklist_lock (which task is in which cgroup,
 * freezing). A cgroup's parent never changes.
 */
#pragma once
#include "base/base.h"
#include "base/list.h"
#include "base/refcount.h"
#include "kernel/namespaces.h"
#include "sched/mutex.h"
#include "sched/wait.h"

struct inode;
struct mm;
struct process;
struct strbuf;

enum cgroup_controller { CG_CPUSET, CG_CPU, CG_IO, CG_MEMORY, CG_PIDS, CG_CONTROLLERS };
#define CG_BIT(c) (1u << (c))
#define CG_ALL ((1u << CG_CONTROLLERS) - 1)

#define CGROUP_MAX UINT64_MAX /* "max" */
#define CGROUP_NAME_MAX 255
#define CGROUP_CPU_WORDS 16

/* What chown and chmod made of its directory [0], and of cgroup.procs, .threads, .subtree_control. */
struct cgroup_owner {
    uint32_t uid, gid, mode;
    bool changed; /* mode counts */
};

struct cgroup {
    struct refcount ref;
    struct cgroup *parent;          /* [I] reference; NULL for the root */
    unsigned level;                 /* [I] */
    uint64_t id;                    /* [I] inode number of its directory */
    char *name;                     /* [I] */
    struct list children, sibling;  /* [cgroup_mutex] */
    bool dead;                      /* [cgroup_mutex] removed */
    unsigned subtree_control;       /* [cgroup_mutex] CG_BIT()s that its children have */
    uint64_t max_depth, max_descendants; /* [cgroup_mutex] */
    unsigned descendants, dying;    /* [cgroup_mutex] below it; removed ones that are still referred to */

    unsigned live;                  /* [tasklist] tasks in it and below that have not ended */
    unsigned own_live;              /* [tasklist] in itself */
    bool freeze;                    /* [tasklist] cgroup.freeze */
    unsigned frozen;                /* [tasklist] of `live`, those that stand still */
    _Atomic uint32_t events;        /* changes of cgroup.events, for poll */
    _Atomic uint32_t memory_events; /* of memory.events */
    struct wait_queue events_queue;

    _Atomic uint64_t pids_max, pids_current, pids_peak, pids_failed;
    _Atomic uint64_t memory_min, memory_low, memory_high, memory_max, swap_max, swap_high;
    _Atomic uint64_t memory_peak, memory_failed, oom_kills;
    bool memory_watched; /* [cgroup_mutex] a guest has set memory_max */
    _Atomic bool memory_visible, oom_group; /* visible: MemTotal is its limit, for who is in it */
    _Atomic uint64_t cpu_weight, cpu_quota, cpu_period, cpu_burst;
    _Atomic bool cpu_idle;
    _Atomic int64_t dead_user, dead_system; /* CPU time of tasks that have ended, in itself */
    uint64_t cpus[CGROUP_CPU_WORDS];  /* [cgroup_mutex to change] cpuset.cpus; empty: the parent's */
    bool cpus_set;
    _Atomic uint64_t io_weight;
    char *io_max;                   /* [cgroup_mutex] as written */
    struct cgroup_owner owners[4];  /* [cgroup_mutex to change] */
};

/* ---- for the control interface ---- */

struct cgroup *cgroup_root(void); /* borrowed */
/* path: "/a/b", from the root of the tree. Makes what is missing on the way. Reference. */
NODISCARD int cgroup_create(const char *path, struct cgroup **ret);
NODISCARD int cgroup_find(const char *path, struct cgroup **ret); /* -ENOENT; reference */
NODISCARD int cgroup_remove(const char *path);                    /* -EBUSY: somebody or something is in it */
struct cgroup *cgroup_get(struct cgroup *cg);
void cgroup_put(struct cgroup *cg); /* NULL is fine */
/* Moves the process, all its threads, without asking for permission. */
NODISCARD int cgroup_attach(struct cgroup *cg, struct process *p);
/* Is there such a cgroup? controller: "memory", ..., or NULL. */
bool cgroup_exists(const char *controller, const char *path);
/* A control file, by its version 2 or version 1 name: -ENOENT, or what write(2) would say. text need
 * not end in a newline. */
NODISCARD int cgroup_file_write(struct cgroup *cg, const char *file, const char *text);
NODISCARD int cgroup_file_read(struct cgroup *cg, const char *file, struct strbuf *out);
/* From now on those in it see memory.max as the size of the machine's memory. */
void cgroup_show_limits(struct cgroup *cg);
void cgroup_freeze(struct cgroup *cg, bool on);
void cgroup_kill(struct cgroup *cg);

/* ---- the tree, for fs/cgroup ---- */

extern struct mutex cgroup_mutex;
NODISCARD int cgroup_mkdir(struct cgroup *parent, const char *name, struct cgroup **ret); /* reference */
NODISCARD int cgroup_rmdir(struct cgroup *cg);
struct cgroup *cgroup_child(struct cgroup *cg, const char *name, size_t len); /* cgroup_mutex held; borrowed */
unsigned cgroup_controllers(const struct cgroup *cg); /* CG_BIT()s it has */
/* As seen from `top`: "/" for itself, "/.." outside. */
void cgroup_path(const struct cgroup *cg, const struct cgroup *top, struct strbuf *out);
bool cgroup_within(const struct cgroup *cg, const struct cgroup *top);
/* Set by fs/cgroup: the cgroup that a directory of it is, borrowed, or NULL. */
extern struct cgroup *(*cgroup_of_inode)(struct inode *inode);

/* A control file. Rows are in cgroup_files.c and cgroup_controllers.c. */
#define CG_FILE_V2 1u
#define CG_FILE_V1 2u
#define CG_FILE_ROOT 4u      /* in the root too */
#define CG_FILE_EVENTS 8u    /* poll: when cgroup.events changes */
#define CG_FILE_MEMORY_EVENTS 16u
#define CG_FILE_CORE CG_CONTROLLERS /* controller: none */
struct cgroup_file {
    const char *name;
    unsigned controller; /* enum, or CG_FILE_CORE */
    unsigned flags;
    const char *v1; /* the version 1 hierarchies that have it: "memory"; NULL: all */
    int (*show)(struct cgroup *cg, struct strbuf *out);     /* NULL: not readable */
    int (*write)(struct cgroup *cg, char *text, uint64_t arg); /* NULL: not writable; text without the newline */
    uint64_t arg;
};
const struct cgroup_file *cgroup_file_at(unsigned index); /* NULL after the last */
/* Does cg have it in a mount of this kind? v1: the mount's controllers, or NULL for version 2. */
bool cgroup_has_file(const struct cgroup *cg, const struct cgroup_file *file, const char *v1);
NODISCARD int cgroup_file_write_row(struct cgroup *cg, const struct cgroup_file *file, char *text);

/* ---- version 1 hierarchies: as long as one is mounted ---- */

struct cgroup_hierarchy;
/* controllers: "cpu,cpuacct"; the same again is the same hierarchy. Reference. */
NODISCARD int cgroup_hierarchy_get(const char *controllers, struct cgroup_hierarchy **ret);
void cgroup_hierarchy_put(struct cgroup_hierarchy *h);
const char *cgroup_hierarchy_controllers(const struct cgroup_hierarchy *h);
int cgroup_hierarchy_id(const char *controller); /* the one it is in; 0: none */
/* Lines of /proc/PID/cgroup. */
void cgroup_hierarchies_show(const struct cgroup *cg, const struct cgroup *top, struct strbuf *out);

/* ---- for tasks ---- */

struct task;
int cgroup_init(void);
/* A task more: -EAGAIN over pids.max. The task holds a reference to cg from now on. */
NODISCARD int cgroup_charge_task(struct task *t, struct cgroup *cg);
void cgroup_uncharge_task(struct task *t);
/* tasklist_lock held: it begins to run; it has ended; it stands still because of freeze, or no more. */
void cgroup_task_linked_locked(struct task *t);
void cgroup_task_exited_locked(struct task *t);
void cgroup_freeze_wait(struct task *t); /* own task: stands still as long as it must */
/* CLONE_INTO_CGROUP's descriptor; a reference. */
NODISCARD int cgroup_from_fd(int fd, struct cgroup **ret);
/* Takes the CPUs away that t's cgroups do not allow, unless none would be left. */
struct task;
void cgroup_narrow_cpus(const struct cgroup *cg, uint64_t mask[CGROUP_CPU_WORDS]);
/* The machine's memory as the running task is to see it, of `total` bytes; how much of it is used
 * by those it shares the limit with (0: not limited). */
uint64_t cgroup_memory_total(uint64_t total, uint64_t *ret_used);

/* ---- cgroup namespaces ---- */

struct cgroup_namespace {
    struct ns_common common;
    struct cgroup *root; /* [I] reference: what members see as "/" */
};
struct cgroup *current_cgroup_root(void); /* borrowed */
