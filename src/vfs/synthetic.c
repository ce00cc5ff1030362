/* Synthetic files: see vfs/synthetic.h. */
#include "vfs/synthetic.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

struct synth_super {
    const struct synth_hooks *hooks;
    void *fs;
};

static const struct inode_ops synth_dir_ops, synth_changing_dir_ops, synth_file_inode_ops,
    synth_link_ops, synth_magic_link_ops;
static const struct file_ops synth_dir_file_ops, synth_file_ops;

static struct synth_super *super_of(const struct inode *inode)
{
    return inode->sb->fs;
}

void *synth_fs(struct synth_inode *i)
{
    return super_of(&i->inode)->fs;
}

static int check(struct synth_inode *i)
{
    const struct synth_hooks *hooks = super_of(&i->inode)->hooks;
    return hooks->check ? hooks->check(i) : 0;
}

/* ---- inodes ---- */

uint64_t synth_ino(const struct synth_entry *row, uint64_t number)
{
    uint64_t ino = hash_u64((uint64_t)(uintptr_t)row ^ hash_u64(number)) & UINT32_MAX;
    return ino ? ino : 1;
}

static void choose_ops(const struct synth_entry *row, bool changing,
                       const struct inode_ops **ret_ops, const struct file_ops **ret_file_ops)
{
    *ret_file_ops = NULL;
    if (S_ISDIR(row->mode)) {
        *ret_ops = changing ? &synth_changing_dir_ops : &synth_dir_ops;
        *ret_file_ops = &synth_dir_file_ops;
    } else if (S_ISLNK(row->mode)) {
        *ret_ops = row->get_link ? &synth_magic_link_ops : &synth_link_ops;
    } else {
        *ret_ops = &synth_file_inode_ops;
        *ret_file_ops = row->file_ops ? row->file_ops : &synth_file_ops;
    }
}

int synth_inode_new(struct super_block *sb, const struct synth_entry *row, void *object,
                    uint64_t arg, uint64_t number, struct inode **ret)
{
    struct synth_super *super = sb->fs;
    const struct inode_ops *ops;
    const struct file_ops *file_ops;
    struct synth_inode *i = calloc(1, sizeof(*i));
    if (!i) {
        if (object)
            super->hooks->object_put(object);
        return -ENOMEM;
    }
    choose_ops(row, row->lookup && super->hooks->revalidate, &ops, &file_ops);
    inode_init(&i->inode, sb, ops, file_ops, row->mode, 0, 0);
    i->inode.attr.ino = synth_ino(row, number);
    i->inode.attr.btime = 0;
    i->inode.attr.blksize = 1024;
    i->inode.dcache_volatile = row->is_volatile;
    i->entry = row;
    i->object = object;
    i->arg = arg;
    if (super->hooks->getattr)
        super->hooks->getattr(i); /* its owner decides who may open it */
    *ret = &i->inode;
    return 0;
}

static void synth_evict(struct inode *inode)
{
    struct synth_inode *i = synth_inode(inode);
    if (i->object)
        super_of(inode)->hooks->object_put(i->object);
    free(i);
}

static int synth_getattr(struct inode *inode)
{
    const struct synth_hooks *hooks = super_of(inode)->hooks;
    if (hooks->getattr)
        hooks->getattr(synth_inode(inode));
    return 0;
}

/* Kept to what Linux lets root do to such files: nothing that lasts. */
static int synth_setattr(struct inode *inode, const struct setattr *change)
{
    return change->valid & ~(ATTR_SIZE | ATTR_ATIME | ATTR_MTIME | ATTR_CTIME) ? -EPERM : 0;
}

/* ---- directories ---- */

const struct synth_entry *synth_find(const struct synth_entry *rows, const struct name *name)
{
    for (const struct synth_entry *row = rows; row && row->name; row++)
        if (strlen(row->name) == name->len && memcmp(row->name, name->s, name->len) == 0)
            return row;
    return NULL;
}

int32_t synth_name_number(const struct name *name)
{
    int64_t n = 0;
    if (name->len == 0 || name->len > 10 || (name->s[0] == '0' && name->len > 1))
        return -1;
    for (uint32_t i = 0; i < name->len; i++) {
        if (name->s[i] < '0' || name->s[i] > '9')
            return -1;
        n = n * 10 + (name->s[i] - '0');
    }
    return n > INT32_MAX ? -1 : (int32_t)n;
}

/* A number that tells the children of one object's directory from another's. */
static uint64_t child_number(const struct synth_inode *dir)
{
    return dir->object ? dir->inode.attr.ino : 0;
}

static void *object_get(struct synth_inode *dir)
{
    const struct synth_hooks *hooks = super_of(&dir->inode)->hooks;
    return dir->object && hooks->object_get ? hooks->object_get(dir->object) : NULL;
}

static int synth_lookup(struct inode *inode, const struct name *name, struct inode **ret)
{
    struct synth_inode *dir = synth_inode(inode);
    int err = check(dir);
    if (err < 0)
        return err;
    const struct synth_entry *row = synth_find(dir->entry->entries, name);
    if (row)
        return synth_inode_new(inode->sb, row, object_get(dir), row->arg, child_number(dir), ret);
    return dir->entry->lookup ? dir->entry->lookup(dir, name, ret) : -ENOENT;
}

static int synth_permission(struct inode *inode, int mask, const struct cred *cred)
{
    const struct synth_hooks *hooks = super_of(inode)->hooks;
    return hooks->permission ? hooks->permission(synth_inode(inode), mask, cred)
                             : vfs_generic_permission(inode, mask, cred);
}

static bool synth_revalidate(struct inode *inode, const struct name *name, struct inode *child)
{
    return super_of(inode)->hooks->revalidate(synth_inode(inode), name,
                                              child ? synth_inode(child) : NULL);
}

static bool emit_row(struct synth_inode *dir, const struct synth_entry *row, struct dir_emitter *e,
                     int64_t pos)
{
    unsigned char type = (unsigned char)((row->mode & S_IFMT) >> 12);
    return e->emit(e, row->name, strlen(row->name), synth_ino(row, child_number(dir)), type,
                   pos + 1);
}

static int synth_readdir(struct file *file, struct dir_emitter *e, int64_t *pos)
{
    struct synth_inode *dir = synth_inode(file->inode);
    const struct synth_entry *rows = dir->entry->entries;
    int err = check(dir);
    if (err < 0)
        return err;
    if (*pos < 2 && !dir_emit_dots(file, e, pos))
        return 0;
    int64_t count = 0;
    while (rows && rows[count].name)
        count++;
    for (; *pos - 2 < count; ++*pos)
        if (!emit_row(dir, &rows[*pos - 2], e, *pos))
            return 0;
    if (!dir->entry->iterate)
        return 0;
    *pos = MAX(*pos, (int64_t)SYNTH_FIRST_DYNAMIC);
    return dir->entry->iterate(dir, e, pos);
}

static int64_t synth_dir_lseek(struct file *file, int64_t offset, int whence)
{
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, file->pos, &offset))
        return -EOVERFLOW;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < 0)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

/* Nothing can be made here; the error is the file system's. */

static int create_error(const struct inode *dir, int otherwise)
{
    int err = super_of(dir)->hooks->create_error;
    return err ? err : otherwise;
}

static int synth_create(struct inode *dir, const struct name *name, uint32_t mode,
                        const struct cred *cred, struct inode **ret)
{
    return create_error(dir, -EACCES);
}

static int synth_mkdir(struct inode *dir, const struct name *name, uint32_t mode,
                       const struct cred *cred, struct inode **ret)
{
    return create_error(dir, -EPERM);
}

static int synth_mknod(struct inode *dir, const struct name *name, uint32_t mode, uint64_t rdev,
                       const struct cred *cred, struct inode **ret)
{
    return create_error(dir, -EPERM);
}

static int synth_symlink(struct inode *dir, const struct name *name, const char *target,
                         const struct cred *cred, struct inode **ret)
{
    return create_error(dir, -EPERM);
}

static int synth_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                        struct inode *new_dir, const struct name *new_name, struct inode *target,
                        unsigned flags)
{
    return target ? -EPERM : create_error(new_dir, -EPERM);
}

/* ---- links ---- */

static int synth_readlink(struct inode *inode, char **ret)
{
    struct synth_inode *i = synth_inode(inode);
    if (i->entry->link) {
        *ret = strdup(i->entry->link);
        return *ret ? 0 : -ENOMEM;
    }
    int err = i->entry->get_link ? check(i) : 0;
    return err < 0 ? err : i->entry->readlink(i, ret);
}

static int synth_get_link(struct inode *inode, struct dentry *self, struct path *ret)
{
    struct synth_inode *i = synth_inode(inode);
    int err = check(i);
    return err < 0 ? err : i->entry->get_link(i, ret);
}

/* ---- files ---- */

/* The content that an open file shows. */
struct synth_text {
    struct mutex lock;
    struct strbuf text; /* [lock] */
    bool made;          /* [lock] */
};

static int synth_open(struct inode *inode, struct file *file)
{
    int err = check(synth_inode(inode));
    if (err < 0)
        return err;
    struct synth_text *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    mutex_init(&t->lock);
    file->private_data = t;
    return 0;
}

static void synth_release(struct file *file)
{
    struct synth_text *t = file->private_data;
    strbuf_free(&t->text);
    free(t);
}

static int make_text(struct synth_inode *i, struct synth_text *t)
{
    const struct synth_entry *row = i->entry;
    strbuf_reset(&t->text);
    t->made = false;
    int err = 0;
    if (row->text)
        strbuf_puts(&t->text, row->text);
    else if (row->show)
        err = row->show(i, &t->text);
    if (err >= 0 && t->text.failed)
        err = -ENOMEM;
    t->made = err >= 0;
    return err;
}

static ssize_t synth_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct synth_text *t = file->private_data;
    MUTEX_GUARD(&t->lock);
    if (!t->made || *pos == 0) {
        int err = make_text(synth_inode(file->inode), t);
        if (err < 0)
            return err;
    }
    if ((uint64_t)*pos >= t->text.len)
        return 0;
    ssize_t n = uio_put(to, t->text.s + *pos, MIN(to->remaining, t->text.len - (size_t)*pos));
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t synth_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct synth_inode *i = synth_inode(file->inode);
    char text[SYNTH_WRITE_MAX + 1];
    size_t len = from->remaining;
    if (!i->entry->write)
        return -EPERM;
    if (len > SYNTH_WRITE_MAX)
        return -EINVAL;
    ssize_t n = uio_take(from, text, len);
    if (n < 0 || (size_t)n < len)
        return -EFAULT;
    text[len] = '\0';
    int err = i->entry->write(i, text, len);
    if (err < 0)
        return err;
    *pos += n;
    return n;
}

static int64_t synth_lseek(struct file *file, int64_t offset, int whence)
{
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, file->pos, &offset))
        return -EOVERFLOW;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < 0)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

/* ---- the super block ---- */

static void synth_free(struct super_block *sb)
{
    struct synth_super *super = sb->fs;
    if (super->hooks->free)
        super->hooks->free(super->fs);
    free(super);
}

static int synth_remount(struct super_block *sb, const char *data)
{
    const struct synth_super *super = sb->fs;
    return super->hooks->remount ? super->hooks->remount(sb, data) : 0;
}

static const struct super_ops synth_super_ops = {
    .remount = synth_remount,
    .free = synth_free,
};

static void free_unmounted(const struct synth_hooks *hooks, void *fs)
{
    if (hooks->free)
        hooks->free(fs);
}

int synth_mount(const char *type, const char *source, unsigned long magic,
                const struct synth_entry *root, const struct synth_hooks *hooks, void *fs,
                struct super_block **ret)
{
    struct super_block *sb;
    struct synth_super *super = calloc(1, sizeof(*super));
    int err = super ? sb_new(type, source, magic, &synth_super_ops, &sb) : -ENOMEM;
    if (err < 0) {
        free(super);
        free_unmounted(hooks, fs);
        return err;
    }
    *super = (struct synth_super){hooks, fs};
    sb->fs = super;
    err = synth_inode_new(sb, root, NULL, root->arg, 0, &sb->root);
    if (err < 0) {
        sb_put(sb);
        return err;
    }
    sb->root->attr.ino = 1;
    *ret = sb;
    return 0;
}

#define DIR_OPS                                                                                 \
    .lookup = synth_lookup, .create = synth_create, .mkdir = synth_mkdir, .mknod = synth_mknod, \
    .symlink = synth_symlink, .rename = synth_rename, .getattr = synth_getattr,                 \
    .setattr = synth_setattr, .permission = synth_permission, .evict = synth_evict

static const struct inode_ops synth_dir_ops = {DIR_OPS};

/* Directories with a dynamic part. */
static const struct inode_ops synth_changing_dir_ops = {DIR_OPS, .revalidate = synth_revalidate};

static const struct inode_ops synth_file_inode_ops = {
    .getattr = synth_getattr,
    .setattr = synth_setattr,
    .evict = synth_evict,
};

static const struct inode_ops synth_link_ops = {
    .readlink = synth_readlink,
    .getattr = synth_getattr,
    .evict = synth_evict,
};

static const struct inode_ops synth_magic_link_ops = {
    .readlink = synth_readlink,
    .get_link = synth_get_link,
    .getattr = synth_getattr,
    .evict = synth_evict,
};

static const struct file_ops synth_dir_file_ops = {
    .readdir = synth_readdir,
    .lseek = synth_dir_lseek,
};

static const struct file_ops synth_file_ops = {
    .open = synth_open,
    .read = synth_read,
    .write = synth_write,
    .lseek = synth_lseek,
    .release = synth_release,
};
