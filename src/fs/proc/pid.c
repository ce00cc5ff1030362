/*
 * The directories of processes and threads: /proc/PID and /proc/PID/task/TID.
 *
 * Both are made of one list of rows; a thread's directory has its own copy whose arg says so.
 */
#include "fs/proc/private.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

static const struct synth_entry attr_entries[] = {
    REG("current", 0666, pid_no_label_show),
    REG("exec", 0666, pid_no_label_show),
    REG("prev", 0444, pid_no_label_show),
    {0},
};

#define ID_FILE(name_, a) \
    {.name = name_, .mode = S_IFREG | 0644, .file_ops = &pid_id_file_ops, .arg = a}

/* Rows that process and thread directories share. `a`: arg. */
#define COMMON_ROWS(a)                                                                            \
    DIR("fd", 0500, .lookup = fd_lookup, .iterate = fd_iterate, .is_volatile = true, .arg = a,    \
        .flags = PROC_PTRACE),                                                                    \
        DIR("fdinfo", 0500, .lookup = fdinfo_lookup, .iterate = fd_iterate, .is_volatile = true,  \
            .arg = a, .flags = PROC_PTRACE),                                                      \
        DIR("ns", 0511, .entries = ns_entries, .arg = a),                                         \
        DIR("net", 0555, .entries = proc_net_entries, .arg = a),                                  \
        DIR("attr", 0555, .entries = attr_entries, .arg = a),                                     \
        REG("environ", 0400, pid_environ_show, .arg = a, .flags = PROC_PTRACE),                   \
        REG("auxv", 0400, pid_auxv_show, .arg = a, .flags = PROC_PTRACE),                         \
        REG("status", 0444, pid_status_show, .arg = a),                                           \
        REG("personality", 0400, pid_personality_show, .arg = a, .flags = PROC_PTRACE),           \
        REG("syscall", 0400, pid_syscall_show, .arg = a, .flags = PROC_PTRACE),                   \
        REG("stack", 0400, pid_stack_show, .arg = a, .flags = PROC_PTRACE),                       \
        REG("numa_maps", 0444, pid_numa_maps_show, .arg = a, .flags = PROC_PTRACE),               \
        REG("limits", 0444, pid_limits_show, .arg = a),                                           \
        REG("sched", 0644, pid_sched_show, .arg = a),                                             \
        REG("comm", 0644, pid_comm_show, .write = pid_comm_write, .arg = a),                      \
        REG("cmdline", 0444, pid_cmdline_show, .arg = a),                                         \
        REG("stat", 0444, pid_stat_show, .arg = a), REG("statm", 0444, pid_statm_show, .arg = a), \
        REG("maps", 0444, pid_maps_show, .arg = a, .flags = PROC_PTRACE),                         \
        {.name = "mem",                                                                           \
         .mode = S_IFREG | 0600,                                                                  \
         .file_ops = &pid_mem_ops,                                                                \
         .arg = a,                                                                                \
         .flags = PROC_PTRACE},                                                                   \
        LNK("cwd", .readlink = pid_place_readlink, .get_link = pid_cwd_get_link, .arg = a,        \
            .flags = PROC_PTRACE),                                                                \
        LNK("root", .readlink = pid_place_readlink, .get_link = pid_root_get_link, .arg = a,      \
            .flags = PROC_PTRACE),                                                                \
        LNK("exe", .readlink = pid_place_readlink, .get_link = pid_exe_get_link, .arg = a,        \
            .flags = PROC_PTRACE),                                                                \
        REG("mounts", 0444, pid_mounts_show, .arg = a),                                           \
        REG("mountinfo", 0444, pid_mountinfo_show, .arg = a),                                     \
        REG("smaps", 0444, pid_smaps_show, .arg = a, .flags = PROC_PTRACE),                       \
        REG("smaps_rollup", 0444, pid_smaps_rollup_show, .arg = a, .flags = PROC_PTRACE),         \
        {.name = "pagemap",                                                                       \
         .mode = S_IFREG | 0400,                                                                  \
         .file_ops = &pid_pagemap_ops,                                                            \
         .arg = a,                                                                                \
         .flags = PROC_PTRACE},                                                                   \
        REG("clear_refs", 0200, NULL, .write = pid_clear_refs_write, .arg = a),                   \
        REG("wchan", 0444, pid_wchan_show, .arg = a),                                             \
        REG("schedstat", 0444, pid_schedstat_show, .arg = a), REG("cpuset", 0444, pid_cpuset_show, .arg = a),        \
        REG("cgroup", 0444, pid_cgroup_show, .arg = a), REG("oom_score", 0444, pid_oom_score_show, .arg = a),     \
        REG("oom_adj", 0644, pid_oom_adj_show, .write = pid_oom_adj_write, .arg = a),             \
        REG("oom_score_adj", 0644, pid_oom_score_adj_show, .write = pid_oom_score_adj_write,      \
            .arg = a),                                                                            \
        TEXT("loginuid", 0644, "4294967295"), TEXT("sessionid", 0444, "4294967295"),              \
        REG("io", 0400, pid_io_show, .arg = a, .flags = PROC_PTRACE),                             \
        ID_FILE("uid_map", a), ID_FILE("gid_map", a), ID_FILE("projid_map", a), ID_FILE("setgroups", a)

static const struct synth_entry tid_entries[] = {
    COMMON_ROWS(PROC_THREAD),
    REG("children", 0444, pid_children_show, .arg = PROC_THREAD),
    {0},
};

static const struct synth_entry pid_entries[] = {
    DIR("task", 0555, .lookup = task_dir_lookup, .iterate = task_dir_iterate, .is_volatile = true),
    COMMON_ROWS(0),
    REG("mountstats", 0400, pid_mountstats_show),
    REG("timers", 0444, pid_timers_show),
    DIR("map_files", 0500, .lookup = map_files_lookup, .iterate = map_files_iterate,
        .is_volatile = true, .flags = PROC_PTRACE),
    REG("coredump_filter", 0644, pid_coredump_filter_show, .write = pid_coredump_filter_write),
    REG("timerslack_ns", 0666, pid_timerslack_show, .write = pid_timerslack_write),
    {0},
};

static const struct synth_entry pid_row =
    DIR("pid", 0555, .entries = pid_entries, .is_volatile = true);
static const struct synth_entry tid_row =
    DIR("tid", 0555, .entries = tid_entries, .is_volatile = true, .arg = PROC_THREAD);

int proc_file_pid(struct file *file, struct pid **ret)
{
    if (!S_ISDIR(file->inode->attr.mode) || strcmp(file->inode->sb->type, "proc"))
        return -EBADF;
    const struct synth_inode *i = synth_inode(file->inode);
    if (i->entry != &pid_row)
        return -EBADF;
    *ret = pid_get(i->object);
    return 0;
}

int pid_lookup(struct synth_inode *root, const struct name *name, struct inode **ret)
{
    int32_t number = synth_name_number(name);
    struct pid *pid = NULL;
    if (number <= 0)
        return -ENOENT;
    spin_lock(&tasklist_lock);
    struct pid *found = pid_find_locked(proc_ns(root), number);
    if (found && (found->process || found->task))
        pid = pid_get(found);
    spin_unlock(&tasklist_lock);
    return pid ? synth_inode_new(root->inode.sb, &pid_row, pid, 0, (uint64_t)number, ret) : -ENOENT;
}

bool pid_revalidate(struct synth_inode *dir, const struct name *name, struct synth_inode *child)
{
    if (synth_name_number(name) < 0)
        return true;
    if (!child || !child->object)
        return false;
    struct pid *pid = child->object;
    spin_lock(&tasklist_lock);
    bool alive = pid->process || pid->task;
    spin_unlock(&tasklist_lock);
    return alive;
}

/* Emits a number as a directory; the position of number n is SYNTH_FIRST_DYNAMIC + n. */
static bool emit_number(struct dir_emitter *e, const struct synth_entry *row, int32_t number,
                        unsigned char type, int64_t *pos)
{
    char name[12];
    int len = snprintf(name, sizeof(name), "%d", number);
    int64_t at = SYNTH_FIRST_DYNAMIC + (int64_t)number;
    if (!e->emit(e, name, (size_t)len, synth_ino(row, (uint64_t)number), type, at + 1))
        return false;
    *pos = at + 1;
    return true;
}

static struct task *process_leader_get(struct process *p)
{
    spin_lock(&tasklist_lock);
    struct task *t = p->leader ? task_get(p->leader) : NULL;
    spin_unlock(&tasklist_lock);
    return t;
}

int pid_iterate(struct synth_inode *root, struct dir_emitter *e, int64_t *pos)
{
    for (;;) {
        int32_t number;
        int64_t start = *pos - SYNTH_FIRST_DYNAMIC;
        struct process *p =
            start > INT32_MAX ? NULL : process_next(proc_ns(root), (int32_t)start, &number);
        if (!p)
            return 0;
        struct task *leader = ((struct proc_fs *)synth_fs(root))->hidepid ? process_leader_get(p) : NULL;
        bool seen = !leader || proc_may_see(root, leader, HIDEPID_INVISIBLE);
        task_put(leader);
        process_put(p);
        if (!seen)
            *pos = SYNTH_FIRST_DYNAMIC + (int64_t)number + 1;
        else if (!emit_number(e, &pid_row, number, DT_DIR, pos))
            return 0;
    }
}

int task_dir_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int32_t number = synth_name_number(name);
    int err = number <= 0 ? -ENOENT : proc_target_get(dir, &t);
    if (err < 0)
        return -ENOENT;
    struct pid *pid = NULL;
    spin_lock(&tasklist_lock);
    struct pid *found = pid_find_locked(proc_ns(dir), number);
    if (found && found->task && found->task->process == t.process)
        pid = pid_get(found);
    spin_unlock(&tasklist_lock);
    return pid ? synth_inode_new(dir->inode.sb, &tid_row, pid, PROC_THREAD, (uint64_t)number, ret)
               : -ENOENT;
}

int task_dir_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(dir, &t);
    if (err < 0)
        return -ENOENT;
    for (;;) {
        int32_t number;
        int64_t start = *pos - SYNTH_FIRST_DYNAMIC;
        struct task *task = start > INT32_MAX
                                ? NULL
                                : thread_next(t.process, proc_ns(dir), (int32_t)start, &number);
        if (!task)
            return 0;
        task_put(task);
        if (!emit_number(e, &tid_row, number, DT_DIR, pos))
            return 0;
    }
}
