/*
 * The dentry cache: see vfs/dentry.h.
 *
 * Reference counting: a hashed dentry has one reference of the table's. So a look-up only ever
 * meets live dentries, put is one atomic operation, and a dentry whose count is 1 while hashed is
 * unused. Replacement is second chance: dcache_trim() takes dentries from the old end of the LRU
 * list; those used meanwhile go round again.
 *
 * Whatever is dropped under dentry_lock is collected on a list and put after it: the last reference
 * to an inode calls into its file system.
 */
#include "vfs/dentry.h"
#include "base/hash.h"
#include "vfs/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DCACHE_MAX 262144u
#define DCACHE_TRIM 128u /* scanned at a time once the cache is full */
#define BUCKETS_MIN 1024u

struct spinlock dentry_lock = SPINLOCK_INIT;

static struct {
    struct list *buckets; /* bucket_count of them, a power of two */
    size_t bucket_count;
    struct list lru; /* every hashed dentry, oldest first */
    unsigned count;
} dcache;

/* ---- names ---- */

static inline uint64_t load_bytes(const char *s, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, s, n);
    return v;
}

uint32_t name_hash(const char *s, size_t len)
{
    uint64_t h = hash_seed ^ len;
    for (; len > 8; s += 8, len -= 8)
        h = (h ^ load_bytes(s, 8)) * 0x9e3779b97f4a7c15ULL, h ^= h >> 32;
    uint64_t last = len == 8   ? load_bytes(s, 8)
                    : len >= 4 ? load_bytes(s, 4) | load_bytes(s + len - 4, 4) << 32
                    : len      ? load_bytes(s, 1) | load_bytes(s + len / 2, 1) << 8 |
                                load_bytes(s + len - 1, 1) << 16
                          : 0;
    h = (h ^ last) * 0xd6e8feb86659fd93ULL;
    return (uint32_t)(h ^ h >> 32);
}

struct name name_make(const char *s, size_t len)
{
    return (struct name){.s = s, .len = (uint32_t)len, .hash = name_hash(s, len)};
}

/* ---- life ---- */

static struct dentry *dentry_alloc(struct super_block *sb, const char *name, size_t len,
                                   struct inode *inode)
{
    struct dentry *d = malloc(sizeof(*d));
    if (!d)
        return NULL;
    refcount_init(&d->ref);
    d->parent = d;
    d->inode = inode;
    d->sb = sb;
    list_init(&d->hash_link);
    list_init(&d->lru_link);
    list_init(&d->children);
    list_init(&d->sibling);
    d->hashed = d->deleted = d->used = d->mountpoint = false;
    d->anon_name = NULL;
    d->name = d->inline_name;
    if (len >= sizeof(d->inline_name)) {
        d->name = malloc(len + 1);
        if (!d->name) {
            free(d);
            return NULL;
        }
    }
    memcpy(d->name, name, len);
    d->name[len] = '\0';
    d->name_len = (uint32_t)len;
    return d;
}

static void dentry_free(struct dentry *d)
{
    assert(!d->hashed && list_empty(&d->children));
    if (d->inode)
        inode_put(d->inode);
    if (d->name != d->inline_name)
        free(d->name);
    free(d);
}

struct dentry *dentry_get(struct dentry *d)
{
    refcount_get(&d->ref);
    return d;
}

void dentry_put(struct dentry *d)
{
    while (d && refcount_put(&d->ref)) {
        struct dentry *parent = d->parent != d ? d->parent : NULL;
        if (parent) {
            spin_lock(&dentry_lock);
            list_del(&d->sibling);
            spin_unlock(&dentry_lock);
        }
        dentry_free(d);
        d = parent;
    }
}

int dentry_new_root(struct super_block *sb, struct dentry **ret)
{
    struct dentry *d = dentry_alloc(sb, "/", 1, sb->root);
    if (!d)
        return -ENOMEM;
    inode_get(sb->root);
    *ret = d;
    return 0;
}

int dentry_new_anon(const char *name, struct inode *inode, struct dentry **ret)
{
    struct dentry *d = dentry_alloc(inode->sb, name, strlen(name), inode);
    if (!d)
        return -ENOMEM;
    inode_get(inode);
    d->anon_name = d->name;
    *ret = d;
    return 0;
}

int dentry_new_unlinked(struct dentry *parent, struct inode *inode, struct dentry **ret)
{
    char name[32];
    int len = snprintf(name, sizeof(name), "#%llu", (unsigned long long)inode->attr.ino);
    struct dentry *d = dentry_alloc(parent->sb, name, (size_t)len, inode_get(inode));
    if (!d) {
        inode_put(inode);
        return -ENOMEM;
    }
    d->deleted = true;
    d->parent = dentry_get(parent);
    spin_lock(&dentry_lock);
    list_add(&parent->children, &d->sibling);
    spin_unlock(&dentry_lock);
    *ret = d;
    return 0;
}

/* ---- the table; dentry_lock held ---- */

static inline struct list *bucket_of(const struct dentry *parent, uint32_t hash)
{
    uint64_t h = hash ^ ((uintptr_t)parent >> 5) * 0x9e3779b97f4a7c15ULL;
    return &dcache.buckets[(h ^ h >> 32) & (dcache.bucket_count - 1)];
}

struct dentry *dentry_find(struct dentry *parent, const struct name *name)
{
    struct list *bucket = bucket_of(parent, name->hash);
    struct dentry *d;
    list_for_each (d, bucket, hash_link) {
        if (d->name_hash == name->hash && d->parent == parent && d->name_len == name->len &&
            !memcmp(d->name, name->s, name->len)) {
            if (!d->used)
                d->used = true;
            return d;
        }
    }
    return NULL;
}

static void table_insert(struct dentry *d)
{
    assert(!d->hashed);
    list_add(bucket_of(d->parent, d->name_hash), &d->hash_link);
    list_add_tail(&dcache.lru, &d->lru_link);
    d->hashed = true;
    refcount_get(&d->ref);
    dcache.count++;
}

/* Takes d out of the table and gives the table's reference to `doomed`, for put_doomed(). */
static void table_remove(struct dentry *d, struct list *doomed)
{
    assert(d->hashed);
    list_del(&d->hash_link);
    list_del(&d->lru_link);
    list_add_tail(doomed, &d->lru_link);
    d->hashed = false;
    dcache.count--;
}

/* dentry_lock not held. */
static void put_doomed(struct list *doomed)
{
    while (!list_empty(doomed)) {
        struct dentry *d = list_first(doomed, struct dentry, lru_link);
        list_del(&d->lru_link);
        dentry_put(d);
    }
}

/* Moves every dentry into the new array; returns the old one for free(). */
static struct list *table_rehash(struct list *buckets, size_t n)
{
    struct list *old = dcache.buckets;
    for (size_t i = 0; i < n; i++)
        list_init(&buckets[i]);
    dcache.buckets = buckets;
    dcache.bucket_count = n;
    struct dentry *d;
    list_for_each (d, &dcache.lru, lru_link) {
        list_del(&d->hash_link);
        list_add(bucket_of(d->parent, d->name_hash), &d->hash_link);
    }
    return old;
}

static void table_grow(void)
{
    size_t n = dcache.bucket_count * 2;
    struct list *fresh = malloc(n * sizeof(*fresh));
    if (!fresh)
        return;
    spin_lock(&dentry_lock);
    if (dcache.bucket_count < n)
        fresh = table_rehash(fresh, n);
    spin_unlock(&dentry_lock);
    free(fresh);
}

static void dcache_trim(void)
{
    struct list doomed = LIST_INIT(doomed);
    spin_lock(&dentry_lock);
    for (unsigned i = 0; i < DCACHE_TRIM && dcache.count > DCACHE_MAX - DCACHE_TRIM; i++) {
        struct dentry *d = list_first(&dcache.lru, struct dentry, lru_link);
        if (d->used || refcount_read(&d->ref) > 1) {
            d->used = false;
            list_del(&d->lru_link);
            list_add_tail(&dcache.lru, &d->lru_link);
        } else {
            table_remove(d, &doomed);
        }
    }
    spin_unlock(&dentry_lock);
    put_doomed(&doomed);
}

static void dcache_balance(void)
{
    if (dcache.count > DCACHE_MAX)
        dcache_trim();
    else if (dcache.count > dcache.bucket_count)
        table_grow();
}

/* ---- look-ups ---- */

struct dentry *dentry_cached(struct dentry *parent, const struct name *name)
{
    spin_lock(&dentry_lock);
    struct dentry *d = dentry_find(parent, name);
    if (d)
        refcount_get(&d->ref);
    spin_unlock(&dentry_lock);
    return d;
}

static void dentry_unhash(struct dentry *d)
{
    struct list doomed = LIST_INIT(doomed);
    spin_lock(&dentry_lock);
    if (d->hashed)
        table_remove(d, &doomed);
    spin_unlock(&dentry_lock);
    put_doomed(&doomed);
}

/* The cached child if it is still right. */
static struct dentry *dentry_cached_valid(struct dentry *parent, const struct name *name)
{
    struct dentry *d = dentry_cached(parent, name);
    struct inode *dir = parent->inode;
    if (!d || !dir->ops->revalidate || d->mountpoint || dir->ops->revalidate(dir, name, d->inode))
        return d;
    dentry_unhash(d);
    dentry_put(d);
    return NULL;
}

/* Makes the dentry that a look-up has found; takes over the reference to inode. */
static int dentry_add(struct dentry *parent, const struct name *name, struct inode *inode,
                      struct dentry **ret)
{
    struct dentry *d = dentry_alloc(parent->sb, name->s, name->len, inode);
    if (!d) {
        if (inode)
            inode_put(inode);
        return -ENOMEM;
    }
    d->name_hash = name->hash;
    d->parent = dentry_get(parent);
    bool cache = !parent->inode->dcache_volatile && !parent->sb->no_dcache;
    spin_lock(&dentry_lock);
    list_add(&parent->children, &d->sibling);
    if (cache)
        table_insert(d);
    spin_unlock(&dentry_lock);
    if (cache)
        dcache_balance();
    *ret = d;
    return 0;
}

int dentry_lookup_locked(struct dentry *parent, const struct name *name, struct dentry **ret)
{
    struct inode *dir = parent->inode, *inode = NULL;
    mutex_assert_held(&dir->lock);
    *ret = dentry_cached_valid(parent, name);
    if (*ret)
        return 0;
    if (!dir->ops->lookup)
        return -ENOTDIR;
    int err = dir->dead ? -ENOENT : dir->ops->lookup(dir, name, &inode);
    if (err && err != -ENOENT)
        return err;
    return dentry_add(parent, name, err ? NULL : inode, ret);
}

int dentry_lookup(struct dentry *parent, const struct name *name, struct dentry **ret)
{
    *ret = dentry_cached_valid(parent, name);
    if (*ret)
        return 0;
    MUTEX_GUARD(&parent->inode->lock);
    return dentry_lookup_locked(parent, name, ret);
}

/* ---- changes; the parents' inode locks are held ---- */

void dentry_instantiate(struct dentry *d, struct inode *inode)
{
    spin_lock(&dentry_lock);
    assert(!d->inode);
    d->inode = inode;
    spin_unlock(&dentry_lock);
}

/* Unhashes everything below d, positive or not, but for what something is mounted on. dentry_lock
 * held. */
static void remove_children(struct dentry *d, struct list *doomed)
{
    struct list todo = LIST_INIT(todo);
    struct dentry *child, *parent = d;
    do {
        list_for_each (child, &parent->children, sibling)
            if (child->hashed && !child->mountpoint)
                table_remove(child, &todo);
        if (parent != d) {
            list_del(&parent->lru_link);
            list_add_tail(doomed, &parent->lru_link);
        }
        parent = list_first(&todo, struct dentry, lru_link);
    } while (parent);
}

void dentry_delete(struct dentry *d)
{
    struct list doomed = LIST_INIT(doomed);
    struct inode *inode = NULL;
    spin_lock(&dentry_lock);
    if (!list_empty(&d->children))
        remove_children(d, &doomed);
    if (d->hashed &&
        refcount_read(&d->ref) == 2) { /* the caller and the table: nobody needs it positive */
        inode = d->inode;
        d->inode = NULL;
    } else {
        d->deleted = true;
        if (d->hashed)
            table_remove(d, &doomed);
    }
    spin_unlock(&dentry_lock);
    put_doomed(&doomed);
    if (inode)
        inode_put(inode);
}

/* A copy of name's text in d's own storage; the old text, if it needs free(), is returned. */
static char *dentry_set_name(struct dentry *d, const struct dentry *from, char *heap)
{
    char *old = d->name != d->inline_name ? d->name : NULL;
    d->name = heap ? heap : d->inline_name;
    memcpy(d->name, from->name, from->name_len + 1);
    d->name_len = from->name_len;
    d->name_hash = from->name_hash;
    return old;
}

static char *name_room(const struct dentry *from)
{
    if (from->name_len < sizeof(from->inline_name))
        return NULL;
    char *room = malloc(from->name_len + 1);
    assert_always(room); /* 256 bytes: no worse than the abort of any other allocator */
    return room;
}

static void reparent(struct dentry *d, struct dentry *parent)
{
    list_del(&d->sibling);
    list_add(&parent->children, &d->sibling);
    d->parent = parent;
}

void dentry_move(struct dentry *d, struct dentry *target)
{
    struct list doomed = LIST_INIT(doomed);
    char *room = name_room(target);
    struct dentry *old_parent = d->parent;
    dentry_get(target->parent);
    spin_lock(&dentry_lock);
    bool cached = d->hashed;
    if (cached)
        list_del(&d->hash_link);
    char *old_name = dentry_set_name(d, target, room);
    reparent(d, target->parent);
    if (!list_empty(&target->children))
        remove_children(target, &doomed);
    target->deleted = target->inode != NULL;
    if (target->hashed)
        table_remove(target, &doomed);
    if (cached)
        list_add(bucket_of(d->parent, d->name_hash), &d->hash_link);
    spin_unlock(&dentry_lock);
    free(old_name);
    dentry_put(old_parent);
    put_doomed(&doomed);
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
    char *room_a = name_room(b), *room_b = name_room(a);
    struct dentry saved = *a; /* only its name and parent are used */
    if (a->name == a->inline_name)
        saved.name = saved.inline_name;
    spin_lock(&dentry_lock);
    if (a->hashed)
        list_del(&a->hash_link);
    if (b->hashed)
        list_del(&b->hash_link);
    struct dentry *parent_a = a->parent, *parent_b = b->parent;
    char *old_a = dentry_set_name(a, b, room_a);
    char *old_b = dentry_set_name(b, &saved, room_b);
    reparent(a, parent_b);
    reparent(b, parent_a);
    if (a->hashed)
        list_add(bucket_of(a->parent, a->name_hash), &a->hash_link);
    if (b->hashed)
        list_add(bucket_of(b->parent, b->name_hash), &b->hash_link);
    spin_unlock(&dentry_lock);
    free(old_a);
    free(old_b);
}

/* ---- forgetting ---- */

void dentry_invalidate(struct dentry *d)
{
    struct list doomed = LIST_INIT(doomed);
    spin_lock(&dentry_lock);
    remove_children(d, &doomed);
    spin_unlock(&dentry_lock);
    put_doomed(&doomed);
}

void dcache_forget_sb(struct super_block *sb)
{
    if (sb->root_dentry)
        dentry_invalidate(sb->root_dentry);
}

bool dentry_is_ancestor(struct dentry *ancestor, struct dentry *d)
{
    spin_lock(&dentry_lock);
    while (d != ancestor && d->parent != d)
        d = d->parent;
    spin_unlock(&dentry_lock);
    return d == ancestor;
}

unsigned dcache_count(void)
{
    return dcache.count;
}

void dcache_shrink(void)
{
    for (bool progress = true; progress;) {
        struct list doomed = LIST_INIT(doomed);
        struct dentry *d, *tmp;
        spin_lock(&dentry_lock);
        list_for_each_safe (d, tmp, &dcache.lru, lru_link)
            if (refcount_read(&d->ref) == 1)
                table_remove(d, &doomed);
        spin_unlock(&dentry_lock);
        progress = !list_empty(&doomed);
        put_doomed(&doomed);
    }
}

int dcache_init(void)
{
    if (dcache.buckets)
        return 0;
    struct list *buckets = malloc(BUCKETS_MIN * sizeof(*buckets));
    if (!buckets)
        return -ENOMEM;
    list_init(&dcache.lru);
    table_rehash(buckets, BUCKETS_MIN);
    return 0;
}

struct dentry *dentry_find_ino(struct super_block *sb, uint64_t ino)
{
    struct dentry *d, *found = NULL;
    spin_lock(&dentry_lock);
    if (sb->root_dentry && sb->root_dentry->inode->attr.ino == ino)
        found = sb->root_dentry;
    list_for_each (d, &dcache.lru, lru_link)
        if (!found && d->sb == sb && d->inode && d->inode->attr.ino == ino)
            found = d;
    if (found)
        dentry_get(found);
    spin_unlock(&dentry_lock);
    return found;
}
