/*
 * devpts: the file system of pseudo-terminals, and the device nodes that lead to terminals.
 *
 * Each mount is an instance with numbers of its own; the first one is there from the start, and
 * holds the console (the host's terminal) if there is one. A node exists from the opening of its
 * master to its close.
 *
 * Locks: instance->lock (mutex) protects the table of numbers.
 */
#include "fs/devpts/private.h"
#include "kernel/pid.h"
#include "kernel/tty_hooks.h"
#include "vfs/special.h"
#include "kernel/user_namespace.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <termios.h>

#define DEVPTS_MAGIC 0x1cd1
#define SLAVE_MAJOR 136
#define MAX_PTYS 4096 /* /proc/sys/kernel/pty/max */
#define ROOT_INO 1
#define PTMX_INO 2
#define FIRST_INO 3

struct devpts {
    struct super_block *sb;  /* [I] */
    struct mutex lock;
    struct tty **ttys;       /* [lock] weak; MAX_PTYS slots */
    struct inode *ptmx;      /* [I] reference */
    uint32_t mode, uid, gid; /* [I] of new nodes */
    bool set_uid, set_gid;   /* [I] */
    bool mounted;            /* the first instance: handed out by the first mount */
};

static struct devpts *first;
static const struct inode_ops node_ops, root_ops;
static const struct file_ops root_file_ops;

struct devpts *devpts_of_inode(struct inode *inode)
{
    return inode->sb->ops == first->sb->ops ? inode->sb->fs : first;
}

/* ---- numbers and nodes ---- */

static int new_node(struct devpts *d, uint32_t mode, uint64_t rdev, uint64_t ino, struct inode **ret)
{
    struct inode *inode = calloc(1, sizeof(*inode));
    if (!inode)
        return -ENOMEM;
    const struct cred *cred = current_cred();
    inode_init(inode, d->sb, &node_ops, NULL, mode, d->set_uid ? d->uid : cred->fsuid,
               d->set_gid ? d->gid : cred->fsgid);
    inode->attr.rdev = rdev;
    inode->attr.ino = ino;
    *ret = inode;
    return 0;
}

static int free_number(struct devpts *d)
{
    for (int i = 0; i < MAX_PTYS; i++)
        if (!d->ttys[i])
            return i;
    return -ENOSPC;
}

int devpts_add(struct devpts *d, struct tty *t)
{
    MUTEX_GUARD(&d->lock);
    int n = free_number(d);
    if (n < 0)
        return n;
    uint64_t rdev = makedev(SLAVE_MAJOR + n / 256, n % 256);
    int err = new_node(d, S_IFCHR | d->mode, rdev, FIRST_INO + (uint64_t)n, &t->inode);
    if (err < 0)
        return err;
    refcount_get(&d->sb->ref); /* given back with the inode: tty.c */
    t->number = (unsigned)n;
    snprintf(t->name, sizeof(t->name), "/dev/pts/%d", n);
    d->ttys[n] = t;
    return 0;
}

int devpts_add_console(struct super_block *sb, struct tty *t)
{
    return devpts_add(sb && sb->ops == first->sb->ops ? sb->fs : first, t);
}

unsigned tty_number(const struct tty *t)
{
    return t->number;
}

void devpts_remove(struct tty *t)
{
    struct devpts *d = t->inode->sb->fs;
    MUTEX_GUARD(&d->lock);
    d->ttys[t->number] = NULL;
}

/* The terminal with this number, referenced, or NULL. */
static struct tty *find_tty(struct devpts *d, unsigned n)
{
    MUTEX_GUARD(&d->lock);
    struct tty *t = n < MAX_PTYS ? d->ttys[n] : NULL;
    return t && refcount_get_unless_zero(&t->ref) ? t : NULL;
}

/* ---- opening nodes ---- */

/* Consumes the reference. */
static int open_tty(struct tty *t, struct file *file)
{
    if (!t)
        return -EIO;
    uint32_t flags = file->flags;
    int err = pty_locked(t) || t->dead ? -EIO : tty_attach(t, file);
    if (err == 0)
        tty_maybe_acquire(t, file, flags);
    tty_unref(t);
    return err;
}

static int slave_open(struct inode *inode, struct file *file)
{
    unsigned n = (major(inode->attr.rdev) - SLAVE_MAJOR) * 256 + minor(inode->attr.rdev);
    struct tty *t = find_tty(devpts_of_inode(inode), n);
    return t ? open_tty(t, file) : -ENXIO;
}

static int current_open(struct inode *inode, struct file *file)
{
    struct tty *t = current_tty();
    return t ? open_tty(t, file) : -ENXIO;
}

static int console_open(struct inode *inode, struct file *file)
{
    struct tty *t = find_tty(first, 0);
    if (t && t->driver == &pty_driver) {
        tty_unref(t);
        t = NULL;
    }
    return t ? open_tty(t, file) : -ENXIO;
}

static const struct file_ops slave_ops = {.open = slave_open, .stream = true};
static const struct file_ops current_ops = {.open = current_open, .stream = true};
static const struct file_ops console_ops = {.open = console_open, .stream = true};
static const struct file_ops ptmx_ops = {.open = pty_open_master, .stream = true};

/* ---- the directory ---- */

static int root_lookup(struct inode *dir, const struct name *name, struct inode **ret)
{
    struct devpts *d = dir->sb->fs;
    unsigned n = 0;
    if (name->len == 4 && memcmp(name->s, "ptmx", 4) == 0) {
        *ret = inode_get(d->ptmx);
        return 0;
    }
    for (unsigned i = 0; i < name->len; i++) {
        if (name->s[i] < '0' || name->s[i] > '9' || i > 6 || (i == 1 && n == 0))
            return -ENOENT;
        n = n * 10 + (unsigned)(name->s[i] - '0');
    }
    struct tty *t = find_tty(d, n);
    if (!t)
        return -ENOENT;
    *ret = inode_get(t->inode);
    tty_unref(t);
    return 0;
}

static int root_readdir(struct file *file, struct dir_emitter *e, int64_t *pos)
{
    struct devpts *d = file->inode->sb->fs;
    if (dir_emit_dots(file, e, pos) == 0)
        return 0;
    if (*pos == 2) {
        if (!e->emit(e, "ptmx", 4, PTMX_INO, DT_CHR, 3))
            return 0;
        *pos = 3;
    }
    MUTEX_GUARD(&d->lock);
    for (; *pos < MAX_PTYS + FIRST_INO; ++*pos) {
        unsigned n = (unsigned)*pos - FIRST_INO;
        char name[16];
        if (!d->ttys[n])
            continue;
        int len = snprintf(name, sizeof(name), "%u", n);
        if (!e->emit(e, name, (size_t)len, FIRST_INO + n, DT_CHR, *pos + 1))
            return 0;
    }
    return 0;
}

static int node_setattr(struct inode *inode, const struct setattr *change)
{
    struct attr *a = &inode->attr;
    if (change->valid & ATTR_MODE)
        a->mode = (a->mode & S_IFMT) | (change->mode & 07777);
    if (change->valid & ATTR_UID)
        a->uid = change->uid;
    if (change->valid & ATTR_GID)
        a->gid = change->gid;
    if (change->valid & ATTR_ATIME)
        a->atime = change->atime;
    if (change->valid & ATTR_MTIME)
        a->mtime = change->mtime;
    a->ctime = now_realtime();
    return 0;
}

static void node_evict(struct inode *inode)
{
    free(inode);
}

/* ---- instances ---- */

static void super_free(struct super_block *sb)
{
    struct devpts *d = sb->fs;
    inode_put(d->ptmx);
    free(d->ttys);
    free(d);
}

static const struct super_ops super_ops = {.free = super_free};

static int instance_new(struct devpts **ret)
{
    struct devpts *d = calloc(1, sizeof(*d));
    struct inode *root;
    if (!d)
        return -ENOMEM;
    mutex_init(&d->lock);
    d->mode = 0600;
    d->ttys = calloc(MAX_PTYS, sizeof(*d->ttys));
    int err = d->ttys ? sb_new("devpts", "devpts", DEVPTS_MAGIC, &super_ops, &d->sb) : -ENOMEM;
    if (err < 0)
        goto fail;
    d->sb->fs = d;
    root = calloc(1, sizeof(*root));
    err = root ? new_node(d, S_IFCHR, makedev(5, 2), PTMX_INO, &d->ptmx) : -ENOMEM;
    if (err < 0)
        goto fail; /* the super block stays: nothing but boot fails like this */
    inode_init(root, d->sb, &root_ops, &root_file_ops, S_IFDIR | 0755, 0, 0);
    root->attr.ino = ROOT_INO;
    root->dcache_volatile = true;
    d->sb->root = root;
    *ret = d;
    return 0;
fail:
    free(d->ttys);
    free(d);
    return err;
}

/* gid=5,mode=620,ptmxmode=666,newinstance */
static int parse_option(struct devpts *d, const char *option)
{
    unsigned value;
    if (sscanf(option, "ptmxmode=%o", &value) == 1) {
        d->ptmx->attr.mode = S_IFCHR | (value & 0777);
    } else if (sscanf(option, "mode=%o", &value) == 1) {
        d->mode = value & 0777;
    } else if (sscanf(option, "gid=%u", &value) == 1) {
        d->gid = gid_from_user(value);
        if (d->gid == ID_INVALID)
            return -EINVAL;
        d->set_gid = true;
    } else if (sscanf(option, "uid=%u", &value) == 1) {
        d->uid = uid_from_user(value);
        if (d->uid == ID_INVALID)
            return -EINVAL;
        d->set_uid = true;
    } else if (strcmp(option, "newinstance") != 0 && sscanf(option, "max=%u", &value) != 1) {
        return -EINVAL;
    }
    return 0;
}

static int parse_options(struct devpts *d, const char *data)
{
    CLEANUP_FREE char *copy = strdup(data);
    char *state = NULL;
    if (!copy)
        return -ENOMEM;
    for (char *o = strtok_r(copy, ",", &state); o; o = strtok_r(NULL, ",", &state)) {
        int err = parse_option(d, o);
        if (err < 0)
            return err;
    }
    return 0;
}

static int devpts_mount(const char *source, unsigned long flags, const char *data, struct super_block **ret)
{
    struct devpts *d = first;
    int err = 0;
    if (first->mounted)
        err = instance_new(&d);
    if (err == 0 && data)
        err = parse_options(d, data);
    if (err < 0)
        return err;
    if (d == first) {
        first->mounted = true;
        refcount_get(&d->sb->ref); /* one stays with us */
    }
    *ret = d->sb;
    return 0;
}

static void leader_exit(struct tty *t, struct pid *session)
{
    if (t->session != session)
        return;
    tty_drop_session(t, true);
    if (t->driver == &pty_driver)
        return;
    tty_hangup(t);
    if (!tty_is_open(t) && t->driver->closed)
        t->driver->closed(t);
}

static void describe(struct tty *t, uint64_t *ret_rdev, struct pid **ret_foreground)
{
    *ret_rdev = t->inode->attr.rdev;
    spin_lock(&t->ctrl_lock);
    *ret_foreground = t->foreground ? pid_get(t->foreground) : NULL;
    spin_unlock(&t->ctrl_lock);
}

static const struct fs_type devpts_type = {.name = "devpts", .flags = FS_NODEV, .mount = devpts_mount};

int devpts_init(void)
{
    int err = instance_new(&first);
    if (err < 0)
        return err;
    tty_hooks.get = tty_ref;
    tty_hooks.put = tty_unref;
    tty_hooks.leader_exit = leader_exit;
    tty_hooks.describe = describe;
    fs_register(&devpts_type);
    special_register(S_IFCHR, 5, 0, 1, &current_ops);
    special_register(S_IFCHR, 5, 1, 1, &console_ops);
    special_register(S_IFCHR, 5, 2, 1, &ptmx_ops);
    for (unsigned m = 0; m < MAX_PTYS / 256; m++)
        special_register(S_IFCHR, SLAVE_MAJOR + m, 0, 256, &slave_ops);
    return 0;
}

static const struct inode_ops node_ops = {
    .setattr = node_setattr,
    .evict = node_evict,
};

static const struct inode_ops root_ops = {
    .lookup = root_lookup,
    .setattr = node_setattr,
    .evict = node_evict,
};

static const struct file_ops root_file_ops = {
    .readdir = root_readdir,
};
