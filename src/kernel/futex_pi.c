/* See futex_pi.h. Everything here is under pi_lock. */
#include "kernel/futex_pi.h"
#include "base/hash.h"
#include "ipc/object.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/area.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define CHAIN_MAX 1024
#define RETRIES_MAX 64
#define HANDED_BY_DEAD 1 /* what a waiter is settled with */

/* Which word, whoever looks at it from wherever. */
struct word_key {
    const void *object; /* an address space, an inode, or NULL: shared anonymous memory */
    uint64_t offset;
};

struct pi_waiter {
    struct ipc_waiter wait; /* of pi_state.waiters */
    struct task *task;
    struct pi_state *state;
};

struct pi_state {
    struct list link; /* of states */
    struct word_key key;
    struct task *owner; /* reference; NULL: dead, and the first waiter is about to take over */
    struct list waiters;
    unsigned users; /* waiters, and those that have been given the lock but do not know yet */
};

static struct mutex pi_lock = MUTEX_INIT(pi_lock);
static struct list states = LIST_INIT(states);

/* ---- words ---- */

static int find_key(uaddr_t word, bool private_word, struct word_key *ret)
{
    struct mm *mm = current->mm;
    if (word % sizeof(uint32_t))
        return -EINVAL;
    *ret = (struct word_key){.object = mm, .offset = word};
    if (private_word)
        return 0;
    MUTEX_GUARD(&mm->lock);
    struct area *a = mm_find_area(mm, word);
    if (!a)
        return -EFAULT;
    if (!area_is_private(a))
        *ret = (struct word_key){.object = a->file ? a->file->inode : NULL, .offset = a->offset + (word - a->start)};
    return 0;
}

static int store(uaddr_t word, uint32_t value)
{
    return copy_to_user_partial(word, &value, sizeof(value)) == sizeof(value) ? 0 : -EFAULT;
}

/* Sets FUTEX_WAITERS, atomically: from then on user space does not change the word. */
static int freeze(uaddr_t word, uint32_t *ret)
{
    const uint64_t set_bit_31 = (uint32_t)(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT) << 28 | 31 << 12;
    const uint64_t args[6] = {word, FUTEX_WAKE_OP, 0, 0, word, set_bit_31};
    int64_t err = order_host(current->ctx, SYS_futex, args);
    return err < 0 ? (int)err : get_user(ret, word);
}

/* ---- states ---- */

static struct pi_state *find_state(const struct word_key *key)
{
    struct pi_state *s;
    list_for_each (s, &states, link)
        if (s->key.object == key->object && s->key.offset == key->offset)
            return s;
    return NULL;
}

static void state_set_owner(struct pi_state *s, struct task *t)
{
    task_put(s->owner);
    s->owner = t ? task_get(t) : NULL;
}

static int state_new(const struct word_key *key, struct task *owner, struct pi_state **ret)
{
    struct pi_state *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->key = *key;
    list_init(&s->waiters);
    list_add(&states, &s->link);
    state_set_owner(s, owner);
    *ret = s;
    return 0;
}

static void state_drop_if_idle(struct pi_state *s)
{
    if (s->users > 0)
        return;
    list_del(&s->link);
    state_set_owner(s, NULL);
    free(s);
}

static int rank(const struct task *t)
{
    return t->sched_policy == SCHED_FIFO || t->sched_policy == SCHED_RR ? t->sched_priority : 0;
}

/* Behind those of the same priority. */
static void add_waiter(struct pi_state *s, struct pi_waiter *w)
{
    struct list *at = &s->waiters;
    while (at->prev != &s->waiters &&
           rank(container_of(list_entry(at->prev, struct ipc_waiter, link), struct pi_waiter, wait)->task) <
               rank(w->task))
        at = at->prev;
    list_add_tail(at, &w->wait.link);
}

static struct pi_waiter *first_waiter(struct pi_state *s)
{
    struct ipc_waiter *w = list_first(&s->waiters, struct ipc_waiter, link);
    return w ? container_of(w, struct pi_waiter, wait) : NULL;
}

/* Would waiting for `owner` wait for the caller in the end? */
static bool closes_circle(const struct task *owner)
{
    for (int steps = 0; owner && steps < CHAIN_MAX; steps++) {
        if (owner == current)
            return true;
        owner = owner->pi_waits_for ? owner->pi_waits_for->owner : NULL;
    }
    return false;
}

static uint32_t own_tid(const struct task *t)
{
    return (uint32_t)pid_number_in(t->pid, t->pid->ns);
}

/* ---- locking ---- */

static int wait_for_lock(struct pi_state *s, uaddr_t word, int64_t deadline)
{
    struct pi_waiter w = {.task = current, .state = s};
    ipc_waiter_init(&w.wait);
    add_waiter(s, &w);
    s->users++;
    current->pi_waits_for = s;
    int err = ipc_wait_locked(&pi_lock, &w.wait, deadline);
    current->pi_waits_for = NULL;
    if (err == 0 && w.wait.result == HANDED_BY_DEAD)
        err = store(word, own_tid(current) | FUTEX_WAITERS | FUTEX_OWNER_DIED);
    s->users--;
    state_drop_if_idle(s);
    return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

/* Whose lock it is, by the word: a reference. */
static int find_owner(uint32_t value, struct task **ret)
{
    struct task *t = task_find((int32_t)(value & FUTEX_TID_MASK));
    if (!t)
        return -ESRCH;
    if (t->exiting || !t->mm) { /* about to leave its locks: look again */
        task_put(t);
        return -EAGAIN;
    }
    *ret = t;
    return 0;
}

static int get_state(const struct word_key *key, uint32_t value, struct pi_state **ret)
{
    struct task *owner;
    *ret = find_state(key);
    if (*ret)
        return 0;
    int err = find_owner(value, &owner);
    if (err < 0)
        return err;
    err = state_new(key, owner, ret);
    task_put(owner);
    return err;
}

/* Nobody's: the caller's, unless somebody in user space was quicker (1). */
static int take_free(uaddr_t word, uint32_t *value)
{
    int err = freeze(word, value);
    if (err < 0)
        return err;
    if (*value & FUTEX_TID_MASK)
        return 1;
    return store(word, own_tid(current) | (*value & FUTEX_OWNER_DIED));
}

static int lock_once(uaddr_t word, const struct word_key *key, bool try_only, int64_t deadline)
{
    struct pi_state *s;
    uint32_t value;
    if (get_user(&value, word))
        return -EFAULT;
    if ((value & FUTEX_TID_MASK) == own_tid(current))
        return -EDEADLK;
    if (!(value & FUTEX_TID_MASK) && !find_state(key)) {
        int err = take_free(word, &value);
        if (err <= 0)
            return err;
    }
    if (try_only)
        return -EAGAIN;
    int err = get_state(key, value, &s);
    if (err < 0)
        return err == -EAGAIN ? 1 : err;
    err = closes_circle(s->owner) ? -EDEADLK : freeze(word, &value);
    if (err == 0 && !(value & FUTEX_TID_MASK) && list_empty(&s->waiters))
        err = 1; /* unlocked meanwhile */
    if (err != 0) {
        state_drop_if_idle(s);
        return err;
    }
    return wait_for_lock(s, word, deadline);
}

int64_t futex_lock_pi(uaddr_t word, bool private_word, bool try_only, int64_t deadline)
{
    struct word_key key;
    int err = find_key(word, private_word, &key);
    if (err < 0)
        return err;
    for (int retries = 0; retries < RETRIES_MAX; retries++) {
        mutex_lock(&pi_lock);
        err = lock_once(word, &key, try_only, deadline);
        mutex_unlock(&pi_lock);
        if (err <= 0)
            return err;
        if (sleep_until(now_monotonic() + 100 * NSEC_PER_USEC) < 0) /* an owner that is on its way out */
            return -ERESTARTNOINTR;
    }
    return -EAGAIN;
}

/* ---- unlocking ---- */

static int unlock_locked(uaddr_t word, const struct word_key *key)
{
    uint32_t value;
    if (get_user(&value, word))
        return -EFAULT;
    if ((value & FUTEX_TID_MASK) != own_tid(current))
        return -EPERM;
    struct pi_state *s = find_state(key);
    struct pi_waiter *w = s ? first_waiter(s) : NULL;
    if (!w)
        return store(word, 0);
    int err = store(word, own_tid(w->task) | FUTEX_WAITERS);
    if (err < 0)
        return err;
    state_set_owner(s, w->task);
    ipc_settle(&w->wait, 0);
    return 0;
}

int64_t futex_unlock_pi(uaddr_t word, bool private_word)
{
    struct word_key key;
    int err = find_key(word, private_word, &key);
    if (err < 0)
        return err;
    MUTEX_GUARD(&pi_lock);
    return unlock_locked(word, &key);
}

/* ---- death ---- */

void futex_pi_exit(struct task *t)
{
    struct pi_state *s, *next;
    if (list_empty(&states))
        return;
    MUTEX_GUARD(&pi_lock);
    list_for_each_safe (s, next, &states, link) {
        if (s->owner != t)
            continue;
        struct pi_waiter *w = first_waiter(s);
        if (!w)
            continue;
        state_set_owner(s, w->task);
        ipc_settle(&w->wait, HANDED_BY_DEAD);
    }
}
