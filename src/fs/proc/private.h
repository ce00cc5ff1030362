/* What the files of fs/proc share. */
#pragma once
#include "fs/proc/proc.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/trace_access.h"
#include "vfs/synthetic.h"

/* flags of rows: who may open, follow or look into it. */
#define PROC_PTRACE 1u /* whoever could trace the process (ptrace(2), PTRACE_MODE_READ) */

/* arg of rows in a thread's directory: about this thread alone. */
#define PROC_THREAD 1u

/* The process and thread a row is about: references. For a process's own directory the task is its
 * leader. */
struct proc_target {
    struct process *process;
    struct task *task;
};
NODISCARD int proc_target_get(struct synth_inode *i,
                              struct proc_target *ret); /* -ESRCH when it is gone */
void proc_target_put(struct proc_target *t);
#define CLEANUP_TARGET __attribute__((cleanup(proc_target_put)))

enum hidepid { HIDEPID_OFF, HIDEPID_NO_ACCESS, HIDEPID_INVISIBLE, HIDEPID_TRACEABLE = 4 };

/* A mount of proc. */
struct proc_fs {
    struct pid_namespace *ns; /* [I] reference */
    enum hidepid hidepid;     /* proc(5) */
    uint32_t gid;             /* whom it does not concern */
    bool pids_only;           /* [I] subset=pid */
};
bool proc_may_see(struct synth_inode *i, struct task *leader, enum hidepid least);

/* The namespace whose numbers this mount shows. Borrowed. */
struct pid_namespace *proc_ns(struct synth_inode *i);
extern const struct host_facts *proc_facts;
#define PROC_TICKS 100 /* USER_HZ */

NODISCARD int proc_may_trace(struct task *t); /* to read: -EACCES */

/* A path as text, seen from the current task's root. */
NODISCARD int proc_path_text(const struct path *p, char **ret);
NODISCARD int proc_text(char **ret, const char *fmt, ...) PRINTF(2, 3);

#define DIR(name_, mode_, ...)                                \
    {                                                         \
        .name = name_, .mode = S_IFDIR | (mode_), __VA_ARGS__ \
    }
#define REG(name_, mode_, show_, ...)                                        \
    {                                                                        \
        .name = name_, .mode = S_IFREG | (mode_), .show = show_, __VA_ARGS__ \
    }
#define TEXT(name_, mode_, text_)                               \
    {                                                           \
        .name = name_, .mode = S_IFREG | (mode_), .text = text_ \
    }
#define LNK(name_, ...)                                    \
    {                                                      \
        .name = name_, .mode = S_IFLNK | 0777, __VA_ARGS__ \
    }

/* pid.c */
int pid_lookup(struct synth_inode *root, const struct name *name, struct inode **ret);
int pid_iterate(struct synth_inode *root, struct dir_emitter *e, int64_t *pos);
bool pid_revalidate(struct synth_inode *dir, const struct name *name, struct synth_inode *child);
int task_dir_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret);
int task_dir_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos);

/* pid_status.c */
int pid_stat_show(struct synth_inode *i, struct strbuf *out);
int pid_statm_show(struct synth_inode *i, struct strbuf *out);
int pid_status_show(struct synth_inode *i, struct strbuf *out);

/* pid_mm.c */
int pid_cmdline_show(struct synth_inode *i, struct strbuf *out);
int pid_environ_show(struct synth_inode *i, struct strbuf *out);
int pid_auxv_show(struct synth_inode *i, struct strbuf *out);
int pid_maps_show(struct synth_inode *i, struct strbuf *out);
int pid_smaps_show(struct synth_inode *i, struct strbuf *out);
int pid_smaps_rollup_show(struct synth_inode *i, struct strbuf *out);
extern const struct file_ops pid_mem_ops, pid_pagemap_ops;
int pid_clear_refs_write(struct synth_inode *i, char *text, size_t len);

/* pid_attr.c */
int pid_comm_show(struct synth_inode *i, struct strbuf *out);
int pid_comm_write(struct synth_inode *i, char *text, size_t len);
int pid_limits_show(struct synth_inode *i, struct strbuf *out);
int pid_io_show(struct synth_inode *i, struct strbuf *out);
int pid_oom_score_show(struct synth_inode *i, struct strbuf *out);
int pid_oom_score_adj_show(struct synth_inode *i, struct strbuf *out);
int pid_oom_score_adj_write(struct synth_inode *i, char *text, size_t len);
int pid_oom_adj_show(struct synth_inode *i, struct strbuf *out);
int pid_oom_adj_write(struct synth_inode *i, char *text, size_t len);
int pid_personality_show(struct synth_inode *i, struct strbuf *out);
int pid_coredump_filter_show(struct synth_inode *i, struct strbuf *out);
int pid_coredump_filter_write(struct synth_inode *i, char *text, size_t len);
int pid_timerslack_show(struct synth_inode *i, struct strbuf *out);
int pid_timerslack_write(struct synth_inode *i, char *text, size_t len);
int pid_sched_show(struct synth_inode *i, struct strbuf *out);
int pid_schedstat_show(struct synth_inode *i, struct strbuf *out);
int pid_wchan_show(struct synth_inode *i, struct strbuf *out);
int pid_children_show(struct synth_inode *i, struct strbuf *out);
int pid_no_label_show(struct synth_inode *i, struct strbuf *out);
int pid_cgroup_show(struct synth_inode *i, struct strbuf *out);
int pid_cpuset_show(struct synth_inode *i, struct strbuf *out);
int pid_mounts_show(struct synth_inode *i, struct strbuf *out);
int pid_mountinfo_show(struct synth_inode *i, struct strbuf *out);
int pid_mountstats_show(struct synth_inode *i, struct strbuf *out);

/* pid_ids.c: uid_map, gid_map, projid_map, setgroups, told apart by name */
extern const struct file_ops pid_id_file_ops;

/* pid_links.c, pid_fd.c */
int pid_cwd_get_link(struct synth_inode *i, struct path *ret);
int pid_root_get_link(struct synth_inode *i, struct path *ret);
int pid_exe_get_link(struct synth_inode *i, struct path *ret);
int pid_place_readlink(struct synth_inode *i, char **ret);
extern const struct synth_entry ns_entries[];
int fd_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret);
int fd_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos);
int fdinfo_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret);
void fd_getattr(struct synth_inode *i);
bool fd_is_dir(const struct synth_inode *i); /* fd or fdinfo */
extern const struct synth_entry fd_row;

/* sys_ipc.c. arg: the offset of a field of struct ipc_namespace. */
#define IPC_SYSCTL_WIDE (1ULL << 63) /* it has 64 bits */
int ipc_sysctl_show(struct synth_inode *i, struct strbuf *out);
int ipc_sysctl_write(struct synth_inode *i, char *text, size_t len);
int sem_sysctl_show(struct synth_inode *i, struct strbuf *out);
int sem_sysctl_write(struct synth_inode *i, char *text, size_t len);
extern const struct synth_entry proc_sys_mqueue_entries[];

/* pid_trace.c */
int pid_syscall_show(struct synth_inode *i, struct strbuf *out);
int pid_stack_show(struct synth_inode *i, struct strbuf *out);
int pid_timers_show(struct synth_inode *i, struct strbuf *out);
int pid_numa_maps_show(struct synth_inode *i, struct strbuf *out);
int map_files_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret);
int map_files_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos);

/* system.c, sys.c, sys_trace.c, net.c */
extern const struct synth_entry proc_yama_entries[];
extern const struct synth_entry proc_root_entries[], proc_sys_entries[], proc_net_entries[], proc_sys_net_entries[];
int core_pattern_show(struct synth_inode *i, struct strbuf *out);
int core_pattern_write(struct synth_inode *i, char *text, size_t len);
int core_uses_pid_show(struct synth_inode *i, struct strbuf *out);
int core_uses_pid_write(struct synth_inode *i, char *text, size_t len);
int self_readlink(struct synth_inode *i, char **ret);
int thread_self_readlink(struct synth_inode *i, char **ret);
