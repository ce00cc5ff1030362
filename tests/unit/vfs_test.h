/*
 * For tests of vfs/ and its file systems: runs a body in a fiber that stands for a task (root's
 * credentials, no guest), with a tmpfs as its root. Verbs of vfs/walk.h then work as from a system
 * call.
 */
#pragma once
#include "fs/overlay/overlay.h"
#include "fs/tmpfs/tmpfs.h"
#include "kernel/cred.h"
#include "kernel/task.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka's assertions jump out of the test function and cannot be used in a fiber. */
#define check(cond) assert_always(cond)

static struct {
    void (*body)(void);
    struct mount_namespace *ns;
    struct fs_context *fs;
} vfs_test;

static inline void vfs_test_fiber(void *arg)
{
    struct task *t = calloc(1, sizeof(*t));
    struct process *p = calloc(1, sizeof(*p));
    struct super_block *sb;
    struct cred *cred;
    check(t && p && vfs_init() == 0);
    limits_init(&p->limits);
    check(cred_new_root(&cred) == 0);
    t->process = p;
    t->cred = cred;
    check(tmpfs_new("root", &(struct tmpfs_options){.mode = 0755}, &sb) == 0);
    check(mount_namespace_new(sb, 0, &vfs_test.ns) == 0);
    sb_put(sb);
    check(fs_context_new(vfs_test.ns, &vfs_test.fs) == 0);
    t->fs = vfs_test.fs;
    fiber_set_local(fiber_self(), t);
    vfs_test.body();
    fiber_set_local(fiber_self(), NULL);
    fs_context_put(vfs_test.fs);
    mount_namespace_put(vfs_test.ns);
    cred_put(cred);
    free(p);
    free(t);
    sched_stop(0);
}

static inline int run_vfs_test_on(unsigned workers, void (*body)(void))
{
    vfs_test.body = body;
    check(sched_init(workers) == 0);
    struct fiber *f = fiber_new("test", vfs_test_fiber, NULL);
    check(f);
    fiber_start(f);
    return sched_run();
}

static inline int run_vfs_test(void (*body)(void))
{
    return run_vfs_test_on(1, body);
}

static inline struct file *open_file(const char *path, uint32_t flags)
{
    struct file *f;
    struct open_how_kernel how = {.flags = flags, .mode = 0644};
    int err = vfs_open_at(AT_FDCWD, path, &how, &f);
    if (err)
        errno = -err;
    return err ? NULL : f;
}

static inline int make_file(const char *path, const char *text)
{
    struct file *f = open_file(path, O_CREAT | O_WRONLY | O_TRUNC);
    if (!f)
        return -errno;
    struct uio u;
    uio_init_kernel(&u, (void *)text, strlen(text));
    ssize_t n = vfs_write(f, &u);
    file_put(f);
    return n < 0 ? (int)n : 0;
}

static inline int stat_path(const char *path, struct attr *ret)
{
    return vfs_stat_at(AT_FDCWD, path, WALK_FOLLOW, ret, NULL);
}

static inline int stat_error(const char *path)
{
    struct attr a;
    return stat_path(path, &a);
}

/* Mounts sb (reference consumed) at path. */
static inline void mount_on(struct super_block *sb, const char *path)
{
    struct path at;
    check(path_lookup(AT_FDCWD, path, WALK_FOLLOW, &at) == 0);
    check(do_mount(sb, &at, 0) == 0);
    path_put(&at);
    sb_put(sb);
}

static inline unsigned random_below(unsigned n)
{
    static unsigned long long state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 20) % n;
}
