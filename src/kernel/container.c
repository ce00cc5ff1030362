/* Sets of processes: see container.h. */
#include "kernel/container.h"
#include "base/cleanup.h"
#include "kernel/cgroup.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/task_private.h"
#include "kernel/user_namespace.h"
#include "vfs/fs_context.h"
#include "vfs/mount.h"
#include <string.h>

_Atomic bool containers_frozen;

/* ---- life ---- */

int container_new(const char *id, struct container **ret)
{
    struct container *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->id = strdup(id);
    if (!c->id) {
        free(c);
        return -ENOMEM;
    }
    refcount_init(&c->ref);
    list_init(&c->processes);
    wait_queue_init(&c->changed);
    *ret = c;
    return 0;
}

struct container *container_get(struct container *c)
{
    refcount_get(&c->ref);
    return c;
}

void container_put(struct container *c)
{
    if (!c || !refcount_put(&c->ref))
        return;
    assert_always(list_empty(&c->processes));
    if (c->mounts)
        mount_namespace_put(c->mounts);
    ns_set_put(&c->ns);
    user_namespace_put(c->user_ns);
    cgroup_put(c->cgroup);
    free(c->filter);
    free(c->id);
    free(c);
}

/* ---- membership ---- */

void container_join_locked(struct container *c, struct process *p)
{
    spin_assert_held(&tasklist_lock);
    if (!c)
        return;
    p->container = container_get(c);
    list_add_tail(&c->processes, &p->container_link);
}

/* The reference stays until the process is freed: whoever looks at it meanwhile may follow the pointer. */
void container_leave_locked(struct process *p)
{
    spin_assert_held(&tasklist_lock);
    list_del(&p->container_link);
    if (p->container)
        wake_all(&p->container->changed);
}

/* ---- all of them ---- */

bool container_alive(struct container *c)
{
    struct process *p;
    bool alive = false;
    spin_lock(&tasklist_lock);
    list_for_each (p, &c->processes, container_link)
        alive = alive || p->task_count > 0;
    spin_unlock(&tasklist_lock);
    return alive;
}

static unsigned signal_all_locked(struct container *c, int sig)
{
    struct process *p;
    siginfo_t info = {.si_signo = sig, .si_code = SI_USER}; /* from outside: nobody the sandbox knows */
    unsigned count = 0;
    c->signals++;
    list_for_each (p, &c->processes, container_link) {
        if (p->state != PROCESS_RUNNING || p->task_count == 0)
            continue;
        if (sig)
            (void)signal_send_process_locked(p, sig, sig == SIGKILL ? NULL : &info);
        count++;
    }
    return count;
}

unsigned container_signal_all(struct container *c, int sig)
{
    spin_lock(&tasklist_lock);
    unsigned count = signal_all_locked(c, sig);
    spin_unlock(&tasklist_lock);
    return count;
}

void container_close(struct container *c)
{
    spin_lock(&tasklist_lock);
    c->closed = true;
    signal_all_locked(c, SIGKILL);
    spin_unlock(&tasklist_lock);
}

void container_forget(struct container *c)
{
    struct process *p;
    spin_lock(&tasklist_lock);
    while ((p = list_first(&c->processes, struct process, container_link)))
        list_del(&p->container_link);
    spin_unlock(&tasklist_lock);
}

int container_list(struct container *c, struct process ***ret, size_t *ret_count)
{
    size_t room = 64, count = 0;
    for (;;) {
        CLEANUP_FREE struct process **list = calloc(room, sizeof(*list));
        struct process *p;
        if (!list)
            return -ENOMEM;
        spin_lock(&tasklist_lock);
        count = 0;
        list_for_each (p, &c->processes, container_link)
            if (count++ < room)
                list[count - 1] = process_get(p);
        spin_unlock(&tasklist_lock);
        if (count <= room) {
            *ret = TAKE_PTR(list);
            *ret_count = count;
            return 0;
        }
        for (size_t i = 0; i < room; i++)
            process_put(list[i]);
        room = count + 64;
    }
}

/* ---- freezing ---- */

static void kick_all_locked(struct process *p)
{
    struct task *t;
    list_for_each (t, &p->tasks, thread_link)
        if (!t->exited)
            task_kick(t);
}

void container_freeze(struct container *c, bool freeze)
{
    struct process *p;
    spin_lock(&tasklist_lock);
    c->frozen = freeze;
    if (freeze)
        list_for_each (p, &c->processes, container_link)
            kick_all_locked(p);
    spin_unlock(&tasklist_lock);
    wake_all(&c->changed);
}

static struct wait_queue all_thawed = WAIT_QUEUE_INIT(all_thawed);

void containers_freeze_all(bool freeze)
{
    struct process *p;
    int32_t at = 0;
    spin_lock(&tasklist_lock);
    containers_frozen = freeze;
    while (freeze && (p = process_next_locked(&root_pid_ns, at, &at)))
        kick_all_locked(p);
    spin_unlock(&tasklist_lock);
    wake_all(&all_thawed);
}

void task_wait_thawed(struct task *t)
{
    struct container *c = t->process->container;
    while (task_frozen(t) && !task_dying(t)) {
        if (containers_frozen)
            (void)wait_event_killable(&all_thawed, !containers_frozen);
        else
            (void)wait_event_killable(&c->changed, !c->frozen);
    }
}

/* ---- watching ---- */

container_watcher_fn *_Atomic container_watcher;

void container_watch(struct process *p, bool exec)
{
    container_watcher_fn *watcher = container_watcher;
    if (watcher && p->container)
        watcher(p->container, p, exec);
}

/* ---- stepping in ---- */

/* A pid that is nobody's: it only says in which namespace numbers are meant. */
static int nobodys_pid(struct pid_namespace *ns, struct pid **ret)
{
    struct pid *pid = calloc(1, sizeof(*pid));
    if (!pid)
        return -ENOMEM;
    refcount_init(&pid->ref);
    pid->level = ns->level;
    pid->ns = pid_namespace_get(ns);
    list_init(&pid->group_members);
    list_init(&pid->session_members);
    wait_queue_init(&pid->exit_queue);
    *ret = pid;
    return 0;
}

static int fill_visitor(struct task *t, struct container *c, const struct cred *cred)
{
    struct cred *root;
    int err = nobodys_pid(container_pid_ns(c), &t->pid);
    if (err)
        return err;
    t->process->pid = pid_get(t->pid);
    t->process->leader = t;
    ns_set_copy(&t->ns, &c->ns);
    if (!cred) {
        err = cred_new_root(&root);
        if (err)
            return err;
        t->cred = root;
    } else {
        t->cred = cred_get(cred);
    }
    err = fs_context_new(c->mounts, &t->fs);
    if (!err)
        t->fs->umask = 0;
    return err;
}

int container_step_in(struct container *c, const struct cred *cred)
{
    struct process *p;
    struct task *t;
    assert(!current);
    int err = process_new(NULL, &p);
    if (err)
        return err;
    err = task_new(p, NULL, &t);
    process_put(p); /* the task has one */
    if (err)
        return err;
    err = fill_visitor(t, c, cred);
    if (err) {
        task_put(t);
        return err;
    }
    t->fiber = fiber_self();
    fiber_set_local(fiber_self(), t);
    return 0;
}

void container_step_out(void)
{
    struct task *t = current;
    fiber_set_local(fiber_self(), NULL);
    t->fiber = NULL;
    task_put(t);
}
