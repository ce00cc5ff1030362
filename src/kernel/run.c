/*
 * The life of a guest thread inside the kernel: run the guest until something happens, deal with
 * it, look at the signals, run it again. This is the hottest loop there is: a system call that
 * finds nothing to do after it costs one flag check here.
 */
#include "base/log.h"
#include "kernel/call_entry.h"
#include "kernel/container.h"
#include "kernel/pid.h"
#include "kernel/ptrace.h"
#include "kernel/task.h"
#include <string.h>

/* A blocked call that a signal broke up answers one of these; signal_deliver() decides what becomes
 * of it. */
static bool is_restart_code(int64_t result)
{
    return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

/* Everything that is not the straight way back to the guest. False: the task ends. */
static bool work_before_resume(struct task *t)
{
    if (UNLIKELY(task_frozen(t)))
        task_wait_thawed(t);
    signal_deliver(t);
    return !t->exit_requested && t->ctx;
}

int64_t interrupted_futex(const uint64_t *args)
{
    return args[3] ? -ERESTARTNOHAND : -ERESTARTSYS;
}

/* True when there is work before the guest may go on. */
static inline bool run_syscall(struct task *t, const struct event *event)
{
    t->frame_queued = t->image_queued = false;
    t->syscall_nr = (int)event->nr;
    t->syscall_count++;
    int64_t result;
    if (UNLIKELY(event->interrupted))
        result = interrupted_futex(event->args);
    else if (UNLIKELY(__atomic_load_n(&t->call_work, __ATOMIC_RELAXED)))
        result = call_with_work(t, event);
    else {
        result = task_syscall_hook(event->nr, event->args);
        if (UNLIKELY(__atomic_load_n(&t->call_work, __ATOMIC_RELAXED) & CALL_WORK_TRACED))
            result = call_exit_traced(t, result);
    }
    if (UNLIKELY(!t->ctx))
        return true;
    context_set_result(t->ctx, result); /* exec may have changed the context */
    return UNLIKELY(fiber_interrupted(t->fiber) || (is_restart_code(result) && t->syscall_nr >= 0));
}

static void run_fault(struct task *t, const struct event *event)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    t->syscall_nr = -1;
    t->frame_queued = t->image_queued = false;
    t->fault = event->fault;
    ptrace_clear_step(t);
    info.si_signo = event->fault.signo;
    info.si_code = event->fault.code;
    info.si_addr = (void *)event->fault.addr;
    signal_force(t, event->fault.signo, &info);
}

/* A deferred order met a bad address: whose was it? */
static void run_order_failed(struct task *t)
{
    if (t->image_queued) {
        log_debug("%s: the new image could not be mapped", t->comm);
        process_kill_group(t->process, SIGKILL);
    } else if (t->frame_queued) {
        signal_force(t, SIGSEGV, NULL);
    } else {
        context_regs(t->ctx)->rax = (uint64_t)-EFAULT;
    }
    t->frame_queued = t->image_queued = false;
}

static bool run_event(struct task *t, const struct event *event)
{
    if (LIKELY(event->kind == EVENT_SYSCALL))
        return run_syscall(t, event);
    switch (event->kind) {
    case EVENT_FAULT:
        run_fault(t, event);
        break;
    case EVENT_ORDER_FAILED:
        run_order_failed(t);
        break;
    case EVENT_DEAD: /* the stub process was killed from outside, or broke the protocol */
        log_debug("%s: its stub process is dead", t->comm);
        process_kill_group(t->process, SIGKILL);
        break;
    default:
        t->syscall_nr = -1;
        ptrace_clear_step(t);
        break;
    }
    return true;
}

static void task_loop(struct task *t)
{
    struct event event;
    bool work = true;
    for (;;) {
        while (UNLIKELY(work)) {
            if (!work_before_resume(t))
                return;
            work = fiber_interrupted(t->fiber);
        }
        platform_run(t->ctx, &event);
        work = run_event(t, &event);
    }
}

void task_main(void *arg)
{
    struct task *t = arg;
    int32_t tid = pid_number_in(t->pid, t->pid->ns);
    if (t->set_child_tid) /* a bad address is nobody's error */
        platform_copy_out(t->ctx, t->set_child_tid, &tid, sizeof(tid));
    task_loop(t);
    task_exit(t);
}
