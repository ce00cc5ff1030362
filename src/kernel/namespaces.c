/* UTS namespaces, and the numbers by which namespaces of every kind are told apart. */
#include "kernel/namespaces.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

uint64_t namespace_new_id(void)
{
    static _Atomic uint64_t next = 0xf0000000; /* where Linux's inode numbers of namespaces lie */
    return atomic_fetch_add(&next, 1);
}

int uts_namespace_new(const char *nodename, struct uts_namespace **ret)
{
    struct uts_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref);
    spin_init(&ns->lock);
    ns->id = namespace_new_id();
    strncpy(ns->nodename, nodename, UTS_NAME_LEN);
    strcpy(ns->domainname, "(none)");
    *ret = ns;
    return 0;
}

int uts_namespace_copy(struct uts_namespace *from, struct uts_namespace **ret)
{
    struct uts_namespace *ns;
    int err = uts_namespace_new("", &ns);
    if (err)
        return err;
    spin_lock(&from->lock);
    memcpy(ns->nodename, from->nodename, sizeof(ns->nodename));
    memcpy(ns->domainname, from->domainname, sizeof(ns->domainname));
    spin_unlock(&from->lock);
    *ret = ns;
    return 0;
}

struct uts_namespace *uts_namespace_get(struct uts_namespace *ns)
{
    refcount_get(&ns->ref);
    return ns;
}

void uts_namespace_put(struct uts_namespace *ns)
{
    if (ns && refcount_put(&ns->ref))
        free(ns);
}
