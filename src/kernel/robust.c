/*
 * The robust list is a chain in guest memory, so everything about it may be wrong or hostile: it is
 * walked for a bounded number of steps, and the first bad address ends it.
 *
 * The owner-died mark is written without an atomic exchange (there is no such order). That is safe
 * because the word's owner is the dying thread: others may only add FUTEX_WAITERS meanwhile, and a
 * waiter whose bit is lost is woken here anyway.
 */
#include "kernel/robust.h"
#include "kernel/pid.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include <linux/futex.h>
#include <sys/syscall.h>

#define STEPS_MAX 2048

struct robust_head {
    uint64_t next;
    int64_t futex_offset;
    uint64_t pending;
};

static void wake_futex(struct task *t, uaddr_t word)
{
    const uint64_t args[6] = {word, FUTEX_WAKE, 1, 0, 0, 0};
    order_defer_host(t->ctx, SYS_futex, args, true);
}

static int mark_dead(struct task *t, uaddr_t word, bool pi, bool pending_op)
{
    uint32_t value, tid = (uint32_t)pid_number_in(t->pid, t->pid->ns);
    if (word % 4 || get_user(&value, word))
        return -EFAULT;
    if (pending_op && !pi && !value) { /* unlocked, but its waiter may not have been woken */
        wake_futex(t, word);
        return 0;
    }
    if ((value & FUTEX_TID_MASK) != tid)
        return 0;
    uint32_t dead = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (put_user(&dead, word))
        return -EFAULT;
    if (!pi)
        wake_futex(t, word);
    return 0;
}

uaddr_t task_robust_list(struct task *t)
{
    spin_lock(&t->platform_lock);
    uaddr_t head = t->ctx ? context_robust_list(t->ctx) : 0;
    spin_unlock(&t->platform_lock);
    return head;
}

/* Nearly always the list is empty. Looking from outside is cheaper than a hand-off to a thread that
 * is about to end. */
static bool is_empty(struct task *t, uaddr_t list)
{
    struct robust_head head;
    ssize_t n = platform_peek(context_as(t->ctx), &head, list, sizeof(head));
    return n == sizeof(head) && head.next == list && !head.pending;
}

static void walk_robust_list(struct task *t)
{
    struct robust_head head;
    uaddr_t list = context_robust_list(t->ctx);
    if (!list || is_empty(t, list) || get_user(&head, list))
        return;
    uint64_t entry = head.next;
    for (unsigned step = 0; step < STEPS_MAX && (entry & ~1ULL) != list; step++) {
        uint64_t next;
        if (get_user(&next, entry & ~1ULL)) /* before the futex may be freed by its next owner */
            return;
        if (entry != head.pending &&
            mark_dead(t, (entry & ~1ULL) + (uint64_t)head.futex_offset, entry & 1, false))
            return;
        entry = next;
    }
    if (head.pending)
        (void)mark_dead(t, (head.pending & ~1ULL) + (uint64_t)head.futex_offset, head.pending & 1,
                        true);
}

static void clear_tid(struct task *t)
{
    const uint32_t zero = 0;
    uaddr_t word = t->clear_child_tid;
    t->clear_child_tid = 0;
    if (!word || refcount_read(&t->mm->ref) < 2) /* nobody is left to see it */
        return;
    if (t->process->task_count > 1) { /* a thread: who waits for it, waits on the word */
        if (!put_user(&zero, word))
            wake_futex(t, word);
        return;
    }
    /* A process of its own: who waits for its end finds the word cleared. */
    if (copy_to_user_partial(word, &zero, sizeof(zero)) == sizeof(zero))
        wake_futex(t, word);
}

void robust_list_release(struct task *t)
{
    walk_robust_list(t);
    context_set_robust_list(t->ctx, 0);
    clear_tid(t);
}
