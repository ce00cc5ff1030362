/*
 * Descriptors of host objects: few, shared, and found again through names.
 *
 * Every inode may cache one descriptor: a directory's serves the *at calls below it and getdents, a
 * regular file's serves all its read-only opens. The cached ones of all trees hang on one list that
 * a clock hand passes over: at most cached_max stay open, the least used are closed first.
 * Users hold references, so closing never disturbs them.
 */
#include "fs/hostfs/private.h"
#include "platform/platform.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CACHED_FDS_MIN 1024u /* at most this part of what the process may open, within these bounds */
#define CACHED_FDS_MAX 16384
#define CACHED_FDS_PART 4
#define SHRINK_BATCH 32

static struct spinlock host_fd_lock = SPINLOCK_INIT;
static struct list cached = LIST_INIT(cached); /* [host_fd_lock] of host_inode.fd_link */
static unsigned cached_count;                  /* [host_fd_lock] */
static unsigned cached_max = CACHED_FDS_MIN;   /* [I] after start */

void hostfs_init(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        cached_max = (unsigned)MIN(limit.rlim_cur / CACHED_FDS_PART, (rlim_t)CACHED_FDS_MAX);
    cached_max = MAX(cached_max, CACHED_FDS_MIN);
}

int host_fd_new(int fd, int flags, struct host_fd **ret)
{
    struct host_fd *f = malloc(sizeof(*f));
    if (!f) {
        host_close(fd);
        return -ENOMEM;
    }
    *f = (struct host_fd){.ref = REFCOUNT_INIT, .fd = fd, .flags = flags, .id = platform_new_file_id()};
    *ret = f;
    return 0;
}

struct host_fd *host_fd_get(struct host_fd *f)
{
    refcount_get(&f->ref);
    return f;
}

void host_fd_put(struct host_fd *f)
{
    if (!refcount_put(&f->ref))
        return;
    host_close(f->fd);
    free(f);
}

/* Closes up to SHRINK_BATCH cached descriptors if there are more than `keep`; false when there was
 * nothing to do. */
static bool cached_fds_shrink(unsigned keep)
{
    struct host_fd *victims[SHRINK_BATCH];
    unsigned n = 0;
    spin_lock(&host_fd_lock);
    for (unsigned steps = 2 * SHRINK_BATCH; steps && n < SHRINK_BATCH && cached_count > keep;
         steps--) {
        struct host_inode *h = list_first(&cached, struct host_inode, fd_link);
        list_del(&h->fd_link);
        if (h->fd_used) {
            h->fd_used = false;
            list_add_tail(&cached, &h->fd_link);
            continue;
        }
        victims[n++] = TAKE_PTR(h->fd);
        cached_count--;
    }
    spin_unlock(&host_fd_lock);
    for (unsigned i = 0; i < n; i++)
        host_fd_put(victims[i]);
    return n > 0;
}

int host_openat_retry(int dir, const char *name, int flags, uint32_t mode)
{
    int fd = host_openat(dir, name, flags, mode);
    while ((fd == -EMFILE || fd == -ENFILE) && (cached_fds_shrink(64) || cached_fds_shrink(64)))
        fd = host_openat(dir, name, flags, mode);
    return fd == -EMFILE ? -ENFILE : fd;
}

static struct host_fd *cached_fd_get(struct host_inode *h)
{
    struct host_fd *f = NULL;
    spin_lock(&host_fd_lock);
    if (h->fd) {
        f = host_fd_get(h->fd);
        h->fd_used = true;
    }
    spin_unlock(&host_fd_lock);
    return f;
}

void host_inode_set_fd(struct host_inode *h, struct host_fd *f)
{
    struct host_fd *old = NULL;
    bool full;
    spin_lock(&host_fd_lock);
    if (h->fd_pinned) {
        spin_unlock(&host_fd_lock);
        return;
    }
    if (h->fd) {
        old = h->fd;
    } else {
        list_add_tail(&cached, &h->fd_link);
        cached_count++;
    }
    h->fd = host_fd_get(f);
    full = cached_count > cached_max;
    spin_unlock(&host_fd_lock);
    if (old)
        host_fd_put(old);
    if (full)
        cached_fds_shrink(cached_max);
}

void host_inode_drop_fd(struct host_inode *h, struct host_fd **ret_fd)
{
    spin_lock(&host_fd_lock);
    *ret_fd = TAKE_PTR(h->fd);
    if (*ret_fd && !h->fd_pinned) {
        list_del(&h->fd_link);
        cached_count--;
    }
    spin_unlock(&host_fd_lock);
}

/* The step towards `dir` that can be opened now: the nearest ancestor with a descriptor, and its
 * child on the way. */
struct step {
    struct inode *child; /* reference */
    struct host_fd *above;
    struct host_name name;
};

static int find_step(struct host_inode *dir, struct step *ret)
{
    struct hostfs *fs = hostfs_of(&dir->inode);
    int err = -ESTALE; /* no way down from the root any more */
    spin_lock(&fs->lock);
    for (struct host_inode *h = dir; h->parent; h = h->parent) {
        struct host_fd *f = cached_fd_get(h->parent);
        if (!f)
            continue;
        ret->above = f;
        ret->child = inode_get(&h->inode);
        strcpy(ret->name.s, h->name);
        err = 0;
        break;
    }
    spin_unlock(&fs->lock);
    return err;
}

/* On a shared tree a name may have come to mean something else since it was looked up. */
static int check_identity(struct host_inode *h, int fd)
{
    struct statx st;
    if (hostfs_exclusive(&h->inode))
        return 0;
    int err = host_statx(fd, "", &st);
    if (err < 0)
        return err;
    bool same = st.stx_ino == h->host_ino &&
                ((uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor) == h->host_dev;
    return same ? 0 : -ESTALE;
}

static int open_checked(struct host_inode *h, int above, const char *name, int flags,
                        struct host_fd **ret)
{
    int fd = host_openat_retry(above, name, flags, 0);
    if (fd < 0)
        return fd;
    int err = check_identity(h, fd);
    if (err < 0) {
        host_close(fd);
        return err;
    }
    return host_fd_new(fd, flags & (O_PATH | O_ACCMODE), ret);
}

/* Readable if the host lets us, so that one descriptor serves getdents as well. */
static int open_dir_step(struct step *s, struct host_fd **ret)
{
    struct host_inode *h = host_inode(s->child);
    int err = open_checked(h, s->above->fd, s->name.s, O_RDONLY | O_DIRECTORY, ret);
    if (err == -EACCES)
        err = open_checked(h, s->above->fd, s->name.s, O_PATH | O_DIRECTORY, ret);
    if (err >= 0)
        host_inode_set_fd(h, *ret);
    return err;
}

int dir_fd(struct host_inode *dir, struct host_fd **ret)
{
    for (;;) {
        struct host_fd *f = cached_fd_get(dir);
        if (f) {
            *ret = f;
            return 0;
        }
        struct step s;
        int err = find_step(dir, &s);
        if (err < 0)
            return err;
        bool last = s.child == &dir->inode;
        err = open_dir_step(&s, &f);
        host_fd_put(s.above);
        inode_put(s.child);
        if (err < 0)
            return err;
        if (last) {
            *ret = f;
            return 0;
        }
        host_fd_put(f);
    }
}

/* Where a non-directory is: its parent's descriptor and its name there. */
static int place_of(struct host_inode *h, struct host_fd **ret_above, struct host_name *ret_name)
{
    struct hostfs *fs = hostfs_of(&h->inode);
    struct inode *parent = NULL;
    spin_lock(&fs->lock);
    if (h->parent) {
        parent = inode_get(&h->parent->inode);
        strcpy(ret_name->s, h->name);
    }
    spin_unlock(&fs->lock);
    if (!parent)
        return -ESTALE;
    int err = dir_fd(host_inode(parent), ret_above);
    inode_put(parent);
    return err;
}

int place_open(struct host_inode *h, int flags, struct host_fd **ret)
{
    CLEANUP_HOST_FD struct host_fd *above = NULL;
    struct host_name name;
    int err = place_of(h, &above, &name);
    return err < 0 ? err : open_checked(h, above->fd, name.s, flags, ret);
}

int place_statx(struct host_inode *h, struct statx *ret)
{
    CLEANUP_HOST_FD struct host_fd *above = NULL;
    struct host_name name;
    int err = place_of(h, &above, &name);
    if (err >= 0)
        err = host_statx(above->fd, name.s, ret);
    if (err < 0)
        return err;
    return ret->stx_ino == h->host_ino ? 0 : -ESTALE;
}

ssize_t place_readlink(struct host_inode *h, char *buf, size_t size)
{
    CLEANUP_HOST_FD struct host_fd *above = NULL;
    struct host_name name;
    int err = place_of(h, &above, &name);
    return err < 0 ? err : host_readlinkat(above->fd, name.s, buf, size);
}

int place_link(struct host_inode *h, int new_dir, const char *new_name)
{
    CLEANUP_HOST_FD struct host_fd *above = NULL;
    struct host_name name;
    int err = place_of(h, &above, &name);
    if (err == -ESTALE) { /* an unnamed file gets its first name */
        name.s[0] = '\0';
        err = object_fd(h, true, &above);
    }
    return err < 0 ? err : host_linkat(above->fd, name.s, new_dir, new_name);
}

int read_fd(struct host_inode *h, struct host_fd **ret)
{
    struct host_fd *f = cached_fd_get(h);
    if (f && (f->flags & (O_PATH | O_ACCMODE)) == O_RDONLY) {
        *ret = f;
        return 0;
    }
    if (f)
        host_fd_put(f);
    int err = place_open(h, O_RDONLY, ret);
    if (err >= 0)
        host_inode_set_fd(h, *ret);
    return err;
}

int object_fd(struct host_inode *h, bool real, struct host_fd **ret)
{
    if (inode_is_dir(&h->inode)) {
        int err = dir_fd(h, ret);
        if (err < 0 || !real || !((*ret)->flags & O_PATH))
            return err;
        host_fd_put(*ret);
        return -EACCES;
    }
    struct host_fd *f = cached_fd_get(h);
    if (f && (!real || !(f->flags & O_PATH))) {
        *ret = f;
        return 0;
    }
    if (f)
        host_fd_put(f);
    if (write_fd(h, ret) >= 0)
        return 0;
    return place_open(h, real ? O_RDONLY | O_NONBLOCK : O_PATH, ret);
}

void write_fd_offer(struct host_inode *h, struct host_fd *f)
{
    spin_lock(&host_fd_lock);
    h->write_fd = f;
    spin_unlock(&host_fd_lock);
}

void write_fd_withdraw(struct host_inode *h, struct host_fd *f)
{
    spin_lock(&host_fd_lock);
    if (h->write_fd == f)
        h->write_fd = NULL;
    spin_unlock(&host_fd_lock);
}

int write_fd(struct host_inode *h, struct host_fd **ret)
{
    int err = -ENOENT;
    spin_lock(&host_fd_lock);
    if (h->write_fd && refcount_get_unless_zero(&h->write_fd->ref)) {
        *ret = h->write_fd;
        err = 0;
    }
    spin_unlock(&host_fd_lock);
    return err;
}

static struct host_inode *spare_owner; /* [host_fd_lock] weak */
static struct host_fd *spare;          /* [host_fd_lock] reference */

static void spare_set(struct host_inode *h, struct host_fd *f)
{
    spin_lock(&host_fd_lock);
    struct host_fd *old = spare;
    spare_owner = h;
    spare = f;
    spin_unlock(&host_fd_lock);
    if (old)
        host_fd_put(old);
}

void spare_offer(struct host_inode *h, struct host_fd *f)
{
    spare_set(h, host_fd_get(f));
}

bool spare_take(struct host_inode *h, struct host_fd **ret)
{
    bool mine;
    spin_lock(&host_fd_lock);
    mine = spare_owner == h && spare;
    if (mine)
        *ret = TAKE_PTR(spare);
    spin_unlock(&host_fd_lock);
    return mine;
}

void spare_drop(struct host_inode *h)
{
    struct host_fd *f;
    if (spare_take(h, &f))
        host_fd_put(f);
}

int host_inode_pin(struct host_inode *h)
{
    CLEANUP_HOST_FD struct host_fd *f = cached_fd_get(h);
    if (!f) {
        int err = object_fd(h, false, &f);
        if (err < 0)
            return err;
        host_inode_set_fd(h, f);
    }
    spin_lock(&host_fd_lock);
    if (!h->fd_pinned && h->fd) {
        h->fd_pinned = true;
        list_del(&h->fd_link);
        cached_count--;
    }
    spin_unlock(&host_fd_lock);
    return 0;
}
