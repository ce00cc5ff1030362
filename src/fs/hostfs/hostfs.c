/* A host tree as a super block: its start, its end, and the tables that say what its inodes can do.
 */
#include "fs/hostfs/private.h"
#include <fcntl.h>
#include <stdlib.h>

static int hostfs_statfs(struct super_block *sb, struct statfs *ret)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    int err = dir_fd(host_inode(sb->root), &f);
    return err < 0 ? err : host_fstatfs(f->fd, ret);
}

static int hostfs_sync(struct super_block *sb)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    struct hostfs *fs = sb->fs;
    if (fs->flags & HOSTFS_READ_ONLY)
        return 0;
    int err = object_fd(host_inode(sb->root), true, &f);
    return err < 0 ? err : host_syncfs(f->fd);
}

static void hostfs_free(struct super_block *sb)
{
    struct hostfs *fs = sb->fs;
    while (fs->reaping) /* another fiber is freeing the last inodes */
        fiber_yield();
    free(fs);
}

/* The root is pinned: every way to an inode starts at it. `fd` is consumed. */
static int make_root(struct hostfs *fs, int fd)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    struct statx st;
    int err = host_fd_new(fd, O_PATH, &f);
    if (err >= 0)
        err = host_statx(fd, "", &st);
    if (err >= 0 && !S_ISDIR(st.stx_mode))
        err = -ENOTDIR;
    if (err >= 0)
        err = host_inode_get(fs, &st, NULL, NULL, &fs->sb->root);
    if (err < 0)
        return err;
    int readable = host_openat(fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (readable >= 0) {
        host_fd_put(f);
        f = NULL;
        err = host_fd_new(readable, O_RDONLY, &f);
        if (err < 0)
            return err;
    }
    host_inode_set_fd(host_inode(fs->sb->root), f);
    return host_inode_pin(host_inode(fs->sb->root));
}

static const struct super_ops hostfs_super_ops;

int hostfs_new(int root_fd, unsigned flags, const char *source, struct super_block **ret)
{
    struct hostfs *fs = calloc(1, sizeof(*fs));
    struct super_block *sb;
    if (!fs)
        return -ENOMEM;
    int err = sb_new("hostfs", source, 0xef53 /* as ext4: programs look for what they know */,
                     &hostfs_super_ops, &sb);
    if (err < 0) {
        free(fs);
        return err;
    }
    fs->flags = flags;
    fs->sb = sb;
    list_init(&fs->dying);
    sb->fs = fs;
    sb->read_only = flags & HOSTFS_READ_ONLY;
    err = make_root(fs, root_fd);
    if (err < 0) {
        sb_put(sb);
        return err;
    }
    *ret = sb;
    return 0;
}

static const struct super_ops hostfs_super_ops = {
    .statfs = hostfs_statfs,
    .sync = hostfs_sync,
    .free = hostfs_free,
};

#define DIR_OPS                                                                                  \
    .lookup = hostfs_lookup, .create = hostfs_create, .mkdir = hostfs_mkdir,                     \
    .mknod = hostfs_mknod, .symlink = hostfs_symlink, .link = hostfs_link,                       \
    .unlink = hostfs_unlink, .rmdir = hostfs_rmdir, .rename = hostfs_rename,                     \
    .tmpfile = hostfs_tmpfile, .getattr = hostfs_getattr, .setattr = hostfs_setattr,             \
    .getxattr = hostfs_getxattr, .setxattr = hostfs_setxattr, .removexattr = hostfs_removexattr, \
    .listxattr = hostfs_listxattr, .evict = hostfs_evict

const struct inode_ops hostfs_dir_ops = {DIR_OPS};

const struct inode_ops hostfs_shared_dir_ops = {DIR_OPS, .revalidate = hostfs_revalidate};

const struct inode_ops hostfs_file_inode_ops = {
    .getattr = hostfs_getattr,
    .setattr = hostfs_setattr,
    .getxattr = hostfs_getxattr,
    .setxattr = hostfs_setxattr,
    .removexattr = hostfs_removexattr,
    .listxattr = hostfs_listxattr,
    .evict = hostfs_evict,
};

const struct inode_ops hostfs_symlink_ops = {
    .readlink = hostfs_readlink,
    .getattr = hostfs_getattr,
    .setattr = hostfs_setattr,
    .evict = hostfs_evict,
};

/* FIFOs, sockets, devices: names only; what opens them is found by the VFS (vfs/special.h). */
const struct inode_ops hostfs_special_ops = {
    .getattr = hostfs_getattr,
    .setattr = hostfs_setattr,
    .evict = hostfs_evict,
};
