/*
 * Files inside messages, and sockets that only messages hold.
 *
 * A socket whose own file is in a message that nobody can receive any more (because the sockets
 * that could are themselves only in such messages) would live for ever. When a socket closes while
 * sockets are in flight, unix_collect() looks: a socket all of whose file's references are in
 * flight is suspect; suspects reached from others, or from outside, are cleared; the queues of the
 * rest are emptied of files.
 *
 * Files are dropped one list at a time by one fiber: dropping may close a socket with files in its
 * queue, and so on, as deep as a guest likes.
 */
#include "net/unix/unix.h"
#include "base/cleanup.h"
#include "kernel/limits.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/resource.h>

static struct mutex gc_lock = MUTEX_INIT(gc_lock);
static struct list in_flight = LIST_INIT(in_flight); /* [gc_lock] of inflight_link */

void unix_gc_lock(void)
{
    mutex_lock(&gc_lock);
}

void unix_gc_unlock(void)
{
    mutex_unlock(&gc_lock);
}

static struct unix_socket *socket_in(struct file *f)
{
    struct socket *s = socket_of(f);
    return s && s->ops == &unix_ops ? unix_of(s) : NULL;
}

/* ---- whose they are ---- */

/* How many each user has in flight: users that have none are not listed. [gc_lock] */
static struct user_count {
    struct user_count *next;
    uint32_t uid;
    size_t count;
} *user_counts;

static struct user_count **find_count(uint32_t uid)
{
    struct user_count **at = &user_counts;
    while (*at && (*at)->uid != uid)
        at = &(*at)->next;
    return at;
}

bool unix_too_many_in_flight(void)
{
    uint64_t limit = current_limit(RLIMIT_NOFILE);
    if (capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
        return false;
    MUTEX_GUARD(&gc_lock);
    const struct user_count *c = *find_count(current_cred()->uid);
    return c && c->count > limit;
}

/* Out of memory they are not counted, which gives the user more than its due, once. */
static void count_user(struct unix_files *f)
{
    struct user_count **at = find_count(current_cred()->uid);
    f->uid = UINT32_MAX;
    if (!*at)
        *at = calloc(1, sizeof(**at));
    if (!*at)
        return;
    f->uid = (*at)->uid = current_cred()->uid;
    (*at)->count += f->count;
}

static void uncount_user(struct unix_files *f)
{
    struct user_count **at = find_count(f->uid), *gone = *at;
    if (!gone || (gone->count -= MIN(gone->count, (size_t)f->count)) > 0)
        return;
    *at = gone->next;
    free(gone);
}

/* ---- counting ---- */

void unix_files_in_flight(struct unix_files *f)
{
    MUTEX_GUARD(&gc_lock);
    count_user(f);
    for (unsigned i = 0; i < f->count; i++) {
        struct unix_socket *u = socket_in(f->files[i]);
        if (u && u->inflight++ == 0)
            list_add_tail(&in_flight, &u->inflight_link);
    }
}

static void landed_locked(struct unix_files *f)
{
    uncount_user(f);
    for (unsigned i = 0; i < f->count; i++) {
        struct unix_socket *u = socket_in(f->files[i]);
        if (u && --u->inflight == 0)
            list_del(&u->inflight_link);
    }
}

void unix_files_landed(struct unix_files *f)
{
    MUTEX_GUARD(&gc_lock);
    landed_locked(f);
}

struct unix_files *unix_files_copy(const struct unix_files *f)
{
    struct unix_files *copy = calloc(1, sizeof(*copy));
    if (!copy)
        return NULL;
    for (unsigned i = 0; i < f->count; i++)
        copy->files[copy->count++] = file_get(f->files[i]);
    return copy;
}

/* ---- dropping ---- */

static struct spinlock drop_lock = SPINLOCK_INIT;
static struct unix_files *drop_list[1024]; /* [drop_lock] */
static unsigned drop_count;                /* [drop_lock] */
static bool dropping;                      /* [drop_lock] some fiber is at it */

static void put_all(struct unix_files *f)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->files[i])
            file_put(f->files[i]);
    free(f);
}

static bool begin_drop(struct unix_files *f)
{
    spin_lock(&drop_lock);
    bool queued = dropping && drop_count < ARRAY_SIZE(drop_list);
    if (queued)
        drop_list[drop_count++] = f;
    else
        dropping = true;
    spin_unlock(&drop_lock);
    return !queued;
}

static struct unix_files *next_drop(void)
{
    spin_lock(&drop_lock);
    struct unix_files *f = drop_count > 0 ? drop_list[--drop_count] : NULL;
    if (!f)
        dropping = false;
    spin_unlock(&drop_lock);
    return f;
}

void unix_files_free(struct unix_files *f)
{
    if (!begin_drop(f))
        return;
    do {
        put_all(f);
    } while ((f = next_drop()));
}

/* ---- collecting: gc_lock held ---- */

static bool suspect(const struct unix_socket *u)
{
    struct file *f = u->socket.file;
    return f && refcount_read(&f->ref) == u->inflight;
}

typedef void visit_func(struct unix_socket *found);

static void visit_queue(struct unix_socket *u, visit_func *visit)
{
    struct unix_message *m;
    spin_lock(&u->lock);
    list_for_each(m, &u->queue, link)
        for (unsigned i = 0; m->files && i < m->files->count; i++) {
            struct unix_socket *found = socket_in(m->files->files[i]);
            if (found)
                visit(found);
        }
    spin_unlock(&u->lock);
}

/* Every socket in a message that this one, or one waiting to be accepted from it, would receive. */
static void visit_children(struct unix_socket *u, visit_func *visit)
{
    struct unix_socket *waiting;
    visit_queue(u, visit);
    spin_lock(&u->lock);
    list_for_each(waiting, &u->backlog, accept_link)
        visit_queue(waiting, visit);
    spin_unlock(&u->lock);
}

static void discount(struct unix_socket *found)
{
    if (found->gc_refs > 0)
        found->gc_refs--;
}

static bool progress;

#define LIVE 0x80000000u

static void revive(struct unix_socket *found)
{
    if (found->gc_refs == 0) {
        found->gc_refs = 1;
        progress = true;
    }
}

/* gc_refs: 0 for garbage afterwards. */
static void find_garbage(void)
{
    struct unix_socket *u;
    list_for_each(u, &in_flight, inflight_link)
        u->gc_refs = suspect(u) ? u->inflight : LIVE;
    list_for_each(u, &in_flight, inflight_link)
        if (u->gc_refs < LIVE)
            visit_children(u, discount);
    do {
        progress = false;
        list_for_each(u, &in_flight, inflight_link)
            if (u->gc_refs > 0)
                visit_children(u, revive);
    } while (progress);
}

/* The files of one message of a garbage socket, taken off. */
static struct unix_files *take_files(struct unix_socket *u)
{
    struct unix_message *m;
    struct unix_files *files = NULL;
    spin_lock(&u->lock);
    list_for_each(m, &u->queue, link) {
        if (m->files) {
            files = TAKE_PTR(m->files);
            break;
        }
    }
    spin_unlock(&u->lock);
    return files;
}

static struct unix_files *take_garbage(void)
{
    struct unix_socket *u, *waiting;
    list_for_each(u, &in_flight, inflight_link) {
        if (u->gc_refs != 0)
            continue;
        struct unix_files *files = take_files(u);
        spin_lock(&u->lock);
        list_for_each(waiting, &u->backlog, accept_link)
            if (!files)
                files = take_files(waiting);
        spin_unlock(&u->lock);
        if (files)
            return files;
    }
    return NULL;
}

void unix_collect(void)
{
    for (;;) {
        mutex_lock(&gc_lock);
        struct unix_files *files = NULL;
        if (!list_empty(&in_flight)) {
            find_garbage();
            files = take_garbage();
        }
        if (files)
            landed_locked(files);
        mutex_unlock(&gc_lock);
        if (!files)
            return;
        unix_files_free(files);
    }
}
