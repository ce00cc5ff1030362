/*
 * The transformation of credentials by execve(2). File capabilities are not looked at:
 * security.capability attributes of container images are rare. DEVIATION: a file with them runs
 * without the capabilities they would give.
 */
#include "kernel/exec_cred.h"
#include "kernel/user_namespace.h"
#include "loader/loader.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/stat.h>

static void apply_set_ids(struct cred *c, struct image *image)
{
    uint32_t uid, gid;
    uint32_t mode = image_mode(image, &uid, &gid);
    if (c->no_new_privs || id_to_ns(c->user_ns, ID_UID, uid) == ID_INVALID ||
        id_to_ns(c->user_ns, ID_GID, gid) == ID_INVALID)
        return; /* nobody that this namespace knows */
    if (mode & S_ISUID)
        c->euid = uid;
    if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        c->egid = gid;
}

/* A program that root runs, or that runs as root, gets everything in the bounding set, unless
 * securebits say otherwise. */
static void apply_capabilities(struct cred *c, const struct cred *old, bool set_id)
{
    uint64_t permitted = 0, inheritable = old->cap_inheritable;
    bool effective = false;
    uint32_t root = id_from_ns(c->user_ns, ID_UID, 0);
    if (set_id)
        c->cap_ambient = 0;
    if (!(c->securebits & SECBIT_NOROOT) && (c->euid == root || c->uid == root)) {
        permitted = inheritable | c->cap_bounding;
        effective = c->euid == root;
    }
    c->cap_permitted = permitted | c->cap_ambient;
    c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
    if (c->no_new_privs && c->cap_permitted & ~old->cap_permitted) {
        c->cap_permitted &= old->cap_permitted;
        c->cap_effective &= c->cap_permitted;
    }
}

int exec_cred_prepare(const struct cred *old, struct image *image, struct exec_cred *ret)
{
    struct cred *c;
    int err = cred_copy(old, &c);
    if (err)
        return err;
    apply_set_ids(c, image);
    bool set_id = c->euid != old->euid || c->egid != old->egid;
    c->suid = c->fsuid = c->euid;
    c->sgid = c->fsgid = c->egid;
    apply_capabilities(c, old, set_id);
    c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
    ret->cred = c;
    ret->changed = set_id || c->cap_permitted & ~old->cap_permitted;
    ret->secure = c->euid != c->uid || c->egid != c->gid ||
                  (c->uid != id_from_ns(c->user_ns, ID_UID, 0) && c->cap_effective & ~c->cap_ambient);
    return 0;
}
