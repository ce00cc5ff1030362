/* What namespaces have in common: their kinds, a task's set of them; and UTS namespaces. */
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/task_private.h"
#include "kernel/user_namespace.h"
#include "vfs/mount.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX 8
static const struct ns_kind *kinds[KINDS_MAX]; /* filled at boot, then constant */
static struct ns_common *firsts[KINDS_MAX];
static unsigned kind_count;

void ns_kind_register(const struct ns_kind *kind, struct ns_common *first)
{
    assert_always(kind_count < KINDS_MAX && !ns_kind_by_flag(kind->flag));
    kinds[kind_count] = kind;
    firsts[kind_count++] = first;
}

const struct ns_kind *ns_kind_by_flag(uint64_t flag)
{
    for (unsigned i = 0; i < kind_count; i++)
        if (kinds[i]->flag == flag)
            return kinds[i];
    return NULL;
}

uint64_t ns_flags_known(void)
{
    uint64_t flags = 0;
    for (unsigned i = 0; i < kind_count; i++)
        flags |= kinds[i]->copy || kinds[i]->slot == NS_NO_SLOT ? kinds[i]->flag : 0;
    return flags;
}

/* ---- life ---- */

void ns_init(struct ns_common *ns, const struct ns_kind *kind, struct user_namespace *owner)
{
    static _Atomic uint64_t next = 0xf0000000; /* where Linux's inode numbers of namespaces lie */
    refcount_init(&ns->ref);
    ns->id = atomic_fetch_add(&next, 1);
    ns->kind = kind;
    ns->owner = user_namespace_get(owner);
}

struct ns_common *ns_get(struct ns_common *ns)
{
    refcount_get(&ns->ref);
    return ns;
}

/* An owner that goes with its last namespace has an owner in turn: a loop, for stacks are small. */
void ns_put(struct ns_common *ns)
{
    while (ns && refcount_put(&ns->ref)) {
        struct ns_common *owner = &ns->owner->common;
        ns->kind->free(ns);
        ns = owner;
    }
}

/* ---- sets ---- */

void ns_set_first(struct ns_set *set)
{
    for (unsigned i = 0; i < kind_count; i++) {
        enum ns_slot slot = kinds[i]->slot;
        if (slot != NS_NO_SLOT && firsts[i] && !set->all[slot])
            set->all[slot] = ns_get(firsts[i]);
    }
    if (!set->time && set->time_for_children)
        set->all[NS_SLOT_TIME] = ns_get(set->all[NS_SLOT_TIME_FOR_CHILDREN]);
}

void ns_set_copy(struct ns_set *to, const struct ns_set *from)
{
    for (unsigned i = 0; i < NS_SLOTS; i++)
        to->all[i] = from->all[i] ? ns_get(from->all[i]) : NULL;
}

void ns_set_put(struct ns_set *set)
{
    for (unsigned i = 0; i < NS_SLOTS; i++)
        ns_put(set->all[i]);
}

int ns_set_renew(struct ns_set *set, uint64_t flags, struct user_namespace *owner)
{
    for (unsigned i = 0; i < kind_count; i++) {
        const struct ns_kind *kind = kinds[i];
        if (!(flags & kind->flag) || kind->slot == NS_NO_SLOT)
            continue;
        struct ns_common *fresh, *old = set->all[kind->slot];
        int err = kind->copy(old, owner, &fresh);
        if (err)
            return err;
        set->all[kind->slot] = fresh;
        ns_put(old);
    }
    return 0;
}

/* ---- UTS ---- */

static const struct ns_kind uts_kind;

struct uts_namespace root_uts_ns = {
    .common = NS_COMMON_INIT(&uts_kind, NS_ID_UTS),
    .lock = SPINLOCK_INIT,
    .nodename = "picket",
    .domainname = "(none)",
};

static int uts_alloc(struct user_namespace *owner, struct uts_namespace **ret)
{
    struct uts_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    ns_init(&ns->common, &uts_kind, owner);
    spin_init(&ns->lock);
    *ret = ns;
    return 0;
}

int uts_namespace_new(const char *nodename, struct uts_namespace **ret)
{
    struct uts_namespace *ns;
    int err = uts_alloc(&root_user_ns, &ns);
    if (err)
        return err;
    strncpy(ns->nodename, nodename, UTS_NAME_LEN);
    strcpy(ns->domainname, "(none)");
    *ret = ns;
    return 0;
}

static int uts_copy(struct ns_common *common, struct user_namespace *owner, struct ns_common **ret)
{
    struct uts_namespace *ns, *from = container_of(common, struct uts_namespace, common);
    int err = uts_alloc(owner, &ns);
    if (err)
        return err;
    spin_lock(&from->lock);
    memcpy(ns->nodename, from->nodename, sizeof(ns->nodename));
    memcpy(ns->domainname, from->domainname, sizeof(ns->domainname));
    spin_unlock(&from->lock);
    *ret = &ns->common;
    return 0;
}

static void uts_free(struct ns_common *ns)
{
    free(container_of(ns, struct uts_namespace, common));
}

struct uts_namespace *uts_namespace_get(struct uts_namespace *ns)
{
    ns_get(&ns->common);
    return ns;
}

void uts_namespace_put(struct uts_namespace *ns)
{
    ns_put(ns ? &ns->common : NULL);
}

static const struct ns_kind uts_kind = {
    .name = "uts",
    .flag = CLONE_NEWUTS,
    .slot = NS_SLOT_UTS,
    .copy = uts_copy,
    .free = uts_free,
};

/* Kinds that nobody has made known have one namespace, and cannot be had anew. */
static const struct ns_kind lone_kinds[] = {
    {.name = "ipc", .flag = CLONE_NEWIPC, .slot = NS_SLOT_IPC},
    {.name = "net", .flag = CLONE_NEWNET, .slot = NS_SLOT_NET},
    {.name = "cgroup", .flag = CLONE_NEWCGROUP, .slot = NS_SLOT_CGROUP},
    {.name = "time", .flag = 0x80 /* CLONE_NEWTIME */, .slot = NS_SLOT_TIME_FOR_CHILDREN},
};

static struct ns_common lone_namespaces[] = {
    NS_COMMON_INIT(&lone_kinds[0], NS_ID_IPC),
    NS_COMMON_INIT(&lone_kinds[1], NS_ID_NET),
    NS_COMMON_INIT(&lone_kinds[2], NS_ID_CGROUP),
    NS_COMMON_INIT(&lone_kinds[3], NS_ID_TIME),
};

void namespaces_init(void)
{
    ns_kind_register(&user_ns_kind, NULL);
    ns_kind_register(&mount_ns_kind, NULL);
    ns_kind_register(&uts_kind, &root_uts_ns.common);
    ns_kind_register(&pid_ns_kind, &root_pid_ns.common);
    for (size_t i = 0; i < ARRAY_SIZE(lone_kinds); i++)
        if (!ns_kind_by_flag(lone_kinds[i].flag))
            ns_kind_register(&lone_kinds[i], &lone_namespaces[i]);
}
