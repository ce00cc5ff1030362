/*
 * Listing overlay directories. One that has only one side is listed straight from it. A merged one
 * is collected into an array when the listing starts: the upper entries, then those of the lower
 * side that no upper entry (or whiteout) hides; positions are indices into it, and a rewind
 * collects anew.
 *
 * Positions 0 and 1 are "." and ".." as everywhere (dir_emit_dots); the sides' own dots are
 * skipped.
 */
#include "base/hash.h"
#include "fs/overlay/private.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t ino;
    unsigned next; /* in the hash chain: index + 1 */
    unsigned hash;
    uint16_t len;
    unsigned char type;
    bool whiteout;
    char *name;
};

struct listing {
    struct entry *entries;
    unsigned count, room;
    unsigned *heads; /* hash chains over the upper entries: index + 1 */
    unsigned head_count;
};

struct ovl_dir_file {
    struct file *real;       /* the one side, or NULL: merged */
    struct listing *listing; /* of a merged directory */
};

static void listing_free(struct listing *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->count; i++)
        free(l->entries[i].name);
    free(l->entries);
    free(l->heads);
    free(l);
}

/* ---- collecting ---- */

/* Runs a real directory's whole listing through `emit`. */
static int scan(struct inode *real, struct dir_emitter *e)
{
    struct file *f;
    int64_t pos = 0, before;
    int err = file_new_inode(real, O_RDONLY | O_DIRECTORY, current_cred(), &f);
    if (err)
        return err;
    mutex_lock(&real->lock);
    do {
        before = pos;
        err = f->ops->readdir ? f->ops->readdir(f, e, &pos) : -ENOTDIR;
    } while (!err && pos != before);
    mutex_unlock(&real->lock);
    file_put(f);
    return err;
}

static bool is_dots(const char *name, size_t len)
{
    return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

struct collector {
    struct dir_emitter emitter;
    struct listing *l;
    struct overlay *ovl;
    struct inode *upper; /* being scanned, or NULL: the lower side */
    int err;
};

static struct entry *find(const struct listing *l, const char *name, size_t len, unsigned hash)
{
    if (!l->head_count)
        return NULL;
    for (unsigned i = l->heads[hash % l->head_count]; i; i = l->entries[i - 1].next) {
        struct entry *e = &l->entries[i - 1];
        if (e->hash == hash && e->len == len && !memcmp(e->name, name, len))
            return e;
    }
    return NULL;
}

static int add(struct listing *l, const char *name, size_t len, uint64_t ino, unsigned char type)
{
    if (l->count == l->room) {
        unsigned room = l->room ? l->room * 2 : 64;
        struct entry *grown = reallocarray(l->entries, room, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        l->entries = grown;
        l->room = room;
    }
    struct entry *e = &l->entries[l->count];
    *e = (struct entry){
        .ino = ino, .len = (uint16_t)len, .type = type, .hash = name_hash(name, len)};
    e->name = strndup(name, len);
    if (!e->name)
        return -ENOMEM;
    l->count++;
    return 0;
}

/* The inode behind an upper entry: tells whiteouts, and the number that stat shows. The upper
 * directory is locked by scan(). */
static void look_at_upper(struct collector *c, struct entry *e)
{
    struct inode *real, *over;
    struct name name = name_make(e->name, e->len);
    if (c->upper->ops->lookup(c->upper, &name, &real))
        return;
    e->whiteout = ovl_is_whiteout(real);
    over = ovl_find_upper(c->ovl, real);
    e->ino = over ? over->attr.ino : real->attr.ino + OVL_UPPER_INO;
    inode_put(real);
    if (over)
        inode_put(over);
}

static bool collect_upper(struct dir_emitter *emitter, const char *name, size_t len, uint64_t ino,
                          unsigned char type, int64_t next)
{
    struct collector *c = container_of(emitter, struct collector, emitter);
    if (is_dots(name, len))
        return true;
    c->err = add(c->l, name, len, ino, type);
    if (!c->err)
        look_at_upper(c, &c->l->entries[c->l->count - 1]);
    return !c->err;
}

static bool collect_lower(struct dir_emitter *emitter, const char *name, size_t len, uint64_t ino,
                          unsigned char type, int64_t next)
{
    struct collector *c = container_of(emitter, struct collector, emitter);
    if (is_dots(name, len) || find(c->l, name, len, name_hash(name, len)))
        return true;
    c->err = add(c->l, name, len, ino, type);
    return !c->err;
}

static int index_upper(struct listing *l)
{
    if (!l->count)
        return 0;
    l->heads = calloc(l->count, sizeof(*l->heads));
    if (!l->heads)
        return -ENOMEM;
    l->head_count = l->count;
    for (unsigned i = 0; i < l->count; i++) {
        struct entry *e = &l->entries[i];
        unsigned *head = &l->heads[e->hash % l->head_count];
        e->next = *head;
        *head = i + 1;
    }
    return 0;
}

/* The overlay directory is locked. */
static int collect(struct ovl_inode *dir, struct listing **ret)
{
    struct collector c = {.emitter = {collect_upper},
                          .l = calloc(1, sizeof(struct listing)),
                          .ovl = ovl_of(&dir->inode),
                          .upper = dir->upper};
    int err = c.l ? 0 : -ENOMEM;
    if (!err && dir->upper)
        err = scan(dir->upper, &c.emitter);
    if (!err)
        err = c.err ? c.err : index_upper(c.l);
    c.emitter.emit = collect_lower;
    c.upper = NULL;
    if (!err && dir->lower)
        err = scan(dir->lower, &c.emitter);
    if (!err)
        err = c.err;
    if (err)
        listing_free(c.l);
    else
        *ret = c.l;
    return err;
}

int ovl_dir_is_empty(struct ovl_inode *dir)
{
    struct listing *l;
    int err = collect(dir, &l);
    if (err)
        return err;
    for (unsigned i = 0; i < l->count && !err; i++)
        err = l->entries[i].whiteout ? 0 : -ENOTEMPTY;
    listing_free(l);
    return err;
}

/* The upper directory is locked, so it cannot be scanned by scan(): its first entry is taken until
 * none is left. */
struct first_entry {
    struct dir_emitter emitter;
    char name[NAME_MAX + 1];
    size_t len;
};

static bool take_first(struct dir_emitter *emitter, const char *name, size_t len, uint64_t ino,
                       unsigned char type, int64_t next)
{
    struct first_entry *first = container_of(emitter, struct first_entry, emitter);
    if (is_dots(name, len))
        return true;
    memcpy(first->name, name, len);
    first->len = len;
    return false;
}

static int remove_one(struct inode *upper, const char *text, size_t len)
{
    struct name name = name_make(text, len);
    struct inode *found;
    int err = upper->ops->lookup(upper, &name, &found);
    if (err)
        return err;
    err = ovl_is_whiteout(found) ? upper->ops->unlink(upper, &name, found) : -ENOTEMPTY;
    inode_put(found);
    return err;
}

int ovl_clear_whiteouts(struct inode *upper)
{
    struct first_entry first = {.emitter = {take_first}};
    CLEANUP_FILE struct file *f = NULL;
    int err = file_new_inode(upper, O_RDONLY | O_DIRECTORY, current_cred(), &f);
    while (!err) {
        int64_t pos = 0;
        first.len = 0;
        err = f->ops->readdir(f, &first.emitter, &pos);
        if (err || !first.len)
            break;
        err = remove_one(upper, first.name, first.len);
    }
    return err;
}

/* ---- open directories ---- */

static void forget(struct ovl_dir_file *df)
{
    if (df->real)
        file_put(df->real);
    listing_free(df->listing);
    *df = (struct ovl_dir_file){0};
}

/* At the start of a listing: which side, or both? */
static int start(struct file *f, struct ovl_dir_file *df)
{
    struct ovl_inode *oi = ovl_inode(f->inode);
    forget(df);
    if (oi->lower && oi->upper)
        return collect(oi, &df->listing);
    return file_new_inode(oi->upper ? oi->upper : oi->lower, O_RDONLY | O_DIRECTORY, f->cred,
                          &df->real);
}

struct passer {
    struct dir_emitter emitter;
    struct dir_emitter *to;
    uint64_t add_ino;
};

static bool pass_on(struct dir_emitter *emitter, const char *name, size_t len, uint64_t ino,
                    unsigned char type, int64_t next)
{
    struct passer *p = container_of(emitter, struct passer, emitter);
    return is_dots(name, len) || p->to->emit(p->to, name, len, ino + p->add_ino, type, next);
}

static int read_one_side(struct file *f, struct ovl_dir_file *df, struct dir_emitter *e,
                         int64_t *pos)
{
    struct inode *real = df->real->inode;
    bool upper = real == ovl_inode(f->inode)->upper;
    struct passer p = {.emitter = {pass_on}, .to = e, .add_ino = upper ? OVL_UPPER_INO : 0};
    MUTEX_GUARD(&real->lock);
    return df->real->ops->readdir(df->real, &p.emitter, pos);
}

static int read_merged(struct listing *l, struct dir_emitter *e, int64_t *pos)
{
    for (uint64_t i = (uint64_t)*pos - 2; i < l->count; i++) {
        const struct entry *entry = &l->entries[i];
        if (!entry->whiteout &&
            !e->emit(e, entry->name, entry->len, entry->ino, entry->type, (int64_t)i + 3))
            break;
        *pos = (int64_t)i + 3;
    }
    return 0;
}

static int ovl_readdir(struct file *f, struct dir_emitter *e, int64_t *pos)
{
    struct ovl_dir_file *df = f->private_data;
    if (*pos == 0 || (!df->real && !df->listing)) {
        int err = start(f, df);
        if (err)
            return err;
    }
    if (!dir_emit_dots(f, e, pos))
        return 0;
    return df->real ? read_one_side(f, df, e, pos) : read_merged(df->listing, e, pos);
}

static int ovl_dir_open(struct inode *inode, struct file *f)
{
    f->private_data = calloc(1, sizeof(struct ovl_dir_file));
    return f->private_data ? 0 : -ENOMEM;
}

static void ovl_dir_release(struct file *f)
{
    forget(f->private_data);
    free(f->private_data);
}

static int ovl_dir_fsync(struct file *f, bool data_only)
{
    return 0;
}

const struct file_ops ovl_dir_ops = {
    .open = ovl_dir_open,
    .readdir = ovl_readdir,
    .lseek = dir_lseek,
    .fsync = ovl_dir_fsync,
    .release = ovl_dir_release,
};
