/*
 * Addresses of AF_UNIX sockets: a name in the file system, an abstract name (it starts with a NUL),
 * or one of our own choice.
 *
 * inode->sock of a socket's node is its unix_address; it and the abstract table are protected by
 * unix_lock. The address keeps a reference to the node, so the inode stays the same one.
 */
#include "net/unix/unix.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "vfs/dentry.h"
#include "vfs/fs_context.h"
#include "vfs/walk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 64
#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define AUTOBIND_NAMES 0x100000u

static struct list buckets[BUCKETS];

struct unix_address *unix_address_get(struct unix_address *a)
{
    refcount_get(&a->ref);
    return a;
}

void unix_address_put(struct unix_address *a)
{
    if (!refcount_put(&a->ref))
        return;
    if (a->path.dentry)
        path_put(&a->path);
    free(a);
}

static bool is_abstract(const struct socket_name *name)
{
    return name->len > PATH_OFFSET && name->bytes[PATH_OFFSET] == 0;
}

/* -EINVAL unless it is an AF_UNIX address with a name. */
static int check_name(const struct socket_name *name)
{
    if (name->len <= sizeof(sa_family_t) || name->len > sizeof(struct sockaddr_un) || name->addr.sa_family != AF_UNIX)
        return -EINVAL;
    return 0;
}

static struct list *bucket_of(const struct socket_name *name)
{
    static bool ready;
    if (!ready) { /* unix_lock held */
        for (unsigned i = 0; i < BUCKETS; i++)
            list_init(&buckets[i]);
        ready = true;
    }
    return &buckets[hash_bytes(name->bytes, name->len) % BUCKETS];
}

static struct unix_address *find_abstract(const struct unix_socket *from, const struct socket_name *name)
{
    struct unix_address *a;
    list_for_each(a, bucket_of(name), hash_link)
        if (a->ns == from->socket.ns && a->type == from->socket.type && a->name.len == name->len &&
            memcmp(a->name.bytes, name->bytes, name->len) == 0)
            return a;
    return NULL;
}

static struct unix_address *address_new(const struct socket_name *name)
{
    struct unix_address *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    refcount_init(&a->ref);
    list_init(&a->hash_link);
    a->name = *name;
    return a;
}

/* The path as a string: sun_path need not end with a NUL. */
static void path_of(const struct socket_name *name, char path[static sizeof(struct sockaddr_un) + 1])
{
    size_t len = name->len - PATH_OFFSET;
    memcpy(path, name->bytes + PATH_OFFSET, len);
    path[len] = 0;
}

/* ---- binding: unix_lock held ---- */

static void attach(struct unix_socket *u, struct unix_address *a)
{
    a->socket = u;
    u->address = a;
}

static int bind_abstract(struct unix_socket *u, const struct socket_name *name)
{
    if (find_abstract(u, name))
        return -EADDRINUSE;
    struct unix_address *a = address_new(name);
    if (!a)
        return -ENOMEM;
    a->ns = u->socket.ns;
    a->type = u->socket.type;
    list_add(bucket_of(name), &a->hash_link);
    attach(u, a);
    return 0;
}

static int bind_path(struct unix_socket *u, const struct socket_name *name)
{
    char path[sizeof(struct sockaddr_un) + 1];
    struct socket_name shown = *name;
    path_of(name, path);
    shown.len = (socklen_t)(PATH_OFFSET + strlen(path) + 1); /* with its NUL, whatever the caller gave */
    memset(shown.bytes + PATH_OFFSET, 0, sizeof(shown.storage) - PATH_OFFSET);
    strcpy(shown.bytes + PATH_OFFSET, path);
    struct unix_address *a = address_new(&shown);
    if (!a)
        return -ENOMEM;
    uint32_t mode = S_IFSOCK | (0777 & ~current_fs()->umask);
    int err = vfs_mknod_path(AT_FDCWD, path, mode, 0, &a->path);
    if (err < 0) {
        unix_address_put(a);
        return err == -EEXIST ? -EADDRINUSE : err;
    }
    a->path.dentry->inode->sock = a;
    attach(u, a);
    return 0;
}

static bool exists(const struct socket_name *name)
{
    char path[sizeof(struct sockaddr_un) + 1];
    CLEANUP_PATH_REF struct path place = {0};
    path_of(name, path);
    return path_lookup(AT_FDCWD, path, 0, &place) == 0;
}

static int autobind_locked(struct unix_socket *u)
{
    static unsigned next;
    struct socket_name name = {.addr.sa_family = AF_UNIX};
    if (u->address)
        return 0;
    for (unsigned tries = 0; tries < AUTOBIND_NAMES; tries++) {
        char text[8];
        snprintf(text, sizeof(text), "%05x", next++ % AUTOBIND_NAMES);
        memcpy(name.bytes + PATH_OFFSET + 1, text, 5);
        name.len = PATH_OFFSET + 6;
        int err = bind_abstract(u, &name);
        if (err != -EADDRINUSE)
            return err;
    }
    return -ENOSPC;
}

int unix_autobind(struct unix_socket *u)
{
    MUTEX_GUARD(&unix_lock);
    return autobind_locked(u);
}

int unix_bind(struct socket *s, const struct socket_name *name)
{
    struct unix_socket *u = unix_of(s);
    MUTEX_GUARD(&unix_lock);
    if (name->len == sizeof(sa_family_t) && name->addr.sa_family == AF_UNIX)
        return autobind_locked(u);
    int err = check_name(name);
    if (err < 0)
        return err;
    if (u->address)
        return !is_abstract(name) && exists(name) ? -EADDRINUSE : -EINVAL;
    return is_abstract(name) ? bind_abstract(u, name) : bind_path(u, name);
}

void unix_address_unbind(struct unix_socket *u)
{
    struct unix_address *a = u->address;
    if (!a || a->socket != u)
        return; /* an accepted socket shows its listener's address, but is not found under it */
    a->socket = NULL;
    list_del(&a->hash_link);
    if (a->path.dentry)
        a->path.dentry->inode->sock = NULL;
}

/* ---- looking up ---- */

static int find_path(const struct socket_name *name, struct path *ret)
{
    char path[sizeof(struct sockaddr_un) + 1];
    path_of(name, path);
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, ret);
    if (err < 0)
        return err;
    struct inode *inode = ret->dentry->inode;
    err = inode_permission(inode, MAY_WRITE, current_cred());
    return err < 0 ? err : S_ISSOCK(inode->attr.mode) ? 0 : -ECONNREFUSED;
}

int unix_find(const struct unix_socket *from, const struct socket_name *name, struct unix_socket **ret)
{
    CLEANUP_PATH_REF struct path place = {0};
    int err = check_name(name);
    if (err == 0 && !is_abstract(name))
        err = find_path(name, &place);
    if (err < 0)
        return err;
    MUTEX_GUARD(&unix_lock);
    struct unix_address *a = place.dentry ? place.dentry->inode->sock : find_abstract(from, name);
    struct unix_socket *u = a ? a->socket : NULL;
    if (!u || u->dead)
        return -ECONNREFUSED;
    if (u->socket.type != from->socket.type)
        return -EPROTOTYPE;
    *ret = unix_get(u);
    return 0;
}

int unix_name(struct socket *s, bool peer, struct socket_name *ret)
{
    struct unix_socket *u = unix_of(s), *other = peer ? unix_peer(u) : NULL;
    if (peer && !other)
        return -ENOTCONN;
    mutex_lock(&unix_lock);
    struct unix_address *a = (peer ? other : u)->address;
    if (a)
        *ret = a->name;
    else
        *ret = (struct socket_name){.len = sizeof(sa_family_t), .addr.sa_family = AF_UNIX};
    mutex_unlock(&unix_lock);
    if (other)
        unix_put(other);
    return 0;
}
