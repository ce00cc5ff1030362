/*
 * Listings of host directories.
 *
 * A directory is read from the host in one go into a list that nobody changes any more. An
 * exclusive tree keeps the list with the inode until an entry changes, so that reading a directory
 * again costs no host call. An open directory holds the list it began with until it is rewound:
 * positions stay good while entries come and go.
 */
#include "fs/hostfs/private.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define GETDENTS_BUFFER (32 * 1024)
#define LIST_MAX_BYTES \
    (256u << 20) /* a host directory of millions of names; beyond it the listing fails */

struct dir_entry {
    uint64_t ino;
    uint32_t name; /* offset in the list's names */
    unsigned char type, len;
};

struct dir_list {
    struct refcount ref;
    unsigned count, capacity;
    struct dir_entry *entries;
    char *names;
    size_t names_len, names_cap;
};

/* As getdents64(2) gives it. */
struct host_dirent {
    uint64_t ino;
    int64_t off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

static void dir_list_put(struct dir_list *l)
{
    if (!refcount_put(&l->ref))
        return;
    free(l->entries);
    free(l->names);
    free(l);
}
DEFINE_CLEANUP(struct dir_list *, dir_list_put)

void dir_list_forget(struct host_inode *dir)
{
    struct dir_list *l = TAKE_PTR(dir->list);
    if (l)
        dir_list_put(l);
}

static int list_reserve(struct dir_list *l, size_t len)
{
    if (l->count == l->capacity) {
        unsigned capacity = l->capacity ? l->capacity * 2 : 32;
        struct dir_entry *entries = reallocarray(l->entries, capacity, sizeof(*entries));
        if (!entries)
            return -ENOMEM;
        l->entries = entries;
        l->capacity = capacity;
    }
    if (l->names_cap - l->names_len <= len) {
        size_t cap = l->names_cap ? l->names_cap * 2 : 1024;
        if (cap > LIST_MAX_BYTES)
            return -EOVERFLOW;
        char *names = realloc(l->names, cap);
        if (!names)
            return -ENOMEM;
        l->names = names;
        l->names_cap = cap;
    }
    return 0;
}

static int list_add_entry(struct dir_list *l, const struct host_dirent *d, size_t len)
{
    if (len == 0 || len > 255 || memchr(d->name, '/', len))
        return 0; /* no name a guest could use */
    if (d->name[0] == '.' && (len == 1 || (len == 2 && d->name[1] == '.')))
        return 0;
    int err = list_reserve(l, len);
    if (err < 0)
        return err;
    l->entries[l->count++] = (struct dir_entry){
        .ino = d->ino, .name = (uint32_t)l->names_len, .type = d->type, .len = (unsigned char)len};
    memcpy(l->names + l->names_len, d->name, len);
    l->names[l->names_len + len] = '\0';
    l->names_len += len + 1;
    return 0;
}

static int list_add_buffer(struct dir_list *l, const char *buf, size_t n)
{
    const size_t head = offsetof(struct host_dirent, name);
    for (size_t at = 0; at + head < n;) {
        const struct host_dirent *d = (const void *)(buf + at);
        if (d->reclen <= head || d->reclen > n - at)
            return -EIO;
        int err = list_add_entry(l, d, strnlen(d->name, d->reclen - head));
        if (err < 0)
            return err;
        at += d->reclen;
    }
    return 0;
}

static int list_fill(struct dir_list *l, struct host_fd *dir)
{
    CLEANUP_FREE char *buf = malloc(GETDENTS_BUFFER);
    if (!buf)
        return -ENOMEM;
    int64_t pos = dir->listed ? host_lseek(dir->fd, 0, SEEK_SET) : 0;
    if (pos < 0)
        return (int)pos;
    dir->listed = true;
    for (;;) {
        ssize_t n = host_getdents(dir->fd, buf, GETDENTS_BUFFER);
        if (n <= 0)
            return (int)n;
        int err = list_add_buffer(l, buf, (size_t)n);
        if (err < 0)
            return err;
    }
}

static int dir_list_read(struct host_inode *dir, struct dir_list **ret)
{
    CLEANUP_HOST_FD struct host_fd *fd = NULL;
    CLEANUP_OF(dir_list_put) struct dir_list *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    refcount_init(&l->ref);
    int err = object_fd(dir, true, &fd);
    if (err >= 0)
        err = list_fill(l, fd);
    if (err < 0)
        return err;
    *ret = TAKE_PTR(l);
    return 0;
}

/* The list this open directory reads from; a fresh one at the start. The directory's lock is held
 * by the VFS. */
static int dir_list_of(struct file *file, bool fresh, struct dir_list **ret)
{
    struct host_inode *dir = host_inode(file->inode);
    struct dir_list *l = file->private_data;
    if (l && !fresh) {
        *ret = l;
        return 0;
    }
    if (hostfs_exclusive(file->inode) && dir->list) {
        refcount_get(&dir->list->ref);
        *ret = dir->list;
    } else {
        int err = dir_list_read(dir, ret);
        if (err < 0)
            return err;
        if (hostfs_exclusive(file->inode)) {
            refcount_get(&(*ret)->ref);
            dir->list = *ret;
        }
    }
    file->private_data = *ret;
    if (l)
        dir_list_put(l);
    return 0;
}

static int hostfs_readdir(struct file *file, struct dir_emitter *e, int64_t *pos)
{
    struct dir_list *l;
    int err = dir_list_of(file, *pos == 0, &l);
    if (err < 0)
        return err;
    if (*pos < 2 && !dir_emit_dots(file, e, pos))
        return 0;
    while (*pos >= 2 && *pos - 2 < (int64_t)l->count) {
        const struct dir_entry *d = &l->entries[*pos - 2];
        if (!e->emit(e, l->names + d->name, d->len, d->ino, d->type, *pos + 1))
            return 0;
        ++*pos;
    }
    return 0;
}

static int64_t hostfs_dir_lseek(struct file *file, int64_t offset, int whence)
{
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, file->pos, &offset))
        return -EOVERFLOW;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < 0)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

static int hostfs_dir_fsync(struct file *file, bool data_only)
{
    CLEANUP_HOST_FD struct host_fd *fd = NULL;
    int err = object_fd(host_inode(file->inode), true, &fd);
    return err < 0 ? err : host_fsync(fd->fd, data_only);
}

static void hostfs_dir_release(struct file *file)
{
    if (file->private_data)
        dir_list_put(file->private_data);
}

const struct file_ops hostfs_dir_file_ops = {
    .readdir = hostfs_readdir,
    .lseek = hostfs_dir_lseek,
    .fsync = hostfs_dir_fsync,
    .release = hostfs_dir_release,
};
