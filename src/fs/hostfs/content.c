/*
 * Hot small files, kept whole in memory: for trees that nobody changes (exclusive and read-only).
 *
 * A file of at most CONTENT_MAX bytes that is read again and again is fetched once; from then on a
 * read is a copy. The memory is bounded over all trees; when the budget is used up, further files
 * are simply read from the host. A copy is used only under its reference, so forgetting one never
 * disturbs a reader.
 */
#include "fs/hostfs/private.h"
#include <stdlib.h>

#define CONTENT_MAX (64 * 1024)
#define CONTENT_BUDGET (8 << 20)
#define CONTENT_HOT 3 /* reads before a file is worth it */

struct content {
    struct refcount ref;
    size_t size;
    char data[];
};

static _Atomic size_t content_total;

static void content_put(struct content *c)
{
    if (!refcount_put(&c->ref))
        return;
    content_total -= c->size;
    free(c);
}
DEFINE_CLEANUP(struct content *, content_put)

static struct content *content_get(struct host_inode *h)
{
    struct hostfs *fs = hostfs_of(&h->inode);
    spin_lock(&fs->lock);
    struct content *c = h->content;
    if (c)
        refcount_get(&c->ref);
    spin_unlock(&fs->lock);
    return c;
}

static struct content *content_load(struct host_inode *h)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    size_t size = h->inode.attr.size;
    if (content_total + size > CONTENT_BUDGET || read_fd(h, &f) < 0)
        return NULL;
    struct content *c = malloc(sizeof(*c) + size);
    if (!c)
        return NULL;
    refcount_init(&c->ref);
    c->size = size;
    content_total += size;
    if (host_pread(f->fd, c->data, size, 0) == (ssize_t)size)
        return c;
    content_put(c);
    return NULL;
}

/* Keeps `c` with the inode unless another reader was quicker. */
static void content_keep(struct host_inode *h, struct content *c)
{
    struct hostfs *fs = hostfs_of(&h->inode);
    spin_lock(&fs->lock);
    if (!h->content) {
        refcount_get(&c->ref);
        h->content = c;
    }
    spin_unlock(&fs->lock);
}

void content_forget(struct host_inode *h)
{
    struct content *c = TAKE_PTR(h->content);
    if (c)
        content_put(c);
}

ssize_t content_read(struct host_inode *h, struct uio *to, size_t len, int64_t pos)
{
    const unsigned fixed = HOSTFS_EXCLUSIVE | HOSTFS_READ_ONLY;
    uint64_t size = h->inode.attr.size;
    if (len == 0 || size == 0 || size > CONTENT_MAX ||
        (hostfs_of(&h->inode)->flags & fixed) != fixed)
        return 0;
    if (!h->content && ++h->reads < CONTENT_HOT)
        return 0;
    CLEANUP_OF(content_put) struct content *c = content_get(h);
    if (!c) {
        c = content_load(h);
        if (c)
            content_keep(h, c);
    }
    if (!c || (uint64_t)pos >= c->size)
        return 0;
    return uio_put(to, c->data + pos, MIN(len, c->size - (size_t)pos));
}
