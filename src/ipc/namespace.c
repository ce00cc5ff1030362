/* The life of IPC namespaces, and what a fresh one starts with: the limits of Linux. */
#include "ipc/namespace.h"
#include "ipc/mqueue.h"
#include "ipc/sysv.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <sched.h>
#include <stdlib.h>

static void init_limits(struct ipc_namespace *ns)
{
    ns->shmmax = ns->shmall = UINT64_MAX - (1UL << 24);
    ns->shmmni = 4096;
    ns->semmsl = ns->semmni = 32000;
    ns->semmns = 32000 * 32000;
    ns->semopm = 500;
    ns->msgmax = 8192;
    ns->msgmnb = 16384;
    ns->msgmni = 32000;
    ns->mq_queues_max = 256;
    ns->mq_msg_max = ns->mq_msg_default = 10;
    ns->mq_msgsize_max = ns->mq_msgsize_default = 8192;
}

static const struct ns_kind ipc_ns_kind;
static struct ipc_namespace *initial; /* set once, at boot */

int ipc_namespace_new(struct user_namespace *owner, struct ipc_namespace **ret)
{
    struct ipc_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    ns_init(&ns->common, &ipc_ns_kind, owner);
    for (int kind = 0; kind < IPC_KIND_COUNT; kind++)
        ipc_ids_init(&ns->ids[kind]);
    mutex_init(&ns->mq_lock);
    init_limits(ns);
    *ret = ns;
    return 0;
}

struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns)
{
    ns_get(&ns->common);
    return ns;
}

void ipc_namespace_put(struct ipc_namespace *ns)
{
    ns_put(ns ? &ns->common : NULL);
}

static void ipc_ns_free(struct ns_common *common)
{
    struct ipc_namespace *ns = container_of(common, struct ipc_namespace, common);
    mqueue_namespace_end(ns);
    ipc_destroy_all(ns, IPC_SHM, shm_destroy_locked);
    ipc_destroy_all(ns, IPC_SEM, sem_destroy_locked);
    ipc_destroy_all(ns, IPC_MSG, msg_destroy_locked);
    free(ns);
}

struct ipc_namespace *current_ipc_ns(void)
{
    return current ? current->ns.ipc : initial;
}

/* Nothing but the limits of a fresh one: what the old one holds stays there. */
static int ipc_ns_copy(struct ns_common *from, struct user_namespace *owner, struct ns_common **ret)
{
    struct ipc_namespace *ns;
    int err = ipc_namespace_new(owner, &ns);
    if (!err)
        *ret = &ns->common;
    return err;
}

static const struct ns_kind ipc_ns_kind = {
    .name = "ipc",
    .flag = CLONE_NEWIPC,
    .slot = NS_SLOT_IPC,
    .copy = ipc_ns_copy,
    .free = ipc_ns_free,
};

int ipc_init(void)
{
    int err = ipc_namespace_new(&root_user_ns, &initial);
    if (!err)
        ns_kind_register(&ipc_ns_kind, &initial->common);
    return err;
}
