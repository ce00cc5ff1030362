/* Tasks in control groups: counting, moving, freezing and killing them, and what they use. */
#include "base/cleanup.h"
#include "kernel/cgroup_private.h"
#include "kernel/pid.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

/* ---- pids ---- */

static void uncharge_up_to(struct cgroup *cg, const struct cgroup *end)
{
    for (; cg != end; cg = cg->parent)
        cg->pids_current--;
}

static int charge(struct cgroup *cg)
{
    for (struct cgroup *at = cg; at; at = at->parent) {
        uint64_t n = ++at->pids_current;
        if (at->parent && n > at->pids_max) {
            at->pids_failed++;
            uncharge_up_to(cg, at->parent);
            return -EAGAIN;
        }
        if (n > at->pids_peak)
            at->pids_peak = n;
    }
    return 0;
}

int cgroup_charge_task(struct task *t, struct cgroup *cg)
{
    int err = charge(cg);
    if (!err)
        t->cgroup = cgroup_get(cg);
    return err;
}

void cgroup_uncharge_task(struct task *t)
{
    struct cgroup *cg = TAKE_PTR(t->cgroup);
    uncharge_up_to(cg, NULL);
    cgroup_put(cg);
}

/* ---- who is where ---- */

void cgroup_events_changed(struct cgroup *cg)
{
    for (; cg; cg = cg->parent) {
        cg->events++;
        wake_poll(&cg->events_queue, EPOLLPRI | EPOLLERR);
    }
}

static bool must_freeze(const struct cgroup *cg)
{
    while (cg && !cg->freeze)
        cg = cg->parent;
    return cg;
}

static void count_live(struct task *t, struct cgroup *cg, int change)
{
    cg->own_live += (unsigned)change;
    for (struct cgroup *at = cg; at; at = at->parent) {
        at->live += (unsigned)change;
        at->frozen += t->frozen ? (unsigned)change : 0;
        if (at->live == 0 || (at->live == 1 && change > 0)) {
            at->events++;
            wake_poll(&at->events_queue, EPOLLPRI | EPOLLERR);
        }
    }
}

void cgroup_task_linked_locked(struct task *t)
{
    count_live(t, t->cgroup, 1);
    if (must_freeze(t->cgroup)) {
        t->freeze = true;
        if (t->fiber)
            task_kick(t);
    }
}

void cgroup_task_exited_locked(struct task *t)
{
    count_live(t, t->cgroup, -1);
    t->cgroup->dead_user += t->past_times.user;
    t->cgroup->dead_system += t->past_times.system;
}

/* The first live task, or the one after `after`, in order of pids. */
struct task *cgroup_next_task_locked(const struct cgroup *cg, bool below, struct task *after)
{
    int32_t number = after ? pid_number_in(after->process->pid, &root_pid_ns) : 0;
    struct process *p = after ? after->process : process_next_locked(&root_pid_ns, 0, &number);
    bool found = !after;
    for (; p; p = process_next_locked(&root_pid_ns, number, &number), found = true) {
        struct task *t;
        list_for_each (t, &p->tasks, thread_link) {
            if (found && !t->exited && t->cgroup && (below ? cgroup_within(t->cgroup, cg) : t->cgroup == cg))
                return t;
            found = found || t == after;
        }
    }
    return NULL;
}

/* ---- moving ---- */

static void move_task_locked(struct task *t, struct cgroup *to)
{
    struct cgroup *from = t->cgroup;
    if (from == to)
        return;
    for (struct cgroup *at = to; at; at = at->parent)
        at->pids_current++; /* moving is not limited */
    uncharge_up_to(from, NULL);
    if (!t->exited) {
        count_live(t, to, 1);
        count_live(t, from, -1);
    }
    t->cgroup = cgroup_get(to);
    cgroup_put(from); /* never the last: the tree's, or our caller's */
    bool freeze = must_freeze(to);
    if (freeze == t->freeze || t->exited)
        return;
    t->freeze = freeze;
    if (freeze)
        task_kick(t);
    else
        wake_all(&t->process->sig.stop_queue);
}

static int move_locked(struct cgroup *cg, struct process *p)
{
    struct task *t;
    if (p->state != PROCESS_RUNNING)
        return -ESRCH;
    list_for_each (t, &p->tasks, thread_link)
        if (t->cgroup)
            move_task_locked(t, cg);
    return 0;
}

int cgroup_move(struct cgroup *cg, struct process *p)
{
    mutex_assert_held(&cgroup_mutex);
    if (cg->dead)
        return -ENODEV;
    if (cg->parent && cg->subtree_control)
        return -EBUSY; /* processes are in leaves only */
    struct cgroup *old = NULL;
    spin_lock(&tasklist_lock);
    if (p->leader && p->leader->cgroup)
        old = cgroup_get(p->leader->cgroup);
    int err = move_locked(cg, p);
    spin_unlock(&tasklist_lock);
    cgroup_put(old);
    if (!err)
        cgroup_memory_watch(cg);
    return err;
}

int cgroup_attach(struct cgroup *cg, struct process *p)
{
    MUTEX_GUARD(&cgroup_mutex);
    return cgroup_move(cg, p);
}

/* ---- freezing and killing ---- */

static void update_freeze_locked(struct task *t)
{
    bool freeze = must_freeze(t->cgroup);
    if (freeze == t->freeze)
        return;
    t->freeze = freeze;
    if (freeze)
        task_kick(t);
    else
        wake_all(&t->process->sig.stop_queue);
}

void cgroup_freeze(struct cgroup *cg, bool on)
{
    spin_lock(&tasklist_lock);
    cg->freeze = on;
    for (struct task *t = NULL; (t = cgroup_next_task_locked(cg, true, t));)
        update_freeze_locked(t);
    if (!on || !cg->live)
        cgroup_events_changed(cg);
    spin_unlock(&tasklist_lock);
}

static void set_frozen(struct task *t, bool frozen)
{
    spin_lock(&tasklist_lock);
    t->frozen = frozen;
    for (struct cgroup *at = t->cgroup; at; at = at->parent) {
        at->frozen += frozen ? 1u : -1u;
        if (at->frozen == at->live || !frozen) {
            at->events++;
            wake_poll(&at->events_queue, EPOLLPRI | EPOLLERR);
        }
    }
    spin_unlock(&tasklist_lock);
}

void cgroup_freeze_wait(struct task *t)
{
    set_frozen(t, true);
    (void)wait_event_killable(&t->process->sig.stop_queue,
                              !__atomic_load_n(&t->freeze, __ATOMIC_SEQ_CST) || t->sig.kill_pending);
    set_frozen(t, false);
}

void cgroup_kill(struct cgroup *cg)
{
    struct process *last = NULL;
    spin_lock(&tasklist_lock);
    for (struct task *t = NULL; (t = cgroup_next_task_locked(cg, true, t)); last = t->process)
        if (t->process != last)
            (void)signal_send_process_locked(t->process, SIGKILL, NULL);
    spin_unlock(&tasklist_lock);
}

/* ---- use ---- */

static void add_dead(const struct cgroup *cg, int64_t *user, int64_t *system)
{
    struct cgroup *child;
    *user += cg->dead_user;
    *system += cg->dead_system;
    list_for_each (child, &cg->children, sibling)
        add_dead(child, user, system);
}

/* cgroup_mutex held. */
void cgroup_cpu_time(const struct cgroup *cg, int64_t *ret_user, int64_t *ret_system)
{
    struct cpu_times times;
    *ret_user = *ret_system = 0;
    add_dead(cg, ret_user, ret_system);
    spin_lock(&tasklist_lock);
    for (struct task *t = NULL; (t = cgroup_next_task_locked(cg, true, t));) {
        task_cpu_times(t, &times);
        *ret_user += times.user;
        *ret_system += times.system;
    }
    spin_unlock(&tasklist_lock);
}

/* The address spaces of cg's processes: references, as many as there is room for. */
static size_t collect_spaces(const struct cgroup *cg, struct task **tasks, size_t max)
{
    size_t n = 0;
    struct process *last = NULL;
    spin_lock(&tasklist_lock);
    for (struct task *t = NULL; n < max && (t = cgroup_next_task_locked(cg, true, t)); last = t->process)
        if (t->process != last)
            tasks[n++] = task_get(t);
    spin_unlock(&tasklist_lock);
    return n;
}

uint64_t cgroup_memory_used(const struct cgroup *cg)
{
    size_t max = task_total() + 16;
    CLEANUP_FREE struct task **tasks = calloc(max, sizeof(*tasks));
    uint64_t pages = 0;
    struct mm *last = NULL;
    if (!tasks)
        return 0;
    size_t n = collect_spaces(cg, tasks, max);
    for (size_t i = 0; i < n; i++) {
        struct mm *mm = task_get_mm(tasks[i]);
        if (mm && mm != last)
            pages += mm_rss(mm);
        last = mm; /* compared only */
        if (mm)
            mm_put(mm);
        task_put(tasks[i]);
    }
    return pages * PAGE_SIZE;
}

void cgroup_narrow_cpus(const struct cgroup *cg, uint64_t mask[CGROUP_CPU_WORDS])
{
    for (; cg; cg = cg->parent) {
        uint64_t any = 0, kept[CGROUP_CPU_WORDS];
        if (!cg->cpus_set)
            continue;
        for (unsigned i = 0; i < CGROUP_CPU_WORDS; i++)
            any |= kept[i] = mask[i] & cg->cpus[i];
        if (any)
            memcpy(mask, kept, sizeof(kept));
    }
}

uint64_t cgroup_memory_total(uint64_t total, uint64_t *ret_used)
{
    const struct cgroup *limiter = NULL;
    struct cgroup *own = NULL;
    *ret_used = 0;
    spin_lock(&tasklist_lock);
    if (current)
        own = cgroup_get(current->cgroup);
    spin_unlock(&tasklist_lock);
    for (const struct cgroup *cg = own; cg; cg = cg->parent) {
        if (!cg->memory_visible || cg->memory_max >= total)
            continue;
        total = cg->memory_max;
        limiter = cg;
    }
    if (limiter)
        *ret_used = MIN(cgroup_memory_used(limiter), total);
    cgroup_put(own);
    return total;
}
