/* Users, groups and capabilities of the caller. */
#include "base/cleanup.h"
#include "kernel/ids.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include <linux/capability.h>
#include <string.h>

int64_t sys_getuid(const uint64_t *a)
{
    return uid_to_user(current->cred->uid);
}

int64_t sys_geteuid(const uint64_t *a)
{
    return uid_to_user(current->cred->euid);
}

int64_t sys_getgid(const uint64_t *a)
{
    return gid_to_user(current->cred->gid);
}

int64_t sys_getegid(const uint64_t *a)
{
    return gid_to_user(current->cred->egid);
}

static int64_t put_three(const uint64_t *a, uint32_t real, uint32_t effective, uint32_t saved)
{
    int err = put_user(&real, a[0]);
    if (!err)
        err = put_user(&effective, a[1]);
    return err ? err : put_user(&saved, a[2]);
}

int64_t sys_getresuid(const uint64_t *a)
{
    const struct cred *c = current->cred;
    return put_three(a, uid_to_user(c->uid), uid_to_user(c->euid), uid_to_user(c->suid));
}

int64_t sys_getresgid(const uint64_t *a)
{
    const struct cred *c = current->cred;
    return put_three(a, gid_to_user(c->gid), gid_to_user(c->egid), gid_to_user(c->sgid));
}

/* The caller's ids as the kernel has them; -1 stays, for "leave it". */
static int get_ids(const uint64_t *a, enum id_kind kind, uint32_t *ids, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ids[i] = id_from_ns(current_user_ns(), kind, (uint32_t)a[i]);
        if ((uint32_t)a[i] != UINT32_MAX && ids[i] == ID_INVALID)
            return -EINVAL;
    }
    return 0;
}

int64_t sys_setuid(const uint64_t *a)
{
    uint32_t uid = uid_from_user((uint32_t)a[0]);
    return uid == ID_INVALID ? -EINVAL : do_setuid(uid);
}

int64_t sys_setgid(const uint64_t *a)
{
    uint32_t gid = gid_from_user((uint32_t)a[0]);
    return gid == ID_INVALID ? -EINVAL : do_setgid(gid);
}

int64_t sys_setreuid(const uint64_t *a)
{
    uint32_t id[2];
    int err = get_ids(a, ID_UID, id, 2);
    return err ? err : do_setreuid(id[0], id[1]);
}

int64_t sys_setregid(const uint64_t *a)
{
    uint32_t id[2];
    int err = get_ids(a, ID_GID, id, 2);
    return err ? err : do_setregid(id[0], id[1]);
}

int64_t sys_setresuid(const uint64_t *a)
{
    uint32_t id[3];
    int err = get_ids(a, ID_UID, id, 3);
    return err ? err : do_setresuid(id[0], id[1], id[2]);
}

int64_t sys_setresgid(const uint64_t *a)
{
    uint32_t id[3];
    int err = get_ids(a, ID_GID, id, 3);
    return err ? err : do_setresgid(id[0], id[1], id[2]);
}

int64_t sys_setfsuid(const uint64_t *a)
{
    return uid_to_user(do_setfsuid(uid_from_user((uint32_t)a[0])));
}

int64_t sys_setfsgid(const uint64_t *a)
{
    return gid_to_user(do_setfsgid(gid_from_user((uint32_t)a[0])));
}

int64_t sys_getgroups(const uint64_t *a)
{
    const struct cred *c = current->cred;
    int size = (int)a[0];
    if (size < 0)
        return -EINVAL;
    if (size == 0)
        return c->group_count;
    if ((unsigned)size < c->group_count)
        return -EINVAL;
    CLEANUP_FREE uint32_t *groups = calloc(c->group_count + 1, sizeof(*groups));
    if (!groups)
        return -ENOMEM;
    for (unsigned i = 0; i < c->group_count; i++)
        groups[i] = gid_to_user(c->groups[i]);
    int err = c->group_count ? copy_to_user(a[1], groups, c->group_count * sizeof(*groups)) : 0;
    return err ? err : (int64_t)c->group_count;
}

int64_t sys_setgroups(const uint64_t *a)
{
    int count = (int)a[0];
    if (!cred_capable_own(current->cred, CAP_SETGID) || !setgroups_allowed(current_user_ns()))
        return -EPERM;
    if (count < 0 || count > MAX_GROUPS)
        return -EINVAL;
    CLEANUP_FREE uint32_t *groups = count ? malloc((size_t)count * sizeof(*groups)) : NULL;
    if (count && !groups)
        return -ENOMEM;
    if (count && copy_from_user(groups, a[1], (size_t)count * sizeof(*groups)))
        return -EFAULT;
    for (int i = 0; i < count; i++) {
        groups[i] = gid_from_user(groups[i]);
        if (groups[i] == ID_INVALID)
            return -EINVAL;
    }
    return do_setgroups(groups, (unsigned)count);
}

/* ---- capget, capset: version 1 has one 32-bit word a set, versions 2 and 3 two ---- */

struct guest_cap_header {
    uint32_t version;
    int32_t pid;
};

/* The words in each set, or -errno; tells a caller with an unknown version which one is preferred.
 */
static int read_header(uaddr_t from, struct guest_cap_header *ret)
{
    uint32_t preferred = _LINUX_CAPABILITY_VERSION_3;
    if (get_user(ret, from))
        return -EFAULT;
    if (ret->version == _LINUX_CAPABILITY_VERSION_1)
        return 1;
    if (ret->version == _LINUX_CAPABILITY_VERSION_2 || ret->version == _LINUX_CAPABILITY_VERSION_3)
        return 2;
    return put_user(&preferred, from) ? -EFAULT : -EINVAL;
}

int64_t sys_capget(const uint64_t *a)
{
    struct guest_cap_header header;
    int words = read_header(a[0], &header);
    if (words < 0)
        return words == -EINVAL && !a[1] ? 0 : words;
    if (header.pid < 0)
        return -EINVAL;
    struct task *t = header.pid ? task_find(header.pid) : task_get(current);
    if (!t)
        return -ESRCH;
    const struct cred *c = task_get_cred(t);
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(c->cap_effective >> (32 * i));
        data[i].permitted = (uint32_t)(c->cap_permitted >> (32 * i));
        data[i].inheritable = (uint32_t)(c->cap_inheritable >> (32 * i));
    }
    cred_put((struct cred *)c);
    task_put(t);
    return a[1] ? copy_to_user(a[1], data, (size_t)words * sizeof(*data)) : 0;
}

int64_t sys_capset(const uint64_t *a)
{
    struct guest_cap_header header;
    struct __user_cap_data_struct data[2];
    int words = read_header(a[0], &header);
    if (words < 0)
        return words;
    if (header.pid && header.pid != pid_number(current->pid))
        return -EPERM;
    memset(data, 0, sizeof(data));
    if (copy_from_user(data, a[1], (size_t)words * sizeof(*data)))
        return -EFAULT;
    return do_capset((uint64_t)data[1].effective << 32 | data[0].effective,
                     (uint64_t)data[1].permitted << 32 | data[0].permitted,
                     (uint64_t)data[1].inheritable << 32 | data[0].inheritable);
}
