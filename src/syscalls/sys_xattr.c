/* The twelve calls on extended attributes: by path, by path without following a last link, by
 * descriptor. */
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include "vfs/xattr.h"
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

static int lookup_path(uint64_t path_addr, unsigned walk, struct path *ret)
{
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    return err ? err : path_lookup(AT_FDCWD, path, walk, ret);
}

static int lookup_fd(uint64_t fd, struct path *ret)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)fd, &f);
    if (err)
        return err;
    *ret = f->path;
    path_get(ret);
    return 0;
}

/* 1 to XATTR_NAME_MAX bytes; -ERANGE otherwise. */
static int get_name(uaddr_t addr, char name[static XATTR_NAME_MAX + 1])
{
    ssize_t n = copy_string_from_user(name, addr, XATTR_NAME_MAX + 1);
    return n == -ENAMETOOLONG || n == 0 ? -ERANGE : n < 0 ? (int)n : 0;
}

/* ---- set: the flags, the name and the value are looked at before the file ---- */

struct value {
    char name[XATTR_NAME_MAX + 1];
    void *bytes;
    uint64_t size;
    int flags;
};

static void value_fini(struct value *v)
{
    free(v->bytes);
}
#define CLEANUP_VALUE __attribute__((cleanup(value_fini)))

/* a[1..4] of the call: name, value, size, flags. */
static int value_from_user(const uint64_t *a, struct value *ret)
{
    ret->flags = (int)a[4];
    ret->size = a[3];
    if (ret->flags & ~(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    int err = get_name(a[1], ret->name);
    if (err)
        return err;
    if (ret->size > XATTR_SIZE_MAX)
        return -E2BIG;
    ret->bytes = malloc(ret->size + 1);
    if (!ret->bytes)
        return -ENOMEM;
    return ret->size ? copy_from_user(ret->bytes, a[2], ret->size) : 0;
}

static int64_t set_path(const uint64_t *a, unsigned walk)
{
    CLEANUP_PATH_REF struct path p = {0};
    CLEANUP_VALUE struct value v = {.bytes = NULL};
    int err = value_from_user(a, &v);
    if (!err)
        err = lookup_path(a[0], walk, &p);
    return err ? err : vfs_setxattr(&p, v.name, v.bytes, v.size, v.flags);
}

int64_t sys_setxattr(const uint64_t *a)
{
    return set_path(a, WALK_FOLLOW);
}

int64_t sys_lsetxattr(const uint64_t *a)
{
    return set_path(a, 0);
}

int64_t sys_fsetxattr(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path p = {0};
    CLEANUP_VALUE struct value v = {.bytes = NULL};
    int err = value_from_user(a, &v);
    if (!err)
        err = lookup_fd(a[0], &p);
    return err ? err : vfs_setxattr(&p, v.name, v.bytes, v.size, v.flags);
}

/* ---- get ---- */

static int64_t do_get(const struct path *p, const char *name, uaddr_t to, uint64_t size)
{
    CLEANUP_FREE void *value = NULL;
    int err = 0;
    size = MIN(size, (uint64_t)XATTR_SIZE_MAX);
    value = malloc(size + 1);
    if (!value)
        return -ENOMEM;
    ssize_t n = vfs_getxattr(p, name, value, size);
    if (n > 0 && size)
        err = copy_to_user(to, value, (size_t)n);
    return err ? err : n;
}

static int64_t get_path(const uint64_t *a, unsigned walk)
{
    CLEANUP_PATH_REF struct path p = {0};
    char name[XATTR_NAME_MAX + 1];
    int err = get_name(a[1], name);
    if (!err)
        err = lookup_path(a[0], walk, &p);
    return err ? err : do_get(&p, name, a[2], a[3]);
}

int64_t sys_getxattr(const uint64_t *a)
{
    return get_path(a, WALK_FOLLOW);
}

int64_t sys_lgetxattr(const uint64_t *a)
{
    return get_path(a, 0);
}

int64_t sys_fgetxattr(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path p = {0};
    char name[XATTR_NAME_MAX + 1];
    int err = get_name(a[1], name);
    if (!err)
        err = lookup_fd(a[0], &p);
    return err ? err : do_get(&p, name, a[2], a[3]);
}

/* ---- list ---- */

static int64_t do_list(const struct path *p, uaddr_t to, uint64_t size)
{
    size = MIN(size, (uint64_t)XATTR_LIST_MAX);
    CLEANUP_FREE char *list = malloc(size + 1);
    if (!list)
        return -ENOMEM;
    ssize_t n = vfs_listxattr(p, list, size);
    int err = n > 0 && size ? copy_to_user(to, list, (size_t)n) : 0;
    return err ? err : n;
}

static int64_t list_path(const uint64_t *a, unsigned walk)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = lookup_path(a[0], walk, &p);
    return err ? err : do_list(&p, a[1], a[2]);
}

int64_t sys_listxattr(const uint64_t *a)
{
    return list_path(a, WALK_FOLLOW);
}

int64_t sys_llistxattr(const uint64_t *a)
{
    return list_path(a, 0);
}

int64_t sys_flistxattr(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = lookup_fd(a[0], &p);
    return err ? err : do_list(&p, a[1], a[2]);
}

/* ---- remove ---- */

static int64_t remove_path(const uint64_t *a, unsigned walk)
{
    CLEANUP_PATH_REF struct path p = {0};
    char name[XATTR_NAME_MAX + 1];
    int err = get_name(a[1], name);
    if (!err)
        err = lookup_path(a[0], walk, &p);
    return err ? err : vfs_removexattr(&p, name);
}

int64_t sys_removexattr(const uint64_t *a)
{
    return remove_path(a, WALK_FOLLOW);
}

int64_t sys_lremovexattr(const uint64_t *a)
{
    return remove_path(a, 0);
}

int64_t sys_fremovexattr(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path p = {0};
    char name[XATTR_NAME_MAX + 1];
    int err = get_name(a[1], name);
    if (!err)
        err = lookup_fd(a[0], &p);
    return err ? err : vfs_removexattr(&p, name);
}
