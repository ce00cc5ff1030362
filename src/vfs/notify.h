/*
 * What changes in the file tree, told to whoever watches it (inotify).
 *
 * The VFS calls notify_*() after each change. While nothing is watched anywhere that is one load of
 * a counter. The consumer (fs/inotify) registers a sink, hangs its list on inode->watches (a watch
 * holds a reference to its inode) and counts its watches in notify_watch_total.
 */
#pragma once
#include "base/base.h"
#include "vfs/dentry.h"
#include <stdatomic.h>
#include <sys/inotify.h>

struct file;

extern _Atomic unsigned notify_watch_total;

struct notify_sink {
    /* `watched` has watches. mask: one IN_... event, with IN_ISDIR where it concerns a directory.
     * name: the entry in the watched directory, or NULL when it is the watched object itself.
     * cookie pairs IN_MOVED_FROM and IN_MOVED_TO. May be called with inode locks held: queue and
     * wake, nothing more. */
    void (*event)(struct inode *watched, uint32_t mask, const char *name, size_t name_len,
                  uint32_t cookie);
    /* The inode is freed: forget inode->watches (no watch can exist any more). */
    void (*gone)(struct inode *inode);
};
void notify_register(const struct notify_sink *sink);

/* The slow halves. */
void notify_entry_slow(struct inode *dir, const struct name *name, uint32_t mask, uint32_t cookie);
void notify_dentry_slow(struct dentry *d, struct inode *inode, uint32_t mask);
void notify_inode_slow(struct inode *inode, uint32_t mask);
void notify_inode_gone(struct inode *inode);
uint32_t notify_new_cookie(void);

static inline bool notify_active(void)
{
    return UNLIKELY(atomic_load_explicit(&notify_watch_total, memory_order_relaxed) != 0);
}

/* An entry of a directory: IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO. Told to the
 * directory's watchers. */
static inline void notify_entry(struct inode *dir, const struct name *name, uint32_t mask,
                                uint32_t cookie)
{
    if (notify_active())
        notify_entry_slow(dir, name, mask, cookie);
}

/* Something done to a file by way of d: IN_OPEN, IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CLOSE_... Told
 * to the file's own watchers and to those of the directory it is in. */
static inline void notify_dentry(struct dentry *d, struct inode *inode, uint32_t mask)
{
    if (notify_active())
        notify_dentry_slow(d, inode, mask);
}

/* The object itself: IN_DELETE_SELF, IN_MOVE_SELF, IN_ATTRIB when a link goes. */
static inline void notify_inode(struct inode *inode, uint32_t mask)
{
    if (notify_active())
        notify_inode_slow(inode, mask);
}
