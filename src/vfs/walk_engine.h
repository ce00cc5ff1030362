/*
 * The path walk as a state that takes one component at a time. Private to vfs/: walk.c is the
 * engine; open.c and attr.c use it directly, everybody else calls path_lookup() of vfs/walk.h.
 *
 *     err = walk_begin(&w, NULL, dirfd, path, flags);      fails: nothing to undo
 *     err = walk_run(&w);                                  w.cur is the place (or, WALK_PARENT, its
 * directory) walk_finish(&w, &place); or walk_end(&w);            always one of them
 *
 * While w.fast is set, the walk holds fs_context.lock and dentry_lock and takes no references at
 * all: cached names cost a hash look-up each. At the first thing that could block (a name not
 * cached, a revalidation, a magic link) it takes references on where it stands, drops the locks and
 * goes on slowly, never back.
 */
#pragma once
#include "vfs/walk.h"
#include <limits.h>

#define WALK_PARENT (1u << 16) /* stop before the last component */
#define WALK_RESOLVE \
    (WALK_NO_XDEV | WALK_NO_MAGICLINKS | WALK_NO_SYMLINKS | WALK_BENEATH | WALK_IN_ROOT)

struct fs_context;

struct walk {
    struct path cur, root; /* borrowed while fast, else references */
    struct path start;     /* a reference if start.dentry: keeps a fast walk's beginning alive */
    struct fs_context *fs; /* locked while fast, or NULL */
    const struct cred *cred;
    unsigned flags;
    uint32_t umask;
    unsigned links; /* symbolic links followed */
    bool fast;
    bool must_be_dir; /* a trailing slash was seen */
    const char *s;    /* what is left to walk, in the caller's path or in buf */
    size_t len;
    struct name last;   /* WALK_PARENT: the last component; len 0 if there is none */
    char buf[PATH_MAX]; /* the rest of the path once a link's text was put before it */
};

NODISCARD int walk_begin(struct walk *w, const struct path *root, int dirfd, const char *path,
                         unsigned flags);
NODISCARD int walk_run(struct walk *w);
void walk_make_slow(struct walk *w);
void walk_finish(struct walk *w, struct path *ret); /* cur, referenced */
void walk_end(struct walk *w);
/* Slow: w.cur is a directory and d (referenced by the caller) a symbolic link in it: makes the
 * link's text the path still to walk, or for a magic link steps onto its place. */
NODISCARD int walk_follow_link(struct walk *w, struct dentry *d);
