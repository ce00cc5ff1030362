/*
 * Overlays that guests mount: lowerdir=, upperdir= and workdir=.
 *
 * Several lower layers are overlays of two, one on top of the other. An upper directory that lies on
 * an overlay itself (the root of every sandbox is one) is used as it is in that one's upper layer:
 * it must have been made there, and whiteouts in it are hidden from whoever looks at it directly.
 * DEVIATION: the work directory is checked and not used; directories of the lower layers cannot be
 * renamed (EXDEV), as without redirect_dir.
 */
#include "base/cleanup.h"
#include "fs/overlay/private.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define LOWERS_MAX 64 /* each is a level of calls */
#define STACK_DEPTH_MAX 2

struct options {
    char *lower, *upper, *work; /* into the copied text, or NULL */
};

static bool parse_option(struct options *o, char *s)
{
    static const char *const ignored[] = {"redirect_dir", "index", "metacopy", "xino", "userxattr", "volatile",
                                          "nfs_export", "uuid", "verity", "default_permissions"};
    char *value = strchr(s, '=');
    if (value)
        *value++ = '\0';
    if (value && !strcmp(s, "lowerdir"))
        o->lower = value;
    else if (value && !strcmp(s, "upperdir"))
        o->upper = value;
    else if (value && !strcmp(s, "workdir"))
        o->work = value;
    else {
        for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
            if (!strcmp(s, ignored[i]))
                return true;
        return false;
    }
    return true;
}

static int parse_options(char *text, struct options *o)
{
    for (char *save = NULL, *s = strtok_r(text, ",", &save); s; s = strtok_r(NULL, ",", &save))
        if (!parse_option(o, s))
            return -EINVAL;
    return o->lower && *o->lower && (!o->upper || o->work) ? 0 : -EINVAL;
}

static int look_up(const char *path, struct path *ret)
{
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, ret);
    if (!err && !inode_is_dir(ret->dentry->inode)) {
        path_put(ret);
        *ret = (struct path){NULL, NULL};
        err = -EINVAL;
    }
    return err;
}

static int layer_of(const struct path *p, struct overlay_layer *ret)
{
    if (p->dentry->sb->stack_depth >= STACK_DEPTH_MAX)
        return -EINVAL;
    *ret = (struct overlay_layer){p->dentry->sb, p->dentry->inode};
    return 0;
}

/* ---- lower layers ---- */

/* The layers from the last (lowest) to the first, each a level on top of those before. Consumes
 * nothing; the result holds what it needs. ret_sb: what to put when the caller is done. */
static int stack_lowers(struct path *paths, unsigned n, struct overlay_layer *ret, struct super_block **ret_sb)
{
    struct overlay_layer below, layer;
    struct super_block *sb = NULL;
    int err = layer_of(&paths[n - 1], &below);
    for (unsigned i = n - 1; i-- > 0 && !err;) {
        struct super_block *both;
        err = layer_of(&paths[i], &layer);
        if (!err)
            err = overlay_new_layers(&below, &layer, OVERLAY_FIXED, "overlay", &both);
        if (sb)
            sb_put(sb);
        sb = err ? NULL : both;
        if (!err)
            below = (struct overlay_layer){both, both->root};
    }
    *ret = below;
    *ret_sb = sb;
    return err;
}

/* "a:b:c", a colon inside a name as "\:". */
static char *next_lower(char **at)
{
    char *start = *at, *to = start, *from = start;
    if (!start)
        return NULL;
    for (; *from && *from != ':'; *to++ = *from++)
        if (*from == '\\' && from[1])
            from++;
    *at = *from ? from + 1 : NULL;
    *to = '\0';
    return start;
}

static int look_up_lowers(char *text, struct path *paths, unsigned *ret_count)
{
    char *name;
    unsigned n = 0;
    int err = 0;
    while (!err && (name = next_lower(&text))) {
        err = n == LOWERS_MAX || !*name ? -EINVAL : look_up(name, &paths[n]);
        n += !err;
    }
    *ret_count = n;
    return err;
}

/* ---- the upper layer ---- */

static int check_work(const struct path *upper, const char *work)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = look_up(work, &p);
    if (err)
        return err;
    if (p.mount != upper->mount || mount_want_write(upper->mount))
        return -EINVAL;
    return dentry_is_ancestor(p.dentry, upper->dentry) || dentry_is_ancestor(upper->dentry, p.dentry) ? -EINVAL : 0;
}

static int upper_layer(const struct path *p, struct overlay_layer *ret)
{
    struct inode *inode = p->dentry->inode;
    int err = layer_of(p, ret);
    if (err || inode->ops != &ovl_dir_inode_ops)
        return err;
    struct ovl_inode *oi = ovl_inode(inode);
    if (oi->lower || !oi->upper)
        return -EINVAL; /* what is below it would be missing */
    inode->dcache_volatile = true;
    dentry_invalidate(p->dentry);
    *ret = (struct overlay_layer){ovl_of(inode)->upper_sb, oi->upper};
    return 0;
}

static int mount_layers(const struct options *o, struct path *paths, unsigned n, const char *source,
                        struct super_block **ret)
{
    CLEANUP_PATH_REF struct path up = {0};
    struct overlay_layer lower, upper;
    struct super_block *lower_sb;
    if (!o->upper && n < 2)
        return -EINVAL;
    if (!o->upper) {
        int err = stack_lowers(paths, n, &lower, ret);
        if (!err)
            (*ret)->read_only = true;
        return err;
    }
    int err = look_up(o->upper, &up);
    if (!err)
        err = check_work(&up, o->work);
    if (!err)
        err = upper_layer(&up, &upper);
    if (!err)
        err = stack_lowers(paths, n, &lower, &lower_sb);
    if (err)
        return err;
    upper.root->dcache_volatile = true;
    dentry_invalidate(up.dentry);
    err = overlay_new_layers(&lower, &upper, OVERLAY_MERGES, source ? source : "overlay", ret);
    if (lower_sb)
        sb_put(lower_sb);
    return err;
}

static int overlay_mount(const char *source, unsigned long flags, const char *data, struct super_block **ret)
{
    CLEANUP_FREE char *text = strdup(data ? data : ""), *shown = strdup(data ? data : "");
    CLEANUP_FREE struct path *paths = calloc(LOWERS_MAX, sizeof(*paths));
    struct options o = {NULL, NULL, NULL};
    unsigned n = 0;
    if (!text || !shown || !paths)
        return -ENOMEM;
    int err = parse_options(text, &o);
    if (!err)
        err = look_up_lowers(o.lower, paths, &n);
    if (!err)
        err = mount_layers(&o, paths, n, source, ret);
    for (unsigned i = 0; i < n; i++)
        path_put(&paths[i]);
    if (!err)
        (*ret)->options = TAKE_PTR(shown);
    return err;
}

static const struct fs_type overlay_type = {.name = "overlay", .flags = FS_NODEV, .mount = overlay_mount};

void overlay_register(void)
{
    fs_register(&overlay_type);
}
