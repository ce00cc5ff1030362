/*
 * Magic links of a process: cwd, root, exe, and ns/.
 *
 * Following one leads to the place itself, whatever its text says.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "kernel/namespaces.h"
#include "kernel/nsfs.h"
#include <sched.h>

static int fs_place(struct synth_inode *i, void (*get)(struct fs_context *, struct path *), struct path *ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return -ENOENT;
    struct fs_context *fs = task_get_fs(t.task);
    if (!fs)
        return -ENOENT;
    get(fs, ret);
    fs_context_put(fs);
    return 0;
}

int pid_cwd_get_link(struct synth_inode *i, struct path *ret)
{
    return fs_place(i, fs_get_cwd, ret);
}

int pid_root_get_link(struct synth_inode *i, struct path *ret)
{
    return fs_place(i, fs_get_root, ret);
}

int pid_exe_get_link(struct synth_inode *i, struct path *ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return -ENOENT;
    mutex_lock(&t.process->exec_lock);
    struct file *exe = t.process->exe;
    if (exe) {
        *ret = exe->path;
        path_get(ret);
    }
    mutex_unlock(&t.process->exec_lock);
    return exe ? 0 : -ENOENT;
}

int pid_place_readlink(struct synth_inode *i, char **ret)
{
    CLEANUP_PATH_REF struct path place = {NULL, NULL};
    int err = i->entry->get_link(i, &place);
    return err < 0 ? err : proc_path_text(&place, ret);
}

/* ---- namespaces ---- */

/* A row's arg: the kind's flag, and above it whether the one that children get is meant. */
#define NS_LINK_CHILDREN 1

/* Reference; -ENOENT: there is no such kind, or nothing of it yet. */
static int ns_of(struct synth_inode *i, struct ns_common **ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    const struct ns_kind *kind = ns_kind_by_flag((uint32_t)i->arg);
    int err = proc_target_get(i, &t);
    if (err >= 0)
        err = proc_may_trace(t.task);
    if (err < 0)
        return err;
    *ret = kind ? i->arg >> 32 ? task_get_child_ns(t.task, kind) : task_get_ns(t.task, kind) : NULL;
    return *ret ? 0 : -ENOENT;
}

static int ns_readlink(struct synth_inode *i, char **ret)
{
    struct ns_common *ns;
    int err = ns_of(i, &ns);
    if (err < 0)
        return err;
    err = proc_text(ret, "%s:[%llu]", ns->kind->name, (unsigned long long)ns->id);
    ns_put(ns);
    return err;
}

static int ns_get_link(struct synth_inode *i, struct path *ret)
{
    struct ns_common *ns;
    int err = ns_of(i, &ns);
    if (err < 0)
        return err;
    err = nsfs_path(ns, ret);
    ns_put(ns);
    return err;
}

#define NS(name_, flag) LNK(name_, .readlink = ns_readlink, .get_link = ns_get_link, .arg = flag)
#define NS_CHILDREN(name_, flag) NS(name_, (uint64_t)NS_LINK_CHILDREN << 32 | (flag))

const struct synth_entry ns_entries[] = {
    NS("cgroup", CLONE_NEWCGROUP),
    NS("ipc", CLONE_NEWIPC),
    NS("mnt", CLONE_NEWNS),
    NS("net", CLONE_NEWNET),
    NS("pid", CLONE_NEWPID),
    NS_CHILDREN("pid_for_children", CLONE_NEWPID),
    NS("time", 0x80 /* CLONE_NEWTIME */),
    NS_CHILDREN("time_for_children", 0x80),
    NS("user", CLONE_NEWUSER),
    NS("uts", CLONE_NEWUTS),
    {0},
};
