/* Options and ioctls of AF_UNIX sockets. See unix.h. */
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "net/netns.h"
#include "net/unix/unix.h"
#include "vfs/walk.h"
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <stdlib.h>
#include <string.h>

#ifndef SO_PEERPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#define SIOCUNIXFILE_ 0x89e0 /* of <linux/un.h>, which does not go with <sys/un.h> */

/* ---- who is at the other end; unix_lock held ---- */

static int get_credentials(struct unix_socket *u, void *value, socklen_t *len)
{
    struct ucred cred = {0, UINT32_MAX, UINT32_MAX};
    if (u->peer_creds.pid)
        cred = (struct ucred){pid_number(u->peer_creds.pid), uid_to_user(u->peer_creds.uid),
                              gid_to_user(u->peer_creds.gid)};
    *len = (socklen_t)MIN((size_t)*len, sizeof(cred));
    memcpy(value, &cred, *len);
    return 0;
}

/* *len is what all of them take, also when there is no room. */
static int get_groups(struct unix_socket *u, void *value, socklen_t *len)
{
    if (!u->peer_cred)
        return -ENODATA;
    size_t room = *len, size = u->peer_cred->group_count * sizeof(uint32_t);
    *len = (socklen_t)size;
    if (room < size)
        return -ERANGE;
    for (unsigned g = 0; g < u->peer_cred->group_count; g++) {
        uint32_t group = gid_to_user(u->peer_cred->groups[g]);
        memcpy((char *)value + g * sizeof(group), &group, sizeof(group));
    }
    return 0;
}

static int get_pidfd(struct pid *pid, void *value, socklen_t *len)
{
    struct file *file;
    int err = pidfd_new(pid, 0, &file);
    if (err < 0)
        return err;
    int fd = fd_install(file, O_CLOEXEC);
    if (fd < 0) {
        file_put(file);
        return fd;
    }
    *len = (socklen_t)MIN((size_t)*len, sizeof(fd));
    memcpy(value, &fd, *len);
    return 0;
}

static int get_peer_pidfd(struct unix_socket *u, void *value, socklen_t *len)
{
    mutex_lock(&unix_lock);
    struct pid *pid = u->peer_creds.pid ? pid_get(u->peer_creds.pid) : NULL;
    mutex_unlock(&unix_lock);
    if (!pid)
        return -ENODATA;
    int err = get_pidfd(pid, value, len);
    pid_put(pid);
    return err;
}

/* ---- options ---- */

int unix_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    struct unix_socket *u = unix_of(s);
    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (option == SO_PASSPIDFD) {
        int number = u->pass_pidfd;
        *len = (socklen_t)MIN((size_t)*len, sizeof(number));
        memcpy(value, &number, *len);
        return 0;
    }
    if (option == SO_PEERPIDFD)
        return get_peer_pidfd(u, value, len);
    MUTEX_GUARD(&unix_lock);
    if (option == SO_PEERCRED)
        return get_credentials(u, value, len);
    return option == SO_PEERGROUPS ? get_groups(u, value, len) : -ENOPROTOOPT;
}

int unix_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    int number;
    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (option != SO_PASSPIDFD)
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    unix_of(s)->pass_pidfd = number != 0;
    return 0;
}

/* ---- ioctls ---- */

static int64_t bytes_queued(struct unix_socket *u)
{
    if (u->state == UNIX_LISTENING)
        return -EINVAL;
    spin_lock(&u->lock);
    struct unix_message *first = list_first(&u->queue, struct unix_message, link);
    int64_t n = unix_is_dgram(u) ? (first ? (int64_t)first->len : 0) : (int64_t)u->queue_bytes;
    spin_unlock(&u->lock);
    return n;
}

/* Does the next byte read stand at the mark? */
static bool at_mark(struct unix_socket *u)
{
    spin_lock(&u->lock);
    struct unix_message *first = list_first(&u->queue, struct unix_message, link);
    bool yes = first && first == u->urgent;
    if (first && first->mark) {
        bool last = first->link.next == &u->queue;
        yes = !u->urgent || (!last && list_entry(first->link.next, struct unix_message, link) == u->urgent);
    }
    spin_unlock(&u->lock);
    return yes;
}

/* SIOCUNIXFILE: a descriptor of the node a socket is bound to, as O_PATH gives it. */
static int64_t open_node(struct unix_socket *u)
{
    struct file *file;
    if (!netns_capable(u->socket.ns, CAP_NET_ADMIN))
        return -EPERM;
    mutex_lock(&unix_lock);
    struct unix_address *a = u->address && u->address->path.dentry ? unix_address_get(u->address) : NULL;
    mutex_unlock(&unix_lock);
    if (!a)
        return -ENOENT;
    int64_t result = vfs_open_path(&a->path, O_PATH, &file);
    unix_address_put(a);
    if (result < 0)
        return result;
    result = fd_install(file, O_CLOEXEC);
    if (result < 0)
        file_put(file);
    return result;
}

int64_t unix_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct unix_socket *u = unix_of(s);
    int64_t result;
    switch (cmd) {
    case SIOCOUTQ:
        result = (int64_t)u->charged;
        break;
    case SIOCINQ:
        result = bytes_queued(u);
        break;
    case SIOCATMARK:
        if (!unix_is_stream(u))
            return -EOPNOTSUPP;
        result = at_mark(u);
        break;
    case SIOCUNIXFILE_:
        return open_node(u);
    default:
        return -ENOTTY;
    }
    int n = (int)result;
    return result < 0 ? result : put_user(&n, arg);
}
