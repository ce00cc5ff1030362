/*
 * cgroup2, and version 1's cgroup: views of the kernel's tree of control groups.
 *
 * A directory is a cgroup, a file one of its control files (struct cgroup_file); both are inodes
 * that hold a reference to the cgroup. A mount shows the tree from the mounter's cgroup namespace's
 * root on. A file's text is made at the first read after open or a seek to the start. Owners and
 * modes that chown and chmod give to directories and to the files that delegation is about live in
 * struct cgroup; on other files they last as long as the inode does.
 */
#include "fs/cgroup/cgroup.h"
#include "base/cleanup.h"
#include "kernel/cgroup.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include "vfs/vfs.h"
#include <dirent.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#define WRITE_MAX (PAGE_SIZE - 1)
#define FIRST_CHILD 1024 /* positions in a directory: files before, children from here */

struct view {
    struct cgroup *root; /* [I] reference */
    struct cgroup_hierarchy *hierarchy; /* [I] reference, or NULL: version 2 */
    const char *v1;      /* [I] its controllers, or NULL */
};

struct cg_inode {
    struct inode inode;
    struct cgroup *cg;              /* [I] reference */
    const struct cgroup_file *file; /* [I] NULL: the directory */
};

struct cg_open {
    struct strbuf text; /* [pos_lock] */
    bool filled;        /* [pos_lock] */
    _Atomic uint32_t seen; /* the count of events at the last read */
};

static const struct inode_ops dir_ops, file_inode_ops;
static const struct file_ops dir_file_ops, plain_ops, event_ops;

static struct cg_inode *cg_inode(const struct inode *inode)
{
    return container_of(inode, struct cg_inode, inode);
}

/* ---- inodes ---- */

static struct cgroup_owner *owner_of(const struct cg_inode *i)
{
    static const char *const delegated[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
    if (!i->file)
        return &i->cg->owners[0];
    for (size_t k = 0; k < ARRAY_SIZE(delegated); k++)
        if (!strcmp(i->file->name, delegated[k]))
            return &i->cg->owners[k + 1];
    return NULL;
}

static uint32_t file_mode(const struct cgroup_file *f)
{
    return (f->show ? 0444u : 0) | (f->write ? 0200u : 0);
}

static int new_inode(struct super_block *sb, struct cgroup *cg, const struct cgroup_file *f, struct inode **ret)
{
    struct cg_inode *i = calloc(1, sizeof(*i));
    if (!i)
        return -ENOMEM;
    i->cg = cgroup_get(cg);
    i->file = f;
    bool events = f && f->flags & (CG_FILE_EVENTS | CG_FILE_MEMORY_EVENTS);
    inode_init(&i->inode, sb, f ? &file_inode_ops : &dir_ops, !f ? &dir_file_ops : events ? &event_ops : &plain_ops,
               f ? S_IFREG | file_mode(f) : S_IFDIR | 0755, cg->owners[0].uid, cg->owners[0].gid);
    const struct cgroup_owner *o = owner_of(i);
    if (o && o->changed)
        i->inode.attr.mode = (i->inode.attr.mode & S_IFMT) | o->mode;
    if (o) {
        i->inode.attr.uid = o->uid;
        i->inode.attr.gid = o->gid;
    }
    if (!f)
        i->inode.attr.ino = cg->id;
    *ret = &i->inode;
    return 0;
}

static void cg_evict(struct inode *inode)
{
    cgroup_put(cg_inode(inode)->cg);
    free(cg_inode(inode));
}

static int cg_setattr(struct inode *inode, const struct setattr *change)
{
    struct attr *a = &inode->attr;
    struct cgroup_owner *o = owner_of(cg_inode(inode));
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
    a->ctime = vfs_now();
    if (o && change->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
        *o = (struct cgroup_owner){a->uid, a->gid, a->mode & 07777, true};
    return 0;
}

/* ---- directories ---- */

static const struct cgroup_file *file_named(const struct cgroup *cg, const struct view *view, const struct name *name)
{
    const struct cgroup_file *f;
    for (unsigned i = 0; (f = cgroup_file_at(i)); i++)
        if (strlen(f->name) == name->len && !memcmp(f->name, name->s, name->len) && cgroup_has_file(cg, f, view->v1))
            return f;
    return NULL;
}

static int cg_lookup(struct inode *dir, const struct name *name, struct inode **ret)
{
    struct cgroup *cg = cg_inode(dir)->cg;
    const struct cgroup_file *f = file_named(cg, dir->sb->fs, name);
    MUTEX_GUARD(&cgroup_mutex);
    if (cg->dead)
        return -ENOENT;
    if (f)
        return new_inode(dir->sb, cg, f, ret);
    struct cgroup *child = cgroup_child(cg, name->s, name->len);
    return child ? new_inode(dir->sb, child, NULL, ret) : -ENOENT;
}

static bool cg_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    if (!inode)
        return false;
    const struct cg_inode *i = cg_inode(inode);
    return !i->cg->dead && (!i->file || cgroup_has_file(i->cg, i->file, ((struct view *)dir->sb->fs)->v1));
}

static int cg_mkdir(struct inode *dir, const struct name *name, uint32_t mode, const struct cred *cred,
                    struct inode **ret)
{
    char text[CGROUP_NAME_MAX + 1];
    struct cgroup *cg;
    if (name->len > CGROUP_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(text, name->s, name->len);
    text[name->len] = '\0';
    int err = cgroup_mkdir(cg_inode(dir)->cg, text, &cg);
    if (err)
        return err;
    for (size_t i = 0; i < ARRAY_SIZE(cg->owners); i++) {
        cg->owners[i].uid = cred->fsuid;
        cg->owners[i].gid = cred->fsgid;
    }
    cg->owners[0].mode = mode & 07777;
    cg->owners[0].changed = true;
    err = new_inode(dir->sb, cg, NULL, ret);
    if (!err)
        dir->attr.nlink++;
    cgroup_put(cg);
    return err;
}

static int cg_rmdir(struct inode *dir, const struct name *name, struct inode *target)
{
    int err = cgroup_rmdir(cg_inode(target)->cg);
    if (!err)
        dir->attr.nlink--;
    return err;
}

static int emit_files(struct cg_inode *d, struct dir_emitter *e, int64_t *pos)
{
    const struct view *view = d->inode.sb->fs;
    const struct cgroup_file *f;
    for (; (f = cgroup_file_at((unsigned)*pos - 2)); ++*pos)
        if (cgroup_has_file(d->cg, f, view->v1) &&
            !e->emit(e, f->name, strlen(f->name), d->cg->id << 16 | (uint64_t)*pos, DT_REG, *pos + 1))
            return 0;
    *pos = FIRST_CHILD;
    return 1;
}

static int cg_readdir(struct file *file, struct dir_emitter *e, int64_t *pos)
{
    struct cg_inode *d = cg_inode(file->inode);
    struct cgroup *child;
    int64_t at = FIRST_CHILD;
    if (dir_emit_dots(file, e, pos) == 0)
        return 0;
    MUTEX_GUARD(&cgroup_mutex);
    if (d->cg->dead)
        return 0;
    if (*pos < FIRST_CHILD && !emit_files(d, e, pos))
        return 0;
    list_for_each (child, &d->cg->children, sibling) {
        if (at++ < *pos)
            continue;
        if (!e->emit(e, child->name, strlen(child->name), child->id, DT_DIR, at))
            return 0;
        *pos = at;
    }
    return 0;
}

/* ---- control files ---- */

static uint32_t event_count(const struct cg_inode *i)
{
    return i->file->flags & CG_FILE_MEMORY_EVENTS ? i->cg->memory_events : i->cg->events;
}

static int cg_open(struct inode *inode, struct file *file)
{
    struct cg_open *o = calloc(1, sizeof(*o));
    if (!o)
        return -ENOMEM;
    file->private_data = o;
    return 0;
}

static void cg_release(struct file *file)
{
    struct cg_open *o = file->private_data;
    strbuf_free(&o->text);
    free(o);
}

static int fill(struct cg_open *o, struct cg_inode *i)
{
    if (i->cg->dead)
        return -ENODEV;
    if (!i->file->show)
        return -EINVAL;
    strbuf_free(&o->text);
    o->text = (struct strbuf)STRBUF_INIT;
    o->seen = event_count(i);
    MUTEX_GUARD(&cgroup_mutex);
    int err = i->file->show(i->cg, &o->text);
    o->filled = !err && !o->text.failed;
    return o->text.failed ? -ENOMEM : err;
}

static ssize_t cg_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct cg_open *o = file->private_data;
    int err = o->filled && *pos ? 0 : fill(o, cg_inode(file->inode));
    if (err)
        return err;
    if (*pos < 0 || (uint64_t)*pos >= o->text.len)
        return 0;
    ssize_t n = uio_put(to, o->text.s + *pos, MIN(to->remaining, o->text.len - (size_t)*pos));
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t cg_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct cg_inode *i = cg_inode(file->inode);
    size_t len = from->remaining;
    if (len == 0)
        return 0;
    if (len > WRITE_MAX)
        return -E2BIG;
    CLEANUP_FREE char *text = malloc(len + 1);
    if (!text)
        return -ENOMEM;
    ssize_t n = uio_take(from, text, len);
    if (n < 0)
        return n;
    text[n] = '\0';
    int err = cgroup_file_write_row(i->cg, i->file, text);
    if (err)
        return err;
    *pos += n;
    return n;
}

static uint32_t cg_poll(struct file *file, struct poll_table *table)
{
    struct cg_open *o = file->private_data;
    struct cg_inode *i = cg_inode(file->inode);
    poll_wait(table, &i->cg->events_queue);
    uint32_t always = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
    return o->seen != event_count(i) ? always | EPOLLERR | EPOLLPRI : always;
}

/* ---- mounting ---- */

static void cg_free(struct super_block *sb)
{
    struct view *view = sb->fs;
    cgroup_put(view->root);
    cgroup_hierarchy_put(view->hierarchy);
    free(view);
}

static int cg_statfs(struct super_block *sb, struct statfs *ret)
{
    ret->f_type = (long)sb->magic;
    return 0;
}

static const struct super_ops super_ops = {.statfs = cg_statfs, .free = cg_free};

int cgroupfs_new(const char *source, const char *v1, struct cgroup *root, struct super_block **ret)
{
    const char *type = v1 ? "cgroup" : "cgroup2";
    unsigned long magic = v1 ? CGROUP_SUPER_MAGIC : CGROUP2_SUPER_MAGIC;
    struct super_block *sb;
    struct view *view = calloc(1, sizeof(*view));
    int err = !view ? -ENOMEM : v1 ? cgroup_hierarchy_get(v1, &view->hierarchy) : 0;
    if (!err)
        err = sb_new(type, source, magic, &super_ops, &sb);
    if (err) {
        if (view)
            cgroup_hierarchy_put(view->hierarchy);
        free(view);
        return err;
    }
    view->root = cgroup_get(root);
    view->v1 = v1 ? cgroup_hierarchy_controllers(view->hierarchy) : NULL;
    sb->fs = view;
    sb->options = v1 ? strdup(v1) : NULL;
    err = new_inode(sb, view->root, NULL, &sb->root);
    if (err)
        sb_put(sb);
    else
        *ret = sb;
    return err;
}

static int check_words(const char *data, const char *const *known)
{
    CLEANUP_FREE char *copy = strdup(data ? data : "");
    char *save = NULL;
    if (!copy)
        return -ENOMEM;
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        const char *const *k = known;
        while (*k && strcmp(*k, word))
            k++;
        if (!*k && strncmp(word, "name=", 5))
            return -EINVAL;
    }
    return 0;
}

static bool may_mount(void)
{
    return !current || ns_capable(current->ns.cgroup->common.owner, CAP_SYS_ADMIN);
}

static int cgroup2_mount(const char *source, unsigned long flags, const char *data, struct super_block **ret)
{
    static const char *const known[] = {"nsdelegate", "favordynmods", "memory_localevents", "memory_recursiveprot",
                                        "memory_hugetlb_accounting", "pids_localevents", NULL};
    int err = may_mount() ? check_words(data, known) : -EPERM;
    return err ? err : cgroupfs_new(source, NULL, current_cgroup_root(), ret);
}

static int cgroup1_mount(const char *source, unsigned long flags, const char *data, struct super_block **ret)
{
    static const char *const known[] = {"memory", "cpu",        "cpuset", "cpuacct", "pids",  "freezer", "devices",
                                        "none",   "clone_children", "xattr", NULL};
    if (!data || !*data || !strcmp(data, "all"))
        data = "cpuset,cpu,cpuacct,memory,devices,freezer,pids";
    int err = may_mount() ? check_words(data, known) : -EPERM;
    return err ? err : cgroupfs_new(source, data, current_cgroup_root(), ret);
}

static struct cgroup *of_inode(struct inode *inode)
{
    return inode->ops == &dir_ops && !((struct view *)inode->sb->fs)->v1 ? cg_inode(inode)->cg : NULL;
}

static const struct inode_ops dir_ops = {
    .lookup = cg_lookup,
    .mkdir = cg_mkdir,
    .rmdir = cg_rmdir,
    .setattr = cg_setattr,
    .revalidate = cg_revalidate,
    .evict = cg_evict,
};
static const struct inode_ops file_inode_ops = {.setattr = cg_setattr, .evict = cg_evict};
static const struct file_ops dir_file_ops = {.readdir = cg_readdir, .lseek = dir_lseek};

static const struct file_ops plain_ops = {
    .open = cg_open,
    .read = cg_read,
    .write = cg_write,
    .lseek = generic_lseek,
    .release = cg_release,
};

static const struct file_ops event_ops = {
    .open = cg_open,
    .read = cg_read,
    .write = cg_write,
    .lseek = generic_lseek,
    .poll = cg_poll,
    .release = cg_release,
};

void cgroupfs_init(void)
{
    static const struct fs_type types[] = {
        {.name = "cgroup2", .flags = FS_NODEV, .mount = cgroup2_mount},
        {.name = "cgroup", .flags = FS_NODEV, .mount = cgroup1_mount},
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        fs_register(&types[i]);
    cgroup_of_inode = of_inode;
}
