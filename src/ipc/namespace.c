/* The life of IPC namespaces, and what a fresh one starts with: the limits of Linux. */
#include "ipc/namespace.h"
#include "ipc/sysv.h"
#include "kernel/namespaces.h"
#include "kernel/task.h"
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

int ipc_namespace_new(struct ipc_namespace **ret)
{
    struct ipc_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref);
    ns->id = namespace_new_id();
    for (int kind = 0; kind < IPC_KIND_COUNT; kind++)
        ipc_ids_init(&ns->ids[kind]);
    mutex_init(&ns->mq_lock);
    init_limits(ns);
    *ret = ns;
    return 0;
}

struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns)
{
    refcount_get(&ns->ref);
    return ns;
}

void ipc_namespace_put(struct ipc_namespace *ns)
{
    if (!ns || !refcount_put(&ns->ref))
        return;
    ipc_destroy_all(ns, IPC_SHM, shm_destroy_locked);
    ipc_destroy_all(ns, IPC_SEM, sem_destroy_locked);
    ipc_destroy_all(ns, IPC_MSG, msg_destroy_locked);
    free(ns);
}

struct ipc_namespace *current_ipc_ns(void)
{
    return current->ns.ipc;
}
