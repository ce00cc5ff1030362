/* The slow halves of vfs/notify.h: somebody watches something. */
#include "vfs/notify.h"
#include "vfs/internal.h"
#include <limits.h>
#include <string.h>

_Atomic unsigned notify_watch_total;
static const struct notify_sink *sink;

void notify_register(const struct notify_sink *s)
{
    sink = s;
}

static void tell(struct inode *watched, uint32_t mask, const char *name, size_t len,
                 uint32_t cookie)
{
    if (sink && watched->watches)
        sink->event(watched, mask, name, len, cookie);
}

void notify_entry_slow(struct inode *dir, const struct name *name, uint32_t mask, uint32_t cookie)
{
    tell(dir, mask, name->s, name->len, cookie);
}

void notify_inode_slow(struct inode *inode, uint32_t mask)
{
    tell(inode, mask | (inode_is_dir(inode) ? IN_ISDIR : 0), NULL, 0, 0);
}

/* The directory d is in, and d's name there; a reference, or NULL. */
static struct inode *watched_parent(struct dentry *d, char name[static NAME_MAX + 1],
                                    size_t *ret_len)
{
    struct inode *dir = NULL;
    spin_lock(&dentry_lock);
    if (d->parent != d && !d->deleted && d->parent->inode && d->parent->inode->watches) {
        dir = inode_get(d->parent->inode);
        *ret_len = d->name_len;
        memcpy(name, d->name, d->name_len + 1);
    }
    spin_unlock(&dentry_lock);
    return dir;
}

void notify_dentry_slow(struct dentry *d, struct inode *inode, uint32_t mask)
{
    if (!d || !inode)
        return;
    mask |= inode_is_dir(inode) ? IN_ISDIR : 0;
    char name[NAME_MAX + 1];
    size_t len = 0;
    struct inode *dir = watched_parent(d, name, &len);
    if (dir) {
        tell(dir, mask, name, len, 0);
        inode_put(dir);
    }
    tell(inode, mask, NULL, 0, 0);
}

void notify_inode_gone(struct inode *inode)
{
    if (sink && sink->gone)
        sink->gone(inode);
}

uint32_t notify_new_cookie(void)
{
    static _Atomic uint32_t next = 1;
    return atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
}
