/* See copy_up.h. One directory after another: its names are collected first, so that no directory is open while what
 * is in it is copied. */
#include "control/copy_up.h"
#include "base/cleanup.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define MAX_DEPTH 32
#define MAX_ENTRIES 65536
#define COPY_STEP (1 << 20)

struct copy {
    unsigned entries, depth;
};

struct names {
    struct dir_emitter emitter;
    char **list;
    size_t count, room;
    bool failed;
};

static bool add_name(struct dir_emitter *e, const char *name, size_t len, uint64_t ino, unsigned char type,
                     int64_t next)
{
    struct names *n = container_of(e, struct names, emitter);
    if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
        return true;
    if (n->count == n->room) {
        size_t room = n->room ? 2 * n->room : 32;
        char **grown = room <= MAX_ENTRIES ? realloc(n->list, room * sizeof *grown) : NULL;
        if (!grown)
            return !(n->failed = true);
        n->list = grown;
        n->room = room;
    }
    n->list[n->count] = strndup(name, len);
    n->failed = !n->list[n->count];
    n->count += !n->failed;
    return !n->failed;
}

static void free_names(struct names *n)
{
    while (n->count)
        free(n->list[--n->count]);
    free(n->list);
}

static int read_names(const struct path *dir, struct names *n)
{
    struct file *file;
    size_t before;
    int err = vfs_open_path(dir, O_RDONLY | O_DIRECTORY, &file);
    do {
        before = n->count;
        if (!err)
            err = vfs_readdir(file, &n->emitter);
    } while (!err && !n->failed && n->count > before);
    if (!err)
        file_put(file);
    return err ? err : n->failed ? -ENOSPC : 0;
}

/* ---- one entry ---- */

static int make_inode(struct inode *dir, const struct name *name, struct inode *from, struct inode **ret)
{
    uint32_t mode = from->attr.mode;
    const struct cred *cred = current_cred();
    if (S_ISLNK(mode)) {
        CLEANUP_FREE char *target = from->link ? strdup(from->link) : NULL;
        int err = from->link && !target ? -ENOMEM : 0;
        if (!from->link)
            err = from->ops->readlink ? from->ops->readlink(from, &target) : -EINVAL;
        return err ? err : dir->ops->symlink(dir, name, target, cred, ret);
    }
    if (S_ISDIR(mode))
        return dir->ops->mkdir(dir, name, mode, cred, ret);
    if (S_ISREG(mode))
        return dir->ops->create(dir, name, mode, cred, ret);
    return dir->ops->mknod(dir, name, mode, from->attr.rdev, cred, ret);
}

/* The entry in `to`, referenced. */
static int make_entry(const struct path *to, const char *text, struct inode *from, struct path *ret)
{
    struct name name = name_make(text, strlen(text));
    struct dentry *d;
    struct inode *inode;
    MUTEX_GUARD(&to->dentry->inode->lock);
    int err = dentry_lookup_locked(to->dentry, &name, &d);
    if (err)
        return err;
    err = d->inode ? -EEXIST : make_inode(to->dentry->inode, &name, from, &inode);
    if (err) {
        dentry_put(d);
        return err;
    }
    dentry_instantiate(d, inode);
    *ret = (struct path){mount_get(to->mount), d};
    return 0;
}

static int copy_bytes(const struct path *from, const struct path *to)
{
    CLEANUP_FILE struct file *in = NULL, *out = NULL;
    int64_t in_pos = 0, out_pos = 0, n = 0;
    int err = vfs_open_path(from, O_RDONLY, &in);
    if (!err)
        err = vfs_open_path(to, O_WRONLY, &out);
    while (!err && (n = vfs_copy_range(in, &in_pos, out, &out_pos, COPY_STEP)) > 0)
        ;
    return err ? err : (int)MIN(n, (int64_t)0);
}

static int copy_attributes(const struct path *to, const struct attr *a)
{
    int err = vfs_chown(to, a->uid, a->gid);
    if (!err && !S_ISLNK(a->mode))
        err = vfs_chmod(to, a->mode & 07777);
    if (!err && !S_ISLNK(a->mode))
        err = vfs_utimes(to, a->atime, a->mtime);
    return err;
}

static int copy_directory(struct copy *c, const struct path *from, const struct path *to);

static int copy_entry(struct copy *c, const struct path *dir, const char *name, const struct path *to)
{
    CLEANUP_PATH_REF struct path from = {0}, made = {0};
    int err = path_lookup_in(dir, name, 0, &from);
    if (err)
        return err == -ENOENT ? 0 : err; /* gone meanwhile */
    const struct attr *a = &from.dentry->inode->attr;
    if (S_ISSOCK(a->mode) || from.mount != dir->mount)
        return 0;
    if (++c->entries > MAX_ENTRIES)
        return -ENOSPC;
    err = make_entry(to, name, from.dentry->inode, &made);
    if (!err && S_ISREG(a->mode))
        err = copy_bytes(&from, &made);
    if (!err && S_ISDIR(a->mode))
        err = copy_directory(c, &from, &made);
    return err ? err : copy_attributes(&made, a);
}

static int copy_directory(struct copy *c, const struct path *from, const struct path *to)
{
    struct names names = {.emitter.emit = add_name};
    if (c->depth >= MAX_DEPTH)
        return -ENOSPC;
    c->depth++;
    int err = read_names(from, &names);
    for (size_t i = 0; i < names.count && !err; i++)
        err = copy_entry(c, from, names.list[i], to);
    free_names(&names);
    c->depth--;
    return err;
}

int copy_up_tree(const struct path *from, const struct path *to)
{
    struct copy c = {0};
    int err = copy_directory(&c, from, to);
    return err ? err : copy_attributes(to, &from->dentry->inode->attr);
}
