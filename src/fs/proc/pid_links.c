/*
 * Magic links of a process: cwd, root, exe, and ns/.
 *
 * Following one leads to the place itself, whatever its text says.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "ipc/namespace.h"
#include "kernel/namespaces.h"

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

/* Numbers of what every sandbox has one of; Linux's own for the initial namespaces, or near them. */
#define CGROUP_NS_ID 4026531835ULL
#define USER_NS_ID 4026531837ULL
#define TIME_NS_ID 4026531834ULL

enum ns_kind {
    NS_CGROUP,
    NS_IPC,
    NS_MNT,
    NS_NET,
    NS_PID,
    NS_PID_CHILDREN,
    NS_TIME,
    NS_TIME_CHILDREN,
    NS_USER,
    NS_UTS
};

static uint64_t mount_ns_id(struct task *t)
{
    struct fs_context *fs = task_get_fs(t);
    if (!fs)
        return 0;
    spin_lock(&fs->lock);
    uint64_t id = fs->ns->id;
    spin_unlock(&fs->lock);
    fs_context_put(fs);
    return id;
}

static uint64_t pid_ns_id(struct task *t, bool children)
{
    spin_lock(&t->alloc_lock);
    struct pid_namespace *ns = children ? t->ns.pid_for_children : t->pid->ns;
    uint64_t id = ns ? ns->id : 0;
    spin_unlock(&t->alloc_lock);
    return id;
}

static uint64_t uts_ns_id(struct task *t)
{
    spin_lock(&t->alloc_lock);
    uint64_t id = t->ns.uts ? t->ns.uts->id : 0;
    spin_unlock(&t->alloc_lock);
    return id;
}

static uint64_t net_ns_id(struct task *t)
{
    spin_lock(&t->alloc_lock);
    uint64_t id = t->ns.net ? net_namespace_id(t->ns.net) : 0;
    spin_unlock(&t->alloc_lock);
    return id;
}

static uint64_t ipc_ns_id(struct task *t)
{
    spin_lock(&t->alloc_lock);
    uint64_t id = t->ns.ipc ? t->ns.ipc->id : 0;
    spin_unlock(&t->alloc_lock);
    return id;
}

static uint64_t ns_id(struct task *t, uint64_t kind)
{
    switch (kind) {
    case NS_MNT:
        return mount_ns_id(t);
    case NS_PID:
        return pid_ns_id(t, false);
    case NS_PID_CHILDREN:
        return pid_ns_id(t, true);
    case NS_UTS:
        return uts_ns_id(t);
    case NS_CGROUP:
        return CGROUP_NS_ID;
    case NS_IPC:
        return ipc_ns_id(t);
    case NS_NET:
        return net_ns_id(t);
    case NS_USER:
        return USER_NS_ID;
    default:
        return TIME_NS_ID;
    }
}

static const char *const ns_types[] = {"cgroup", "ipc",  "mnt",  "net",  "pid",
                                       "pid",    "time", "time", "user", "uts"};

/* The id, if the caller may know it. */
static int ns_of(struct synth_inode *i, uint64_t *ret_id)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err >= 0)
        err = proc_may_trace(t.process, t.task);
    if (err < 0)
        return err;
    *ret_id = ns_id(t.task, i->arg);
    return *ret_id ? 0 : -ENOENT;
}

static int ns_readlink(struct synth_inode *i, char **ret)
{
    uint64_t id;
    int err = ns_of(i, &id);
    return err < 0 ? err : proc_text(ret, "%s:[%llu]", ns_types[i->arg], (unsigned long long)id);
}

static int ns_get_link(struct synth_inode *i, struct path *ret)
{
    CLEANUP_FREE char *text = NULL;
    uint64_t id;
    int err = ns_of(i, &id);
    if (err >= 0)
        err = proc_text(&text, "%s:[%llu]", ns_types[i->arg], (unsigned long long)id);
    return err < 0 ? err : nsfs_path(text, ns_types[i->arg], id, ret);
}

#define NS(name_, kind) LNK(name_, .readlink = ns_readlink, .get_link = ns_get_link, .arg = kind)

const struct synth_entry ns_entries[] = {
    NS("cgroup", NS_CGROUP),
    NS("ipc", NS_IPC),
    NS("mnt", NS_MNT),
    NS("net", NS_NET),
    NS("pid", NS_PID),
    NS("pid_for_children", NS_PID_CHILDREN),
    NS("time", NS_TIME),
    NS("time_for_children", NS_TIME_CHILDREN),
    NS("user", NS_USER),
    NS("uts", NS_UTS),
    {0},
};
