/*
 * User namespaces: user_namespaces(7).
 *
 * The kernel's own ids (struct cred, inodes, everything stored) are those of the root user
 * namespace. A namespace maps ranges of ids as its members see them to these; what comes from or
 * goes to a guest is translated at the edge, with the *_to_user and *_from_user helpers for the
 * caller's own namespace. An id of the kernel's that the caller's namespace does not map is shown as
 * OVERFLOW_ID; one from a guest that it does not map is ID_INVALID, which is refused.
 *
 * Capabilities of a task count in its own namespace and those below; its owner (the effective user
 * who made it) has all of them in it while in the parent.
 *
 * A map is written once, through /proc/PID/uid_map and its like, and never changes then. References
 * are held by credentials and by the namespaces of other kinds that it owns.
 */
#pragma once
#include "kernel/cred.h"
#include "kernel/namespaces.h"

#define ID_INVALID UINT32_MAX
#define ID_EXTENTS_MAX 340
#define USER_NS_DEPTH 33

enum id_kind { ID_UID, ID_GID, ID_PROJID, ID_KINDS };

struct id_extent {
    uint32_t first, lower, count; /* inside; of the root namespace; how many */
};

struct id_map {
    unsigned count;
    struct id_extent extents[];
};

struct user_namespace {
    struct ns_common common;           /* its owner is the parent (the root's: itself, uncounted) */
    struct user_namespace *parent;     /* [I] NULL for the root; common.owner's reference */
    unsigned level;                    /* [I] */
    uint32_t owner_uid, owner_gid;     /* [I] effective ids of the creator */
    bool parent_could_setfcap;         /* [I] */
    struct spinlock lock;
    _Atomic(const struct id_map *) maps[ID_KINDS]; /* [lock to set] NULL until written, then constant */
    bool setgroups_denied;             /* [lock] */
};

extern struct user_namespace root_user_ns;
extern const struct ns_kind user_ns_kind;

/* Credentials as in a new namespace below c's: all capabilities there. -ENOSPC: too deep; -EPERM:
 * c's effective ids have no name in its own, or the caller is in a chroot. */
NODISCARD int user_namespace_enter_new(const struct cred *c, struct cred **ret);
/* The same for a namespace that exists: what setns(2) gives. The caller has checked permission. */
NODISCARD int user_namespace_enter(const struct cred *c, struct user_namespace *ns, struct cred **ret);
static inline struct user_namespace *user_namespace_get(struct user_namespace *ns)
{
    return container_of(ns_get(&ns->common), struct user_namespace, common);
}
static inline void user_namespace_put(struct user_namespace *ns)
{
    ns_put(ns ? &ns->common : NULL);
}
/* Is ns `top` or below it? */
bool user_namespace_within(const struct user_namespace *ns, const struct user_namespace *top);
/* A namespace below `parent` with maps given by the kernel itself (containers); extents' lower ids
 * are the parent's. */
NODISCARD int user_namespace_new_mapped(struct user_namespace *parent, const struct id_extent *uids, unsigned uid_count,
                                        const struct id_extent *gids, unsigned gid_count,
                                        struct user_namespace **ret);

/* ---- ids ---- */
uint32_t id_from_ns(const struct user_namespace *ns, enum id_kind kind, uint32_t id);  /* ID_INVALID: no such */
uint32_t id_to_ns(const struct user_namespace *ns, enum id_kind kind, uint32_t kid);   /* ID_INVALID: no name */
uint32_t id_to_ns_munged(const struct user_namespace *ns, enum id_kind kind, uint32_t kid); /* OVERFLOW_ID then */

struct user_namespace *current_user_ns(void);
/* In the caller's namespace. */
static inline uint32_t uid_to_user(uint32_t kuid)
{
    return id_to_ns_munged(current_user_ns(), ID_UID, kuid);
}
static inline uint32_t gid_to_user(uint32_t kgid)
{
    return id_to_ns_munged(current_user_ns(), ID_GID, kgid);
}
static inline uint32_t uid_from_user(uint32_t uid)
{
    return id_from_ns(current_user_ns(), ID_UID, uid);
}
static inline uint32_t gid_from_user(uint32_t gid)
{
    return id_from_ns(current_user_ns(), ID_GID, gid);
}
bool setgroups_allowed(struct user_namespace *ns);

/* ---- the files of /proc/PID; opener: the credentials of who opened it ---- */
NODISCARD int id_map_write(struct user_namespace *ns, enum id_kind kind, const struct cred *opener, char *text);
struct strbuf;
void id_map_show(struct user_namespace *ns, enum id_kind kind, const struct user_namespace *viewer, struct strbuf *out);
NODISCARD int setgroups_write(struct user_namespace *ns, const char *text, size_t len);
