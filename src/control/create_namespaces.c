/* The namespaces of a new container: the sandbox's, another container's, or its own. */
#include "base/cleanup.h"
#include "control/create.h"
#include "kernel/cgroup.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/user_namespace.h"
#include <sched.h>
#include <string.h>

static const struct {
    enum ns_slot slot;
    uint64_t flag;
    const char *name;
} kinds[CREATE_NS_COUNT] = {
    [CREATE_NS_PID] = {NS_SLOT_PID_FOR_CHILDREN, CLONE_NEWPID, "pid"},
    [CREATE_NS_UTS] = {NS_SLOT_UTS, CLONE_NEWUTS, "uts"},
    [CREATE_NS_IPC] = {NS_SLOT_IPC, CLONE_NEWIPC, "ipc"},
    [CREATE_NS_NET] = {NS_SLOT_NET, CLONE_NEWNET, "net"},
    [CREATE_NS_USER] = {NS_NO_SLOT, CLONE_NEWUSER, "user"},
    [CREATE_NS_CGROUP] = {NS_SLOT_CGROUP, CLONE_NEWCGROUP, "cgroup"},
};

static int share_one(struct container *c, unsigned i, const struct container *other)
{
    if (i == CREATE_NS_USER) {
        c->user_ns = other->user_ns ? user_namespace_get(other->user_ns) : NULL;
        return 0;
    }
    struct ns_common **mine = &c->ns.all[kinds[i].slot], *its = other->ns.all[kinds[i].slot];
    if (!its)
        return -EINVAL;
    ns_put(*mine);
    *mine = ns_get(its);
    return 0;
}

static int share(struct request *r, const struct create_spec *s, struct container *c)
{
    for (unsigned i = 0; i < CREATE_NS_COUNT; i++) {
        if (s->ns_source[i] != NS_OF_CONTAINER)
            continue;
        struct unit *other = unit_find(s->ns_container[i]);
        int err = other ? share_one(c, i, other->container) : -ENOENT;
        unit_put(other);
        if (err)
            return request_fail(r, err, "%s namespace: there is no container '%.200s'", kinds[i].name,
                                s->ns_container[i]);
    }
    return 0;
}

static struct id_extent *extents(const struct create_id_map *map)
{
    struct id_extent *list = calloc(map->count + 1, sizeof *list);
    for (unsigned i = 0; list && i < map->count; i++)
        list[i] = (struct id_extent){map->extents[i][0], map->extents[i][1], map->extents[i][2]};
    return list;
}

static int new_user_ns(struct request *r, const struct create_spec *s, struct container *c)
{
    CLEANUP_FREE struct id_extent *uids = extents(&s->uid_map), *gids = extents(&s->gid_map);
    if (!uids || !gids)
        return -ENOMEM;
    int err = user_namespace_new_mapped(&root_user_ns, uids, s->uid_map.count, gids, s->gid_map.count, &c->user_ns);
    return err ? request_fail(r, err, "uid_mappings or gid_mappings: %s", strerror(-err)) : 0;
}

static int set_names(const struct create_spec *s, struct container *c)
{
    struct uts_namespace *uts = c->ns.uts;
    spin_lock(&uts->lock);
    if (s->hostname)
        strcpy(uts->nodename, s->hostname);
    if (s->domainname)
        strcpy(uts->domainname, s->domainname);
    spin_unlock(&uts->lock);
    return 0;
}

int create_namespaces(struct request *r, const struct create_spec *s, struct container *c)
{
    uint64_t fresh = 0;
    ns_set_first(&c->ns);
    int err = share(r, s, c);
    if (!err && s->ns_source[CREATE_NS_USER] == NS_NEW)
        err = new_user_ns(r, s, c);
    if (err)
        return err;
    for (unsigned i = 0; i < CREATE_NS_COUNT; i++) {
        if (s->ns_source[i] != NS_NEW || i == CREATE_NS_USER)
            continue;
        if (!(ns_flags_known() & kinds[i].flag))
            return request_fail(r, -EOPNOTSUPP, "there are no %s namespaces", kinds[i].name);
        fresh |= kinds[i].flag;
    }
    err = ns_set_renew(&c->ns, fresh, c->user_ns ? c->user_ns : &root_user_ns);
    if (err)
        return err;
    if (fresh & CLONE_NEWCGROUP && c->cgroup) {
        cgroup_put(c->ns.cgroup->root);
        c->ns.cgroup->root = cgroup_get(c->cgroup);
    }
    if (fresh & CLONE_NEWPID)
        container_pid_ns(c)->reusable = true;
    if (!(fresh & CLONE_NEWUTS) && (s->hostname || s->domainname) && s->ns_source[CREATE_NS_UTS] == NS_OF_CONTAINER)
        return request_fail(r, -EINVAL, "hostname: the uts namespace is another container's");
    return set_names(s, c);
}
