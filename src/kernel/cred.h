/*
 * Credentials: who a task is. Immutable once published: to change, cred_copy(), edit,
 * task_set_cred(). A reference is held by every task, open file and key object that must remember
 * its opener.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"

#define MAX_GROUPS 65536
#define OVERFLOW_ID 65534

struct user_namespace;

struct cred {
    struct refcount ref;
    uint32_t uid, euid, suid, fsuid; /* [I] */
    uint32_t gid, egid, sgid, fsgid;
    uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    uint32_t securebits;
    bool no_new_privs;
    struct user_namespace *user_ns; /* reference; what the capabilities are relative to */
    unsigned group_count;
    uint32_t *groups; /* sorted, group_count of them */
};

NODISCARD int cred_new_root(struct cred **ret);           /* uid 0, all capabilities */
NODISCARD int cred_new_user(uint32_t uid, uint32_t gid, struct cred **ret); /* as a login: caps only for uid 0 */
NODISCARD int cred_copy(const struct cred *c, struct cred **ret);
struct cred *cred_get(const struct cred *c);
void cred_put(struct cred *c);
NODISCARD int cred_set_groups(struct cred *c, const uint32_t *groups, unsigned n); /* before publishing */

/* Is `cap` (CAP_..., capabilities(7)) effective over the whole sandbox: in the root user namespace? */
bool cred_capable(const struct cred *c, int cap);
/* Over what belongs to ns (kernel/user_namespace.h)? */
bool cred_ns_capable(const struct cred *c, const struct user_namespace *ns, int cap);
bool ns_capable(const struct user_namespace *ns, int cap); /* the running task */
/* Over an object with these owners: in c's own namespace, which must have names for both. */
bool cred_capable_over(const struct cred *c, uint32_t uid, uint32_t gid, int cap);
/* In c's own user namespace: for what concerns c itself. */
static inline bool cred_capable_own(const struct cred *c, int cap)
{
    return c->cap_effective >> cap & 1;
}
bool cred_in_group(const struct cred *c, uint32_t gid); /* fsgid or a supplementary group */

/* Credentials of the running task; kernel fibers run as root. Borrowed: valid until the task
 * changes them. */
const struct cred *current_cred(void);
static inline bool capable(int cap)
{
    return cred_capable(current_cred(), cap);
}
