/*
 * The overlay's two tables of inodes, by their lower and by their upper side. They start small and
 * double when there are more inodes than chains; all but ovl_tables_grow() run under ovl->lock.
 */
#include "base/hash.h"
#include "fs/overlay/private.h"
#include <stdlib.h>

#define TABLE_MIN 256u

static struct inode *lower_key(struct list *link)
{
    return list_entry(link, struct ovl_inode, lower_link)->lower;
}

static struct inode *upper_key(struct list *link)
{
    return list_entry(link, struct ovl_inode, upper_link)->upper;
}

int ovl_tables_init(struct overlay *ovl)
{
    struct ovl_table *tables[] = {&ovl->by_lower, &ovl->by_upper};
    for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
        struct ovl_table *t = tables[i];
        t->size = TABLE_MIN;
        t->heads = malloc(t->size * sizeof(*t->heads));
        if (!t->heads)
            return -ENOMEM;
        for (size_t n = 0; n < t->size; n++)
            list_init(&t->heads[n]);
    }
    ovl->by_lower.key = lower_key;
    ovl->by_upper.key = upper_key;
    return 0;
}

void ovl_tables_free(struct overlay *ovl)
{
    free(ovl->by_lower.heads);
    free(ovl->by_upper.heads);
}

struct list *ovl_table_chain(struct ovl_table *t, const struct inode *real)
{
    return &t->heads[hash_u64((uintptr_t)real) & (t->size - 1)];
}

void ovl_table_add(struct ovl_table *t, const struct inode *real, struct list *link)
{
    list_add(ovl_table_chain(t, real), link);
    t->count++;
}

void ovl_table_remove(struct ovl_table *t, struct list *link)
{
    if (list_empty(link))
        return;
    list_del(link);
    t->count--;
}

struct list *ovl_table_any(struct ovl_table *t, size_t *cursor)
{
    for (; *cursor < t->size; ++*cursor)
        if (!list_empty(&t->heads[*cursor]))
            return t->heads[*cursor].next;
    return NULL;
}

/* Moves everything into `fresh`, twice as large; returns the old heads. */
static struct list *rehash(struct ovl_table *t, struct list *fresh)
{
    struct list *old = t->heads;
    size_t old_size = t->size;
    t->heads = fresh;
    t->size = old_size * 2;
    for (size_t n = 0; n < t->size; n++)
        list_init(&fresh[n]);
    for (size_t n = 0; n < old_size; n++) {
        while (!list_empty(&old[n])) {
            struct list *link = old[n].next;
            list_del(link);
            list_add(ovl_table_chain(t, t->key(link)), link);
        }
    }
    return old;
}

static void grow(struct overlay *ovl, struct ovl_table *t)
{
    size_t size = t->size;
    if (LIKELY(t->count <= size))
        return;
    struct list *fresh = malloc(2 * size * sizeof(*fresh));
    if (!fresh)
        return; /* longer chains, no harm */
    spin_lock(&ovl->lock);
    if (t->size == size)
        fresh = rehash(t, fresh);
    spin_unlock(&ovl->lock);
    free(fresh);
}

void ovl_tables_grow(struct overlay *ovl)
{
    grow(ovl, &ovl->by_lower);
    grow(ovl, &ovl->by_upper);
}
