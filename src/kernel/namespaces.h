/* UTS namespaces (host and domain name). IPC and network namespaces live with their subsystems;
 * what tasks do with them is declared here. */
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

/* Network namespaces: net/netns.h. A new one has a loopback interface that is down. `owner`: the
 * user namespace whose capabilities rule it; borrowed, NULL for the sandbox's first. */
struct net_namespace;
struct user_namespace;
NODISCARD int net_namespace_new(struct user_namespace *owner, struct net_namespace **ret);
struct net_namespace *net_namespace_get(struct net_namespace *ns);
void net_namespace_put(struct net_namespace *ns); /* NULL is fine */
uint64_t net_namespace_id(const struct net_namespace *ns); /* inode of /proc/PID/ns/net */
struct user_namespace *net_namespace_owner(const struct net_namespace *ns); /* borrowed */
struct net_namespace *net_namespace_first(void); /* the sandbox's first: a reference */
