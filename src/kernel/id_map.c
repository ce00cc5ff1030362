/* The maps of a user namespace as /proc/PID/uid_map, gid_map, projid_map and setgroups show and
 * take them. The order of the checks, and so of the errors, is Linux's. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <ctype.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

static const int set_id_cap[ID_KINDS] = {[ID_UID] = CAP_SETUID, [ID_GID] = CAP_SETGID, [ID_PROJID] = -1};

/* ---- the text ---- */

/* One number; the rest of the line goes on at *at. */
static bool parse_number(char **at, uint32_t *ret)
{
    char *end;
    while (isspace((unsigned char)**at))
        (*at)++;
    if (!isdigit((unsigned char)**at))
        return false;
    unsigned long n = strtoul(*at, &end, 10);
    *at = end;
    *ret = (uint32_t)n;
    return n <= UINT32_MAX && (!*end || isspace((unsigned char)*end));
}

static bool overlaps(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
    return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static bool extent_fits(const struct id_map *map, const struct id_extent *e)
{
    if (e->first == ID_INVALID || e->lower == ID_INVALID || !e->count)
        return false;
    if ((uint64_t)e->first + e->count > UINT32_MAX || (uint64_t)e->lower + e->count > UINT32_MAX)
        return false;
    for (unsigned i = 0; i < map->count; i++) {
        const struct id_extent *other = &map->extents[i];
        if (overlaps(e->first, e->count, other->first, other->count) ||
            overlaps(e->lower, e->count, other->lower, other->count))
            return false;
    }
    return true;
}

static int parse_map(char *text, struct id_map *map)
{
    for (char *line = text, *next; line; line = next) {
        struct id_extent e;
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
            next = *next ? next : NULL;
        }
        if (!parse_number(&line, &e.first) || !parse_number(&line, &e.lower) || !parse_number(&line, &e.count))
            return -EINVAL;
        if (line[strspn(line, " \t\r\v\f")] || map->count == ID_EXTENTS_MAX || !extent_fits(map, &e))
            return -EINVAL;
        map->extents[map->count++] = e;
    }
    return map->count ? 0 : -EINVAL;
}

/* ---- who may write what ---- */

/* Whoever maps the parent's root could make files with capabilities for it. */
static bool may_map_root(const struct user_namespace *ns, const struct id_map *map, const struct cred *opener)
{
    unsigned i = 0;
    while (i < map->count && map->extents[i].lower != 0)
        i++;
    if (i == map->count)
        return true;
    if (opener->user_ns == ns)
        return ns->parent_could_setfcap;
    return cred_ns_capable(opener, ns->parent, CAP_SETFCAP);
}

/* The one map that needs no privilege: oneself, by one's own hand. */
static bool maps_only_self(struct user_namespace *ns, enum id_kind kind, const struct id_map *map,
                           const struct cred *opener)
{
    if (map->count != 1 || map->extents[0].count != 1 || ns->owner_uid != opener->euid)
        return false;
    uint32_t id = id_from_ns(ns->parent, kind, map->extents[0].lower);
    if (kind == ID_UID)
        return id == opener->euid;
    return kind == ID_GID && ns->setgroups_denied && id == opener->egid;
}

static bool may_write(struct user_namespace *ns, enum id_kind kind, const struct id_map *map,
                      const struct cred *opener)
{
    int cap = set_id_cap[kind];
    if (kind == ID_UID && !may_map_root(ns, map, opener))
        return false;
    if (maps_only_self(ns, kind, map, opener) || cap < 0)
        return true;
    return ns_capable(ns->parent, cap) && cred_ns_capable(opener, ns->parent, cap);
}

/* The lower ids become the root namespace's. Each range must lie in one of the parent's. */
static int resolve(const struct user_namespace *parent, enum id_kind kind, struct id_map *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        struct id_extent *e = &map->extents[i];
        uint32_t first = id_from_ns(parent, kind, e->lower);
        uint32_t last = id_from_ns(parent, kind, e->lower + (e->count - 1));
        if (first == ID_INVALID || last == ID_INVALID || last - first != e->count - 1)
            return -EPERM;
        e->lower = first;
    }
    return 0;
}

int id_map_write(struct user_namespace *ns, enum id_kind kind, const struct cred *opener, char *text)
{
    if (!ns->parent || (opener->user_ns != ns && opener->user_ns != ns->parent) || ns->maps[kind])
        return -EPERM;
    if (set_id_cap[kind] >= 0 && !cred_ns_capable(opener, ns, CAP_SYS_ADMIN))
        return -EPERM;
    CLEANUP_FREE struct id_map *map =
        calloc(1, sizeof(*map) + ID_EXTENTS_MAX * sizeof(map->extents[0]));
    if (!map)
        return -ENOMEM;
    int err = parse_map(text, map);
    if (!err && !may_write(ns, kind, map, opener))
        err = -EPERM;
    if (!err)
        err = resolve(ns->parent, kind, map);
    if (err)
        return err;
    spin_lock(&ns->lock);
    if (ns->maps[kind])
        err = -EPERM;
    else
        ns->maps[kind] = TAKE_PTR(map);
    spin_unlock(&ns->lock);
    if (!err)
        tasks_publish_ids(ns);
    return err;
}

void id_map_show(struct user_namespace *ns, enum id_kind kind, const struct user_namespace *viewer, struct strbuf *out)
{
    static const struct id_map identity = {.count = 0};
    const struct id_map *map = ns->maps[kind] ? ns->maps[kind] : &identity;
    if (ns == &root_user_ns)
        strbuf_printf(out, "%10u %10u %10u\n", 0, id_to_ns(viewer, kind, 0), UINT32_MAX);
    if (viewer == ns && ns->parent)
        viewer = ns->parent;
    for (unsigned i = 0; i < map->count; i++)
        strbuf_printf(out, "%10u %10u %10u\n", map->extents[i].first, id_to_ns(viewer, kind, map->extents[i].lower),
                      map->extents[i].count);
}

int setgroups_write(struct user_namespace *ns, const char *text, size_t len)
{
    bool allow = !strncmp(text, "allow", 5);
    size_t word = allow ? 5 : 4;
    if (len > 7 || (!allow && strncmp(text, "deny", 4)) || text[word + strspn(text + word, " \t\n\r\v\f")])
        return -EINVAL;
    spin_lock(&ns->lock);
    int err = allow ? (ns->setgroups_denied ? -EPERM : 0) : ns->maps[ID_GID] || ns == &root_user_ns ? -EPERM : 0;
    if (!err)
        ns->setgroups_denied = !allow;
    spin_unlock(&ns->lock);
    return err;
}
