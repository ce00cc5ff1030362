/* UTS namespaces (host and domain name). IPC and network namespaces live with their subsystems. */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "sched/spinlock.h"

#define UTS_NAME_LEN 64

struct uts_namespace {
    struct refcount ref;
    struct spinlock lock;
    char nodename[UTS_NAME_LEN + 1], domainname[UTS_NAME_LEN + 1]; /* [lock] */
    uint64_t id; /* [I] inode of /proc/PID/ns/uts */
};

#define PICKET_RELEASE "6.12.0-picket"
#define PICKET_VERSION "#1 SMP PREEMPT_DYNAMIC Picket"

NODISCARD int uts_namespace_new(const char *nodename, struct uts_namespace **ret);
NODISCARD int uts_namespace_copy(struct uts_namespace *from, struct uts_namespace **ret);
struct uts_namespace *uts_namespace_get(struct uts_namespace *ns);
void uts_namespace_put(struct uts_namespace *ns);
/* Inode numbers for namespaces, unique in the sandbox. */
uint64_t namespace_new_id(void);
