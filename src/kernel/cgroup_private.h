/* What the files of the control groups share. */
#pragma once
#include "kernel/cgroup.h"

void cgroup_hierarchies_init(void);
bool cgroup_list_has(const char *list, const char *word); /* a word of "a,b,c" */

/* Is it the name of a control file of any kind? */
const struct cgroup_file *cgroup_file_named(const char *name);

/* cgroup_task.c. Of cg and, if `below`, of those below it: live tasks one by one under
 * tasklist_lock. */
struct task *cgroup_next_task_locked(const struct cgroup *cg, bool below, struct task *after);
void cgroup_memory_watch(struct cgroup *cg); /* cgroup_memory.c */
void cgroup_events_changed(struct cgroup *cg); /* it and those above */
/* Moves one process, or (whole false) one thread. who: checks for who asks. */
NODISCARD int cgroup_move(struct cgroup *cg, struct process *p);

/* cgroup_files.c, cgroup_controllers.c: rows, ended by one without a name. */
extern const struct cgroup_file cgroup_core_files[], cgroup_controller_files[], cgroup_v1_files[];
extern const char *const cgroup_controller_names[CG_CONTROLLERS];

/* Values as cgroup2 writes them. */
NODISCARD int cgroup_parse_number(const char *text, uint64_t *ret); /* -EINVAL */
NODISCARD int cgroup_parse_max(const char *text, uint64_t *ret);    /* a number or "max" */
NODISCARD int cgroup_parse_bytes(const char *text, uint64_t *ret);  /* with K, M, G, T */
void cgroup_show_max(uint64_t value, struct strbuf *out);
/* CPU time of everybody in cg and below, in ns. */
void cgroup_cpu_time(const struct cgroup *cg, int64_t *ret_user, int64_t *ret_system);
uint64_t cgroup_memory_used(const struct cgroup *cg); /* bytes; asks the host for each process */
