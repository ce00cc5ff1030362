/* Root, working directory and umask of a task: see vfs/fs_context.h. */
#include "vfs/fs_context.h"
#include "vfs/dentry.h"
#include <stdlib.h>

#define UMASK_DEFAULT 022

static struct spinlock contexts_lock = SPINLOCK_INIT;
static struct list contexts = LIST_INIT(contexts); /* [contexts_lock] */

static struct fs_context *fs_context_alloc(void)
{
    struct fs_context *fs = calloc(1, sizeof(*fs));
    if (fs) {
        refcount_init(&fs->ref);
        spin_init(&fs->lock);
        spin_lock(&contexts_lock);
        list_add(&contexts, &fs->link);
        spin_unlock(&contexts_lock);
    }
    return fs;
}

int fs_context_new(struct mount_namespace *ns, struct fs_context **ret)
{
    struct fs_context *fs = fs_context_alloc();
    if (!fs)
        return -ENOMEM;
    fs->umask = UMASK_DEFAULT;
    fs->ns = mount_namespace_get(ns);
    mount_namespace_root(ns, &fs->root);
    fs->cwd = fs->root;
    path_get(&fs->cwd);
    *ret = fs;
    return 0;
}

int fs_context_copy(struct fs_context *from, struct fs_context **ret)
{
    struct fs_context *fs = fs_context_alloc();
    if (!fs)
        return -ENOMEM;
    spin_lock(&from->lock);
    fs->umask = from->umask;
    fs->ns = mount_namespace_get(from->ns);
    fs->root = from->root;
    fs->cwd = from->cwd;
    path_get(&fs->root);
    path_get(&fs->cwd);
    spin_unlock(&from->lock);
    *ret = fs;
    return 0;
}

struct fs_context *fs_context_get(struct fs_context *fs)
{
    refcount_get(&fs->ref);
    return fs;
}

void fs_context_put(struct fs_context *fs)
{
    if (!refcount_put(&fs->ref))
        return;
    spin_lock(&contexts_lock);
    list_del(&fs->link);
    spin_unlock(&contexts_lock);
    path_put(&fs->cwd);
    path_put(&fs->root);
    mount_namespace_put(fs->ns);
    free(fs);
}

static void get_place(struct fs_context *fs, const struct path *place, struct path *ret)
{
    spin_lock(&fs->lock);
    *ret = *place;
    path_get(ret);
    spin_unlock(&fs->lock);
}

void fs_get_root(struct fs_context *fs, struct path *ret)
{
    get_place(fs, &fs->root, ret);
}

void fs_get_cwd(struct fs_context *fs, struct path *ret)
{
    get_place(fs, &fs->cwd, ret);
}

static void set_place(struct fs_context *fs, struct path *place, const struct path *p)
{
    path_get(p);
    spin_lock(&fs->lock);
    struct path old = *place;
    *place = *p;
    spin_unlock(&fs->lock);
    path_put(&old);
}

void fs_set_root(struct fs_context *fs, const struct path *p)
{
    set_place(fs, &fs->root, p);
}

void fs_set_cwd(struct fs_context *fs, const struct path *p)
{
    set_place(fs, &fs->cwd, p);
}

static unsigned move_place(struct path *place, const struct path *from, const struct path *to)
{
    if (!path_equal(place, from))
        return 0;
    *place = *to;
    path_get(to);
    return 1;
}

void fs_contexts_move(const struct path *from, const struct path *to)
{
    unsigned moved = 0;
    struct fs_context *fs;
    spin_lock(&contexts_lock);
    list_for_each (fs, &contexts, link) {
        spin_lock(&fs->lock);
        moved += move_place(&fs->root, from, to) + move_place(&fs->cwd, from, to);
        spin_unlock(&fs->lock);
    }
    spin_unlock(&contexts_lock);
    while (moved--)
        path_put(from); /* the caller holds one more: never the last */
}
