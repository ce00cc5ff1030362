/*
 * The mqueue file system: a flat directory of queues, and the calls that take names.
 *
 * Its super block is kept by the IPC namespace's own mount of it and by mounts of guests. Names are a list: a namespace
 * has 256 queues at most unless root says otherwise. Who made a queue pays for what it may hold at most
 * (RLIMIT_MSGQUEUE), as long as it exists.
 */
#include "ipc/mqueue_private.h"
#include "kernel/fdtable.h"
#include "kernel/limits.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include <dirent.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MQUEUE_MAGIC 0x19800202
#define HARD_MAXMSG 65536
#define HARD_MSGSIZE (16 << 20)
#define MESSAGE_COST 48 /* of Linux's own structures, which count against the limit */
#define NODE_COST 48
#define FILE_SIZE 80

static const struct inode_ops queue_inode_ops, root_inode_ops;
static const struct file_ops root_file_ops;

/* ---- who pays ---- */

struct mq_payer {
    struct list link;
    uint32_t uid;
    uint64_t bytes;
};

static struct spinlock payers_lock = SPINLOCK_INIT;
static struct list payers = LIST_INIT(payers); /* [payers_lock] */

static struct mq_payer *find_payer_locked(uint32_t uid)
{
    struct mq_payer *p;
    list_for_each (p, &payers, link)
        if (p->uid == uid)
            return p;
    return NULL;
}

static int charge(uint32_t uid, uint64_t bytes)
{
    uint64_t limit = current_limit(RLIMIT_MSGQUEUE);
    CLEANUP_FREE struct mq_payer *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    spin_lock(&payers_lock);
    struct mq_payer *p = find_payer_locked(uid);
    bool fits = bytes <= limit && (p ? p->bytes : 0) <= limit - bytes;
    if (fits && !p) {
        p = TAKE_PTR(fresh);
        p->uid = uid;
        list_add(&payers, &p->link);
    }
    if (fits)
        p->bytes += bytes;
    spin_unlock(&payers_lock);
    return fits ? 0 : -EMFILE;
}

static void uncharge(uint32_t uid, uint64_t bytes)
{
    struct mq_payer *gone = NULL;
    spin_lock(&payers_lock);
    struct mq_payer *p = find_payer_locked(uid);
    p->bytes -= bytes;
    if (p->bytes == 0) {
        list_del(&p->link);
        gone = p;
    }
    spin_unlock(&payers_lock);
    free(gone);
}

/* ---- queues ---- */

static int check_attr(struct ipc_namespace *ns, const struct mq_attr_guest *a)
{
    bool privileged = capable(CAP_SYS_RESOURCE);
    if (a->maxmsg <= 0 || a->msgsize <= 0)
        return -EINVAL;
    if (a->maxmsg > (privileged ? HARD_MAXMSG : (int64_t)ns->mq_msg_max) ||
        a->msgsize > (privileged ? HARD_MSGSIZE : (int64_t)ns->mq_msgsize_max))
        return -EINVAL;
    return 0;
}

static int count_queue(struct ipc_namespace *ns)
{
    if (atomic_fetch_add(&ns->mq_count, 1) >= ns->mq_queues_max && !capable(CAP_SYS_RESOURCE)) {
        atomic_fetch_sub(&ns->mq_count, 1);
        return -ENOSPC;
    }
    return 0;
}

static struct mqueue *queue_alloc(struct super_block *sb, uint32_t mode, const struct cred *cred,
                                  const struct mq_attr_guest *a)
{
    struct mqueue *q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    inode_init(&q->inode, sb, &queue_inode_ops, &mqueue_file_ops, mode, cred->fsuid, cred->fsgid);
    q->inode.attr.size = FILE_SIZE;
    list_init(&q->entry);
    q->user = cred->uid;
    q->maxmsg = a->maxmsg;
    q->msgsize = a->msgsize;
    mutex_init(&q->lock);
    list_init(&q->messages);
    list_init(&q->senders);
    list_init(&q->receivers);
    wait_queue_init(&q->poll_queue);
    return q;
}

static uint64_t cost_of(const struct mq_attr_guest *a)
{
    uint64_t n = (uint64_t)a->maxmsg;
    return n * MESSAGE_COST + MIN(n, (uint64_t)MQ_PRIORITIES) * NODE_COST + n * (uint64_t)a->msgsize;
}

static int new_counted(struct ipc_namespace *ns, struct super_block *sb, uint32_t mode, const struct cred *cred,
                       const struct mq_attr_guest *attr, struct inode **ret)
{
    struct mq_attr_guest a = {.maxmsg = MIN(ns->mq_msg_max, ns->mq_msg_default),
                              .msgsize = MIN(ns->mq_msgsize_max, ns->mq_msgsize_default)};
    if (attr)
        a = *attr;
    int err = check_attr(ns, &a);
    if (err == 0)
        err = charge(cred->uid, cost_of(&a));
    if (err < 0)
        return err;
    struct mqueue *q = queue_alloc(sb, mode, cred, &a);
    if (!q) {
        uncharge(cred->uid, cost_of(&a));
        return -ENOMEM;
    }
    q->charged = cost_of(&a);
    *ret = &q->inode;
    return 0;
}

int mqueue_new(struct super_block *sb, uint32_t mode, const struct cred *cred, const struct mq_attr_guest *attr,
               struct inode **ret)
{
    struct mqueue_fs *fs = sb->fs;
    MUTEX_GUARD(&fs->lock);
    if (!fs->ns)
        return -EACCES;
    int err = count_queue(fs->ns);
    if (err < 0)
        return err;
    err = new_counted(fs->ns, sb, mode, cred, attr, ret);
    if (err < 0)
        atomic_fetch_sub(&fs->ns->mq_count, 1);
    return err;
}

static void queue_evict(struct inode *inode)
{
    struct mqueue *q = mqueue_of(inode);
    struct mqueue_fs *fs = inode->sb->fs;
    struct mq_message *m;
    while ((m = list_first(&q->messages, struct mq_message, link))) {
        list_del(&m->link);
        free(m);
    }
    mutex_lock(&fs->lock);
    if (fs->ns)
        atomic_fetch_sub(&fs->ns->mq_count, 1);
    mutex_unlock(&fs->lock);
    uncharge(q->user, q->charged);
    mqueue_forget_owner(q, false);
    free(q->name);
    free(q);
}

/* ---- open queues as files ---- */

static ssize_t queue_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct mqueue *q = mqueue_of(file->inode);
    char text[FILE_SIZE];
    mutex_lock(&q->lock);
    const struct mq_notify *n = &q->notify;
    int len = snprintf(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
                       (unsigned long long)q->bytes, n->owner ? n->how : 0,
                       n->owner && n->how == SIGEV_SIGNAL ? n->signo : 0, n->owner ? pid_number(n->owner) : 0);
    q->inode.attr.atime = q->inode.attr.ctime = vfs_now();
    mutex_unlock(&q->lock);
    if (*pos >= len)
        return 0;
    ssize_t done = uio_put(to, text + *pos, MIN(to->remaining, (size_t)(len - *pos)));
    if (done > 0)
        *pos += done;
    return done;
}

static uint32_t queue_poll(struct file *file, struct poll_table *table)
{
    struct mqueue *q = mqueue_of(file->inode);
    poll_wait(table, &q->poll_queue);
    MUTEX_GUARD(&q->lock);
    return (q->count ? EPOLLIN | EPOLLRDNORM : 0) | (q->count < q->maxmsg ? EPOLLOUT | EPOLLWRNORM : 0);
}

static int queue_flush(struct file *file)
{
    struct mqueue *q = mqueue_of(file->inode);
    MUTEX_GUARD(&q->lock);
    mqueue_forget_owner(q, true);
    return 0;
}

static int queue_setattr(struct inode *inode, const struct setattr *change)
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
    if (change->valid & ATTR_SIZE)
        a->size = change->size; /* as Linux: only for show */
    a->ctime = vfs_now();
    return 0;
}

/* ---- the directory; locked by the VFS, or by us ---- */

static struct mqueue_fs *fs_of(const struct inode *root)
{
    return root->sb->fs;
}

static struct mqueue *find_queue(struct inode *root, const struct name *name)
{
    struct mqueue *q;
    list_for_each (q, &fs_of(root)->queues, entry)
        if (strlen(q->name) == name->len && !memcmp(q->name, name->s, name->len))
            return q;
    return NULL;
}

static int root_lookup(struct inode *root, const struct name *name, struct inode **ret)
{
    struct mqueue *q = find_queue(root, name);
    if (!q)
        return -ENOENT;
    *ret = inode_get(&q->inode);
    return 0;
}

static int create_queue(struct inode *root, const struct name *name, uint32_t mode, const struct cred *cred,
                        const struct mq_attr_guest *attr, struct inode **ret)
{
    struct mqueue_fs *fs = fs_of(root);
    CLEANUP_FREE char *text = strndup(name->s, name->len);
    if (!text)
        return -ENOMEM;
    int err = mqueue_new(root->sb, mode, cred, attr, ret);
    if (err < 0)
        return err;
    struct mqueue *q = mqueue_of(*ret);
    q->name = TAKE_PTR(text);
    q->cookie = fs->next_cookie++;
    list_add_tail(&fs->queues, &q->entry);
    inode_get(&q->inode); /* the entry's */
    root->attr.size += 20;
    root->attr.mtime = root->attr.ctime = root->attr.atime = q->inode.attr.ctime;
    return 0;
}

static int root_create(struct inode *root, const struct name *name, uint32_t mode, const struct cred *cred,
                       struct inode **ret)
{
    return create_queue(root, name, mode, cred, NULL, ret);
}

static int root_unlink(struct inode *root, const struct name *name, struct inode *target)
{
    struct mqueue *q = mqueue_of(target);
    list_del(&q->entry);
    target->attr.nlink--;
    target->attr.ctime = root->attr.mtime = root->attr.ctime = root->attr.atime = vfs_now();
    root->attr.size -= 20;
    inode_put(target);
    return 0;
}

static int root_readdir(struct file *file, struct dir_emitter *e, int64_t *pos)
{
    struct mqueue *q;
    if (!dir_emit_dots(file, e, pos))
        return 0;
    list_for_each (q, &fs_of(file->inode)->queues, entry) {
        if (q->cookie < *pos)
            continue;
        if (!e->emit(e, q->name, strlen(q->name), q->inode.attr.ino, DT_REG, q->cookie + 1))
            break;
        *pos = q->cookie + 1;
    }
    return 0;
}

static void root_evict(struct inode *root)
{
    struct mqueue *q;
    while ((q = list_first(&fs_of(root)->queues, struct mqueue, entry))) {
        list_del(&q->entry);
        inode_put(&q->inode);
    }
    free(root);
}

/* ---- the super block ---- */

static void mqueue_free(struct super_block *sb)
{
    free(sb->fs);
}

static const struct super_ops mqueue_super_ops = {.free = mqueue_free};

static int super_new(struct ipc_namespace *ns, struct super_block **ret)
{
    CLEANUP_FREE struct mqueue_fs *fs = calloc(1, sizeof(*fs));
    CLEANUP_FREE struct inode *root = malloc(sizeof(*root));
    struct super_block *sb;
    if (!fs || !root)
        return -ENOMEM;
    int err = sb_new("mqueue", "mqueue", MQUEUE_MAGIC, &mqueue_super_ops, &sb);
    if (err < 0)
        return err;
    mutex_init(&fs->lock);
    list_init(&fs->queues);
    fs->next_cookie = 2;
    fs->ns = ns;
    inode_init(root, sb, &root_inode_ops, &root_file_ops, S_IFDIR | 01777, 0, 0);
    root->attr.size = 40;
    sb->root = TAKE_PTR(root);
    sb->fs = TAKE_PTR(fs);
    *ret = sb;
    return 0;
}

/* The namespace's own mount, made at first use; borrowed. */
static int namespace_mount(struct ipc_namespace *ns, struct mount **ret)
{
    struct super_block *sb;
    MUTEX_GUARD(&ns->mq_lock);
    if (!ns->mq_mount) {
        int err = super_new(ns, &sb);
        if (err < 0)
            return err;
        err = mount_new_internal(sb, &ns->mq_mount);
        sb_put(sb); /* the mount has its own */
        if (err < 0)
            return err;
    }
    *ret = ns->mq_mount;
    return 0;
}

int mqueue_super(struct ipc_namespace *ns, struct super_block **ret)
{
    struct mount *m;
    int err = namespace_mount(ns, &m);
    if (err == 0)
        *ret = sb_get(m->sb);
    return err;
}

void mqueue_namespace_end(struct ipc_namespace *ns)
{
    if (!ns->mq_mount)
        return;
    struct mqueue_fs *fs = ns->mq_mount->sb->fs;
    mutex_lock(&fs->lock);
    fs->ns = NULL;
    mutex_unlock(&fs->lock);
    mount_put(ns->mq_mount);
}

static int mqueue_mount(const char *source, unsigned long flags, const char *data, struct super_block **ret)
{
    return mqueue_super(current_ipc_ns(), ret);
}

/* ---- names ---- */

static int check_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0)
        return -ENOENT;
    if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
        return -EACCES;
    return len > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* The name's dentry; the directory is locked. */
static int lookup_locked(struct mount *m, const char *text, struct dentry **ret)
{
    struct name name = name_make(text, strlen(text));
    return dentry_lookup_locked(m->root, &name, ret);
}

static int create_named(struct dentry *d, uint32_t mode, const struct mq_attr_guest *attr)
{
    struct inode *root = d->parent->inode, *inode;
    struct name name = {d->name, d->name_len, d->name_hash};
    const struct cred *cred = current_cred();
    int err = inode_permission(root, MAY_WRITE | MAY_EXEC, cred);
    if (err == 0)
        err = create_queue(root, &name, S_IFREG | (mode & 07777 & ~current_fs()->umask), cred, attr, &inode);
    if (err == 0)
        dentry_instantiate(d, inode);
    return err;
}

static int may_open(struct inode *inode, int flags)
{
    static const int masks[] = {[O_RDONLY] = MAY_READ, [O_WRONLY] = MAY_WRITE, [O_RDWR] = MAY_READ | MAY_WRITE};
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if ((flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    return inode_permission(inode, masks[flags & O_ACCMODE], current_cred());
}

static int open_named(struct mount *m, const char *name, int flags, uint32_t mode, const struct mq_attr_guest *attr,
                      struct file **ret)
{
    struct path p = {m, NULL};
    MUTEX_GUARD(&m->root->inode->lock);
    int err = lookup_locked(m, name, &p.dentry);
    if (err < 0)
        return err;
    if (p.dentry->inode)
        err = may_open(p.dentry->inode, flags);
    else
        err = flags & O_CREAT ? create_named(p.dentry, mode, attr) : -ENOENT;
    if (err == 0)
        err = file_new(&p, &mqueue_file_ops, (uint32_t)flags & (O_ACCMODE | O_NONBLOCK), ret);
    dentry_put(p.dentry);
    return err;
}

int64_t do_mq_open(const char *name, int flags, uint32_t mode, const struct mq_attr_guest *attr)
{
    struct mount *m;
    struct file *file;
    int err = check_name(name);
    if (err == 0)
        err = namespace_mount(current_ipc_ns(), &m);
    if (err == 0)
        err = open_named(m, name, flags, mode, attr, &file);
    if (err < 0)
        return err;
    int fd = fd_install(file, O_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}

static int may_unlink(const struct inode *root, const struct inode *inode)
{
    const struct cred *cred = current_cred();
    int err = inode_permission((struct inode *)root, MAY_WRITE | MAY_EXEC, cred);
    if (err == 0 && root->attr.mode & S_ISVTX && inode->attr.uid != cred->fsuid && root->attr.uid != cred->fsuid &&
        !capable(CAP_FOWNER))
        err = -EPERM;
    return err;
}

int64_t do_mq_unlink(const char *text)
{
    struct mount *m;
    struct dentry *d;
    int err = check_name(text);
    if (err == 0)
        err = namespace_mount(current_ipc_ns(), &m);
    if (err < 0)
        return err;
    struct inode *root = m->root->inode;
    struct name name = name_make(text, strlen(text));
    MUTEX_GUARD(&root->lock);
    err = lookup_locked(m, text, &d);
    if (err < 0)
        return err;
    err = d->inode ? may_unlink(root, d->inode) : -ENOENT;
    if (err == 0)
        err = root_unlink(root, &name, d->inode);
    if (err == 0)
        dentry_delete(d);
    dentry_put(d);
    return err;
}

/* ---- tables ---- */

static const struct fs_type mqueue_type = {.name = "mqueue", .flags = FS_NODEV, .mount = mqueue_mount};

void mqueue_register(void)
{
    fs_register(&mqueue_type);
}

static const struct inode_ops queue_inode_ops = {.setattr = queue_setattr, .evict = queue_evict};

static const struct inode_ops root_inode_ops = {
    .lookup = root_lookup,
    .create = root_create,
    .unlink = root_unlink,
    .setattr = queue_setattr,
    .evict = root_evict,
};

static const struct file_ops root_file_ops = {.readdir = root_readdir, .lseek = dir_lseek};

const struct file_ops mqueue_file_ops = {
    .read = queue_read,
    .lseek = generic_lseek,
    .poll = queue_poll,
    .flush = queue_flush,
};
