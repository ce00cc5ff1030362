/* Paths as strings, and the mount tables that /proc shows. */
#include "vfs/fs_context.h"
#include "vfs/mount_private.h"
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

/* A string that grows towards the front. */
struct front_buf {
    char text[PATH_MAX + NAME_MAX];
    size_t start;
};

static bool front_add(struct front_buf *b, const char *s, size_t n)
{
    if (n + 1 > b->start)
        return false;
    b->start -= n;
    memcpy(b->text + b->start, s, n);
    b->text[--b->start] = '/';
    return true;
}

/* Collects the names from p up to root. 1: reached it, 0: another root, -ENAMETOOLONG. dentry_lock
 * held. */
static int collect_names(struct path p, const struct path *root, struct front_buf *b)
{
    for (;;) {
        if (root && path_equal(&p, root))
            return 1;
        if (!p.mount)
            return 1;
        if (mount_step_up(&p))
            continue;
        if (p.dentry == p.mount->root || p.dentry->parent == p.dentry)
            return p.mount->ns && !p.mount->parent && !root;
        if (!front_add(b, p.dentry->name, p.dentry->name_len))
            return -ENAMETOOLONG;
        p.dentry = p.dentry->parent;
    }
}

int path_string(const struct path *p, const struct path *root, struct strbuf *out)
{
    if (p->dentry->anon_name && !(p->mount && p->mount->root == p->dentry)) {
        strbuf_puts(out, p->dentry->anon_name);
        return out->failed ? -ENOMEM : 0;
    }
    struct front_buf b;
    b.start = sizeof(b.text);
    spin_lock(&dentry_lock);
    int reached = collect_names(*p, root, &b);
    bool deleted = p->dentry->deleted;
    spin_unlock(&dentry_lock);
    if (reached < 0)
        return reached;
    if (!reached)
        strbuf_puts(out, "(unreachable)");
    if (b.start == sizeof(b.text))
        b.text[--b.start] = '/';
    strbuf_add(out, b.text + b.start, sizeof(b.text) - b.start);
    if (deleted)
        strbuf_puts(out, " (deleted)");
    return out->failed ? -ENOMEM : 0;
}

/* Blanks and the like as octal escapes: fstab(5). */
static void add_escaped(struct strbuf *out, const char *s)
{
    for (; *s; s++) {
        if (strchr(" \t\n\\#", *s))
            strbuf_printf(out, "\\%03o", (unsigned char)*s);
        else
            strbuf_putc(out, *s);
    }
}

static const struct {
    unsigned flag;
    const char *text;
} flag_names[] = {{MS_NOSUID, ",nosuid"},         {MS_NODEV, ",nodev"},
                  {MS_NOEXEC, ",noexec"},         {MS_NOATIME, ",noatime"},
                  {MS_NODIRATIME, ",nodiratime"}, {MS_RELATIME, ",relatime"}};

static void add_flags(struct strbuf *out, const struct mount *m, bool with_sb)
{
    strbuf_puts(out, m->flags & MS_RDONLY || (with_sb && m->sb->read_only) ? "ro" : "rw");
    for (unsigned i = 0; i < ARRAY_SIZE(flag_names); i++)
        if (m->flags & flag_names[i].flag)
            strbuf_puts(out, flag_names[i].text);
}

/* The place m is mounted on as seen from root; false if it is out of sight. */
static bool add_mountpoint(struct strbuf *out, struct mount *m, const struct path *root)
{
    struct front_buf b;
    b.start = sizeof(b.text);
    struct path p = {m, m->root};
    spin_lock(&dentry_lock);
    bool is_root = root && m == root->mount;
    int reached = is_root ? 1 : collect_names(p, root, &b);
    spin_unlock(&dentry_lock);
    if (reached != 1)
        return false;
    if (b.start == sizeof(b.text))
        b.text[--b.start] = '/';
    char text[PATH_MAX + NAME_MAX + 1];
    size_t len = sizeof(b.text) - b.start;
    memcpy(text, b.text + b.start, len);
    text[len] = '\0';
    add_escaped(out, text);
    return true;
}

typedef void show_mount_fn(struct mount *m, const char *at, const struct path *root,
                           struct strbuf *out);

static void show_tree(struct mount *m, const struct path *root, struct strbuf *out,
                      show_mount_fn *show)
{
    CLEANUP_STRBUF struct strbuf at = STRBUF_INIT;
    if (add_mountpoint(&at, m, root) && !at.failed)
        show(m, at.s, root, out);
    struct mount *child;
    list_for_each (child, &m->children, child_link)
        show_tree(child, root, out, show);
}

static void show_mounts_line(struct mount *m, const char *at, const struct path *root,
                             struct strbuf *out)
{
    add_escaped(out, m->sb->source);
    strbuf_printf(out, " %s %s ", at, m->sb->type);
    add_flags(out, m, true);
    if (m->sb->options)
        strbuf_printf(out, ",%s", m->sb->options);
    strbuf_puts(out, " 0 0\n");
}

/* The group it is a slave of, and the nearest one above that is in sight, if that is another. */
static void show_master(struct strbuf *out, const struct mount *m)
{
    strbuf_printf(out, " master:%d", m->master->peer_group);
    for (const struct mount *above = m->master; above; above = above->master) {
        const struct mount *peer = above;
        do {
            if (peer->ns == m->ns) {
                if (peer->peer_group != m->master->peer_group)
                    strbuf_printf(out, " propagate_from:%d", peer->peer_group);
                return;
            }
            peer = list_entry(peer->share_link.next, struct mount, share_link);
        } while (peer != above);
    }
}

void mount_root_show(const struct mount *m, struct strbuf *out)
{
    struct front_buf b;
    b.start = sizeof(b.text);
    if (m->root->anon_name) {
        strbuf_puts(out, m->root->anon_name);
        return;
    }
    spin_lock(&dentry_lock);
    for (const struct dentry *d = m->root; d != m->sb->root_dentry && d->parent != d; d = d->parent)
        if (!front_add(&b, d->name, d->name_len))
            break;
    spin_unlock(&dentry_lock);
    strbuf_add(out, b.text + b.start, sizeof(b.text) - b.start);
    if (!out->len)
        strbuf_putc(out, '/');
}

static void show_mountinfo_line(struct mount *m, const char *at, const struct path *root,
                                struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf inside = STRBUF_INIT;
    strbuf_printf(out, "%d %d %u:%u ", m->id, m->parent ? m->parent->id : m->id, major(m->sb->dev),
                  minor(m->sb->dev));
    mount_root_show(m, &inside);
    add_escaped(out, inside.s ? inside.s : "/");
    strbuf_printf(out, " %s ", at);
    add_flags(out, m, false);
    if (m->propagation & MS_SHARED)
        strbuf_printf(out, " shared:%d", m->peer_group);
    if (m->master)
        show_master(out, m);
    if (m->propagation & MS_UNBINDABLE)
        strbuf_puts(out, " unbindable");
    strbuf_printf(out, " - %s ", m->sb->type);
    add_escaped(out, m->sb->source);
    strbuf_printf(out, " %s%s%s\n", m->sb->read_only ? "ro" : "rw", m->sb->options ? "," : "",
                  m->sb->options ? m->sb->options : "");
}

void mounts_show(struct mount_namespace *ns, const struct path *root, struct strbuf *out)
{
    MUTEX_GUARD(&mount_lock);
    show_tree(ns->root, root, out, show_mounts_line);
}

void mountinfo_show(struct mount_namespace *ns, const struct path *root, struct strbuf *out)
{
    MUTEX_GUARD(&mount_lock);
    show_tree(ns->root, root, out, show_mountinfo_line);
}
