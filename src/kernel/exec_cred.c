/* The transformation of credentials by execve(2). */
#include "kernel/exec_cred.h"
#include "kernel/file_caps.h"
#include "kernel/user_namespace.h"
#include "loader/loader.h"
#include "vfs/file.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mount.h>
#include <sys/stat.h>

static bool mount_forbids(struct image *image)
{
    const struct mount *m = image_exe(image)->path.mount;
    return m && m->flags & MS_NOSUID;
}

static void apply_set_ids(struct cred *c, struct image *image)
{
    uint32_t uid, gid;
    uint32_t mode = image_mode(image, &uid, &gid);
    if (c->no_new_privs || mount_forbids(image) || id_to_ns(c->user_ns, ID_UID, uid) == ID_INVALID ||
        id_to_ns(c->user_ns, ID_GID, gid) == ID_INVALID)
        return; /* nobody that this namespace knows */
    if (mode & S_ISUID)
        c->euid = uid;
    if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        c->egid = gid;
}

/* What the file itself gives. -EPERM: it needs them all, and the bounding set has not got them. */
static int apply_file_caps(struct cred *c, const struct cred *old, const struct file_caps *f)
{
    c->cap_permitted = (f->permitted & c->cap_bounding) | (f->inheritable & old->cap_inheritable);
    return f->effective && f->permitted & ~c->cap_permitted ? -EPERM : 0;
}

/* A program that root runs, or that runs as root, gets everything in the bounding set, unless
 * securebits say otherwise; a set-user-ID-root file that gives capabilities of its own gives just these. */
static bool apply_root(struct cred *c, const struct cred *old, bool has_file_caps)
{
    uint32_t root = id_from_ns(c->user_ns, ID_UID, 0);
    if (c->securebits & SECBIT_NOROOT || (has_file_caps && c->uid != root && c->euid == root))
        return false;
    if (c->euid == root || c->uid == root)
        c->cap_permitted = old->cap_inheritable | c->cap_bounding;
    return c->euid == root;
}

static int apply_capabilities(struct cred *c, const struct cred *old, struct image *image, bool set_id)
{
    struct file_caps f = {0};
    int has = mount_forbids(image) ? 0 : file_caps_read(image_exe(image), c->user_ns, &f);
    c->cap_permitted = 0;
    int err = has > 0 ? apply_file_caps(c, old, &f) : has;
    if (err < 0)
        return err;
    bool effective = f.effective | apply_root(c, old, has > 0);
    if (set_id || has > 0)
        c->cap_ambient = 0;
    if (c->no_new_privs && c->cap_permitted & ~old->cap_permitted)
        c->cap_permitted &= old->cap_permitted;
    c->cap_permitted |= c->cap_ambient;
    c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
    return 0;
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
    err = apply_capabilities(c, old, image, set_id);
    if (err) {
        cred_put(c);
        return err;
    }
    c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
    ret->cred = c;
    ret->changed = set_id || c->cap_permitted & ~old->cap_permitted;
    ret->secure = c->euid != c->uid || c->egid != c->gid ||
                  (c->uid != id_from_ns(c->user_ns, ID_UID, 0) && c->cap_effective & ~c->cap_ambient);
    return 0;
}
