/*
 * Instances, watches and their events. See inotify.h.
 *
 * One lock (a mutex, taken below inode locks and above none but queues') protects all lists:
 * changes to watched files are rare next to everything else, and unwatched ones never come here.
 */
#include "fs/inotify/inotify.h"
#include "base/cleanup.h"
#include "mm/uaccess.h"
#include "vfs/notify.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#define MAX_EVENTS 16384   /* /proc/sys/fs/inotify/max_queued_events */
#define MAX_INSTANCES 1024 /* max_user_instances */
#define MAX_WATCHES 65536  /* max_user_watches */
#define ADD_FLAGS (IN_MASK_ADD | IN_MASK_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW)

struct notify_list {
    struct list watches; /* of watch.inode_link */
};

struct watch {
    struct list inode_link, instance_link;
    struct inotify *instance;
    struct inode *inode; /* reference */
    int wd;
    uint32_t mask;
};

struct event {
    struct list link;
    int wd;
    uint32_t mask, cookie, name_len; /* name_len: without padding */
    char name[];
};

struct inotify {
    struct list watches, events;
    unsigned queued;
    bool overflown; /* the last event says so */
    int last_wd;
    struct wait_queue readers;
};

static struct mutex inotify_lock = MUTEX_INIT(inotify_lock);
static unsigned instance_count, watch_count; /* [inotify_lock] */
static const struct file_ops inotify_ops;

struct inotify *inotify_of(const struct file *f)
{
    return f->ops == &inotify_ops ? f->private_data : NULL;
}

/* ---- events: inotify_lock held ---- */

static size_t padded(uint32_t name_len)
{
    return name_len ? align_up(name_len + 1, sizeof(struct inotify_event)) : 0;
}

static bool repeats_last(struct inotify *in, int wd, uint32_t mask, const char *name, size_t len)
{
    struct event *last = list_last(&in->events, struct event, link);
    return last && !(last->mask & IN_IGNORED) && last->wd == wd && last->mask == mask && last->name_len == len &&
           memcmp(last->name, name ? name : "", len) == 0;
}

static void queue_event(struct inotify *in, int wd, uint32_t mask, const char *name, size_t len, uint32_t cookie)
{
    if (repeats_last(in, wd, mask, name, len) || (in->queued >= MAX_EVENTS && in->overflown))
        return;
    if (in->queued >= MAX_EVENTS) {
        wd = -1;
        mask = IN_Q_OVERFLOW;
        len = 0;
        cookie = 0;
        in->overflown = true;
    }
    struct event *e = malloc(sizeof(*e) + len);
    if (!e)
        return;
    *e = (struct event){.wd = wd, .mask = mask, .cookie = cookie, .name_len = (uint32_t)len};
    memcpy(e->name, name ? name : "", len);
    list_add_tail(&in->events, &e->link);
    in->queued++;
    wake_poll(&in->readers, EPOLLIN | EPOLLRDNORM);
}

/* Takes the watch apart; the caller puts the inode when the lock is released. */
static struct inode *drop_watch(struct watch *w, bool tell)
{
    struct inode *inode = w->inode;
    if (tell)
        queue_event(w->instance, w->wd, IN_IGNORED, NULL, 0, 0);
    list_del(&w->inode_link);
    list_del(&w->instance_link);
    free(w);
    watch_count--;
    notify_watch_total--;
    return inode;
}

static void inode_event(struct inode *inode, uint32_t mask, const char *name, size_t len, uint32_t cookie)
{
    struct watch *w, *tmp;
    unsigned dropped = 0;
    mutex_lock(&inotify_lock);
    list_for_each_safe(w, tmp, &inode->watches->watches, inode_link) {
        bool wanted = mask & ((w->mask & IN_ALL_EVENTS) | IN_UNMOUNT);
        if (wanted)
            queue_event(w->instance, w->wd, mask, name, len, cookie);
        if ((wanted && (w->mask & IN_ONESHOT)) || (mask & (IN_DELETE_SELF | IN_UNMOUNT))) {
            drop_watch(w, true);
            dropped++;
        }
    }
    mutex_unlock(&inotify_lock);
    while (dropped-- > 0)
        inode_put(inode); /* never the last: the caller has one */
}

static void inode_gone(struct inode *inode)
{
    free(inode->watches);
    inode->watches = NULL;
}

/* ---- watches ---- */

static struct watch *find_watch(struct inotify *in, const struct inode *inode, int wd)
{
    struct watch *w;
    list_for_each(w, &in->watches, instance_link)
        if (inode ? w->inode == inode : w->wd == wd)
            return w;
    return NULL;
}

static int change_watch(struct watch *w, uint32_t mask)
{
    if (mask & IN_MASK_CREATE)
        return -EEXIST;
    uint32_t kept = mask & IN_MASK_ADD ? w->mask : 0;
    w->mask = kept | (mask & ~(uint32_t)ADD_FLAGS);
    return w->wd;
}

static int new_watch(struct inotify *in, struct inode *inode, uint32_t mask)
{
    if (watch_count >= MAX_WATCHES)
        return -ENOSPC;
    if (!inode->watches) {
        struct notify_list *l = malloc(sizeof(*l));
        if (!l)
            return -ENOMEM;
        list_init(&l->watches);
        inode->watches = l;
    }
    struct watch *w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    do
        in->last_wd = in->last_wd == INT_MAX ? 1 : in->last_wd + 1;
    while (find_watch(in, NULL, in->last_wd));
    *w = (struct watch){.instance = in, .inode = inode_get(inode), .wd = in->last_wd,
                        .mask = mask & ~(uint32_t)ADD_FLAGS};
    list_add_tail(&inode->watches->watches, &w->inode_link);
    list_add_tail(&in->watches, &w->instance_link);
    watch_count++;
    notify_watch_total++;
    return w->wd;
}

int inotify_add(struct inotify *in, struct inode *inode, uint32_t mask)
{
    MUTEX_GUARD(&inotify_lock);
    struct watch *w = find_watch(in, inode, 0);
    return w ? change_watch(w, mask) : new_watch(in, inode, mask);
}

int inotify_remove(struct inotify *in, int wd)
{
    mutex_lock(&inotify_lock);
    struct watch *w = find_watch(in, NULL, wd);
    struct inode *inode = w ? drop_watch(w, true) : NULL;
    mutex_unlock(&inotify_lock);
    if (!inode)
        return -EINVAL;
    inode_put(inode);
    return 0;
}

/* ---- the file ---- */

/* The next event if it fits into `room`: taken off. *ret_len: its length, fitting or not; 0 if
 * there is none. */
static struct event *take_event(struct inotify *in, size_t room, size_t *ret_len)
{
    MUTEX_GUARD(&inotify_lock);
    struct event *e = list_first(&in->events, struct event, link);
    *ret_len = e ? sizeof(struct inotify_event) + padded(e->name_len) : 0;
    if (!e || *ret_len > room)
        return NULL;
    list_del(&e->link);
    in->queued--;
    if (e->mask & IN_Q_OVERFLOW)
        in->overflown = false;
    return e;
}

static int put_event(struct uio *to, const struct event *e)
{
    struct inotify_event h = {.wd = e->wd, .mask = e->mask, .cookie = e->cookie, .len = (uint32_t)padded(e->name_len)};
    bool ok = uio_put(to, &h, sizeof(h)) == sizeof(h);
    ok = ok && (e->name_len == 0 || uio_put(to, e->name, e->name_len) == (ssize_t)e->name_len);
    ok = ok && uio_zero(to, h.len - e->name_len) == (ssize_t)(h.len - e->name_len);
    return ok ? 0 : -EFAULT;
}

static ssize_t inotify_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct inotify *in = file->private_data;
    size_t done = 0, len;
    for (;;) {
        struct event *e = take_event(in, to->remaining, &len);
        if (e) {
            int err = put_event(to, e);
            free(e);
            if (err < 0)
                return err;
            done += len;
            continue;
        }
        if (done > 0 || len > 0)
            return done > 0 ? (ssize_t)done : -EINVAL;
        if (file_nonblock(file))
            return -EAGAIN;
        int err = wait_event_interruptible(&in->readers, __atomic_load_n(&in->queued, __ATOMIC_ACQUIRE) > 0);
        if (err < 0)
            return err;
    }
}

static uint32_t inotify_poll(struct file *file, struct poll_table *table)
{
    struct inotify *in = file->private_data;
    poll_wait(table, &in->readers);
    return __atomic_load_n(&in->queued, __ATOMIC_ACQUIRE) > 0 ? EPOLLIN | EPOLLRDNORM : 0;
}

static int64_t inotify_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct inotify *in = file->private_data;
    struct event *e;
    int n = 0;
    if (cmd != FIONREAD)
        return -ENOTTY;
    mutex_lock(&inotify_lock);
    list_for_each(e, &in->events, link)
        n += (int)(sizeof(struct inotify_event) + padded(e->name_len));
    mutex_unlock(&inotify_lock);
    return put_user(&n, arg);
}

static struct inode *drop_one(struct inotify *in)
{
    MUTEX_GUARD(&inotify_lock);
    struct watch *w = list_first(&in->watches, struct watch, instance_link);
    return w ? drop_watch(w, false) : NULL;
}

static void inotify_release(struct file *file)
{
    struct inotify *in = file->private_data;
    struct event *e, *tmp;
    struct inode *inode;
    while ((inode = drop_one(in)))
        inode_put(inode);
    mutex_lock(&inotify_lock);
    list_for_each_safe(e, tmp, &in->events, link)
        free(e);
    instance_count--;
    mutex_unlock(&inotify_lock);
    free(in);
}

static void inotify_show(struct file *file, struct strbuf *out)
{
    struct inotify *in = file->private_data;
    struct watch *w;
    MUTEX_GUARD(&inotify_lock);
    list_for_each(w, &in->watches, instance_link)
        strbuf_printf(out, "inotify wd:%x ino:%llx sdev:%llx mask:%x ignored_mask:0\n", (unsigned)w->wd,
                      (unsigned long long)w->inode->attr.ino, (unsigned long long)w->inode->attr.dev, w->mask);
}

static const struct file_ops inotify_ops = {
    .read = inotify_read,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .release = inotify_release,
    .show_fdinfo = inotify_show,
    .lseek_is_noop = true,
    .stream = true,
    .async = true,
};

static bool count_instance(void)
{
    MUTEX_GUARD(&inotify_lock);
    if (instance_count >= MAX_INSTANCES)
        return false;
    instance_count++;
    return true;
}

int inotify_new(unsigned flags, struct file **ret)
{
    if (!count_instance())
        return -EMFILE;
    struct inotify *in = calloc(1, sizeof(*in));
    int err = -ENOMEM;
    if (in) {
        list_init(&in->watches);
        list_init(&in->events);
        wait_queue_init(&in->readers);
        err = file_new_anon("anon_inode:inotify", 0600, &inotify_ops, in, O_RDONLY | (flags & O_NONBLOCK), ret);
    }
    if (err < 0) {
        free(in);
        mutex_lock(&inotify_lock);
        instance_count--;
        mutex_unlock(&inotify_lock);
    }
    return err;
}

static const struct notify_sink sink = {.event = inode_event, .gone = inode_gone};

void inotify_start(void)
{
    notify_register(&sink);
}
