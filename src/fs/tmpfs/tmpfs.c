/*
 * tmpfs: mounting, inodes and attributes. See fs/tmpfs/tmpfs.h.
 *
 * Life of an inode: made by tmpfs_inode_new() for a create in dir.c; its directory entries hold one
 * reference each, the dentry cache and open files the others; when the last goes, tmpfs_evict()
 * frees its data. A whole tree goes when the super block drops its root; directories are taken down
 * through a list so that depth costs no stack.
 */
#include "fs/tmpfs/private.h"
#include "kernel/user_namespace.h"
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>

/* ---- limits ---- */

int tmpfs_charge(struct tmpfs *fs, uint64_t pages)
{
    uint64_t used = atomic_fetch_add_explicit(&fs->used_pages, pages, memory_order_relaxed);
    if (LIKELY(used + pages <= fs->max_pages))
        return 0;
    tmpfs_uncharge(fs, pages);
    return -ENOSPC;
}

void tmpfs_uncharge(struct tmpfs *fs, uint64_t pages)
{
    atomic_fetch_sub_explicit(&fs->used_pages, pages, memory_order_relaxed);
}

/* ---- inodes ---- */

static const struct inode_ops *ops_for(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return &tmpfs_dir_inode_ops;
    case S_IFREG:
        return &tmpfs_file_inode_ops;
    case S_IFLNK:
        return &tmpfs_symlink_ops;
    default:
        return &tmpfs_special_ops;
    }
}

static const struct file_ops *file_ops_for(uint32_t mode)
{
    return S_ISDIR(mode) ? &tmpfs_dir_ops : S_ISREG(mode) ? &tmpfs_file_ops : NULL;
}

int tmpfs_inode_new(struct super_block *sb, uint32_t mode, uint32_t uid, uint32_t gid,
                    struct inode **ret)
{
    struct tmpfs *fs = sb->fs;
    if (atomic_fetch_add_explicit(&fs->used_inodes, 1, memory_order_relaxed) >= fs->max_inodes) {
        atomic_fetch_sub_explicit(&fs->used_inodes, 1, memory_order_relaxed);
        return -ENOSPC;
    }
    struct tmpfs_inode *ti = malloc(sizeof(*ti));
    if (!ti) {
        atomic_fetch_sub_explicit(&fs->used_inodes, 1, memory_order_relaxed);
        return -ENOMEM;
    }
    inode_init(&ti->inode, sb, ops_for(mode), file_ops_for(mode), mode, uid, gid);
    ti->inode.attr_current = true;
    list_init(&ti->xattrs);
    ti->xattr_count = 0;
    if (S_ISDIR(mode))
        ti->dir = (struct tmpfs_dir){.next_cookie = 2};
    else
        data_init(&ti->data);
    *ret = &ti->inode;
    return 0;
}

static void inode_destroy(struct tmpfs_inode *ti)
{
    struct tmpfs *fs = tmpfs_of(&ti->inode);
    uint32_t mode = ti->inode.attr.mode;
    if (S_ISDIR(mode))
        tmpfs_dir_destroy(ti);
    else if (S_ISREG(mode))
        data_free(ti);
    else
        free((char *)ti->inode.link);
    tmpfs_xattrs_free(ti);
    atomic_fetch_sub_explicit(&fs->used_inodes, 1, memory_order_relaxed);
    free(ti);
}

/* Destroying a directory may evict what is in it: that is queued for the outermost call. */
void tmpfs_evict_dir(struct inode *inode)
{
    struct tmpfs_inode *ti = tmpfs_inode(inode);
    struct tmpfs *fs = tmpfs_of(inode);
    spin_lock(&fs->lock);
    list_add_tail(&fs->dying, &ti->dying_link);
    bool mine = !fs->reaping;
    fs->reaping = true;
    while (mine && (ti = list_first(&fs->dying, struct tmpfs_inode, dying_link))) {
        list_del(&ti->dying_link);
        spin_unlock(&fs->lock);
        inode_destroy(ti);
        spin_lock(&fs->lock);
    }
    if (mine)
        fs->reaping = false;
    spin_unlock(&fs->lock);
}

static void tmpfs_evict(struct inode *inode)
{
    inode_destroy(tmpfs_inode(inode));
}

/* A file's block count can change behind our back once a guest has mapped it. */
static int tmpfs_getattr(struct inode *inode)
{
    MUTEX_GUARD(&inode->lock);
    data_refresh_blocks(tmpfs_inode(inode));
    return 0;
}

int tmpfs_setattr(struct inode *inode, const struct setattr *change)
{
    struct attr *a = &inode->attr;
    int64_t now = vfs_now();
    if (change->valid & ATTR_SIZE) {
        int err = data_resize(tmpfs_inode(inode), change->size);
        if (err)
            return err;
        a->mtime = now;
    }
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
    a->ctime = now;
    return 0;
}

static int tmpfs_readlink(struct inode *inode, char **ret)
{
    *ret = strdup(inode->link);
    return *ret ? 0 : -ENOMEM;
}

/* ---- the super block ---- */

static int tmpfs_statfs(struct super_block *sb, struct statfs *ret)
{
    struct tmpfs *fs = sb->fs;
    uint64_t used = fs->used_pages, inodes = fs->used_inodes;
    if (fs->max_pages != UINT64_MAX) {
        ret->f_blocks = fs->max_pages;
        ret->f_bfree = ret->f_bavail = fs->max_pages - MIN(used, fs->max_pages);
    }
    if (fs->max_inodes != UINT64_MAX) {
        ret->f_files = fs->max_inodes;
        ret->f_ffree = fs->max_inodes - MIN(inodes, fs->max_inodes);
    }
    return 0;
}

static void tmpfs_free(struct super_block *sb)
{
    free(sb->fs);
}

static int tmpfs_remount(struct super_block *sb, const char *data);

static const struct super_ops tmpfs_super_ops = {
    .statfs = tmpfs_statfs,
    .remount = tmpfs_remount,
    .free = tmpfs_free,
};

static uint64_t half_of_memory(void)
{
    struct sysinfo info;
    if (sysinfo(&info))
        return UINT64_MAX;
    return (uint64_t)info.totalram * info.mem_unit / PAGE_SIZE / 2;
}

static int set_options(struct super_block *sb, const struct tmpfs *fs, uint32_t mode)
{
    CLEANUP_STRBUF struct strbuf b = STRBUF_INIT;
    if (fs->max_pages == UINT64_MAX)
        return 0;
    strbuf_printf(&b, "size=%lluk,nr_inodes=%llu",
                  (unsigned long long)fs->max_pages * (PAGE_SIZE / 1024),
                  (unsigned long long)fs->max_inodes);
    if ((mode & 07777) != 01777)
        strbuf_printf(&b, ",mode=%o", mode & 07777);
    sb->options = strbuf_take(&b);
    return sb->options ? 0 : -ENOMEM;
}

int tmpfs_new(const char *source, const struct tmpfs_options *options, struct super_block **ret)
{
    struct super_block *sb;
    struct inode *root;
    struct tmpfs *fs = calloc(1, sizeof(*fs));
    if (!fs)
        return -ENOMEM;
    fs->max_pages = options->max_pages ? options->max_pages : half_of_memory();
    fs->max_inodes = options->max_inodes ? options->max_inodes : half_of_memory();
    spin_init(&fs->lock);
    list_init(&fs->dying);
    int err = sb_new("tmpfs", source, TMPFS_MAGIC, &tmpfs_super_ops, &sb);
    if (err) {
        free(fs);
        return err;
    }
    fs->sb = sb;
    sb->fs = fs;
    uint32_t mode = options->mode ? options->mode & 07777 : 01777;
    err = set_options(sb, fs, mode);
    if (!err)
        err = tmpfs_inode_new(sb, S_IFDIR | mode, options->uid, options->gid, &root);
    if (err) {
        sb_put(sb);
        return err;
    }
    sb->root = root;
    *ret = sb;
    return 0;
}

/* ---- mount options ---- */

/* "64m", "50%": in bytes (percent of memory). False: not a size. */
static bool parse_size(const char *s, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (end == s || errno || *s == '-')
        return false;
    unsigned shift = 0;
    switch (*end | 0x20) {
    case 'g':
        shift = 30;
        break;
    case 'm':
        shift = 20;
        break;
    case 'k':
        shift = 10;
        break;
    }
    if (shift)
        end++;
    else if (*end == '%' && v <= 100000)
        v = v * half_of_memory() * 2 / 100 * PAGE_SIZE, end++;
    if (*end || (shift && v > UINT64_MAX >> shift))
        return false;
    *ret = v << shift;
    return true;
}

static bool parse_id(const char *s, int base, uint32_t *ret)
{
    char *end;
    errno = 0;
    unsigned long v = strtoul(s, &end, base);
    *ret = (uint32_t)v;
    return end != s && !*end && !errno && v < UINT32_MAX;
}

static bool parse_option(const char *key, const char *value, struct tmpfs_options *o)
{
    uint64_t n;
    if (!strcmp(key, "size") && parse_size(value, &n))
        o->max_pages = n ? align_up(n, PAGE_SIZE) / PAGE_SIZE : UINT64_MAX;
    else if (!strcmp(key, "nr_blocks") && parse_size(value, &n))
        o->max_pages = n ? n : UINT64_MAX;
    else if (!strcmp(key, "nr_inodes") && parse_size(value, &n))
        o->max_inodes = n ? n : UINT64_MAX;
    else if (!strcmp(key, "mode"))
        return parse_id(value, 8, &o->mode);
    else if (!strcmp(key, "uid"))
        return parse_id(value, 10, &o->uid) && (o->uid = uid_from_user(o->uid)) != ID_INVALID;
    else if (!strcmp(key, "gid"))
        return parse_id(value, 10, &o->gid) && (o->gid = gid_from_user(o->gid)) != ID_INVALID;
    else
        return !strcmp(key, "huge") || !strcmp(key, "mpol") || !strcmp(key, "inode32") ||
               !strcmp(key, "inode64") || !strcmp(key, "noswap");
    return true;
}

static int parse_options(const char *data, struct tmpfs_options *o)
{
    CLEANUP_FREE char *copy = strdup(data ? data : "");
    if (!copy)
        return -ENOMEM;
    for (char *save = NULL, *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
        char *value = strchr(s, '=');
        if (value)
            *value++ = '\0';
        if (!parse_option(s, value ? value : "", o))
            return -EINVAL;
    }
    return 0;
}

static int tmpfs_mount(const char *source, unsigned long flags, const char *data,
                       struct super_block **ret)
{
    struct tmpfs_options o = {0};
    int err = parse_options(data, &o);
    return err ? err : tmpfs_new(source, &o, ret);
}

static int ramfs_mount(const char *source, unsigned long flags, const char *data,
                       struct super_block **ret)
{
    struct tmpfs_options o = {.max_pages = UINT64_MAX, .max_inodes = UINT64_MAX, .mode = 0755};
    int err = parse_options(data, &o);
    if (!err)
        err = tmpfs_new(source, &o, ret);
    if (!err)
        (*ret)->type = "ramfs";
    return err;
}

/* The limits may change, but not below what is in use. Under mount_lock, as those who show the
 * options. */
static int tmpfs_remount(struct super_block *sb, const char *data)
{
    struct tmpfs *fs = sb->fs;
    struct tmpfs_options o = {0};
    int err = parse_options(data, &o);
    if (err)
        return err;
    bool unlimited = fs->max_pages == UINT64_MAX;
    if ((o.max_pages && (o.max_pages < fs->used_pages || (unlimited && o.max_pages != UINT64_MAX))) ||
        (o.max_inodes && o.max_inodes < fs->used_inodes))
        return -EINVAL;
    if (o.max_pages)
        fs->max_pages = o.max_pages;
    if (o.max_inodes)
        fs->max_inodes = o.max_inodes;
    char *old = TAKE_PTR(sb->options);
    err = set_options(sb, fs, sb->root->attr.mode);
    free(old);
    return err;
}

static const struct fs_type tmpfs_type = {.name = "tmpfs", .flags = FS_NODEV, .mount = tmpfs_mount};
static const struct fs_type ramfs_type = {.name = "ramfs", .flags = FS_NODEV, .mount = ramfs_mount};

void tmpfs_register(void)
{
    fs_register(&tmpfs_type);
    fs_register(&ramfs_type);
    tmpfs_data_init();
}

/* ---- what can be done to inodes that are not directories; dir.c has those ---- */

const struct inode_ops tmpfs_file_inode_ops = {
    .getattr = tmpfs_getattr,
    .setattr = tmpfs_setattr,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .removexattr = tmpfs_removexattr,
    .listxattr = tmpfs_listxattr,
    .evict = tmpfs_evict,
};

const struct inode_ops tmpfs_symlink_ops = {
    .readlink = tmpfs_readlink,
    .setattr = tmpfs_setattr,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .removexattr = tmpfs_removexattr,
    .listxattr = tmpfs_listxattr,
    .evict = tmpfs_evict,
};

const struct inode_ops tmpfs_special_ops = {
    .setattr = tmpfs_setattr,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .removexattr = tmpfs_removexattr,
    .listxattr = tmpfs_listxattr,
    .evict = tmpfs_evict,
};
