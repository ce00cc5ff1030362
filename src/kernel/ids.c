/* The set*id family. Each call edits a copy of the credentials and publishes it; a refused one
 * leaves nothing changed. */
#include "kernel/ids.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <linux/capability.h>
#include <linux/securebits.h>

#define LEAVE UINT32_MAX
#define FS_CAPS                                                                                  \
    (1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH |                \
     1ULL << CAP_FOWNER | 1ULL << CAP_FSETID | 1ULL << CAP_LINUX_IMMUTABLE | 1ULL << CAP_MKNOD | \
     1ULL << CAP_MAC_OVERRIDE)

/* The effect of user id changes on capabilities. */
static void adjust_capabilities(struct cred *c, const struct cred *old)
{
    if (c->securebits & SECBIT_NO_SETUID_FIXUP)
        return;
    uint32_t root = id_from_ns(old->user_ns, ID_UID, 0);
    bool had_root = old->uid == root || old->euid == root || old->suid == root;
    bool has_root = c->uid == root || c->euid == root || c->suid == root;
    if (had_root && !has_root) {
        if (!(c->securebits & SECBIT_KEEP_CAPS))
            c->cap_permitted = c->cap_effective = 0;
        c->cap_ambient = 0;
    }
    if (old->euid == root && c->euid != root)
        c->cap_effective = 0;
    if (old->euid != root && c->euid == root)
        c->cap_effective = c->cap_permitted;
}

/* Publishes, or frees when err says that the change was refused. */
static int finish(struct cred *c, const struct cred *old, int err)
{
    if (err) {
        cred_put(c);
        return err;
    }
    if (c->euid != old->euid || c->egid != old->egid || c->cap_permitted & ~old->cap_permitted) {
        current->process->dumpable = false;
        current->pdeath_signal = 0;
    }
    task_set_cred(current, c);
    return 0;
}

static int change_uids(struct cred *c, const struct cred *old)
{
    adjust_capabilities(c, old);
    return finish(c, old, 0);
}

int do_setuid(uint32_t uid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    if (uid == LEAVE)
        return -EINVAL;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    if (cred_capable_own(old, CAP_SETUID))
        c->uid = c->suid = uid;
    else if (uid != old->uid && uid != old->suid)
        return finish(c, old, -EPERM);
    c->euid = c->fsuid = uid;
    return change_uids(c, old);
}

int do_setreuid(uint32_t ruid, uint32_t euid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    bool privileged = cred_capable_own(old, CAP_SETUID);
    if (!privileged && ruid != LEAVE && ruid != old->uid && ruid != old->euid)
        return -EPERM;
    if (!privileged && euid != LEAVE && euid != old->uid && euid != old->euid && euid != old->suid)
        return -EPERM;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    if (ruid != LEAVE)
        c->uid = ruid;
    if (euid != LEAVE)
        c->euid = euid;
    if (ruid != LEAVE || (euid != LEAVE && euid != old->uid))
        c->suid = c->euid;
    c->fsuid = c->euid;
    return change_uids(c, old);
}

static bool is_one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
    return id == LEAVE || id == a || id == b || id == c;
}

int do_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    if (!cred_capable_own(old, CAP_SETUID) && !(is_one_of(ruid, old->uid, old->euid, old->suid) &&
                                            is_one_of(euid, old->uid, old->euid, old->suid) &&
                                            is_one_of(suid, old->uid, old->euid, old->suid)))
        return -EPERM;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    c->uid = ruid == LEAVE ? c->uid : ruid;
    c->euid = euid == LEAVE ? c->euid : euid;
    c->suid = suid == LEAVE ? c->suid : suid;
    c->fsuid = c->euid;
    return change_uids(c, old);
}

int do_setgid(uint32_t gid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    if (gid == LEAVE)
        return -EINVAL;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    if (cred_capable_own(old, CAP_SETGID))
        c->gid = c->sgid = gid;
    else if (gid != old->gid && gid != old->sgid)
        return finish(c, old, -EPERM);
    c->egid = c->fsgid = gid;
    return finish(c, old, 0);
}

int do_setregid(uint32_t rgid, uint32_t egid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    bool privileged = cred_capable_own(old, CAP_SETGID);
    if (!privileged && rgid != LEAVE && rgid != old->gid && rgid != old->egid)
        return -EPERM;
    if (!privileged && egid != LEAVE && egid != old->gid && egid != old->egid && egid != old->sgid)
        return -EPERM;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    if (rgid != LEAVE)
        c->gid = rgid;
    if (egid != LEAVE)
        c->egid = egid;
    if (rgid != LEAVE || (egid != LEAVE && egid != old->gid))
        c->sgid = c->egid;
    c->fsgid = c->egid;
    return finish(c, old, 0);
}

int do_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    if (!cred_capable_own(old, CAP_SETGID) && !(is_one_of(rgid, old->gid, old->egid, old->sgid) &&
                                            is_one_of(egid, old->gid, old->egid, old->sgid) &&
                                            is_one_of(sgid, old->gid, old->egid, old->sgid)))
        return -EPERM;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    c->gid = rgid == LEAVE ? c->gid : rgid;
    c->egid = egid == LEAVE ? c->egid : egid;
    c->sgid = sgid == LEAVE ? c->sgid : sgid;
    c->fsgid = c->egid;
    return finish(c, old, 0);
}

uint32_t do_setfsuid(uint32_t uid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    uint32_t before = old->fsuid, root = id_from_ns(old->user_ns, ID_UID, 0);
    bool allowed = uid == old->uid || uid == old->euid || uid == old->suid || uid == before ||
                   cred_capable_own(old, CAP_SETUID);
    if (uid == LEAVE || !allowed || cred_copy(old, &c))
        return before;
    c->fsuid = uid;
    if (!(c->securebits & SECBIT_NO_SETUID_FIXUP) && before == root && uid != root)
        c->cap_effective &= ~FS_CAPS;
    if (!(c->securebits & SECBIT_NO_SETUID_FIXUP) && before != root && uid == root)
        c->cap_effective |= c->cap_permitted & FS_CAPS;
    task_set_cred(current, c);
    return before;
}

uint32_t do_setfsgid(uint32_t gid)
{
    const struct cred *old = current->cred;
    struct cred *c;
    uint32_t before = old->fsgid;
    bool allowed = gid == old->gid || gid == old->egid || gid == old->sgid || gid == before ||
                   cred_capable_own(old, CAP_SETGID);
    if (gid == LEAVE || !allowed || cred_copy(old, &c))
        return before;
    c->fsgid = gid;
    task_set_cred(current, c);
    return before;
}

int do_setgroups(const uint32_t *groups, unsigned count)
{
    struct cred *c;
    int err = cred_copy(current->cred, &c);
    if (err)
        return err;
    return finish(c, current->cred, cred_set_groups(c, groups, count));
}

int do_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    const struct cred *old = current->cred;
    struct cred *c;
    const uint64_t known = (1ULL << (CAP_LAST_CAP + 1)) - 1;
    effective &= known;
    permitted &= known;
    inheritable &= known;
    if (!cred_capable_own(old, CAP_SETPCAP) &&
        inheritable & ~(old->cap_inheritable | old->cap_permitted))
        return -EPERM;
    if (inheritable & ~(old->cap_inheritable | old->cap_bounding) ||
        permitted & ~old->cap_permitted || effective & ~permitted)
        return -EPERM;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    c->cap_effective = effective;
    c->cap_permitted = permitted;
    c->cap_inheritable = inheritable;
    c->cap_ambient &= permitted & inheritable;
    return finish(c, old, 0);
}
