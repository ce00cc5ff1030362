/* User namespaces: making and entering them, capabilities in them, translating ids. See
 * user_namespace.h; the maps' text form is in id_map.c. */
#include "kernel/user_namespace.h"
#include "kernel/task.h"
#include "vfs/fs_context.h"
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define ALL_CAPS ((1ULL << (CAP_LAST_CAP + 1)) - 1)

struct user_namespace root_user_ns = {
    .common = NS_COMMON_INIT(&user_ns_kind, NS_ID_USER),
    .lock = SPINLOCK_INIT,
};

struct user_namespace *current_user_ns(void)
{
    return current_cred()->user_ns;
}

bool user_namespace_within(const struct user_namespace *ns, const struct user_namespace *top)
{
    while (ns->level > top->level)
        ns = ns->parent;
    return ns == top;
}

/* ---- capabilities ---- */

bool cred_ns_capable(const struct cred *c, const struct user_namespace *ns, int cap)
{
    while (ns != c->user_ns) {
        if (ns->level <= c->user_ns->level)
            return false;
        if (ns->parent == c->user_ns && ns->owner_uid == c->euid)
            return true;
        ns = ns->parent;
    }
    return c->cap_effective >> cap & 1;
}

bool cred_capable(const struct cred *c, int cap)
{
    return c->cap_effective >> cap & 1 && c->user_ns == &root_user_ns;
}

bool cred_capable_over(const struct cred *c, uint32_t uid, uint32_t gid, int cap)
{
    if (!(c->cap_effective >> cap & 1))
        return false;
    return c->user_ns == &root_user_ns || (id_to_ns(c->user_ns, ID_UID, uid) != ID_INVALID &&
                                           id_to_ns(c->user_ns, ID_GID, gid) != ID_INVALID);
}

bool ns_capable(const struct user_namespace *ns, int cap)
{
    return cred_ns_capable(current_cred(), ns, cap);
}

/* ---- ids ---- */

uint32_t id_from_ns(const struct user_namespace *ns, enum id_kind kind, uint32_t id)
{
    if (LIKELY(ns == &root_user_ns))
        return id;
    const struct id_map *map = ns->maps[kind];
    for (unsigned i = 0; map && i < map->count; i++)
        if (id >= map->extents[i].first && id - map->extents[i].first < map->extents[i].count)
            return id - map->extents[i].first + map->extents[i].lower;
    return ID_INVALID;
}

uint32_t id_to_ns(const struct user_namespace *ns, enum id_kind kind, uint32_t kid)
{
    if (LIKELY(ns == &root_user_ns))
        return kid;
    const struct id_map *map = ns->maps[kind];
    for (unsigned i = 0; map && i < map->count; i++)
        if (kid >= map->extents[i].lower && kid - map->extents[i].lower < map->extents[i].count)
            return kid - map->extents[i].lower + map->extents[i].first;
    return ID_INVALID;
}

uint32_t id_to_ns_munged(const struct user_namespace *ns, enum id_kind kind, uint32_t kid)
{
    uint32_t id = id_to_ns(ns, kind, kid);
    return id == ID_INVALID ? OVERFLOW_ID : id;
}

bool setgroups_allowed(struct user_namespace *ns)
{
    return ns == &root_user_ns || (ns->maps[ID_GID] && !ns->setgroups_denied);
}

/* ---- making and entering ---- */

static struct user_namespace *alloc(struct user_namespace *parent)
{
    struct user_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return NULL;
    ns_init(&ns->common, &user_ns_kind, parent);
    spin_init(&ns->lock);
    ns->parent = parent;
    ns->level = parent->level + 1;
    ns->setgroups_denied = parent->setgroups_denied;
    return ns;
}

/* A chroot would be undone by what root of a new namespace may do. */
static bool in_chroot(void)
{
    struct fs_context *fs = current_fs();
    struct path root, top;
    if (!fs)
        return false;
    fs_get_root(fs, &root);
    mount_namespace_root(fs->ns, &top);
    bool differs = !path_equal(&root, &top);
    path_put(&root);
    path_put(&top);
    return differs;
}

int user_namespace_enter(const struct cred *c, struct user_namespace *ns, struct cred **ret)
{
    struct cred *fresh;
    int err = cred_copy(c, &fresh);
    if (err)
        return err;
    user_namespace_put(fresh->user_ns);
    fresh->user_ns = user_namespace_get(ns);
    fresh->securebits = 0;
    fresh->cap_inheritable = fresh->cap_ambient = 0;
    fresh->cap_permitted = fresh->cap_effective = fresh->cap_bounding = ALL_CAPS;
    *ret = fresh;
    return 0;
}

int user_namespace_enter_new(const struct cred *c, struct cred **ret)
{
    struct user_namespace *parent = c->user_ns;
    if (parent->level >= USER_NS_DEPTH)
        return -ENOSPC;
    if (in_chroot())
        return -EPERM;
    if (id_to_ns(parent, ID_UID, c->euid) == ID_INVALID || id_to_ns(parent, ID_GID, c->egid) == ID_INVALID)
        return -EPERM;
    struct user_namespace *ns = alloc(parent);
    if (!ns)
        return -ENOMEM;
    ns->owner_uid = c->euid;
    ns->owner_gid = c->egid;
    ns->parent_could_setfcap = c->cap_effective >> CAP_SETFCAP & 1;
    int err = user_namespace_enter(c, ns, ret);
    user_namespace_put(ns);
    return err;
}

/* Ids of the parent's become the root's; -EPERM if the parent does not have them all. */
static int set_map(struct user_namespace *ns, enum id_kind kind, const struct id_extent *e, unsigned n)
{
    struct id_map *map = calloc(1, sizeof(*map) + n * sizeof(*e));
    if (!map)
        return -ENOMEM;
    map->count = n;
    for (unsigned i = 0; i < n; i++) {
        map->extents[i] = e[i];
        map->extents[i].lower = id_from_ns(ns->parent, kind, e[i].lower);
        if (map->extents[i].lower == ID_INVALID) {
            free(map);
            return -EPERM;
        }
    }
    ns->maps[kind] = map;
    return 0;
}

int user_namespace_new_mapped(struct user_namespace *parent, const struct id_extent *uids, unsigned uid_count,
                              const struct id_extent *gids, unsigned gid_count, struct user_namespace **ret)
{
    struct user_namespace *ns = alloc(parent);
    if (!ns)
        return -ENOMEM;
    int err = set_map(ns, ID_UID, uids, uid_count);
    if (!err)
        err = set_map(ns, ID_GID, gids, gid_count);
    if (err)
        user_namespace_put(ns);
    else
        *ret = ns;
    return err;
}

static void user_ns_free(struct ns_common *common)
{
    struct user_namespace *ns = container_of(common, struct user_namespace, common);
    for (int kind = 0; kind < ID_KINDS; kind++)
        free((void *)ns->maps[kind]);
    free(ns);
}

static struct ns_common *user_ns_parent(struct ns_common *common)
{
    struct user_namespace *parent = container_of(common, struct user_namespace, common)->parent;
    return parent ? &parent->common : NULL;
}

const struct ns_kind user_ns_kind = {
    .name = "user",
    .flag = CLONE_NEWUSER,
    .slot = NS_NO_SLOT,
    .free = user_ns_free,
    .parent = user_ns_parent,
};
