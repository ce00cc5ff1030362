/*
 * The proc file system: its type, the hooks that bind rows to processes, and who may see what.
 *
 * The object of an inode below /proc/PID is the struct pid; the super block holds the pid
 * namespace.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "kernel/user_namespace.h"
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct host_facts *proc_facts;

struct pid_namespace *proc_ns(struct synth_inode *i)
{
    return ((struct proc_fs *)synth_fs(i))->ns;
}

int proc_target_get(struct synth_inode *i, struct proc_target *ret)
{
    struct pid *pid = i->object;
    struct process *p;
    spin_lock(&tasklist_lock);
    p = i->arg == PROC_THREAD || !pid->process ? NULL : pid->process;
    struct task *t = p ? p->leader : pid->task;
    if (t) {
        ret->task = task_get(t);
        ret->process = process_get(t->process);
    }
    spin_unlock(&tasklist_lock);
    return t ? 0 : -ESRCH;
}

void proc_target_put(struct proc_target *t)
{
    if (t->task)
        task_put(t->task);
    if (t->process)
        process_put(t->process);
}

int proc_may_trace(struct task *t)
{
    return trace_access(t, TRACE_READ | TRACE_FSCREDS) < 0 ? -EACCES : 0;
}

/* Does a mount's hidepid=, from `least` on, let the caller see the process? */
bool proc_may_see(struct synth_inode *i, struct task *leader, enum hidepid least)
{
    const struct proc_fs *fs = synth_fs(i);
    if (LIKELY(fs->hidepid < least))
        return true;
    if (fs->hidepid != HIDEPID_TRACEABLE && cred_in_group(current_cred(), fs->gid))
        return true;
    return proc_may_trace(leader) == 0;
}

static int proc_check(struct synth_inode *i)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    bool dir = S_ISDIR(i->entry->mode);
    if (!i->object || !(dir || i->entry->flags & PROC_PTRACE))
        return 0;
    int err = proc_target_get(i, &t);
    if (err < 0)
        return dir ? -ENOENT : err;
    if (!proc_may_see(i, t.task, HIDEPID_NO_ACCESS))
        return ((struct proc_fs *)synth_fs(i))->hidepid == HIDEPID_INVISIBLE ? -ENOENT : -EPERM;
    return i->entry->flags & PROC_PTRACE ? proc_may_trace(t.task) : 0;
}

/* What belongs to a process is owned by its effective user, unless it has secrets: then by root. */
static void proc_getattr(struct synth_inode *i)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    if (!i->object || proc_target_get(i, &t) < 0)
        return;
    const struct cred *c = task_get_cred(t.task);
    bool visible = t.process->dumpable || S_ISDIR(i->inode.attr.mode);
    i->inode.attr.uid = c && visible ? c->euid : 0;
    i->inode.attr.gid = c && visible ? c->egid : 0;
    if (c)
        cred_put((struct cred *)c);
    if (i->entry == &fd_row)
        fd_getattr(i);
}

/* A process can always list its own descriptors, even when it has become somebody else. */
static int proc_permission(struct synth_inode *dir, int mask, const struct cred *cred)
{
    int err = vfs_generic_permission(&dir->inode, mask, cred);
    if (err != -EACCES || mask & MAY_WRITE || !current || !dir->object)
        return err;
    bool own = dir->object == current->process->pid || dir->object == current->pid;
    return own && fd_is_dir(dir) ? 0 : err;
}

int proc_text(char **ret, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(ret, fmt, ap);
    va_end(ap);
    return n < 0 ? -ENOMEM : 0;
}

int proc_path_text(const struct path *p, char **ret)
{
    CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
    CLEANUP_PATH_REF struct path root = {NULL, NULL};
    fs_get_root(current_fs(), &root);
    int err = path_string(p, &root, &text);
    if (err < 0)
        return err;
    *ret = strbuf_take(&text);
    return *ret ? 0 : -ENOMEM;
}

int self_readlink(struct synth_inode *i, char **ret)
{
    int32_t number = current ? pid_number_in(current->process->pid, proc_ns(i)) : 0;
    return number ? proc_text(ret, "%d", number) : -ENOENT;
}

int thread_self_readlink(struct synth_inode *i, char **ret)
{
    int32_t process = current ? pid_number_in(current->process->pid, proc_ns(i)) : 0;
    int32_t thread = current ? pid_number_in(current->pid, proc_ns(i)) : 0;
    return process && thread ? proc_text(ret, "%d/task/%d", process, thread) : -ENOENT;
}

static void *proc_object_get(void *object)
{
    return pid_get(object);
}

static void proc_object_put(void *object)
{
    pid_put(object);
}

static void proc_free(void *data)
{
    struct proc_fs *fs = data;
    pid_namespace_put(fs->ns);
    free(fs);
}

static int proc_remount(struct super_block *sb, const char *data);

static const struct synth_hooks proc_hooks = {
    .object_get = proc_object_get,
    .object_put = proc_object_put,
    .check = proc_check,
    .permission = proc_permission,
    .getattr = proc_getattr,
    .revalidate = pid_revalidate,
    .free = proc_free,
    .remount = proc_remount,
    .create_error = -ENOENT,
};

static const struct synth_entry root_row =
    DIR("/", 0555, .entries = proc_root_entries, .lookup = pid_lookup, .iterate = pid_iterate);

/* subset=pid */
static const struct synth_entry pids_only_entries[] = {
    LNK("self", .readlink = self_readlink),
    LNK("thread-self", .readlink = thread_self_readlink),
    {0},
};

static const struct synth_entry pids_only_row =
    DIR("/", 0555, .entries = pids_only_entries, .lookup = pid_lookup, .iterate = pid_iterate);

static bool parse_hidepid(const char *value, enum hidepid *ret)
{
    static const struct {
        const char *text;
        enum hidepid value;
    } rows[] = {{"0", HIDEPID_OFF},        {"off", HIDEPID_OFF},       {"1", HIDEPID_NO_ACCESS},
                {"noaccess", HIDEPID_NO_ACCESS}, {"2", HIDEPID_INVISIBLE}, {"invisible", HIDEPID_INVISIBLE},
                {"4", HIDEPID_TRACEABLE}, {"ptraceable", HIDEPID_TRACEABLE}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].text, value))
            continue;
        *ret = rows[i].value;
        return true;
    }
    return false;
}

static bool parse_option(struct proc_fs *fs, const char *option)
{
    char *end;
    if (!strncmp(option, "hidepid=", 8))
        return parse_hidepid(option + 8, &fs->hidepid);
    if (!strcmp(option, "subset=pid")) {
        fs->pids_only = true;
        return true;
    }
    if (strncmp(option, "gid=", 4))
        return false;
    fs->gid = gid_from_user((uint32_t)strtoul(option + 4, &end, 10));
    return !*end && end != option + 4 && fs->gid != ID_INVALID;
}

static int parse_options(struct proc_fs *fs, const char *data)
{
    CLEANUP_FREE char *copy = strdup(data ? data : "");
    if (!copy)
        return -ENOMEM;
    for (char *save = NULL, *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save))
        if (!parse_option(fs, s))
            return -EINVAL;
    return 0;
}

static int proc_remount(struct super_block *sb, const char *data)
{
    struct proc_fs *fs = synth_fs(synth_inode(sb->root)), fresh = *fs;
    int err = parse_options(&fresh, data);
    if (err || fresh.pids_only != fs->pids_only)
        return err ? err : -EINVAL;
    fs->hidepid = fresh.hidepid;
    fs->gid = fresh.gid;
    return 0;
}

static int proc_mount(const char *source, unsigned long flags, const char *data,
                      struct super_block **ret)
{
    static const char *const names[] = {"", "noaccess", "invisible", NULL, "ptraceable"};
    struct proc_fs *fs = calloc(1, sizeof(*fs));
    if (!fs)
        return -ENOMEM;
    int err = parse_options(fs, data);
    if (!err && !ns_capable(current_pid_ns()->common.owner, CAP_SYS_ADMIN))
        err = -EPERM; /* whose processes it would show */
    if (err) {
        free(fs);
        return err;
    }
    fs->ns = pid_namespace_get(current_pid_ns());
    enum hidepid hide = fs->hidepid;
    err = synth_mount("proc", source, PROC_SUPER_MAGIC, fs->pids_only ? &pids_only_row : &root_row, &proc_hooks, fs,
                      ret);
    if (!err && hide)
        (void)!asprintf(&(*ret)->options, "hidepid=%s", names[hide]);
    return err;
}

static const struct fs_type proc_type = {.name = "proc", .flags = FS_NODEV, .mount = proc_mount};

int proc_init(const struct host_facts *facts)
{
    proc_facts = facts;
    fs_register(&proc_type);
    return 0;
}
