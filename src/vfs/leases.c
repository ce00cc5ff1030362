/* See leases.h. Leases are few: one list, one lock, one queue. */
#include "vfs/leases.h"
#include "kernel/cred.h"
#include "vfs/async.h"
#include "vfs/internal.h"
#include <linux/capability.h>
#include <stdlib.h>

struct lease {
    struct list link;
    struct file *file; /* weak: it ends us first */
    int fd, type;
    bool breaking;
    int target; /* while breaking: what it becomes */
    int64_t deadline;
};

static struct mutex lease_lock = MUTEX_INIT(lease_lock);
static struct list leases = LIST_INIT(leases);                    /* [lease_lock] */
static struct wait_queue changed = WAIT_QUEUE_INIT(changed);
static _Atomic uint64_t generation; /* counts changes, for those who wait */

static void note_change(void)
{
    atomic_fetch_add(&generation, 1);
    wake_all(&changed);
}

static struct lease *find(const struct file *f)
{
    struct lease *l;
    list_for_each (l, &leases, link)
        if (l->file == f)
            return l;
    return NULL;
}

static void remove_lease(struct lease *l)
{
    list_del(&l->link);
    atomic_fetch_sub(&l->file->inode->leases, 1);
    free(l);
    note_change();
}

/* ---- setting ---- */

static bool others_in_the_way(const struct file *f, int type)
{
    struct lease *l;
    list_for_each (l, &leases, link)
        if (l->file != f && l->file->inode == f->inode && (type == F_WRLCK || l->type == F_WRLCK || l->breaking))
            return true;
    return false;
}

static int add_or_change(struct file *f, int fd, int type)
{
    struct lease *l = find(f);
    if ((type == F_RDLCK && f->inode->writers > 0) || (type == F_WRLCK && f->inode->opens > 1) ||
        others_in_the_way(f, type))
        return -EAGAIN;
    if (l) {
        if (l->breaking && type != l->target)
            return -EAGAIN;
        l->type = type;
        l->breaking = false;
        note_change();
        return 0;
    }
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    *l = (struct lease){.file = f, .fd = fd, .type = type};
    list_add_tail(&leases, &l->link);
    atomic_fetch_add(&f->inode->leases, 1);
    return 0;
}

int64_t lease_set(struct file *f, int fd, uint64_t type)
{
    const struct cred *cred = current_cred();
    if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
        return -EINVAL;
    if (cred->fsuid != f->inode->attr.uid && !capable_over_inode(cred, f->inode, CAP_LEASE))
        return -EACCES;
    if (!S_ISREG(f->inode->attr.mode) || f->ops->stream)
        return -EINVAL;
    MUTEX_GUARD(&lease_lock);
    if (type != F_UNLCK) {
        int err = add_or_change(f, fd, (int)type);
        return err < 0 ? err : file_own_by_caller(f);
    }
    struct lease *l = find(f);
    if (!l)
        return -EAGAIN;
    remove_lease(l);
    return 0;
}

int lease_get(struct file *f)
{
    MUTEX_GUARD(&lease_lock);
    struct lease *l = find(f);
    return !l ? F_UNLCK : l->breaking ? l->target : l->type;
}

void lease_release_slow(struct file *f)
{
    MUTEX_GUARD(&lease_lock);
    struct lease *l = find(f);
    if (l)
        remove_lease(l);
}

/* ---- breaking ---- */

static struct lease *find_conflict(const struct inode *inode, bool write)
{
    struct lease *l;
    list_for_each (l, &leases, link)
        if (l->file->inode == inode && (write || l->type == F_WRLCK))
            return l;
    return NULL;
}

static void start_breaking(struct lease *l, bool write)
{
    int target = write ? F_UNLCK : F_RDLCK;
    if (!l->breaking) {
        l->deadline = now_monotonic() + LEASE_BREAK_SECONDS * NSEC_PER_SEC;
        l->target = target;
        l->breaking = true;
        file_signal_lease(l->file, l->fd);
    } else if (write) {
        l->target = target;
    }
}

/* Its time is over: it is what it should have become. */
static void force(struct lease *l)
{
    if (l->target == F_UNLCK) {
        remove_lease(l);
        return;
    }
    l->type = l->target;
    l->breaking = false;
    note_change();
}

int lease_break_slow(struct inode *inode, bool write, bool nonblock)
{
    for (;;) {
        mutex_lock(&lease_lock);
        struct lease *l = find_conflict(inode, write);
        if (!l) {
            mutex_unlock(&lease_lock);
            return 0;
        }
        start_breaking(l, write);
        if (now_monotonic() >= l->deadline) {
            force(l);
            mutex_unlock(&lease_lock);
            continue;
        }
        int64_t deadline = l->deadline;
        uint64_t seen = generation;
        mutex_unlock(&lease_lock);
        if (nonblock)
            return -EWOULDBLOCK;
        int err = wait_event_timeout(&changed, generation != seen, deadline);
        if (err < 0 && err != -ETIMEDOUT)
            return err;
    }
}
