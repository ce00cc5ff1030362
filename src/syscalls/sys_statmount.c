/* statmount(2), listmount(2): mounts by their numbers. What they say comes from vfs/mount_show.c. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <stddef.h>
#include <string.h>

#define LIST_AT_ONCE 4096u
#define LSMT_ROOT_ID UINT64_MAX

struct guest_mnt_id_req {
    uint32_t size, spare;
    uint64_t mnt_id, param, mnt_ns_id;
};
#define REQ_SIZE_0 24

/* linux/mount.h has it; not every libc's headers do. */
struct guest_statmount {
    uint32_t size, mnt_opts;
    uint64_t mask;
    uint32_t sb_dev_major, sb_dev_minor;
    uint64_t sb_magic;
    uint32_t sb_flags, fs_type;
    uint64_t mnt_id, mnt_parent_id;
    uint32_t mnt_id_old, mnt_parent_id_old;
    uint64_t mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
    uint32_t mnt_root, mnt_point;
    uint64_t mnt_ns_id;
    uint32_t fs_subtype, sb_source;
    uint64_t spare[48];
};

_Static_assert(sizeof(struct guest_statmount) == 512, "the strings follow");

static int get_request(uint64_t from, struct guest_mnt_id_req *ret)
{
    uint32_t size;
    if (get_user(&size, from))
        return -EFAULT;
    if (size < REQ_SIZE_0)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    int err = copy_struct_from_user(ret, sizeof(*ret), from, size, REQ_SIZE_0);
    if (err)
        return err;
    if (ret->spare || ret->mnt_id <= 1ULL << 31) /* an id of the old kind */
        return -EINVAL;
    const struct ns_common *own = &current_fs()->ns->common;
    return ret->mnt_ns_id && ret->mnt_ns_id != own->id ? -ENOENT : 0;
}

/* Appends a string; its place among them. */
static uint32_t add_string(struct strbuf *strings, const char *s)
{
    uint32_t at = (uint32_t)strings->len;
    strbuf_add(strings, s ? s : "", strlen(s ? s : "") + 1);
    return at;
}

static void fill_strings(struct mount_stat *m, uint64_t want, struct guest_statmount *s, struct strbuf *strings)
{
    if (want & 0x08)
        s->mnt_root = add_string(strings, m->root.s);
    if (want & 0x10)
        s->mnt_point = add_string(strings, m->point.s);
    if (want & 0x20)
        s->fs_type = add_string(strings, m->fs_type);
    if (want & 0x80)
        s->mnt_opts = add_string(strings, m->options.s);
    if (want & 0x200)
        s->sb_source = add_string(strings, m->source.s);
    s->mask |= want & 0x2b8;
}

static void fill_numbers(const struct mount_stat *m, uint64_t want, struct guest_statmount *s)
{
    if (want & 0x01) {
        s->sb_dev_major = m->dev_major;
        s->sb_dev_minor = m->dev_minor;
        s->sb_magic = m->magic;
        s->sb_flags = m->sb_flags;
    }
    if (want & 0x02) {
        s->mnt_id = m->id;
        s->mnt_parent_id = m->parent_id;
        s->mnt_id_old = m->old_id;
        s->mnt_parent_id_old = m->old_parent_id;
        s->mnt_attr = m->attr;
        s->mnt_propagation = m->propagation;
        s->mnt_peer_group = m->peer_group;
        s->mnt_master = m->master;
    }
    if (want & 0x04)
        s->propagate_from = m->propagate_from;
    if (want & 0x40)
        s->mnt_ns_id = current_fs()->ns->common.id;
    s->mask |= want & 0x47;
}

int64_t sys_statmount(const uint64_t *a)
{
    struct guest_mnt_id_req req = {0};
    __attribute__((cleanup(mount_stat_fini))) struct mount_stat m = {0};
    CLEANUP_STRBUF struct strbuf strings = STRBUF_INIT;
    struct guest_statmount s = {0};
    if (a[3])
        return -EINVAL;
    int err = get_request(a[0], &req);
    if (!err)
        err = mount_stat(req.mnt_id, &m);
    if (err)
        return err;
    fill_numbers(&m, req.param, &s);
    fill_strings(&m, req.param, &s, &strings);
    if (strings.failed)
        return -ENOMEM;
    size_t head = MIN((size_t)a[2], sizeof(s));
    if (strings.len && a[2] < sizeof(s) + strings.len)
        return -EOVERFLOW;
    s.size = (uint32_t)(head + strings.len);
    err = copy_to_user(a[1], &s, head);
    return err || !strings.len ? err : copy_to_user(a[1] + sizeof(s), strings.s, strings.len);
}

int64_t sys_listmount(const uint64_t *a)
{
    struct guest_mnt_id_req req = {0};
    unsigned flags = (unsigned)a[3];
    if (flags & ~1u)
        return -EINVAL;
    if (a[2] > 1000000)
        return -EOVERFLOW;
    if (a[2] && !access_ok(a[1], a[2] * sizeof(uint64_t)))
        return -EFAULT;
    int err = get_request(a[0], &req);
    if (err)
        return err;
    size_t count = MIN((size_t)a[2], (size_t)LIST_AT_ONCE);
    CLEANUP_FREE uint64_t *ids = calloc(count + 1, sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    int64_t n = mount_list(req.mnt_id == LSMT_ROOT_ID ? 0 : req.mnt_id, req.param, flags & 1, ids, count);
    if (n <= 0)
        return n;
    err = copy_to_user(a[1], ids, (size_t)n * sizeof(*ids));
    return err ? err : n;
}
