/*
 * Advisory locks: see vfs/locks.h. One spinlock for all of them (locks are rare and their lists
 * short); those who wait sleep on the inode's queue and try again at each change. Who waits for
 * whom is kept in a list of its own, from which a circle of waiting POSIX owners is found before it
 * closes.
 */
#include "vfs/locks.h"
#include "kernel/signal.h"
#include "vfs/internal.h"
#include <stdlib.h>
#include <sys/sysmacros.h>

#define LOCKS_MAX 100000u

struct file_lock {
    struct list link, all_link;
    struct inode *inode;
    struct lock_request r;
    bool flock;
};

struct file_lock_list {
    struct list records, flocks; /* [locks_lock] */
    struct wait_queue waiters;
};

/* A POSIX owner that sleeps, and whose lock is in its way. */
struct lock_waiter {
    struct list link;
    const void *owner, *blocker;
};

static struct spinlock locks_lock = SPINLOCK_INIT;
static struct list all_locks = LIST_INIT(all_locks);       /* [locks_lock] */
static struct list lock_waiters = LIST_INIT(lock_waiters); /* [locks_lock] */
static unsigned lock_count;                                /* [locks_lock] */

static struct file_lock_list *list_of(struct inode *inode)
{
    struct file_lock_list *list = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE), *seen = NULL;
    if (list)
        return list;
    list = malloc(sizeof(*list));
    if (!list)
        return NULL;
    list_init(&list->records);
    list_init(&list->flocks);
    wait_queue_init(&list->waiters);
    if (__atomic_compare_exchange_n(&inode->locks, &seen, list, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return list;
    free(list);
    return seen;
}

/* ---- locks_lock held ---- */

static void lock_insert(struct list *head, struct file_lock *l, struct inode *inode,
                        const struct lock_request *r)
{
    l->inode = inode;
    l->r = *r;
    list_add_tail(head, &l->link);
    list_add_tail(&all_locks, &l->all_link);
    lock_count++;
}

static void lock_remove(struct file_lock *l, struct list *dead)
{
    list_del(&l->link);
    list_del(&l->all_link);
    list_add(dead, &l->link);
    lock_count--;
}

static bool overlaps(const struct lock_request *a, const struct lock_request *b)
{
    return a->start <= b->end && b->start <= a->end;
}

static struct file_lock *find_conflict(struct list *head, const struct lock_request *r)
{
    struct file_lock *l;
    if (r->type == F_UNLCK)
        return NULL;
    list_for_each (l, head, link)
        if (l->r.owner != r->owner && overlaps(&l->r, r) &&
            (l->r.type == F_WRLCK || r->type == F_WRLCK))
            return l;
    return NULL;
}

static bool would_deadlock(const void *owner, const void *blocker)
{
    struct lock_waiter *w;
    for (unsigned steps = 0; steps < 64; steps++) {
        if (blocker == owner)
            return true;
        const void *next = NULL;
        list_for_each (w, &lock_waiters, link)
            if (w->owner == blocker)
                next = w->blocker;
        if (!next)
            return false;
        blocker = next;
    }
    return false;
}

/* Applies r to the owner's locks: cuts what it covers, joins what it touches. Uses up to two
 * spares. */
static void record_apply(struct file_lock_list *list, struct inode *inode, struct lock_request r,
                         struct file_lock *spare[2], struct list *dead)
{
    struct file_lock *l, *tmp;
    list_for_each_safe (l, tmp, &list->records, link) {
        if (l->r.owner != r.owner)
            continue;
        bool touches = (r.start > 0 && l->r.end == r.start - 1) ||
                       (r.end < INT64_MAX && l->r.start == r.end + 1);
        if (l->r.type == r.type && (touches || overlaps(&l->r, &r))) {
            r.start = MIN(r.start, l->r.start);
            r.end = MAX(r.end, l->r.end);
            lock_remove(l, dead);
        } else if (overlaps(&l->r, &r)) {
            struct lock_request right = l->r;
            right.start = r.end + (r.end < INT64_MAX);
            bool keep_left = l->r.start<r.start, keep_right = l->r.end> r.end;
            if (keep_left)
                l->r.end = r.start - 1;
            if (keep_left && keep_right)
                lock_insert(&l->link, TAKE_PTR(spare[1]), inode, &right);
            else if (keep_right)
                l->r.start = right.start;
            else if (!keep_left)
                lock_remove(l, dead);
        }
    }
    if (r.type != F_UNLCK)
        lock_insert(&list->records, TAKE_PTR(spare[0]), inode, &r);
}

/* ---- verbs ---- */

static void free_dead(struct list *dead)
{
    struct file_lock *l, *tmp;
    list_for_each_safe (l, tmp, dead, link)
        free(l);
}

static int record_try(struct file *f, struct file_lock_list *list, const struct lock_request *r,
                      struct lock_waiter *w)
{
    struct list dead = LIST_INIT(dead);
    struct file_lock *spare[2] = {calloc(1, sizeof(struct file_lock)),
                                  calloc(1, sizeof(struct file_lock))};
    int err = spare[0] && spare[1] ? 0 : -ENOLCK;
    spin_lock(&locks_lock);
    struct file_lock *conflict = err ? NULL : find_conflict(&list->records, r);
    list_del(&w->link);
    if (err == 0 && r->type != F_UNLCK && lock_count >= LOCKS_MAX)
        err = -ENOLCK;
    if (!err && !conflict) {
        record_apply(list, f->inode, *r, spare, &dead);
    } else if (!err) {
        err = r->pid != -1 && would_deadlock(r->owner, conflict->r.owner) ? -EDEADLK : -EAGAIN;
        *w = (struct lock_waiter){.owner = r->owner, .blocker = conflict->r.owner};
        list_init(&w->link);
        if (r->pid != -1 && err == -EAGAIN)
            list_add(&lock_waiters, &w->link);
    }
    spin_unlock(&locks_lock);
    free_dead(&dead);
    free(spare[0]);
    free(spare[1]);
    return err;
}

static void waiter_forget(struct lock_waiter *w)
{
    spin_lock(&locks_lock);
    list_del(&w->link);
    spin_unlock(&locks_lock);
}

int record_lock_set(struct file *f, const struct lock_request *req, bool wait)
{
    struct lock_waiter w = {0};
    list_init(&w.link);
    struct file_lock_list *list = list_of(f->inode);
    if (!list)
        return -ENOLCK;
    int err = record_try(f, list, req, &w);
    if (err == -EAGAIN && wait) {
        int interrupted = wait_event_interruptible(&list->waiters,
                                                   (err = record_try(f, list, req, &w)) != -EAGAIN);
        if (interrupted)
            err = interrupted;
    }
    waiter_forget(&w);
    if (!err)
        wake_all(&list->waiters);
    return err;
}

bool record_lock_test(struct file *f, const struct lock_request *req, struct lock_request *ret)
{
    struct file_lock_list *list = __atomic_load_n(&f->inode->locks, __ATOMIC_ACQUIRE);
    if (!list)
        return false;
    spin_lock(&locks_lock);
    struct file_lock *l = find_conflict(&list->records, req);
    if (l)
        *ret = l->r;
    spin_unlock(&locks_lock);
    return l != NULL;
}

static int flock_try(struct file *f, struct file_lock_list *list, int type)
{
    struct lock_request r = {.type = type, .start = 0, .end = INT64_MAX, .owner = f, .pid = -1};
    struct list dead = LIST_INIT(dead);
    struct file_lock *l, *tmp, *fresh = calloc(1, sizeof(*fresh));
    int err = fresh ? 0 : -ENOLCK;
    spin_lock(&locks_lock);
    if (!err)
        list_for_each_safe (l, tmp, &list->flocks, link)
            if (l->r.owner == f)
                lock_remove(l, &dead);
    if (!err && type != F_UNLCK && lock_count >= LOCKS_MAX)
        err = -ENOLCK;
    if (!err && find_conflict(&list->flocks, &r))
        err = -EAGAIN;
    if (!err && type != F_UNLCK) {
        fresh->flock = true;
        lock_insert(&list->flocks, TAKE_PTR(fresh), f->inode, &r);
    }
    spin_unlock(&locks_lock);
    free_dead(&dead);
    free(fresh);
    return err;
}

int flock_set(struct file *f, int type, bool wait)
{
    struct file_lock_list *list = list_of(f->inode);
    if (!list)
        return -ENOLCK;
    int err = flock_try(f, list, type);
    if (err == -EAGAIN)
        wake_all(&list->waiters); /* converting gave the old lock up */
    if (err == -EAGAIN && wait) {
        int interrupted =
            wait_event_interruptible(&list->waiters, (err = flock_try(f, list, type)) != -EAGAIN);
        if (interrupted)
            err = interrupted;
    }
    if (!err)
        wake_all(&list->waiters);
    return err;
}

/* ---- going away ---- */

static void drop_owner(struct file_lock_list *list, struct list *head, const void *owner)
{
    struct list dead = LIST_INIT(dead);
    struct file_lock *l, *tmp;
    spin_lock(&locks_lock);
    list_for_each_safe (l, tmp, head, link)
        if (l->r.owner == owner)
            lock_remove(l, &dead);
    spin_unlock(&locks_lock);
    if (!list_empty(&dead))
        wake_all(&list->waiters);
    free_dead(&dead);
}

void file_locks_close_slow(struct file *f, const void *owner)
{
    struct file_lock_list *list = __atomic_load_n(&f->inode->locks, __ATOMIC_ACQUIRE);
    if (UNLIKELY(list != NULL))
        drop_owner(list, &list->records, owner);
}

void file_locks_release(struct file *f)
{
    struct file_lock_list *list = f->inode->locks;
    if (!list)
        return;
    drop_owner(list, &list->records, f);
    drop_owner(list, &list->flocks, f);
}

void file_locks_free(struct inode *inode)
{
    struct file_lock_list *list = TAKE_PTR(inode->locks);
    struct list dead = LIST_INIT(dead);
    struct file_lock *l, *tmp;
    spin_lock(&locks_lock);
    list_for_each_safe (l, tmp, &list->records, link)
        lock_remove(l, &dead);
    list_for_each_safe (l, tmp, &list->flocks, link)
        lock_remove(l, &dead);
    spin_unlock(&locks_lock);
    free_dead(&dead);
    free(list);
}

void file_locks_show(struct strbuf *out)
{
    struct file_lock *l;
    unsigned n = 0;
    spin_lock(&locks_lock);
    list_for_each (l, &all_locks, all_link) {
        const struct attr *a = &l->inode->attr;
        const char *kind = l->flock ? "FLOCK " : l->r.pid == -1 ? "OFDLCK" : "POSIX ";
        strbuf_printf(out, "%u: %s ADVISORY  %s %d %02x:%02x:%llu %lld ", ++n, kind,
                      l->r.type == F_WRLCK ? "WRITE" : "READ ", l->r.pid, major(a->dev),
                      minor(a->dev), (unsigned long long)a->ino, (long long)l->r.start);
        if (l->r.end == INT64_MAX)
            strbuf_puts(out, "EOF\n");
        else
            strbuf_printf(out, "%lld\n", (long long)l->r.end);
    }
    spin_unlock(&locks_lock);
}
