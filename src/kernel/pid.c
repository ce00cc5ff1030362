/*
 * Pid numbers. Each namespace keeps its live numbers in a tree ordered by number, so that a
 * look-up, the next free number and the walk of /proc are the same structure. A number is taken as
 * long as a thread, a process, a group or a session goes by it; the struct pid lives on for whoever
 * holds a reference (pidfds), without numbers then.
 */
#include "kernel/pid.h"
#include "kernel/user_namespace.h"
#include <sched.h>
#include <stdlib.h>

#define RESERVED_PIDS 300 /* not handed out again after the numbers wrap */

struct pid_namespace root_pid_ns = {.common = NS_COMMON_INIT(&pid_ns_kind, NS_ID_PID), .reusable = true};

/* ---- namespaces ---- */

int pid_namespace_new(struct pid_namespace *parent, struct user_namespace *owner, struct pid_namespace **ret)
{
    if (parent->level + 1 >= PID_NS_DEPTH)
        return -ENOSPC;
    struct pid_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    ns_init(&ns->common, &pid_ns_kind, owner);
    ns->parent = pid_namespace_get(parent);
    ns->level = parent->level + 1;
    *ret = ns;
    return 0;
}

struct pid_namespace *pid_namespace_get(struct pid_namespace *ns)
{
    ns_get(&ns->common);
    return ns;
}

void pid_namespace_put(struct pid_namespace *ns)
{
    ns_put(ns ? &ns->common : NULL);
}

/* The depth is bounded: so is the recursion. */
static void pid_ns_free(struct ns_common *common)
{
    struct pid_namespace *ns = container_of(common, struct pid_namespace, common);
    pid_namespace_put(ns->parent);
    free(ns);
}

/* Only while the caller's own is the one its children get. */
static int pid_ns_copy(struct ns_common *from, struct user_namespace *owner, struct ns_common **ret)
{
    struct pid_namespace *parent = container_of(from, struct pid_namespace, common), *ns;
    if (parent != current_pid_ns())
        return -EINVAL;
    int err = pid_namespace_new(parent, owner, &ns);
    if (!err)
        *ret = &ns->common;
    return err;
}

static struct ns_common *pid_ns_parent(struct ns_common *common)
{
    struct pid_namespace *parent = container_of(common, struct pid_namespace, common)->parent;
    return parent ? &parent->common : NULL;
}

const struct ns_kind pid_ns_kind = {
    .name = "pid",
    .flag = CLONE_NEWPID,
    .slot = NS_SLOT_PID_FOR_CHILDREN,
    .copy = pid_ns_copy,
    .free = pid_ns_free,
    .parent = pid_ns_parent,
};

/* The init is reaped. Until one has come to life, the first process may be tried again with another program. */
void pid_namespace_end_locked(struct pid_namespace *ns)
{
    ns->init = NULL;
    if (ns->reusable) {
        ns->dying = false;
        ns->last = 0;
    }
}

struct pid_namespace *current_pid_ns(void)
{
    struct task *t = current;
    return t ? t->pid->ns : &root_pid_ns;
}

/* ---- the tree of numbers ---- */

static int32_t link_number(const struct rb_node *node, unsigned level)
{
    return rb_entry(node, struct pid_link, node)->pid->numbers[level];
}

/* The link with the lowest number >= wanted, or NULL. */
static struct rb_node *link_at_least(struct pid_namespace *ns, int32_t wanted)
{
    struct rb_node *at = ns->numbers.node, *best = NULL;
    while (at) {
        if (link_number(at, ns->level) >= wanted) {
            best = at;
            at = at->left;
        } else {
            at = at->right;
        }
    }
    return best;
}

struct pid *pid_find_locked(struct pid_namespace *ns, int32_t number)
{
    struct rb_node *at = ns->numbers.node;
    while (at) {
        int32_t n = link_number(at, ns->level);
        if (n == number)
            return rb_entry(at, struct pid_link, node)->pid;
        at = number < n ? at->left : at->right;
    }
    return NULL;
}

static void number_insert(struct pid_namespace *ns, struct pid *pid)
{
    struct rb_node **link = &ns->numbers.node, *parent = NULL;
    int32_t number = pid->numbers[ns->level];
    while (*link) {
        parent = *link;
        link = number < link_number(parent, ns->level) ? &parent->left : &parent->right;
    }
    pid->links[ns->level].pid = pid;
    rb_insert(&ns->numbers, &pid->links[ns->level].node, parent, link);
    ns->count++;
}

static void number_erase(struct pid_namespace *ns, struct pid *pid)
{
    rb_erase(&ns->numbers, &pid->links[ns->level].node);
    ns->count--;
    if (ns->init && ns->dying)
        wake_all(&ns->init->child_wait);
}

/* The next free number after the last one; 0 when there is none. */
static int32_t number_next(struct pid_namespace *ns)
{
    int32_t n = ns->last;
    for (int32_t tried = 0; tried < PID_MAX_DEFAULT; tried++) {
        n = n + 1 < PID_MAX_DEFAULT ? n + 1 : RESERVED_PIDS;
        if (!pid_find_locked(ns, n))
            return n;
    }
    return 0;
}

/* ---- pids ---- */

/* Picks this level's number and takes it. */
static int number_take(struct pid_namespace *ns, struct pid *pid, int32_t wanted)
{
    if (wanted && pid_find_locked(ns, wanted))
        return -EEXIST;
    if (wanted && wanted != 1 && !ns->init)
        return -EINVAL; /* the first process of a namespace is 1 */
    int32_t number = wanted ? wanted : number_next(ns);
    if (!number)
        return -EAGAIN;
    pid->numbers[ns->level] = number;
    if (!wanted)
        ns->last = number;
    number_insert(ns, pid);
    return 0;
}

static int numbers_take(struct pid *pid, const int32_t *set_tid, size_t set_tid_size)
{
    size_t used = 0;
    for (struct pid_namespace *ns = pid->ns; ns; ns = ns->parent) {
        int err = number_take(ns, pid, used < set_tid_size ? set_tid[used] : 0);
        if (err) {
            for (struct pid_namespace *undo = pid->ns; undo != ns; undo = undo->parent)
                number_erase(undo, pid);
            return err;
        }
        used++;
    }
    return 0;
}

int pid_alloc(struct pid_namespace *ns, const int32_t *set_tid, size_t set_tid_size,
              struct pid **ret)
{
    struct pid *pid = calloc(1, sizeof(*pid) + (ns->level + 1) * sizeof(pid->links[0]));
    if (!pid)
        return -ENOMEM;
    refcount_init(&pid->ref);
    pid->level = ns->level;
    pid->ns = pid_namespace_get(ns);
    list_init(&pid->group_members);
    list_init(&pid->session_members);
    wait_queue_init(&pid->exit_queue);
    spin_lock(&tasklist_lock);
    int err = ns->dying ? -ENOMEM : numbers_take(pid, set_tid, set_tid_size);
    pid->numbered = !err;
    spin_unlock(&tasklist_lock);
    if (err) {
        pid_put(pid);
        return err;
    }
    *ret = pid;
    return 0;
}

void pid_release_numbers_locked(struct pid *pid)
{
    if (!pid->numbered || pid->task || pid->process || !list_empty(&pid->group_members) ||
        !list_empty(&pid->session_members))
        return;
    pid->numbered = false;
    for (struct pid_namespace *ns = pid->ns; ns; ns = ns->parent)
        number_erase(ns, pid);
}

struct pid *pid_get(struct pid *pid)
{
    refcount_get(&pid->ref);
    return pid;
}

void pid_put(struct pid *pid)
{
    if (!pid || !refcount_put(&pid->ref))
        return;
    assert_always(!pid->numbered);
    pid_namespace_put(pid->ns);
    free(pid);
}

int32_t pid_number_in(const struct pid *pid, const struct pid_namespace *ns)
{
    if (!pid || ns->level > pid->level)
        return 0;
    const struct pid_namespace *at = pid->ns;
    for (unsigned level = pid->level; level > ns->level; level--)
        at = at->parent;
    return at == ns ? pid->numbers[ns->level] : 0;
}

int32_t pid_number(const struct pid *pid)
{
    return pid_number_in(pid, current_pid_ns());
}

/* ---- look-ups ---- */

struct pid *pid_find(int32_t number)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = pid_find_locked(current_pid_ns(), number);
    if (pid)
        pid_get(pid);
    spin_unlock(&tasklist_lock);
    return pid;
}

struct task *task_find(int32_t tid)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = pid_find_locked(current_pid_ns(), tid);
    struct task *t = pid && pid->task ? task_get(pid->task) : NULL;
    spin_unlock(&tasklist_lock);
    return t;
}

struct process *process_find(int32_t number)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = pid_find_locked(current_pid_ns(), number);
    struct process *p = pid && pid->process ? process_get(pid->process) : NULL;
    spin_unlock(&tasklist_lock);
    return p;
}

struct process *process_next_locked(struct pid_namespace *ns, int32_t after, int32_t *ret_number)
{
    for (struct rb_node *at = link_at_least(ns, after + 1); at; at = rb_next(at)) {
        struct pid *pid = rb_entry(at, struct pid_link, node)->pid;
        if (pid->process) {
            *ret_number = pid->numbers[ns->level];
            return pid->process;
        }
    }
    return NULL;
}

struct process *process_next(struct pid_namespace *ns, int32_t start, int32_t *ret_number)
{
    spin_lock(&tasklist_lock);
    struct process *p = process_next_locked(ns, start - 1, ret_number);
    if (p)
        process_get(p);
    spin_unlock(&tasklist_lock);
    return p;
}

struct task *thread_next(struct process *p, struct pid_namespace *ns, int32_t start,
                         int32_t *ret_number)
{
    struct task *t, *best = NULL;
    spin_lock(&tasklist_lock);
    list_for_each (t, &p->tasks, thread_link) {
        int32_t n = pid_number_in(t->pid, ns);
        if (n && n >= start && (!best || n < *ret_number)) {
            best = t;
            *ret_number = n;
        }
    }
    if (best)
        task_get(best);
    spin_unlock(&tasklist_lock);
    return best;
}
