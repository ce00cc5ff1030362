/*
 * IPC namespaces: each has System V shared memory segments, semaphore sets and message queues of its own, limits for
 * them, and POSIX message queues (ipc_namespaces(7)).
 *
 * References: every task of the namespace (task->ns.ipc), whoever looks at it by name (nsfs), mounts of its mqueue
 * file system. When the last goes, everything in it is destroyed; segments that are still mapped live on without a
 * name until they are unmapped.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "ipc/object.h"
#include "kernel/namespaces.h"

struct mount;

struct ipc_namespace {
    struct ns_common common;
    struct ipc_ids ids[IPC_KIND_COUNT];

    /* /proc/sys/kernel/{shm*,sem,msg*} */
    _Atomic uint64_t shmmax, shmall; /* bytes, pages */
    _Atomic uint64_t shm_pages;      /* of all segments */
    _Atomic unsigned shmmni;
    _Atomic unsigned semmsl, semmns, semopm, semmni;
    _Atomic unsigned sem_total; /* of all sets */
    _Atomic unsigned msgmax, msgmnb, msgmni;
    _Atomic uint64_t msg_bytes, msg_count; /* in all queues */

    /* POSIX message queues; /proc/sys/fs/mqueue */
    struct mutex mq_lock;
    struct mount *mq_mount; /* [mq_lock] reference, made at first use: where mq_open looks names up */
    _Atomic unsigned mq_queues_max, mq_msg_max, mq_msgsize_max, mq_msg_default, mq_msgsize_default;
    _Atomic unsigned mq_count;
};

NODISCARD int ipc_init(void); /* at boot: the first one */
/* owner: whose capabilities rule it. */
NODISCARD int ipc_namespace_new(struct user_namespace *owner, struct ipc_namespace **ret);
struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns);
void ipc_namespace_put(struct ipc_namespace *ns); /* NULL is fine; from a fiber */

/* Of the running task, at boot the first one; borrowed. */
struct ipc_namespace *current_ipc_ns(void);
