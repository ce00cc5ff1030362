/*
 * Namespaces of every kind: what they have in common, how a kind is made known, and UTS namespaces.
 *
 * A namespace is a struct that begins with a struct ns_common. Its kind says how one is copied for
 * CLONE_NEW..., freed, and joined by setns(2). IPC and network namespaces live with their
 * subsystems, which make their kind known at boot with ns_kind_register(), before the first
 * process. Tasks, /proc/PID/ns files (kernel/nsfs.h) and what belongs to a namespace hold
 * references.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "sched/spinlock.h"

struct cred;
struct ns_common;
struct ipc_namespace; /* ipc/ */
struct net_namespace; /* net/netns.h */
struct ns_set;
struct task;
struct user_namespace;

/* Where a task's namespace of a kind is in its struct ns_set. */
enum ns_slot {
    NS_SLOT_UTS,
    NS_SLOT_IPC,
    NS_SLOT_NET,
    NS_SLOT_CGROUP,
    NS_SLOT_TIME,
    NS_SLOT_TIME_FOR_CHILDREN,
    NS_SLOT_PID_FOR_CHILDREN,
    NS_SLOTS,
    NS_NO_SLOT = NS_SLOTS, /* user: in the credentials; mnt: in the fs_context */
};

struct ns_kind {
    const char *name; /* "uts": /proc/PID/ns/uts */
    uint64_t flag;    /* CLONE_NEW... */
    enum ns_slot slot;
    /* A namespace for CLONE_NEW..., owned by `owner` (ns_init() takes the reference), made from
     * what the caller has. NULL for kinds without a slot. */
    int (*copy)(struct ns_common *from, struct user_namespace *owner, struct ns_common **ret);
    void (*free)(struct ns_common *ns); /* the last reference went; not of ns->owner: ns_put() does that */
    struct ns_common *(*parent)(struct ns_common *ns); /* borrowed, NULL at the root; NULL: no hierarchy */
};

struct ns_common {
    struct refcount ref;
    uint64_t id;                  /* [I] inode number of /proc/PID/ns/KIND, unique in the sandbox */
    const struct ns_kind *kind;   /* [I] */
    struct user_namespace *owner; /* [I] reference: whose capabilities count for what is in it */
};

/* For namespaces there is one of from the beginning. */
#define NS_COMMON_INIT(kind_, id_) {.ref = REFCOUNT_INIT, .id = (id_), .kind = (kind_), .owner = &root_user_ns}
/* Inode numbers of the first ones, as Linux has them. */
#define NS_ID_UTS 0xEFFFFFFEULL
#define NS_ID_IPC 0xEFFFFFFFULL
#define NS_ID_USER 0xEFFFFFFDULL
#define NS_ID_PID 0xEFFFFFFCULL
#define NS_ID_CGROUP 0xEFFFFFFBULL
#define NS_ID_TIME 0xEFFFFFFAULL
#define NS_ID_NET 0xEFFFFFF9ULL
#define NS_ID_MNT 0xEFFFFFF8ULL

/* ref = 1, a fresh id, a reference to owner. */
void ns_init(struct ns_common *ns, const struct ns_kind *kind, struct user_namespace *owner);
struct ns_common *ns_get(struct ns_common *ns);
void ns_put(struct ns_common *ns); /* NULL is fine */

/* At boot. `first` is what the first process has (NULL: it is given one otherwise); its reference
 * is kept for good. */
void ns_kind_register(const struct ns_kind *kind, struct ns_common *first);
const struct ns_kind *ns_kind_by_flag(uint64_t flag); /* or NULL */
/* The CLONE_NEW... flags of all kinds that new ones can be made of. */
uint64_t ns_flags_known(void);

/* ---- a task's set ---- */
void ns_set_first(struct ns_set *set); /* what of the first namespaces is not set yet */
void ns_set_copy(struct ns_set *to, const struct ns_set *from); /* shares */
void ns_set_put(struct ns_set *set);
/* Replaces those named in flags by copies that `owner` owns. On failure some may be replaced. */
NODISCARD int ns_set_renew(struct ns_set *set, uint64_t flags, struct user_namespace *owner);

/* ---- UTS ---- */

#define UTS_NAME_LEN 64

struct uts_namespace {
    struct ns_common common;
    struct spinlock lock;
    char nodename[UTS_NAME_LEN + 1], domainname[UTS_NAME_LEN + 1]; /* [lock] */
};

#define PICKET_RELEASE "6.12.0-picket"
#define PICKET_VERSION "#1 SMP PREEMPT_DYNAMIC Picket"

extern struct uts_namespace root_uts_ns;
NODISCARD int uts_namespace_new(const char *nodename, struct uts_namespace **ret);
struct uts_namespace *uts_namespace_get(struct uts_namespace *ns);
void uts_namespace_put(struct uts_namespace *ns);
