/* The path walk and the dentry cache, on a tmpfs: errors, links, mounts, names that come and go,
 * the cache's bound. */
#include "vfs_test.h"

static void errors(void)
{
    check(vfs_mkdir_at(AT_FDCWD, "/a", 0755) == 0 && vfs_mkdir_at(AT_FDCWD, "/a/b", 0755) == 0);
    check(make_file("/a/b/c", "text") == 0);
    check(stat_error("/a/b/c") == 0 && stat_error("a//b/./c") == 0 &&
          stat_error("/a/b/../../a/b/c") == 0);
    check(stat_error("/a/x/c") == -ENOENT && stat_error("/a/x/c") == -ENOENT);
    check(stat_error("/a/b/c/d") == -ENOTDIR && stat_error("/a/b/c/") == -ENOTDIR &&
          stat_error("") == -ENOENT);
    check(stat_error("/../../..") == 0);
    check(vfs_mkdir_at(AT_FDCWD, "/a", 0755) == -EEXIST &&
          vfs_rmdir_at(AT_FDCWD, "/a") == -ENOTEMPTY);
    check(vfs_unlink_at(AT_FDCWD, "/a") == -EISDIR && vfs_rmdir_at(AT_FDCWD, "/a/b/c") == -ENOTDIR);
}

static void links(void)
{
    struct attr a, b;
    check(vfs_symlink_at("b", AT_FDCWD, "/a/rel") == 0 &&
          vfs_symlink_at("/a/b", AT_FDCWD, "/abs") == 0);
    check(vfs_symlink_at("self", AT_FDCWD, "/self") == 0);
    check(stat_path("/a/rel/c", &a) == 0 && stat_path("/abs/c", &b) == 0 && a.ino == b.ino);
    check(stat_error("/self") == -ELOOP && stat_error("/self/x") == -ELOOP);
    check(vfs_stat_at(AT_FDCWD, "/self", 0, &a, NULL) == 0 && S_ISLNK(a.mode));
    char name[16], to[16];
    for (int i = 0; i < 41; i++) {
        snprintf(name, sizeof(name), "/l%d", i);
        snprintf(to, sizeof(to), i ? "l%d" : "a", i - 1);
        check(vfs_symlink_at(to, AT_FDCWD, name) == 0);
    }
    check(stat_error("/l39") == 0 && stat_error("/l40") == -ELOOP);
    struct path p;
    check(path_lookup(AT_FDCWD, "/abs/c", WALK_NO_SYMLINKS | WALK_FOLLOW, &p) == -ELOOP);
    check(path_lookup(AT_FDCWD, "/a/b/c", WALK_BENEATH, &p) == -EXDEV);
}

static void mounts(void)
{
    struct super_block *sb;
    struct attr a, b;
    struct path p;
    CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
    check(vfs_mkdir_at(AT_FDCWD, "/m", 0755) == 0 && stat_path("/m", &a) == 0);
    check(tmpfs_new("inner", &(struct tmpfs_options){.mode = 0700}, &sb) == 0);
    mount_on(sb, "/m");
    check(stat_path("/m", &b) == 0 && a.dev != b.dev && (b.mode & 07777) == 0700);
    check(make_file("/m/in", "x") == 0 && stat_error("/m/../m/in") == 0 &&
          stat_path("/m/..", &b) == 0 && b.dev == a.dev);
    check(vfs_rmdir_at(AT_FDCWD, "/m") == -EBUSY);
    check(vfs_rename_at(AT_FDCWD, "/m/in", AT_FDCWD, "/out", 0) == -EXDEV);
    check(path_lookup(AT_FDCWD, "/m/in", 0, &p) == 0 &&
          path_string(&p, &vfs_test.fs->root, &text) == 0);
    check(!strcmp(text.s, "/m/in"));
    path_put(&p);
    check(path_lookup(AT_FDCWD, "/m", 0, &p) == 0 && do_umount(&p, 0) == 0);
    check(stat_error("/m/in") == -ENOENT && vfs_rmdir_at(AT_FDCWD, "/m") == 0);
}

/* A name that is opened, removed and made again is a new file; the open one lives on. */
static void identity(void)
{
    struct attr a, b;
    check(make_file("/f", "old") == 0);
    struct file *f = open_file("/f", O_RDONLY);
    check(f && vfs_unlink_at(AT_FDCWD, "/f") == 0 && stat_error("/f") == -ENOENT &&
          make_file("/f", "newer") == 0);
    check(inode_getattr(f->inode, &a) == 0 && a.nlink == 0 && a.size == 3 &&
          stat_path("/f", &b) == 0 && b.ino != a.ino);
    CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
    check(path_string(&f->path, &vfs_test.fs->root, &text) == 0 && !strcmp(text.s, "/f (deleted)"));
    file_put(f);
    check(vfs_mkdir_at(AT_FDCWD, "/gone", 0755) == 0);
    struct path p;
    check(path_lookup(AT_FDCWD, "/gone", 0, &p) == 0 && vfs_chdir(&p) == 0 &&
          vfs_rmdir_at(AT_FDCWD, "/gone") == 0);
    check(make_file("x", "y") == -ENOENT && vfs_mkdir_at(AT_FDCWD, "x", 0755) == -ENOENT &&
          stat_error("..") == 0);
    path_put(&p);
    check(path_lookup(AT_FDCWD, "/", 0, &p) == 0 && vfs_chdir(&p) == 0);
    path_put(&p);
}

static void long_names(void)
{
    char a[300], b[300];
    memset(a, 'n', sizeof(a));
    memset(b, 'o', sizeof(b));
    a[0] = b[0] = '/';
    a[256] = b[256] = '\0';
    check(make_file(a, "1") == 0 && vfs_rename_at(AT_FDCWD, a, AT_FDCWD, "/s", 0) == 0 &&
          stat_error(a) == -ENOENT);
    check(make_file(b, "2") == 0 &&
          vfs_rename_at(AT_FDCWD, "/s", AT_FDCWD, b, 2) == 0); /* exchange */
    struct attr attr;
    check(stat_path(b, &attr) == 0 && vfs_unlink_at(AT_FDCWD, b) == 0 &&
          vfs_unlink_at(AT_FDCWD, "/s") == 0);
    a[256] = 'n';
    a[257] = '\0';
    check(make_file(a, "x") == -ENAMETOOLONG);
}

/* Many absent names: the cache stays bounded, and what is in use stays. */
static void bounded(void)
{
    char name[64];
    struct file *f = open_file("/a/b/c", O_RDONLY);
    check(f);
    for (int i = 0; i < 400000; i++) {
        snprintf(name, sizeof(name), "/a/absent-%d", i);
        check(stat_error(name) == -ENOENT);
    }
    check(dcache_count() < 270000 && stat_error("/a/b/c") == 0);
    file_put(f);
    dcache_shrink();
    check(dcache_count() < 100 && stat_error("/a/b/c") == 0);
}

static void body(void)
{
    errors();
    links();
    mounts();
    identity();
    long_names();
    bounded();
}

int main(void)
{
    return run_vfs_test(body);
}
