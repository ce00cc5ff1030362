/* Keys: add_key(2), request_key(2), keyctl(2). Memory is copied before and after the lock is held. */
#include "base/cleanup.h"
#include "kernel/cred.h"
#include "kernel/keys.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_MAX 32
#define PERM_BITS 0x3f3f3f3fu

static void put_key(struct key **k)
{
    key_put(*k);
}
#define CLEANUP_KEY __attribute__((cleanup(put_key)))
/* The lock is let go of after the keys of the same scope: declared first. */
#define LOCKED MUTEX_GUARD(&keys_lock)

/* ---- arguments ---- */

static int type_from_user(uaddr_t from, char type[static TYPE_MAX])
{
    ssize_t n = copy_string_from_user(type, from, TYPE_MAX);
    if (n == 0 || n == -ENAMETOOLONG)
        return -EINVAL;
    return n < 0 ? (int)n : type[0] == '.' ? -EPERM : 0;
}

static int desc_from_user(uaddr_t from, char **ret)
{
    int err = strndup_user(from, KEY_DESC_MAX, ret);
    return err == -ENAMETOOLONG ? -EINVAL : err;
}

static int payload_from_user(uaddr_t from, uint64_t len, void **ret)
{
    if (len == 0)
        return 0;
    void *p = malloc(len);
    if (!p)
        return -ENOMEM;
    if (copy_from_user(p, from, len)) {
        free(p);
        return -EFAULT;
    }
    *ret = p;
    return 0;
}

static int check_payload(enum key_type type, const char *desc, const void *payload, uint64_t len)
{
    if (type == KEY_TYPE_KEYRING)
        return len ? -EINVAL : 0;
    if (!payload || len == 0 || len > KEY_USER_MAX)
        return -EINVAL;
    const char *colon = type == KEY_TYPE_LOGON && desc ? strchr(desc, ':') : NULL;
    return type == KEY_TYPE_LOGON && (!colon || colon == desc) ? -EINVAL : 0;
}

static uint32_t default_perm(enum key_type type)
{
    uint32_t possessor = KEY_VIEW | KEY_SEARCH | KEY_LINK | KEY_SETATTR | KEY_WRITE;
    if (type != KEY_TYPE_LOGON)
        possessor |= KEY_READ;
    return possessor << 24 | KEY_VIEW << 16;
}

/* ---- add_key, request_key ---- */

static int64_t add_to_ring(struct key *ring, enum key_type type, const char *desc, void **payload, uint64_t len)
{
    CLEANUP_KEY struct key *fresh = NULL;
    struct key *old = type == KEY_TYPE_KEYRING ? NULL : keyring_find(ring, type, desc);
    if (old && !key_validate(old)) {
        if (!key_allowed(old, KEY_WRITE))
            return -EACCES;
        int err = key_set_payload(old, *payload, len);
        if (err == 0)
            *payload = NULL;
        return err < 0 ? err : old->serial;
    }
    int err = key_new(type, desc, default_perm(type), *payload, len, &fresh);
    if (err < 0)
        return err;
    *payload = NULL;
    err = keyring_link(ring, fresh);
    return err < 0 ? err : fresh->serial;
}

int64_t sys_add_key(const uint64_t *a)
{
    char type_name[TYPE_MAX];
    CLEANUP_FREE char *desc = NULL;
    CLEANUP_FREE void *payload = NULL;
    enum key_type type;
    if (a[3] > KEY_PAYLOAD_MAX - 1)
        return -EINVAL;
    int err = type_from_user(a[0], type_name);
    if (err == 0 && a[1])
        err = desc_from_user(a[1], &desc);
    if (err == 0 && desc && !strcmp(type_name, "keyring") && desc[0] == '.')
        err = -EPERM;
    if (err == 0)
        err = payload_from_user(a[2], a[3], &payload);
    if (err < 0)
        return err;
    LOCKED;
    CLEANUP_KEY struct key *ring = NULL;
    err = key_lookup((int32_t)a[4], true, false, KEY_WRITE, &ring);
    if (err == 0)
        err = key_type_by_name(type_name, &type);
    if (err == 0 && ring->type != KEY_TYPE_KEYRING)
        err = -ENOTDIR;
    if (err == 0)
        err = check_payload(type, desc, payload, a[3]);
    if (err == 0 && (!desc || !*desc))
        err = -EINVAL;
    return err < 0 ? err : add_to_ring(ring, type, desc, &payload, a[3]);
}

int64_t sys_request_key(const uint64_t *a)
{
    char type_name[TYPE_MAX], callout[256];
    CLEANUP_FREE char *desc = NULL;
    enum key_type type;
    int err = type_from_user(a[0], type_name);
    if (err == 0)
        err = desc_from_user(a[1], &desc);
    if (err == 0 && a[2]) {
        ssize_t n = copy_string_from_user(callout, a[2], sizeof(callout));
        err = n == -EFAULT ? -EFAULT : 0;
    }
    if (err < 0)
        return err;
    LOCKED;
    CLEANUP_KEY struct key *dest = NULL, *found = NULL;
    if ((int32_t)a[3])
        err = key_lookup((int32_t)a[3], true, false, KEY_WRITE, &dest);
    if (err == 0 && key_type_by_name(type_name, &type) < 0)
        err = -ENOKEY;
    if (err == 0)
        err = keys_search_process(type, desc, &found);
    if (err == 0 && dest)
        err = keyring_link(dest, found);
    return err < 0 ? err : found->serial;
}

/* ---- keyctl: reading ---- */

static int64_t get_id(int32_t id, bool create)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, create, false, KEY_SEARCH, &k);
    return err < 0 ? err : k->serial;
}

/* Gives out a text or bytes as these calls do: the whole length, and nothing unless all of it fits. */
static int64_t give(uaddr_t to, uint64_t room, const void *bytes, size_t len)
{
    if (to && room >= len && copy_to_user(to, bytes, len))
        return -EFAULT;
    return (int64_t)len;
}

static int describe_locked(int32_t id, char **ret)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, false, true, KEY_VIEW, &k);
    if (err < 0)
        return err;
    return asprintf(ret, "%s;%u;%u;%08x;%s", key_type_name(k->type), uid_to_user(k->uid), gid_to_user(k->gid), k->perm,
                    k->desc) < 0
               ? -ENOMEM
               : 0;
}

static int64_t describe(int32_t id, uaddr_t to, uint64_t room)
{
    CLEANUP_FREE char *text = NULL;
    int err = describe_locked(id, &text);
    return err < 0 ? err : give(to, room, text, strlen(text) + 1);
}

static int contents_locked(int32_t id, void **ret, size_t *ret_len)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    if (key_lookup(id, false, true, 0, &k) < 0)
        return -ENOKEY;
    int err = key_validate(k);
    if (err < 0)
        return err;
    if (!key_allowed(k, KEY_READ) && !key_allowed(k, KEY_SEARCH))
        return -EACCES;
    if (k->type == KEY_TYPE_LOGON)
        return -EOPNOTSUPP;
    *ret_len = k->type == KEY_TYPE_KEYRING ? k->link_count * sizeof(int32_t) : k->len;
    char *bytes = malloc(*ret_len + 1);
    if (!bytes)
        return -ENOMEM;
    if (k->type == KEY_TYPE_USER)
        memcpy(bytes, k->payload, k->len);
    for (size_t i = 0; k->type == KEY_TYPE_KEYRING && i < k->link_count; i++)
        memcpy(bytes + i * sizeof(int32_t), &k->links[i]->serial, sizeof(int32_t));
    *ret = bytes;
    return 0;
}

static int64_t read_key(int32_t id, uaddr_t to, uint64_t room)
{
    CLEANUP_FREE void *bytes = NULL;
    size_t len = 0;
    int err = contents_locked(id, &bytes, &len);
    return err < 0 ? err : give(to, room, bytes, len);
}

static int64_t get_security(int32_t id, uaddr_t to, uint64_t room)
{
    int err;
    {
        LOCKED;
        CLEANUP_KEY struct key *k = NULL;
        err = key_lookup(id, false, true, KEY_VIEW, &k);
    }
    return err < 0 ? err : give(to, room, "", 1);
}

/* ---- keyctl: changing ---- */

static int64_t join(uaddr_t from)
{
    CLEANUP_FREE char *name = NULL;
    int err = from ? desc_from_user(from, &name) : 0;
    if (err == 0 && name && name[0] == '.')
        err = -EPERM;
    if (err < 0)
        return err;
    LOCKED;
    return keys_join_session(name);
}

static int64_t update(int32_t id, uaddr_t from, uint64_t len)
{
    CLEANUP_FREE void *payload = NULL;
    if (len > PAGE_SIZE)
        return -EINVAL;
    int err = payload_from_user(from, len, &payload);
    if (err < 0)
        return err;
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    err = key_lookup(id, false, false, KEY_WRITE, &k);
    if (err == 0 && k->type == KEY_TYPE_KEYRING)
        err = -EOPNOTSUPP;
    if (err == 0)
        err = check_payload(k->type, k->desc, payload, len);
    if (err == 0)
        err = key_set_payload(k, payload, len);
    if (err == 0)
        (void)TAKE_PTR(payload);
    return err;
}

static int64_t revoke_key(int32_t id)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, false, false, KEY_WRITE, &k);
    if (err == -EACCES)
        err = key_lookup(id, false, false, KEY_SETATTR, &k);
    if (err < 0)
        return err;
    k->revoked = true;
    if (k->type == KEY_TYPE_KEYRING)
        keyring_clear(k);
    return 0;
}

static int64_t invalidate(int32_t id)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, false, false, KEY_SEARCH, &k);
    if (err < 0)
        return err;
    k->invalid = true;
    key_forget_everywhere(k);
    return 0;
}

static int64_t change_owner(int32_t id, uint32_t user, uint32_t group)
{
    uint32_t uid = uid_from_user(user), gid = gid_from_user(group);
    if (user == UINT32_MAX && group == UINT32_MAX)
        return 0;
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, true, true, KEY_SETATTR, &k);
    if (err < 0)
        return err;
    bool other_user = user != UINT32_MAX && uid != k->uid;
    bool other_group = group != UINT32_MAX && gid != k->gid && !cred_in_group(current_cred(), gid);
    if ((other_user || other_group) && !capable(CAP_SYS_ADMIN))
        return -EACCES;
    k->uid = user != UINT32_MAX ? uid : k->uid;
    k->gid = group != UINT32_MAX ? gid : k->gid;
    return 0;
}

static int64_t set_perm(int32_t id, uint32_t perm)
{
    if (perm & ~PERM_BITS)
        return -EINVAL;
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, true, true, KEY_SETATTR, &k);
    if (err == 0 && k->uid != current_cred()->fsuid && !capable(CAP_SYS_ADMIN))
        err = -EACCES;
    if (err == 0)
        k->perm = perm;
    return err;
}

static int64_t set_timeout(int32_t id, unsigned seconds)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, true, true, KEY_SETATTR, &k);
    if (err == 0)
        k->expires = seconds ? now_realtime() + seconds * NSEC_PER_SEC : 0;
    return err;
}

static int64_t clear(int32_t id)
{
    LOCKED;
    CLEANUP_KEY struct key *k = NULL;
    int err = key_lookup(id, true, false, KEY_WRITE, &k);
    if (err == 0 && k->type != KEY_TYPE_KEYRING)
        err = -ENOTDIR;
    if (err == 0)
        keyring_clear(k);
    return err;
}

static int64_t link_key(int32_t id, int32_t ring_id)
{
    LOCKED;
    CLEANUP_KEY struct key *ring = NULL, *k = NULL;
    int err = key_lookup(ring_id, true, false, KEY_WRITE, &ring);
    if (err == 0)
        err = key_lookup(id, true, false, KEY_LINK, &k);
    return err < 0 ? err : keyring_link(ring, k);
}

static int64_t unlink_key(int32_t id, int32_t ring_id)
{
    LOCKED;
    CLEANUP_KEY struct key *ring = NULL, *k = NULL;
    int err = key_lookup(ring_id, false, false, KEY_WRITE, &ring);
    if (err == 0)
        err = key_lookup(id, false, true, 0, &k);
    return err < 0 ? err : keyring_unlink(ring, k);
}

static int64_t move_key(int32_t id, int32_t from_id, int32_t to_id, unsigned flags)
{
    if (flags & ~1u)
        return -EINVAL;
    LOCKED;
    CLEANUP_KEY struct key *k = NULL, *from = NULL, *to = NULL;
    int err = key_lookup(id, true, false, KEY_LINK, &k);
    if (err == 0)
        err = key_lookup(from_id, false, false, KEY_WRITE, &from);
    if (err == 0)
        err = key_lookup(to_id, true, false, KEY_WRITE, &to);
    if (err == 0 && flags & 1 && to->type == KEY_TYPE_KEYRING && keyring_find(to, k->type, k->desc))
        err = -EEXIST;
    if (err == 0 && from == to)
        return 0;
    if (err == 0)
        err = keyring_unlink(from, k);
    return err < 0 ? err : keyring_link(to, k);
}

static int64_t search_ring(const uint64_t *a)
{
    char type_name[TYPE_MAX];
    CLEANUP_FREE char *desc = NULL;
    enum key_type type;
    int err = type_from_user(a[2], type_name);
    if (err == 0)
        err = desc_from_user(a[3], &desc);
    if (err < 0)
        return err;
    LOCKED;
    CLEANUP_KEY struct key *ring = NULL, *dest = NULL, *found = NULL;
    err = key_lookup((int32_t)a[1], false, false, KEY_SEARCH, &ring);
    if (err == 0 && (int32_t)a[4])
        err = key_lookup((int32_t)a[4], true, false, KEY_WRITE, &dest);
    if (err == 0 && key_type_by_name(type_name, &type) < 0)
        err = -ENOKEY;
    if (err == 0)
        err = keyring_search(ring, type, desc, &found);
    if (err == 0 && dest)
        err = key_allowed(found, KEY_LINK) ? keyring_link(dest, found) : -EACCES;
    return err < 0 ? err : found->serial;
}

/* Where request_key(2) would put what it has made: kept, since it makes nothing. */
static int64_t set_default(int ring)
{
    struct task *t = current;
    int old = t->key_default;
    if (ring < KEY_REQKEY_DEFL_NO_CHANGE || ring >= KEY_REQKEY_DEFL_GROUP_KEYRING)
        return -EINVAL;
    if (ring != KEY_REQKEY_DEFL_NO_CHANGE)
        t->key_default = ring;
    return old;
}

int64_t sys_keyctl(const uint64_t *a)
{
    int32_t id = (int32_t)a[1];
    switch ((int)a[0]) {
    case KEYCTL_GET_KEYRING_ID:
        return get_id(id, (int)a[2]);
    case KEYCTL_JOIN_SESSION_KEYRING:
        return join(a[1]);
    case KEYCTL_UPDATE:
        return update(id, a[2], a[3]);
    case KEYCTL_REVOKE:
        return revoke_key(id);
    case KEYCTL_CHOWN:
        return change_owner(id, (uint32_t)a[2], (uint32_t)a[3]);
    case KEYCTL_SETPERM:
        return set_perm(id, (uint32_t)a[2]);
    case KEYCTL_DESCRIBE:
        return describe(id, a[2], a[3]);
    case KEYCTL_CLEAR:
        return clear(id);
    case KEYCTL_LINK:
        return link_key(id, (int32_t)a[2]);
    case KEYCTL_UNLINK:
        return unlink_key(id, (int32_t)a[2]);
    case KEYCTL_SEARCH:
        return search_ring(a);
    case KEYCTL_READ:
        return read_key(id, a[2], a[3]);
    case KEYCTL_SET_REQKEY_KEYRING:
        return set_default(id);
    case KEYCTL_SET_TIMEOUT:
        return set_timeout(id, (unsigned)a[2]);
    case KEYCTL_ASSUME_AUTHORITY: /* nobody is ever asked to make a key: there is no authority to have */
        return id < 0 ? -EINVAL : id ? -ENOKEY : 0;
    case KEYCTL_INSTANTIATE:
    case KEYCTL_NEGATE:
    case KEYCTL_REJECT:
    case KEYCTL_INSTANTIATE_IOV:
    case KEYCTL_SESSION_TO_PARENT:
        return -EPERM;
    case KEYCTL_GET_SECURITY:
        return get_security(id, a[2], a[3]);
    case KEYCTL_INVALIDATE:
        return invalidate(id);
    case KEYCTL_MOVE:
        return move_key(id, (int32_t)a[2], (int32_t)a[3], (unsigned)a[4]);
    default:
        return -EOPNOTSUPP;
    }
}
