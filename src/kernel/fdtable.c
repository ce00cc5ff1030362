/*
 * Descriptor tables: look-up, allocation of the lowest free number, dup, close, close-on-exec.
 *
 * Files are put, flushed and allocated outside the table's lock: they can block. `used` has a bit
 * for every slot that is taken, `files` may still be NULL there (reserved between fd_reserve() and
 * fd_publish()).
 */
#include "kernel/fdtable.h"
#include "base/cleanup.h"
#include "kernel/task.h"
#include "platform/platform.h"
#include "vfs/fs_context.h"
#include "vfs/locks.h"
#include "vfs/vfs.h"
#include <string.h>

#define BITS 64
#define MIN_CAPACITY 64

static bool bit_test(const uint64_t *map, unsigned i)
{
    return map[i / BITS] >> (i % BITS) & 1;
}

static void bit_assign(uint64_t *map, unsigned i, bool on)
{
    uint64_t mask = 1ULL << (i % BITS);
    map[i / BITS] = on ? map[i / BITS] | mask : map[i / BITS] & ~mask;
}

/* ---- the table ---- */

struct arrays {
    struct file **files;
    uint64_t *cloexec, *used;
};

static int arrays_alloc(struct arrays *a, unsigned capacity)
{
    a->files = calloc(capacity, sizeof(*a->files));
    a->cloexec = calloc(capacity / BITS, sizeof(uint64_t));
    a->used = calloc(capacity / BITS, sizeof(uint64_t));
    if (a->files && a->cloexec && a->used)
        return 0;
    free(a->files);
    free(a->cloexec);
    free(a->used);
    return -ENOMEM;
}

static int table_alloc(unsigned capacity, struct fdtable **ret)
{
    struct arrays a;
    struct fdtable *t = calloc(1, sizeof(*t));
    if (!t || arrays_alloc(&a, capacity)) {
        free(t);
        return -ENOMEM;
    }
    refcount_init(&t->ref);
    spin_init(&t->lock);
    t->files = a.files;
    t->cloexec = a.cloexec;
    t->used = a.used;
    t->capacity = capacity;
    *ret = t;
    return 0;
}

int fdtable_new(struct fdtable **ret)
{
    return table_alloc(MIN_CAPACITY, ret);
}

/* Slots that hold for `fd`: the next power of two. */
static unsigned capacity_for(unsigned fd)
{
    unsigned capacity = MIN_CAPACITY;
    while (capacity <= fd)
        capacity *= 2;
    return capacity;
}

/* Grows to hold fd. Drops and retakes the lock. */
static int grow_locked(struct fdtable *t, unsigned fd)
{
    if (fd >= FD_MAX)
        return -EMFILE;
    unsigned capacity = capacity_for(fd);
    struct arrays a;
    spin_unlock(&t->lock);
    int err = arrays_alloc(&a, capacity);
    spin_lock(&t->lock);
    if (err)
        return err;
    if (capacity > t->capacity) {
        struct arrays old = {t->files, t->cloexec, t->used};
        memcpy(a.files, old.files, t->capacity * sizeof(*a.files));
        memcpy(a.cloexec, old.cloexec, t->capacity / 8);
        memcpy(a.used, old.used, t->capacity / 8);
        t->files = a.files;
        t->cloexec = a.cloexec;
        t->used = a.used;
        t->capacity = capacity;
        a = old;
    }
    free(a.files);
    free(a.cloexec);
    free(a.used);
    return 0;
}

/* One above the highest taken number. lock held. */
static unsigned table_end(const struct fdtable *t)
{
    for (unsigned w = t->capacity / BITS; w-- > 0;)
        if (t->used[w])
            return w * BITS + BITS - (unsigned)__builtin_clzll(t->used[w]);
    return 0;
}

int fdtable_copy(struct fdtable *from, struct fdtable **ret)
{
    spin_lock(&from->lock);
    unsigned capacity = capacity_for(table_end(from));
    spin_unlock(&from->lock);
    struct fdtable *t;
    int err = table_alloc(capacity, &t);
    if (err)
        return err;
    spin_lock(&from->lock);
    unsigned end = MIN(table_end(from),
                       capacity); /* grown meanwhile by another thread: as if it had come later */
    for (unsigned fd = 0; fd < end; fd++) {
        if (!from->files[fd])
            continue;
        t->files[fd] = file_get(from->files[fd]);
        bit_assign(t->used, fd, true);
        bit_assign(t->cloexec, fd, bit_test(from->cloexec, fd));
    }
    spin_unlock(&from->lock);
    *ret = t;
    return 0;
}

struct fdtable *fdtable_get(struct fdtable *t)
{
    refcount_get(&t->ref);
    return t;
}

/* What a guest gives up its stub gives up, too. */
static void end_loan(void)
{
    if (current && current->ctx)
        platform_end_loan(current->ctx);
}

static void close_file(struct fdtable *t, struct file *file)
{
    end_loan();
    file_locks_close(file, t);
    if (file->ops->flush)
        (void)file->ops->flush(file);
    file_put(file);
}

void fdtable_put(struct fdtable *t)
{
    if (!t || !refcount_put(&t->ref))
        return;
    unsigned end = table_end(t);
    for (unsigned fd = 0; fd < end; fd++)
        if (t->files[fd])
            close_file(t, t->files[fd]);
    free(t->files);
    free(t->cloexec);
    free(t->used);
    free(t);
}

/* Empties a slot: the file that was in it, or NULL. lock held. */
static struct file *slot_clear(struct fdtable *t, unsigned fd)
{
    struct file *file = t->files[fd];
    t->files[fd] = NULL;
    bit_assign(t->used, fd, false);
    bit_assign(t->cloexec, fd, false);
    t->first_free = MIN(t->first_free, fd);
    return file;
}

static void slot_set(struct fdtable *t, unsigned fd, struct file *file, bool cloexec)
{
    t->files[fd] = file;
    bit_assign(t->used, fd, true);
    bit_assign(t->cloexec, fd, cloexec);
}

void fdtable_close_on_exec(struct fdtable *t)
{
    spin_lock(&t->lock);
    for (unsigned fd = 0; fd < t->capacity; fd++) {
        if (!t->cloexec[fd / BITS]) {
            fd |= BITS - 1;
            continue;
        }
        if (!t->files[fd] || !bit_test(t->cloexec, fd))
            continue;
        struct file *file = slot_clear(t, fd);
        spin_unlock(&t->lock);
        close_file(t, file);
        spin_lock(&t->lock);
    }
    spin_unlock(&t->lock);
}

int fdtable_next(struct fdtable *t, int start)
{
    int found = -1;
    spin_lock(&t->lock);
    for (unsigned fd = (unsigned)MAX(start, 0); fd < t->capacity; fd++)
        if (t->files[fd]) {
            found = (int)fd;
            break;
        }
    spin_unlock(&t->lock);
    return found;
}

/* ---- look-up ---- */

int fdtable_file(struct fdtable *t, int fd, struct file **ret, bool *ret_cloexec)
{
    struct file *file = NULL;
    spin_lock(&t->lock);
    if (LIKELY((unsigned)fd < t->capacity))
        file = t->files[fd];
    if (LIKELY(file)) {
        refcount_get(&file->ref);
        if (ret_cloexec)
            *ret_cloexec = bit_test(t->cloexec, (unsigned)fd);
    }
    spin_unlock(&t->lock);
    if (UNLIKELY(!file))
        return -EBADF;
    *ret = file;
    return 0;
}

int fd_file_any(int fd, struct file **ret)
{
    return fdtable_file(current->files, fd, ret, NULL);
}

int fd_file(int fd, struct file **ret)
{
    struct file *file;
    int err = fd_file_any(fd, &file);
    if (UNLIKELY(err))
        return err;
    if (UNLIKELY(file->flags & O_PATH)) {
        file_put(file);
        return -EBADF;
    }
    *ret = file;
    return 0;
}

int walk_start(int dirfd, const char *path, struct path *ret)
{
    if (path[0] == '/') {
        fs_get_root(current->fs, ret);
        return 0;
    }
    if (dirfd == AT_FDCWD) {
        fs_get_cwd(current->fs, ret);
        return 0;
    }
    CLEANUP_FILE struct file *file = NULL;
    int err = fd_file_any(dirfd, &file);
    if (err)
        return err;
    if (path[0] && !inode_is_dir(file->inode))
        return -ENOTDIR;
    *ret = file->path;
    path_get(ret);
    return 0;
}

/* ---- allocation ---- */

/* The lowest free number in [min, limit), grown into if need be; lock held. */
static int find_free_locked(struct fdtable *t, unsigned min, uint64_t limit)
{
    for (;;) {
        unsigned fd = MAX(min, t->first_free);
        while (fd < t->capacity) {
            uint64_t free_bits = ~t->used[fd / BITS] >> (fd % BITS);
            if (free_bits) {
                fd += (unsigned)__builtin_ctzll(free_bits);
                break;
            }
            fd = (fd / BITS + 1) * BITS;
        }
        if (fd >= limit)
            return -EMFILE;
        if (fd < t->capacity)
            return (int)fd;
        int err = grow_locked(t, fd);
        if (err)
            return err;
    }
}

static int allocate(struct file *file, unsigned flags, unsigned min)
{
    struct fdtable *t = current->files;
    uint64_t limit = MIN(current_limit(RLIMIT_NOFILE), (uint64_t)FD_MAX);
    spin_lock(&t->lock);
    int fd = find_free_locked(t, min, limit);
    if (fd >= 0) {
        slot_set(t, (unsigned)fd, file, flags & O_CLOEXEC);
        if (min <= t->first_free)
            t->first_free = (unsigned)fd + 1;
    }
    spin_unlock(&t->lock);
    return fd;
}

int fd_install_from(struct file *file, unsigned flags, int min)
{
    if (min < 0 || (uint64_t)min >= current_limit(RLIMIT_NOFILE))
        return -EINVAL;
    return allocate(file, flags, (unsigned)min);
}

int fd_install(struct file *file, unsigned flags)
{
    return allocate(file, flags, 0);
}

int fd_reserve(unsigned flags)
{
    return allocate(NULL, flags, 0);
}

void fd_publish(int fd, struct file *file)
{
    struct fdtable *t = current->files;
    spin_lock(&t->lock);
    assert(bit_test(t->used, (unsigned)fd) && !t->files[fd]);
    t->files[fd] = file;
    spin_unlock(&t->lock);
}

void fd_unreserve(int fd)
{
    struct fdtable *t = current->files;
    spin_lock(&t->lock);
    assert(bit_test(t->used, (unsigned)fd) && !t->files[fd]);
    (void)slot_clear(t, (unsigned)fd);
    spin_unlock(&t->lock);
}

/* Puts file at fd; the file that was there comes back. -EBUSY: the slot is reserved. */
static int install_at(struct fdtable *t, unsigned fd, struct file *file, bool cloexec,
                      struct file **ret_old)
{
    int err = 0;
    spin_lock(&t->lock);
    if (fd >= t->capacity)
        err = grow_locked(t, fd);
    if (!err && bit_test(t->used, fd) && !t->files[fd])
        err = -EBUSY;
    if (!err) {
        *ret_old = t->files[fd];
        slot_set(t, fd, file, cloexec);
    }
    spin_unlock(&t->lock);
    return err;
}

int fdtable_install_at(struct fdtable *t, int fd, struct file *file, bool cloexec)
{
    struct file *old = NULL;
    if (fd < 0)
        return -EBADF;
    int err = install_at(t, (unsigned)fd, file, cloexec, &old);
    if (old)
        close_file(t, old);
    return err;
}

/* ---- the verbs of close, dup, fcntl ---- */

int fd_close(int fd)
{
    struct fdtable *t = current->files;
    struct file *file = NULL;
    spin_lock(&t->lock);
    if ((unsigned)fd < t->capacity && t->files[fd])
        file = slot_clear(t, (unsigned)fd);
    spin_unlock(&t->lock);
    if (!file)
        return -EBADF;
    end_loan();
    int err = file->ops->flush ? file->ops->flush(file) : 0;
    file_locks_close(file, t);
    file_put(file);
    return err;
}

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

static int unshare_table(void)
{
    struct task *t = current;
    struct fdtable *mine = t->files, *copy;
    if (refcount_read(&mine->ref) == 1)
        return 0;
    int err = fdtable_copy(mine, &copy);
    if (err)
        return err;
    spin_lock(&t->alloc_lock);
    t->files = copy;
    spin_unlock(&t->alloc_lock);
    fdtable_put(mine);
    return 0;
}

int fd_close_range(unsigned first, unsigned last, unsigned flags)
{
    if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
        return -EINVAL;
    if (flags & CLOSE_RANGE_UNSHARE) {
        int err = unshare_table();
        if (err)
            return err;
    }
    struct fdtable *t = current->files;
    spin_lock(&t->lock);
    for (unsigned fd = first; fd < t->capacity && fd <= last; fd++) {
        if (!t->files[fd])
            continue;
        if (flags & CLOSE_RANGE_CLOEXEC) {
            bit_assign(t->cloexec, fd, true);
            continue;
        }
        struct file *file = slot_clear(t, fd);
        spin_unlock(&t->lock);
        close_file(t, file);
        spin_lock(&t->lock);
    }
    spin_unlock(&t->lock);
    return 0;
}

int fd_replace(int fd, struct file *file, unsigned flags)
{
    struct file *old = NULL;
    if (fd < 0 || (uint64_t)fd >= MIN(current_limit(RLIMIT_NOFILE), (uint64_t)FD_MAX))
        return -EBADF;
    int err = install_at(current->files, (unsigned)fd, file, flags & O_CLOEXEC, &old);
    if (err)
        return err;
    if (old)
        close_file(current->files, old);
    return fd;
}

int fd_dup2(int old_fd, int new_fd, unsigned flags, bool same_ok)
{
    if (old_fd == new_fd && !same_ok)
        return -EINVAL;
    if (new_fd < 0 || (uint64_t)new_fd >= MIN(current_limit(RLIMIT_NOFILE), (uint64_t)FD_MAX))
        return -EBADF;
    struct file *file, *old = NULL;
    int err = fd_file_any(old_fd, &file);
    if (err)
        return err;
    if (old_fd == new_fd) {
        file_put(file);
        return new_fd;
    }
    err = install_at(current->files, (unsigned)new_fd, file, flags & O_CLOEXEC, &old);
    if (err) {
        file_put(file);
        return err;
    }
    if (old)
        close_file(current->files, old);
    return new_fd;
}

int fd_get_cloexec(int fd)
{
    struct file *file;
    bool cloexec = false;
    int err = fdtable_file(current->files, fd, &file, &cloexec);
    if (err)
        return err;
    file_put(file);
    return cloexec;
}

int fd_set_cloexec(int fd, bool on)
{
    struct fdtable *t = current->files;
    int err = -EBADF;
    spin_lock(&t->lock);
    if ((unsigned)fd < t->capacity && t->files[fd]) {
        bit_assign(t->cloexec, (unsigned)fd, on);
        err = 0;
    }
    spin_unlock(&t->lock);
    return err;
}
