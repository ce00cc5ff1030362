/*
 * Many fibers on several workers at the same few names of an overlay: making, removing, renaming,
 * linking, reading, listing, mounting. Nothing is compared: the sanitizers and the reference
 * counts' own checks watch, and at the end everything must be free again.
 */
#include "vfs_test.h"
#include <stdatomic.h>
#include <sys/statfs.h>

#define FIBERS 8
#define ROUNDS 20000
#define NAMES 5

static _Atomic int left;
static struct wait_queue done = WAIT_QUEUE_INIT(done);
static struct task *shared_task;

struct dice {
    unsigned long long state;
};

static unsigned roll(struct dice *d, unsigned n)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (unsigned)(d->state >> 20) % n;
}

static void random_path(struct dice *d, char *out, size_t size)
{
    static const char *const names[NAMES] = {"a", "b", "dir", "sub", "link"};
    unsigned depth = 1 + roll(d, 3);
    size_t used = (size_t)snprintf(out, size, "/x");
    while (depth--)
        used += (size_t)snprintf(out + used, size - used, "/%s", names[roll(d, NAMES)]);
}

static bool ignore(struct dir_emitter *e, const char *name, size_t len, uint64_t ino,
                   unsigned char type, int64_t next)
{
    return true;
}

static void list(const char *path)
{
    struct dir_emitter e = {ignore};
    struct file *f = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!f)
        return;
    (void)vfs_readdir(f, &e);
    file_put(f);
}

static void read_and_write(const char *path, struct dice *d)
{
    char buf[600];
    struct uio u;
    struct file *f = open_file(path, O_RDWR);
    if (!f)
        return;
    uio_init_kernel(&u, buf, 1 + roll(d, sizeof(buf)));
    memset(buf, 'w', sizeof(buf));
    (void)vfs_pwrite(f, &u, roll(d, 1000));
    (void)vfs_read_kernel(f, buf, sizeof(buf), 0);
    file_put(f);
}

static void walk_up(const char *path)
{
    CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
    struct path p;
    if (path_lookup(AT_FDCWD, path, WALK_FOLLOW, &p))
        return;
    int ignored = path_string(&p, &vfs_test.fs->root, &text);
    (void)ignored;
    follow_dotdot(&p, &vfs_test.fs->root);
    path_put(&p);
}

static void mount_and_unmount(const char *path)
{
    struct path p;
    struct super_block *sb;
    if (path_lookup(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p))
        return;
    check(tmpfs_new("m", &(struct tmpfs_options){.mode = 0755}, &sb) == 0);
    int err = do_mount(sb, &p, 0);
    sb_put(sb);
    path_put(&p);
    if (err || path_lookup(AT_FDCWD, path, WALK_FOLLOW, &p))
        return;
    err = do_umount(&p, 2);
}

static void one(struct dice *d)
{
    char a[64], b[64];
    struct attr attr;
    random_path(d, a, sizeof(a));
    random_path(d, b, sizeof(b));
    int ignored = 0;
    switch (roll(d, 16)) {
    case 0:
    case 1:
        ignored = make_file(a, "text");
        break;
    case 2:
        ignored = vfs_mkdir_at(AT_FDCWD, a, 0755);
        break;
    case 3:
        ignored = vfs_unlink_at(AT_FDCWD, a);
        break;
    case 4:
        ignored = vfs_rmdir_at(AT_FDCWD, a);
        break;
    case 5:
    case 6:
        ignored = vfs_rename_at(AT_FDCWD, a, AT_FDCWD, b, roll(d, 4) ? 0 : 2);
        break;
    case 7:
        ignored = vfs_link_at(AT_FDCWD, a, AT_FDCWD, b, 0);
        break;
    case 8:
        ignored = vfs_symlink_at("dir/sub", AT_FDCWD, b);
        break;
    case 9:
        read_and_write(a, d);
        break;
    case 10:
        list(a);
        break;
    case 11:
        walk_up(a);
        break;
    case 12:
        if (!roll(d, 8))
            mount_and_unmount(a);
        break;
    case 13:
        if (!roll(d, 50))
            dcache_shrink();
        break;
    default:
        ignored = stat_path(a, &attr);
    }
    (void)ignored;
}

static void worker(void *arg)
{
    struct dice d = {88172645463325252ULL + (uintptr_t)arg * 7919};
    fiber_set_local(fiber_self(), shared_task);
    for (int i = 0; i < ROUNDS; i++) {
        one(&d);
        if (!roll(&d, 16))
            fiber_yield();
    }
    fiber_set_local(fiber_self(), NULL);
    atomic_fetch_sub(&left, 1);
    wake_all(&done);
}

static void fill(void)
{
    check(vfs_mkdir_at(AT_FDCWD, "/lower", 0755) == 0 && vfs_mkdir_at(AT_FDCWD, "/x", 0755) == 0);
    struct super_block *lower, *upper, *over;
    check(tmpfs_new("l", &(struct tmpfs_options){.mode = 0755}, &lower) == 0);
    check(tmpfs_new("u", &(struct tmpfs_options){.mode = 0755}, &upper) == 0);
    sb_get(lower);
    mount_on(lower, "/lower");
    check(vfs_mkdir_at(AT_FDCWD, "/lower/dir", 0755) == 0);
    check(vfs_mkdir_at(AT_FDCWD, "/lower/dir/sub", 0755) == 0);
    check(make_file("/lower/a", "one") == 0 && make_file("/lower/dir/b", "two") == 0);
    check(make_file("/lower/dir/sub/a", "three") == 0);
    check(vfs_link_at(AT_FDCWD, "/lower/a", AT_FDCWD, "/lower/dir/a", 0) == 0);
    check(overlay_new(lower, upper, "test", &over) == 0);
    sb_put(lower);
    sb_put(upper);
    mount_on(over, "/x");
}

static void body(void)
{
    struct path p;
    shared_task = current;
    fill();
    atomic_store(&left, FIBERS);
    for (uintptr_t i = 0; i < FIBERS; i++) {
        struct fiber *f = fiber_new("race", worker, (void *)(i + 1));
        check(f);
        fiber_start(f);
    }
    wait_event(&done, atomic_load(&left) == 0);
    static const char *const tops[] = {"/x", "/lower"};
    for (unsigned i = 0; i < 2; i++) {
        check(path_lookup(AT_FDCWD, tops[i], 0, &p) == 0 && do_umount(&p, 2) == 0);
        check(vfs_rmdir_at(AT_FDCWD, tops[i]) == 0);
    }
    dcache_shrink();
    struct statfs fs;
    check(path_lookup(AT_FDCWD, "/", 0, &p) == 0 && vfs_statfs(&p, &fs) == 0);
    check(fs.f_files - fs.f_ffree == 1);
    path_put(&p);
}

int main(void)
{
    return run_vfs_test_on(4, body);
}
