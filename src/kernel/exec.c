/*
 * execve(2). Steps, in Linux's order: open and check the new image; end the other threads, and take
 * over the leader's pid if a thread other than the leader execs; then, past the point of no return,
 * a space to map into (the own one emptied, or a fresh one when the old is shared or the
 * credentials change), the image, and all the attributes that exec resets.
 */
#include "base/cleanup.h"
#include "kernel/container.h"
#include "kernel/call_entry.h"
#include "kernel/exec_cred.h"
#include "kernel/fdtable.h"
#include "kernel/keys.h"
#include "kernel/pid.h"
#include "kernel/posix_timers.h"
#include "kernel/ptrace_private.h"
#include "kernel/robust.h"
#include "kernel/signal_private.h"
#include "kernel/task_private.h"
#include "loader/loader.h"
#include "mm/mm.h"
#include "vfs/file.h"
#include <linux/ptrace.h>

DEFINE_CLEANUP(struct image *, image_free)

/* ---- alone in the process ---- */

/* tasklist_lock held. The old leader is a zombie thread by now; returns it, to be put. */
static struct task *take_over_leader_locked(struct task *t)
{
    struct process *p = t->process;
    struct task *old = p->leader;
    struct pid *own = t->pid;
    t->pid = old->pid;
    old->pid = own;
    t->pid->task = t;
    own->task = NULL;
    pid_release_numbers_locked(own);
    list_del(&old->thread_link);
    p->leader = t;
    return old;
}

static int end_other_tasks(struct task *t)
{
    struct process *p = t->process;
    struct task *old = NULL;
    bool busy;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    busy = p->exiting || p->exec_task;
    if (!busy && p->task_count > 1) {
        p->exec_task = t;
        signal_kill_other_tasks_locked(t);
    }
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
    if (busy)
        return -EAGAIN; /* this task is about to end */
    int err = wait_event_killable(&p->sig.stop_queue,
                                  __atomic_load_n(&p->task_count, __ATOMIC_ACQUIRE) == 1);
    spin_lock(&tasklist_lock);
    if (!err && t != p->leader)
        old = take_over_leader_locked(t);
    if (old && ptrace_tracer_locked(old)) {
        ptrace_unlink_locked(old);
        task_put(old); /* the tracer's: not the last */
    }
    spin_unlock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    p->exec_task = NULL;
    spin_unlock(&p->sig.lock);
    task_put(old);
    return err;
}

/* ---- the space ---- */

static int enter_fresh_space(struct task *t)
{
    struct address_space *as;
    struct context *ctx, *old_ctx = t->ctx;
    struct mm *mm, *old_mm = t->mm;
    struct cpu_times times;
    int err = platform_new(&as, &ctx);
    if (err)
        return err;
    err = mm_new(as, &mm);
    if (err) {
        context_exit(ctx);
        return err;
    }
    if (t->process->oom_score_adj > 0)
        mm_set_oom(mm, t->process->oom_score_adj);
    context_set_sigmask(ctx, task_sigmask(t));
    task_cpu_times(t, &times);
    spin_lock(&t->platform_lock);
    t->ctx = ctx;
    t->past_times = times;
    spin_unlock(&t->platform_lock);
    spin_lock(&t->alloc_lock);
    t->mm = mm;
    spin_unlock(&t->alloc_lock);
    mm_detach(old_mm);
    context_exit(old_ctx);
    mm_put(old_mm);
    return 0;
}

static int enter_space(struct task *t, bool fresh)
{
    if (fresh || refcount_read(&t->mm->ref) > 1)
        return enter_fresh_space(t);
    int err = platform_reset(t->ctx);
    if (!err)
        mm_clear(t->mm);
    return err;
}

/* ---- what exec resets ---- */

static int unshare_for_exec(struct task *t)
{
    struct process *p = t->process;
    struct fdtable *files = NULL;
    struct sighand *hand = NULL;
    int err = 0;
    if (refcount_read(&t->files->ref) > 1)
        err = fdtable_copy(t->files, &files);
    if (!err && refcount_read(&p->sig.sighand->ref) > 1)
        err = sighand_copy(p->sig.sighand, &hand);
    if (!err && files) {
        spin_lock(&t->alloc_lock);
        struct fdtable *old = t->files;
        t->files = files;
        spin_unlock(&t->alloc_lock);
        fdtable_put(old);
        files = NULL;
    }
    if (!err && hand) {
        spin_lock(&tasklist_lock);
        spin_lock(&p->sig.lock);
        struct sighand *old = p->sig.sighand;
        p->sig.sighand = TAKE_PTR(hand);
        spin_unlock(&p->sig.lock);
        spin_unlock(&tasklist_lock);
        sighand_put(old);
    }
    fdtable_put(files);
    return err;
}

static void reset_attributes(struct task *t, struct image *image, bool privileged)
{
    struct process *p = t->process;
    t->sig.altstack = t->sig.altstack_size = 0;
    t->sig.altstack_flags = SS_DISABLE;
    t->clear_child_tid = t->set_child_tid = 0;
    t->restart.func = NULL;
    t->dispatch.mode = 0;
    if (privileged)
        t->pdeath_signal = 0;
    task_set_comm(t, image_comm(image));
    p->dumpable = !privileged;
    spin_lock(&tasklist_lock);
    p->did_exec = true;
    p->exit_signal = SIGCHLD;
    spin_unlock(&tasklist_lock);
    struct file *exe = file_get(image_exe(image)), *old = p->exe;
    p->exe = exe;
    if (old)
        file_put(old);
    container_watch(p, true);
}

/* Nothing can be undone any more: a failure here ends the process. */
static int replace_image(struct task *t, struct image *image, const struct exec_cred *creds)
{
    task_release_memory(t);
    int err = unshare_for_exec(t);
    if (!err) {
        MUTEX_GUARD(&t->process->exec_lock);
        err = enter_space(t, creds->changed);
        if (!err) {
            reset_attributes(t, image, creds->secure);
            err = loader_map(image, t->mm, t->ctx, creds->cred, creds->secure);
        }
    }
    if (err)
        return err;
    t->image_queued = true;
    t->syscall_nr = -1;
    sighand_exec(t->process->sig.sighand);
    posix_timers_free(t->process);
    keys_exec(t);
    fdtable_close_on_exec(t->files);
    return 0;
}

int do_execve(const struct exec_args *args)
{
    struct task *t = current;
    const struct loader_args largs = {
        .dirfd = args->dirfd,
        .filename = args->filename,
        .walk_flags = args->walk_flags,
        .argv = args->argv,
        .envv = args->envv,
    };
    CLEANUP_OF(image_free) struct image *image = NULL;
    int err = loader_open(&largs, &image);
    if (err)
        return err;
    struct exec_cred creds;
    err = exec_cred_prepare(t->cred, image, &creds);
    if (err)
        return err;
    int32_t old_number = pid_number(t->pid);
    err = end_other_tasks(t);
    if (!err) {
        err = replace_image(t, image, &creds);
        if (err) {
            process_kill_group(t->process, SIGKILL);
            fiber_interrupt(t->fiber);
        }
    }
    if (err) {
        cred_put(creds.cred);
        return err;
    }
    task_set_cred(t, creds.cred); /* publishes the answers of a fresh context, too */
    spin_lock(&t->process->sig.lock);
    call_work_update(t);
    spin_unlock(&t->process->sig.lock);
    ptrace_event(t, PTRACE_EVENT_EXEC, (uint64_t)old_number);
    return 0;
}
