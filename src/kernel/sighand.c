/* Dispositions: what a process does about each signal, rt_sigaction(2). Shared by CLONE_SIGHAND. */
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include <stdlib.h>
#include <string.h>

int sighand_new(struct sighand **ret)
{
    struct sighand *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    refcount_init(&s->ref);
    spin_init(&s->lock);
    *ret = s;
    return 0;
}

int sighand_copy(struct sighand *from, struct sighand **ret)
{
    struct sighand *s;
    int err = sighand_new(&s);
    if (err)
        return err;
    spin_lock(&from->lock);
    memcpy(s->action, from->action, sizeof(s->action));
    spin_unlock(&from->lock);
    *ret = s;
    return 0;
}

struct sighand *sighand_get(struct sighand *s)
{
    refcount_get(&s->ref);
    return s;
}

void sighand_put(struct sighand *s)
{
    if (s && refcount_put(&s->ref))
        free(s);
}

void sighand_exec(struct sighand *s)
{
    spin_lock(&s->lock);
    for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
        uint64_t handler = s->action[i].handler;
        memset(&s->action[i], 0, sizeof(s->action[i]));
        if (handler == (uint64_t)SIG_IGN)
            s->action[i].handler = handler;
    }
    spin_unlock(&s->lock);
}

/* What is pending and has become ignored is forgotten: POSIX 3.3.1.3. */
static void forget_ignored(struct task *t, int sig)
{
    struct process *p = t->process;
    struct task *other;
    siginfo_t info;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    list_for_each (other, &p->tasks, thread_link) {
        while (signal_take_locked(other, SIGBIT(sig), &info))
            ;
        signal_publish_pending(other);
    }
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
}

#define KNOWN_FLAGS                                                                    \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | \
     (uint64_t)(uint32_t)SA_RESETHAND | 0x04000000 /* SA_RESTORER */ |                 \
     0x00000800 /* SA_EXPOSE_TAGBITS */)

int signal_action(struct task *t, int sig, const struct guest_sigaction *new_action,
                  struct guest_sigaction *ret_old)
{
    if (sig < 1 || sig > SIGNAL_COUNT || (new_action && SIGBIT(sig) & UNBLOCKABLE))
        return -EINVAL;
    struct sighand *s = t->process->sig.sighand;
    spin_lock(&s->lock);
    struct guest_sigaction old = s->action[sig - 1];
    if (new_action) {
        s->action[sig - 1] = *new_action;
        s->action[sig - 1].flags &= KNOWN_FLAGS;
        s->action[sig - 1].mask &= ~UNBLOCKABLE;
    }
    spin_unlock(&s->lock);
    if (ret_old)
        *ret_old = old;
    if (new_action &&
        (new_action->handler == (uint64_t)SIG_IGN ||
         (new_action->handler == (uint64_t)SIG_DFL && SIGBIT(sig) & IGNORED_BY_DEFAULT)))
        forget_ignored(t, sig);
    return 0;
}
