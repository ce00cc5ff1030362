/*
 * The path walk: see vfs/walk.h for what it promises and vfs/walk_engine.h for how it is driven.
 *
 * walk_run() takes components off w->s. Each goes through component_fast() while the walk is fast;
 * that answers "needs the slow way" before it has changed anything, so component_slow() simply does
 * the same step again with references.
 */
#include "kernel/cred.h"
#include "vfs/dentry.h"
#include "vfs/fs_context.h"
#include "vfs/internal.h"
#include "vfs/walk_engine.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX 40
#define NEED_SLOW 1

/* ---- modes ---- */

void walk_make_slow(struct walk *w)
{
    if (!w->fast)
        return;
    path_get(&w->cur);
    path_get(&w->root);
    spin_unlock(&dentry_lock);
    if (w->fs)
        spin_unlock(&w->fs->lock);
    w->fast = false;
}

void walk_end(struct walk *w)
{
    if (w->fast) {
        spin_unlock(&dentry_lock);
        if (w->fs)
            spin_unlock(&w->fs->lock);
    } else {
        path_put(&w->cur);
        path_put(&w->root);
    }
    if (w->start.dentry)
        path_put(&w->start);
}

void walk_finish(struct walk *w, struct path *ret)
{
    *ret = w->cur;
    path_get(ret);
    walk_end(w);
}

/* Moves cur to a place whose references (slow) the walk takes over. */
static void set_cur(struct walk *w, const struct path *to)
{
    if (!w->fast)
        path_put(&w->cur);
    w->cur = *to;
}

static void go_to_root(struct walk *w)
{
    if (!w->fast)
        path_get(&w->root);
    set_cur(w, &(struct path){w->root.mount, w->root.dentry});
}

int walk_begin(struct walk *w, const struct path *root, int dirfd, const char *path, unsigned flags)
{
    bool absolute = *path == '/';
    w->cred = current_cred();
    w->flags = flags;
    w->links = 0;
    w->must_be_dir = flags & WALK_DIRECTORY;
    w->s = path;
    w->len = strlen(path);
    w->start.dentry = NULL;
    w->fs = root ? NULL : current_fs();
    if (absolute && flags & WALK_BENEATH)
        return -EXDEV;
    bool scoped = flags & (WALK_BENEATH | WALK_IN_ROOT);
    if (!root && (scoped || (!absolute && dirfd != AT_FDCWD))) {
        int err = walk_start(dirfd, absolute ? "." : path, &w->start);
        if (err)
            return err;
    }
    if (w->fs)
        spin_lock(&w->fs->lock);
    w->umask = w->fs ? w->fs->umask : 0;
    spin_lock(&dentry_lock);
    w->fast = true;
    w->root = root ? *root : scoped ? w->start : w->fs->root;
    w->cur = absolute || root ? w->root : w->start.dentry ? w->start : w->fs->cwd;
    if (flags & WALK_RESOLVE)
        walk_make_slow(w);
    return 0;
}

/* ---- symbolic links ---- */

/* Puts a link's text before what is left of the path. Changes nothing when it fails. */
static int splice_text(struct walk *w, const char *text)
{
    size_t n = strlen(text);
    if (!n)
        return -ENOENT;
    if (n + w->len >= sizeof(w->buf))
        return -ENAMETOOLONG;
    if (*text == '/' && w->flags & WALK_BENEATH)
        return -EXDEV;
    memmove(w->buf + n, w->s, w->len);
    memcpy(w->buf, text, n);
    w->s = w->buf;
    w->len += n;
    if (*text == '/')
        go_to_root(w);
    return 0;
}

/* fs.protected_symlinks: in a sticky world-writable directory only the owner's own links, and the
 * directory owner's. */
static bool link_is_trusted(const struct walk *w, const struct inode *link)
{
    const struct attr *dir = &w->cur.dentry->inode->attr;
    return (dir->mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) ||
           link->attr.uid == w->cred->fsuid || link->attr.uid == dir->uid;
}

static int follow_magic_link(struct walk *w, struct dentry *d)
{
    struct path to;
    if (w->flags & (WALK_NO_MAGICLINKS | WALK_NO_SYMLINKS))
        return -ELOOP;
    int err = d->inode->ops->get_link(d->inode, d, &to);
    if (err)
        return err;
    if (w->flags & (WALK_BENEATH | WALK_IN_ROOT) ||
        (w->flags & WALK_NO_XDEV && to.mount != w->cur.mount)) {
        path_put(&to);
        return -EXDEV;
    }
    set_cur(w, &to);
    return 0;
}

int walk_follow_link(struct walk *w, struct dentry *d)
{
    struct inode *inode = d->inode;
    if (w->flags & WALK_NO_SYMLINKS || ++w->links > LINKS_MAX)
        return -ELOOP;
    if (!link_is_trusted(w, inode))
        return -EACCES;
    if (inode->ops->get_link)
        return follow_magic_link(w, d);
    if (inode->link)
        return splice_text(w, inode->link);
    char *text;
    int err = inode->ops->readlink ? inode->ops->readlink(inode, &text) : -EINVAL;
    if (err)
        return err;
    err = splice_text(w, text);
    free(text);
    return err;
}

/* ---- one component ---- */

static inline bool is_dot(const char *s, size_t n)
{
    return n == 1 && s[0] == '.';
}

static inline bool is_dotdot(const char *s, size_t n)
{
    return n == 2 && s[0] == '.' && s[1] == '.';
}

static inline bool anybody_may_search(const struct inode *dir)
{
    return (dir->attr.mode & 0111) == 0111;
}

/* w->s and w->len stand after the component. */
static int component_fast(struct walk *w, const char *s, size_t n, bool follow)
{
    struct inode *dir = w->cur.dentry->inode;
    if (UNLIKELY(!inode_is_dir(dir)))
        return -ENOTDIR;
    if (UNLIKELY(dir->ops->permission))
        return NEED_SLOW;
    if (!anybody_may_search(dir) && vfs_generic_permission(dir, MAY_EXEC, w->cred))
        return -EACCES;
    if (is_dot(s, n))
        return 0;
    if (is_dotdot(s, n)) {
        dotdot_locked(&w->cur, &w->root);
        return 0;
    }
    if (UNLIKELY(n > NAME_MAX))
        return -ENAMETOOLONG;
    struct name name = name_make(s, n);
    struct dentry *d = dentry_find(w->cur.dentry, &name);
    if (!d || dir->ops->revalidate)
        return NEED_SLOW;
    if (!d->inode)
        return -ENOENT;
    struct path to = {w->cur.mount, d};
    for (struct mount *m; UNLIKELY((m = mount_at(to.mount, to.dentry)) != NULL);)
        to = (struct path){m, m->root};
    struct inode *inode = to.dentry->inode;
    if (UNLIKELY(S_ISLNK(inode->attr.mode)) && follow) {
        if (!inode->link || inode->ops->get_link || w->links >= LINKS_MAX ||
            !link_is_trusted(w, inode))
            return NEED_SLOW;
        w->links++;
        return splice_text(w, inode->link);
    }
    w->cur = to;
    return 0;
}

static int dotdot_slow(struct walk *w)
{
    struct mount *before = w->cur.mount;
    if (w->flags & WALK_BENEATH && path_equal(&w->cur, &w->root))
        return -EXDEV;
    follow_dotdot(&w->cur, &w->root);
    return w->flags & WALK_NO_XDEV && w->cur.mount != before ? -EXDEV : 0;
}

/* The child of cur called s: a referenced place, mounts crossed. -ENOENT when absent. */
static int child_slow(struct walk *w, const char *s, size_t n, struct path *ret)
{
    struct name name = name_make(s, n);
    struct path to = {w->cur.mount, NULL};
    int err = dentry_lookup(w->cur.dentry, &name, &to.dentry);
    if (err)
        return err;
    if (!to.dentry->inode) {
        dentry_put(to.dentry);
        return -ENOENT;
    }
    mount_get(to.mount);
    follow_mounts(&to);
    if (w->flags & WALK_NO_XDEV && to.mount != w->cur.mount) {
        path_put(&to);
        return -EXDEV;
    }
    *ret = to;
    return 0;
}

static int component_slow(struct walk *w, const char *s, size_t n, bool follow)
{
    struct inode *dir = w->cur.dentry->inode;
    struct path to;
    if (!inode_is_dir(dir))
        return -ENOTDIR;
    int err = inode_permission(dir, MAY_EXEC, w->cred);
    if (err || is_dot(s, n))
        return err;
    if (is_dotdot(s, n))
        return dotdot_slow(w);
    err = n > NAME_MAX ? -ENAMETOOLONG : child_slow(w, s, n, &to);
    if (err)
        return err;
    if (follow && S_ISLNK(to.dentry->inode->attr.mode)) {
        err = walk_follow_link(w, to.dentry);
        path_put(&to);
        return err;
    }
    set_cur(w, &to);
    return 0;
}

static size_t component_length(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && s[n] != '/')
        n++;
    return n;
}

static void skip_slashes(struct walk *w)
{
    while (w->len && *w->s == '/')
        w->s++, w->len--;
}

int walk_run(struct walk *w)
{
    w->last = (struct name){0};
    for (;;) {
        skip_slashes(w);
        if (!w->len)
            break;
        const char *s = w->s;
        size_t n = component_length(s, w->len), rest = n;
        while (rest < w->len && s[rest] == '/')
            rest++;
        bool last = rest == w->len, slash = rest > n;
        if (last && slash)
            w->must_be_dir = true;
        if (last && w->flags & WALK_PARENT) {
            w->last = (struct name){.s = s, .len = (uint32_t)n};
            return inode_is_dir(w->cur.dentry->inode) ? 0 : -ENOTDIR;
        }
        w->s += n;
        w->len -= n;
        bool follow = !last || w->must_be_dir || w->flags & WALK_FOLLOW;
        if (last && !slash && w->flags & WALK_DIRECTORY && !(w->flags & WALK_FOLLOW))
            follow = false; /* O_DIRECTORY | O_NOFOLLOW */
        int err = w->fast ? component_fast(w, s, n, follow) : NEED_SLOW;
        if (err == NEED_SLOW) {
            walk_make_slow(w);
            err = component_slow(w, s, n, follow);
        }
        if (err)
            return err;
    }
    return w->must_be_dir && !(w->flags & WALK_PARENT) && !inode_is_dir(w->cur.dentry->inode)
               ? -ENOTDIR
               : 0;
}

/* ---- what others call ---- */

static int lookup(const struct path *root, int dirfd, const char *path, unsigned flags,
                  struct path *ret)
{
    struct walk w;
    if (!*path)
        return flags & WALK_EMPTY ? walk_start(dirfd, path, ret) : -ENOENT;
    int err = walk_begin(&w, root, dirfd, path, flags);
    if (err)
        return err;
    err = walk_run(&w);
    if (err)
        walk_end(&w);
    else
        walk_finish(&w, ret);
    return err;
}

int path_lookup(int dirfd, const char *path, unsigned flags, struct path *ret)
{
    return lookup(NULL, dirfd, path, flags, ret);
}

int path_lookup_in(const struct path *root, const char *path, unsigned flags, struct path *ret)
{
    return lookup(root, AT_FDCWD, path, flags, ret);
}

/* The last component as it stands in the path itself: links on the way never change it. */
static void find_last(const char *path, struct last_component *ret)
{
    size_t end = strlen(path), start;
    while (end && path[end - 1] == '/')
        end--;
    for (start = end; start && path[start - 1] != '/';)
        start--;
    size_t n = end - start;
    *ret = (struct last_component){.name = name_make(path + start, n),
                                   .trailing_slash = path[end] == '/',
                                   .dot = is_dot(path + start, n),
                                   .dotdot = is_dotdot(path + start, n),
                                   .root = !n};
}

int path_lookup_parent(int dirfd, const char *path, unsigned flags, struct path *ret_parent,
                       struct last_component *ret_last)
{
    struct last_component last;
    if (!*path)
        return -ENOENT;
    find_last(path, &last);
    int err = lookup(NULL, dirfd, path, flags | WALK_PARENT, ret_parent);
    if (err)
        return err;
    err = inode_permission(ret_parent->dentry->inode, MAY_EXEC, current_cred());
    if (!err && last.name.len > NAME_MAX)
        err = -ENAMETOOLONG;
    if (err) {
        path_put(ret_parent);
        return err;
    }
    *ret_last = last;
    return 0;
}
