/*
 * Synthetic files: trees described by tables, whose contents are made up when read. /proc and /sys
 * are built of them.
 *
 * A directory is a table of rows (struct synth_entry), ended by an empty one; a row names a file
 * and the functions behind it. A file's text is made by show() at the first read after open (or
 * after seeking back to the start) and served from that copy. An inode may stand for an object of
 * its file system's (a process, say): rows are shared by all objects, and every function gets the
 * inode to find its own.
 *
 *     static const struct synth_entry entries[] = {
 *         {"version", S_IFREG | 0444, .show = version_show},
 *         {"sys", S_IFDIR | 0555, .entries = sys_entries},
 *         {0},
 *     };
 *     err = synth_mount("proc", source, PROC_SUPER_MAGIC, &root_entry, &hooks, fs, &sb);
 */
#pragma once
#include "base/base.h"
#include "base/strbuf.h"
#include "vfs/vfs.h"

struct synth_inode;

struct synth_entry {
    const char *name;
    uint32_t mode; /* type and permissions */
    uint64_t arg;  /* for functions shared by rows; also found in synth_inode.arg */

    /* Regular files. show: appends the content; 0 or -errno (then read fails). */
    int (*show)(struct synth_inode *i, struct strbuf *out);
    const char *text; /* instead of show: fixed content */
    /* One write(2) of at most SYNTH_WRITE_MAX bytes, NUL-terminated: 0 (all taken) or -errno. NULL:
     * -EPERM. */
    int (*write)(struct synth_inode *i, char *text, size_t len);
    const struct file_ops *file_ops; /* a file with operations of its own */

    /* Symbolic links: the text in fresh memory; `link` instead if it never changes. get_link: as
     * inode_ops. */
    int (*readlink)(struct synth_inode *i, char **ret);
    const char *link;
    int (*get_link)(struct synth_inode *i, struct path *ret);

    /* Directories: fixed rows, and a dynamic part (either may be NULL). lookup gives a new inode or
     * -ENOENT. iterate emits entries for positions *pos >= SYNTH_FIRST_DYNAMIC and keeps *pos on
     * the next one: 0 or -errno. */
    const struct synth_entry *entries;
    int (*lookup)(struct synth_inode *dir, const struct name *name, struct inode **ret);
    int (*iterate)(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos);
    bool is_volatile; /* children are looked up each time */

    unsigned flags; /* the file system's own, see synth_hooks.check */
};

#define SYNTH_WRITE_MAX 4095
#define SYNTH_FIRST_DYNAMIC 512 /* rows of one directory are fewer */

struct synth_inode {
    struct inode inode;
    const struct synth_entry *entry; /* [I] */
    void *object;                    /* [I] reference through the hooks, or NULL */
    uint64_t arg;                    /* [I] */
};

static inline struct synth_inode *synth_inode(struct inode *inode)
{
    return container_of(inode, struct synth_inode, inode);
}

/* What a file system adds; any may be NULL. */
struct synth_hooks {
    void *(*object_get)(void *object);
    void (*object_put)(void *object);
    /* Before opening a file, following a magic link, or looking into a directory: 0 or -errno. */
    int (*check)(struct synth_inode *i);
    int (*permission)(struct synth_inode *dir, int mask,
                      const struct cred *cred); /* of directories; as inode_ops */
    void (*getattr)(struct synth_inode *i);     /* brings owner, size ... up to date */
    bool (*revalidate)(struct synth_inode *dir, const struct name *name,
                       struct synth_inode *child /* or NULL */);
    void (*free)(void *fs);
    int (*remount)(struct super_block *sb, const char *data); /* as super_ops */
    int create_error; /* what making a name anywhere gives; 0: the VFS's own answer */
};

/* A super block whose root is `root` (a directory row). fs is given to hooks->free at the end, also
 * on failure. */
NODISCARD int synth_mount(const char *type, const char *source, unsigned long magic,
                          const struct synth_entry *root, const struct synth_hooks *hooks, void *fs,
                          struct super_block **ret);
/* For dynamic directories: an inode of `row`. The reference to object is consumed, also on failure.
 * number: what makes the inode number, with row. */
NODISCARD int synth_inode_new(struct super_block *sb, const struct synth_entry *row, void *object,
                              uint64_t arg, uint64_t number, struct inode **ret);
void *synth_fs(struct synth_inode *i); /* the fs given to synth_mount() */
uint64_t synth_ino(const struct synth_entry *row, uint64_t number);
/* The row called `name`, or NULL. */
const struct synth_entry *synth_find(const struct synth_entry *rows, const struct name *name);
/* Decimal number without sign or leading zeros, at most INT32_MAX: -1 otherwise. Names of pids and
 * descriptors. */
int32_t synth_name_number(const struct name *name);
