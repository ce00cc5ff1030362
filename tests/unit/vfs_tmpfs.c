/* tmpfs file contents against a plain buffer: random writes, reads, truncations, holes and
 * mappings, from bytes to megabytes. */
#include "vfs_test.h"
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#define MODEL_MAX (3u << 20)
static unsigned char model[MODEL_MAX], scratch[MODEL_MAX];

static void compare(struct file *f, size_t size)
{
    struct attr a;
    check(inode_getattr(f->inode, &a) == 0 && a.size == size);
    check(vfs_read_kernel(f, scratch, MODEL_MAX, 0) == (ssize_t)size);
    check(!memcmp(scratch, model, size));
}

static void random_write(struct file *f, size_t *size, size_t limit)
{
    size_t at = random_below((unsigned)limit), n = 1 + random_below((unsigned)(limit / 4 + 1));
    if (at + n > limit)
        n = limit - at;
    if (!n)
        return;
    memset(scratch, (int)random_below(256), n);
    struct uio u;
    uio_init_kernel(&u, scratch, n);
    check(vfs_pwrite(f, &u, (int64_t)at) == (ssize_t)n);
    memcpy(model + at, scratch, n);
    if (at + n > *size)
        *size = at + n;
}

static void set_size(struct file *f, size_t *size, size_t fresh)
{
    check(vfs_ftruncate(f, (int64_t)fresh) == 0);
    if (fresh < *size)
        memset(model + fresh, 0, *size - fresh);
    *size = fresh;
}

static void punch(struct file *f, size_t size)
{
    if (!size)
        return;
    size_t at = random_below((unsigned)size), n = 1 + random_below(20000);
    check(vfs_fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (int64_t)at, (int64_t)n) ==
          0);
    memset(model + at, 0, at + n > size ? size - at : n);
}

static void map(struct file *f, size_t size)
{
    struct mmap_request req = {.length = size, .prot = PROT_READ, .flags = MAP_SHARED};
    if (!size)
        return;
    check(f->ops->mmap(f, &req) == 0 && req.fd >= 0);
    unsigned char *p = mmap(NULL, size, PROT_READ, MAP_SHARED, req.fd, 0);
    check(p != MAP_FAILED && !memcmp(p, model, size) && munmap(p, size) == 0);
}

static void contents(size_t limit, unsigned rounds)
{
    size_t size = 0;
    memset(model, 0, sizeof(model));
    struct file *f = open_file("/data", O_CREAT | O_RDWR | O_TRUNC);
    check(f);
    for (unsigned i = 0; i < rounds; i++) {
        unsigned what = random_below(10);
        if (what < 5)
            random_write(f, &size, limit);
        else if (what < 7)
            set_size(f, &size, random_below((unsigned)limit));
        else if (what < 9)
            punch(f, size);
        else if (random_below(4) == 0)
            map(f, size);
        compare(f, size);
    }
    file_put(f);
    check(vfs_unlink_at(AT_FDCWD, "/data") == 0);
}

static void nothing_is_left(void)
{
    struct statfs before, after;
    struct path root;
    fs_get_root(vfs_test.fs, &root);
    dcache_shrink();
    check(vfs_statfs(&root, &before) == 0);
    contents(5000, 300);
    contents(200000, 300);
    contents(MODEL_MAX, 200);
    dcache_shrink();
    check(vfs_statfs(&root, &after) == 0 && before.f_bfree == after.f_bfree &&
          before.f_ffree == after.f_ffree);
    path_put(&root);
}

static void full(void)
{
    struct super_block *sb;
    check(vfs_mkdir_at(AT_FDCWD, "/small", 0755) == 0);
    check(tmpfs_new("small",
                    &(struct tmpfs_options){.max_pages = 200, .max_inodes = 4, .mode = 0755},
                    &sb) == 0);
    mount_on(sb, "/small");
    struct file *f = open_file("/small/f", O_CREAT | O_RDWR);
    struct uio u;
    check(f);
    uio_init_kernel(&u, model, 1 << 20);
    ssize_t n = vfs_write(f, &u);
    check(n > 0 && n <= 200 * 4096);
    uio_init_kernel(&u, model, 1 << 20);
    check(vfs_pwrite(f, &u, 1 << 21) == -ENOSPC);
    check(make_file("/small/a", "") == 0 && make_file("/small/b", "") == 0 &&
          make_file("/small/c", "") == -ENOSPC);
    check(vfs_ftruncate(f, 0) == 0);
    uio_init_kernel(&u, model, 100 * 4096);
    check(vfs_pwrite(f, &u, 0) == 100 * 4096);
    file_put(f);
}

static void body(void)
{
    nothing_is_left();
    full();
}

int main(void)
{
    return run_vfs_test(body);
}
