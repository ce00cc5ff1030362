/* Mounts by number, for statmount(2) and listmount(2). Only those in the caller's namespace, below
 * its root, are there. */
#include "vfs/mount_private.h"
#include "vfs/fs_context.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

static struct mount *find(struct mount *m, uint64_t id)
{
    struct mount *child, *found = mount_unique_id(m) == id ? m : NULL;
    list_for_each (child, &m->children, child_link)
        if (!found)
            found = find(child, id);
    return found;
}

static uint64_t attr_of(const struct mount *m)
{
    static const struct {
        unsigned flag;
        uint64_t attr;
    } rows[] = {{MS_RDONLY, MOUNT_ATTR_RDONLY},   {MS_NOSUID, MOUNT_ATTR_NOSUID},
                {MS_NODEV, MOUNT_ATTR_NODEV},     {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
                {MS_NOATIME, MOUNT_ATTR_NOATIME}, {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}};
    uint64_t attr = m->flags & (MS_NOATIME | MS_RELATIME) ? 0 : MOUNT_ATTR_STRICTATIME;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        attr |= m->flags & rows[i].flag ? rows[i].attr : 0;
    return attr;
}

static int fill_strings(struct mount *m, const struct path *root, struct mount_stat *ret)
{
    const struct path point = {m, m->root};
    ret->fs_type = m->sb->type;
    strbuf_puts(&ret->source, m->sb->source);
    strbuf_puts(&ret->options, m->sb->options ? m->sb->options : "");
    mount_root_show(m, &ret->root);
    return path_string(&point, root, &ret->point);
}

static void fill_numbers(const struct mount *m, struct mount_stat *ret)
{
    const struct mount *parent = m->parent ? m->parent : m;
    ret->id = mount_unique_id(m);
    ret->parent_id = mount_unique_id(parent);
    ret->old_id = (uint32_t)m->id;
    ret->old_parent_id = (uint32_t)parent->id;
    ret->dev_major = major(m->sb->dev);
    ret->dev_minor = minor(m->sb->dev);
    ret->magic = m->sb->magic;
    ret->sb_flags = m->sb->read_only ? MS_RDONLY : 0;
    ret->attr = attr_of(m);
    ret->peer_group = (uint64_t)m->peer_group;
    ret->master = m->master ? (uint64_t)m->master->peer_group : 0;
    ret->propagation = (m->propagation & (MS_SHARED | MS_UNBINDABLE)) | (m->master ? MS_SLAVE : 0);
    if (!ret->propagation)
        ret->propagation = MS_PRIVATE;
}

int mount_stat(uint64_t id, struct mount_stat *ret)
{
    CLEANUP_PATH_REF struct path root = {0};
    struct fs_context *fs = current_fs();
    fs_get_root(fs, &root);
    MUTEX_GUARD(&mount_lock);
    struct mount *m = find(fs->ns->root, id);
    if (!m || !mount_is_below(m, root.mount))
        return -ENOENT;
    fill_numbers(m, ret);
    int err = fill_strings(m, &root, ret);
    bool failed = ret->root.failed || ret->point.failed || ret->source.failed || ret->options.failed;
    return err ? err : failed ? -ENOMEM : 0;
}

void mount_stat_fini(struct mount_stat *m)
{
    strbuf_free(&m->root);
    strbuf_free(&m->point);
    strbuf_free(&m->source);
    strbuf_free(&m->options);
}

/* ---- listing ---- */

struct listing {
    uint64_t after, *ids;
    size_t count, room;
    bool reverse;
};

/* Keeps the `room` numbers nearest to `after`, in order. */
static void consider(struct listing *l, uint64_t id)
{
    bool wanted = l->reverse ? !l->after || id < l->after : id > l->after;
    if (!wanted)
        return;
    size_t at = l->count;
    while (at > 0 && (l->reverse ? l->ids[at - 1] < id : l->ids[at - 1] > id))
        at--;
    if (at >= l->room)
        return;
    size_t kept = MIN(l->count, l->room - 1);
    memmove(l->ids + at + 1, l->ids + at, (kept - at) * sizeof(*l->ids));
    l->ids[at] = id;
    l->count = MIN(l->count + 1, l->room);
}

static void list_below(struct mount *m, struct listing *l)
{
    struct mount *child;
    list_for_each (child, &m->children, child_link) {
        consider(l, mount_unique_id(child));
        list_below(child, l);
    }
}

int64_t mount_list(uint64_t id, uint64_t after, bool reverse, uint64_t *ids, size_t room)
{
    CLEANUP_PATH_REF struct path root = {0};
    struct fs_context *fs = current_fs();
    struct listing l = {.after = after, .ids = ids, .room = room, .reverse = reverse};
    fs_get_root(fs, &root);
    MUTEX_GUARD(&mount_lock);
    struct mount *m = id ? find(fs->ns->root, id) : root.mount;
    if (!m || !mount_is_below(m, root.mount))
        return -ENOENT;
    list_below(m, &l);
    return (int64_t)l.count;
}
