/*
 * memory.max of cgroups that guests have limited themselves. Memory is given by the host, page by
 * page, without a word to the kernel: so a fiber looks every 50 ms at what those cgroups have, as
 * long as somebody is in one, and ends the largest process of one that has too much, as an
 * out-of-memory killer would. It is not there otherwise: an idle sandbox stays asleep. What the
 * container's configuration limits is the host's to enforce, on all of the sandbox.
 */
#include "base/cleanup.h"
#include "kernel/cgroup_private.h"
#include "kernel/pid.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "sched/wait.h"
#include <stdlib.h>

#define LOOK_EVERY (50 * NSEC_PER_MSEC)

static bool watching; /* [cgroup_mutex] */

static uint64_t memory_of(struct task *t)
{
    struct mm *mm = task_get_mm(t);
    uint64_t pages = mm ? mm_rss(mm) : 0;
    if (mm)
        mm_put(mm);
    return pages;
}

/* The process of cg or below that has most; a reference to one of its tasks, or NULL. */
static struct task *largest(const struct cgroup *cg)
{
    size_t max = task_total() + 16, n = 0, best = 0;
    uint64_t most = 0;
    CLEANUP_FREE struct task **tasks = calloc(max, sizeof(*tasks));
    if (!tasks)
        return NULL;
    spin_lock(&tasklist_lock);
    for (struct task *t = NULL; n < max && (t = cgroup_next_task_locked(cg, true, t));)
        if (t == t->process->leader)
            tasks[n++] = task_get(t);
    spin_unlock(&tasklist_lock);
    for (size_t i = 0; i < n; i++) {
        uint64_t pages = memory_of(tasks[i]);
        if (pages > most) {
            most = pages;
            best = i;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (i != best)
            task_put(tasks[i]);
    return n ? tasks[best] : NULL;
}

static void kill_for_memory(struct cgroup *cg)
{
    cg->memory_failed++;
    cg->oom_kills++;
    cg->memory_events++;
    wake_poll(&cg->events_queue, EPOLLPRI | EPOLLERR);
    if (cg->oom_group) {
        cgroup_kill(cg);
        return;
    }
    struct task *t = largest(cg);
    if (!t)
        return;
    (void)signal_send_process(t->process, SIGKILL, NULL);
    task_put(t);
}

/* Is there anybody whose memory has to be watched? */
static bool look_at(struct cgroup *cg)
{
    struct cgroup *child;
    bool any = false;
    if (cg->memory_watched && cg->live && cg->memory_max != CGROUP_MAX) {
        any = true;
        uint64_t used = cgroup_memory_used(cg);
        if (used > cg->memory_peak)
            cg->memory_peak = used;
        if (used > cg->memory_max)
            kill_for_memory(cg);
    }
    list_for_each (child, &cg->children, sibling)
        any |= look_at(child);
    return any;
}

static void watch_main(void *unused)
{
    (void)unused;
    for (;;) {
        (void)sleep_until(now_monotonic() + LOOK_EVERY);
        MUTEX_GUARD(&cgroup_mutex);
        watching = look_at(cgroup_root());
        if (!watching)
            return;
    }
}

/* Somebody has come into cg, or it has been given a limit. cgroup_mutex held. */
void cgroup_memory_watch(struct cgroup *cg)
{
    mutex_assert_held(&cgroup_mutex);
    while (cg && !cg->memory_watched)
        cg = cg->parent;
    if (!cg || watching)
        return;
    struct fiber *f = fiber_new("cgroup memory", watch_main, NULL);
    if (!f)
        return;
    watching = true;
    fiber_start(f);
}
