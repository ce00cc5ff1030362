/*
 * Network namespaces: life and look-ups. See netns.h; what changes them is in config/.
 */
#include "net/netns.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include "net/config/config.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const struct netns_part_ops *part_ops[NETNS_PARTS]; /* filled at boot */
static const struct ns_kind net_ns_kind;
static struct list all = LIST_INIT(all);                     /* [config] */
static struct net_namespace *first;                        /* a reference for good */

void netns_part_register(enum netns_part part, const struct netns_part_ops *ops)
{
    assert_always(!first);
    part_ops[part] = ops;
}

static int create_parts(struct net_namespace *ns)
{
    for (unsigned p = 0; p < NETNS_PARTS; p++) {
        int err = part_ops[p] ? part_ops[p]->create(ns, &ns->parts[p]) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- numbers of others ---- */

void netns_list_add(struct net_namespace *ns)
{
    list_add_tail(&all, &ns->all_link);
}

static void forget(struct net_namespace *ns)
{
    struct net_namespace *other;
    MUTEX_GUARD(&netcfg_lock);
    list_del(&ns->all_link);
    list_for_each(other, &all, all_link)
        for (unsigned n = 0; n < other->peer_count; n++)
            if (other->peer_cookies[n] == ns->cookie)
                other->peer_cookies[n] = 0;
}

int netns_number(struct net_namespace *ns, const struct net_namespace *other)
{
    unsigned place = ns->peer_count;
    if (ns == other)
        return -1;
    for (unsigned n = ns->peer_count; n-- > 0;) {
        if (ns->peer_cookies[n] == other->cookie)
            return (int)n;
        if (!ns->peer_cookies[n])
            place = n;
    }
    if (place == ns->peer_count) {
        uint64_t *more = realloc(ns->peer_cookies, (place + 1) * sizeof(*more));
        if (!more)
            return -1;
        ns->peer_cookies = more;
        ns->peer_count++;
    }
    ns->peer_cookies[place] = other->cookie;
    return (int)place;
}

/* ---- life ---- */

static void netns_free(struct net_namespace *ns)
{
    for (unsigned p = NETNS_PARTS; p-- > 0;)
        if (ns->parts[p])
            part_ops[p]->destroy(ns->parts[p]);
    netcfg_clear(ns);
    forget(ns);
    free(ns->peer_cookies);
    free(ns);
}

int net_namespace_new(struct user_namespace *owner, struct net_namespace **ret)
{
    static _Atomic uint64_t cookies = 1;
    struct net_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    ns_init(&ns->common, &net_ns_kind, owner);
    ns->cookie = cookies++;
    list_init(&ns->interfaces);
    list_init(&ns->sockets);
    list_init(&ns->routes);
    list_init(&ns->rules);
    list_init(&ns->neighbours);
    ns->next_index = NET_LOOPBACK_INDEX;
    net_sysctls_init(&ns->sysctl);
    net_conf4_init(&ns->conf4_all, true);
    net_conf4_init(&ns->conf4_default, false);
    net_conf6_init(&ns->conf6_all, true);
    net_conf6_init(&ns->conf6_default, false);
    list_init(&ns->all_link);
    int err = netcfg_build(ns);
    if (err >= 0)
        err = create_parts(ns);
    if (err < 0) {
        net_namespace_put(ns);
        return err;
    }
    *ret = ns;
    return 0;
}

struct net_namespace *net_namespace_get(struct net_namespace *ns)
{
    ns_get(&ns->common);
    return ns;
}

void net_namespace_put(struct net_namespace *ns)
{
    ns_put(ns ? &ns->common : NULL);
}

/* Nothing is taken over from the one it is made in. */
static int net_ns_copy(struct ns_common *from, struct user_namespace *owner, struct ns_common **ret)
{
    struct net_namespace *ns;
    int err = net_namespace_new(owner, &ns);
    if (!err)
        *ret = &ns->common;
    return err;
}

static void net_ns_free(struct ns_common *common)
{
    netns_free(container_of(common, struct net_namespace, common));
}

bool netns_capable(struct net_namespace *ns, int capability)
{
    return ns_capable(ns->common.owner, capability);
}

static const struct ns_kind net_ns_kind = {
    .name = "net",
    .flag = CLONE_NEWNET,
    .slot = NS_SLOT_NET,
    .copy = net_ns_copy,
    .free = net_ns_free,
};

int netns_init(void)
{
    struct net_namespace *ns;
    int err = net_namespace_new(&root_user_ns, &ns);
    if (err < 0)
        return err;
    ns->first = true;
    mutex_lock(&netcfg_lock);
    err = netcfg_link_up(netns_interface(ns, NET_LOOPBACK_INDEX), true);
    mutex_unlock(&netcfg_lock);
    first = ns;
    ns_kind_register(&net_ns_kind, &ns->common);
    return err;
}

struct net_namespace *netns_first(void)
{
    return first;
}

struct net_namespace *current_netns(void)
{
    struct task *t = current;
    return t && t->ns.net ? t->ns.net : first;
}

/* ---- look-ups ---- */

struct net_interface *netns_interface(struct net_namespace *ns, int index)
{
    struct net_interface *i;
    list_for_each(i, &ns->interfaces, link)
        if (i->index == index)
            return i;
    return NULL;
}

struct net_interface *netns_interface_named(struct net_namespace *ns, const char *name)
{
    struct net_interface *i;
    list_for_each(i, &ns->interfaces, link)
        if (strcmp(i->name, name) == 0)
            return i;
    return NULL;
}

int netns_interface_index(struct net_namespace *ns, const char *name, int *ret)
{
    spin_lock(&ns->lock);
    struct net_interface *i = netns_interface_named(ns, name);
    if (i)
        *ret = i->index;
    spin_unlock(&ns->lock);
    return i ? 0 : -ENODEV;
}

int netns_interface_name(struct net_namespace *ns, int index, char ret[NET_NAME_LEN])
{
    spin_lock(&ns->lock);
    struct net_interface *i = netns_interface(ns, index);
    if (i)
        memcpy(ret, i->name, NET_NAME_LEN);
    spin_unlock(&ns->lock);
    return i ? 0 : -ENODEV;
}

void netns_count_loopback(struct net_namespace *ns, size_t bytes)
{
    /* The loopback interface is the first on the list for as long as the namespace lives. */
    struct net_interface *lo = list_entry(ns->interfaces.next, struct net_interface, link);
    atomic_fetch_add_explicit(&lo->counters.rx_packets, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&lo->counters.tx_packets, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&lo->counters.rx_bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&lo->counters.tx_bytes, bytes, memory_order_relaxed);
}
