/*
 * Two trees made of the same operations must stay the same: random verbs on names below two
 * directories, and the comparison of what is there afterwards. For file systems tested against tmpfs.
 */
#pragma once
#include "vfs_test.h"

#define NAMES 6
static const char *const names[NAMES] = {"a", "b", "c", "dir", "sub", "link"};

/* A random path of up to three components below `top`. */
static void random_path(char *out, size_t size)
{
    unsigned depth = 1 + random_below(3);
    out[0] = '\0';
    for (unsigned i = 0; i < depth; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "/%s", names[random_below(NAMES)]);
    }
}

static void in(char *out, size_t size, const char *top, const char *path)
{
    snprintf(out, size, "%s%s", top, path);
}

static int read_text(const char *path, char *buf, size_t size)
{
    struct file *f = open_file(path, O_RDONLY);
    if (!f)
        return -errno;
    ssize_t n = inode_is_dir(f->inode) ? -EISDIR : vfs_read_kernel(f, buf, size - 1, 0);
    if (n >= 0)
        buf[n] = '\0';
    file_put(f);
    return (int)n;
}

static int append(const char *path, const char *text)
{
    struct file *f = open_file(path, O_WRONLY | O_APPEND);
    if (!f)
        return -errno;
    struct uio u;
    uio_init_kernel(&u, (void *)text, strlen(text));
    ssize_t n = vfs_write(f, &u);
    file_put(f);
    return (int)n;
}

static int chmod_path(const char *path, uint32_t mode)
{
    struct path p;
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &p);
    if (err)
        return err;
    err = vfs_chmod(&p, mode);
    path_put(&p);
    return err;
}

/* One operation below `top`; what it gave. */
static int operate(const char *top, unsigned what, const char *one, const char *two, unsigned value)
{
    char a[256], b[256], text[16];
    in(a, sizeof(a), top, one);
    in(b, sizeof(b), top, two);
    snprintf(text, sizeof(text), "%u,", value);
    switch (what) {
    case 0:
    case 1:
        return make_file(a, text);
    case 2:
        return append(a, text);
    case 3:
        return vfs_mkdir_at(AT_FDCWD, a, 0755);
    case 4:
        return vfs_unlink_at(AT_FDCWD, a);
    case 5:
        return vfs_rmdir_at(AT_FDCWD, a);
    case 6:
    case 7:
        return vfs_rename_at(AT_FDCWD, a, AT_FDCWD, b, 0);
    case 8:
        return vfs_rename_at(AT_FDCWD, a, AT_FDCWD, b, 2); /* RENAME_EXCHANGE */
    case 9:
        return vfs_link_at(AT_FDCWD, a, AT_FDCWD, b, 0);
    case 10:
        return vfs_symlink_at(one + 1, AT_FDCWD, b);
    default:
        return chmod_path(a, 0600 + value % 64);
    }
}

/* ---- comparing trees ---- */

struct listing {
    struct dir_emitter emitter;
    char entries[64][16];
    unsigned count;
};

static bool collect(struct dir_emitter *e, const char *name, size_t len, uint64_t ino,
                    unsigned char type, int64_t next)
{
    struct listing *l = container_of(e, struct listing, emitter);
    check(l->count < 64 && len < 16);
    memcpy(l->entries[l->count], name, len);
    l->entries[l->count++][len] = '\0';
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void list(const char *path, struct listing *ret)
{
    struct file *f = open_file(path, O_RDONLY | O_DIRECTORY);
    check(f);
    *ret = (struct listing){.emitter = {collect}};
    check(vfs_readdir(f, &ret->emitter) == 0);
    file_put(f);
    qsort(ret->entries, ret->count, sizeof(ret->entries[0]), compare_names);
}

static void compare_trees(const char *x, const char *y, unsigned depth)
{
    struct attr a, b;
    check(vfs_stat_at(AT_FDCWD, x, 0, &a, NULL) == 0 && vfs_stat_at(AT_FDCWD, y, 0, &b, NULL) == 0);
    check(a.mode == b.mode && a.uid == b.uid);
    if (S_ISREG(a.mode)) {
        char s[512], t[512];
        check(a.size == b.size && read_text(x, s, sizeof(s)) == read_text(y, t, sizeof(t)) &&
              !strcmp(s, t));
        check(a.nlink == b.nlink);
    }
    if (!S_ISDIR(a.mode))
        return;
    check(depth < 40);
    struct listing *l = malloc(2 * sizeof(*l));
    check(l);
    list(x, &l[0]);
    list(y, &l[1]);
    if (l[0].count != l[1].count) {
        for (unsigned side = 0; side < 2; side++)
            for (unsigned i = 0; i < l[side].count; i++)
                printf("%s: %s\n", side ? y : x, l[side].entries[i]);
        fflush(stdout);
    }
    check(l[0].count == l[1].count);
    for (unsigned i = 0; i < l[0].count; i++) {
        const char *name = l[0].entries[i];
        char p[512], q[512];
        check(!strcmp(name, l[1].entries[i]));
        if (!strcmp(name, ".") || !strcmp(name, ".."))
            continue;
        snprintf(p, sizeof(p), "%s/%s", x, name);
        snprintf(q, sizeof(q), "%s/%s", y, name);
        compare_trees(p, q, depth + 1);
    }
    free(l);
}

static void fill(const char *top)
{
    char path[256];
    static const char *const dirs[] = {"/dir", "/dir/sub", "/sub", "/sub/dir"};
    static const char *const files[] = {"/a",         "/dir/a", "/dir/b",
                                        "/dir/sub/a", "/sub/c", "/sub/dir/b"};
    for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++) {
        in(path, sizeof(path), top, dirs[i]);
        check(vfs_mkdir_at(AT_FDCWD, path, 0755) == 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
        in(path, sizeof(path), top, files[i]);
        check(make_file(path, files[i]) == 0);
    }
    check(operate(top, 9, "/dir/a", "/sub/a", 0) == 0 &&
          operate(top, 10, "/dir/a", "/link", 0) == 0);
}

/* `rounds` random operations below x and y. */
static void run_both(const char *x, const char *y, unsigned rounds)
{
    compare_trees(x, y, 0);
    for (unsigned i = 0; i < rounds; i++) {
        char one[64], two[64];
        random_path(one, sizeof(one));
        random_path(two, sizeof(two));
        unsigned what = random_below(12), value = random_below(1000);
        int got = operate(x, what, one, two, value), want = operate(y, what, one, two, value);
        if (got != want || getenv("TRACE"))
            printf("round %u: operation %u on %s and %s: %d, tmpfs %d\n", i, what, one, two, got, want);
        check(got == want);
        if (i % 16 == 0) {
            if (i % 64 == 0)
                dcache_shrink();
            compare_trees(x, y, 0);
        }
    }
    compare_trees(x, y, 0);
}
