/*
 * What the sockets of all families share: families, life, the file. See socket.h.
 */
#include "net/socket.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "net/filter.h"
#include "net/ioctl.h"
#include "net/netns.h"
#include "mm/uaccess.h"
#include "vfs/anon.h"
#include "vfs/async.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <limits.h>
#include <stdlib.h>

#define MAX_FAMILIES 16

static const struct socket_family *families[MAX_FAMILIES]; /* filled at boot */
static const struct file_ops socket_file_ops;

void socket_register(const struct socket_family *family)
{
    for (unsigned i = 0; i < MAX_FAMILIES; i++) {
        if (!families[i]) {
            families[i] = family;
            return;
        }
    }
    assert_always(!"too many families");
}

int socket_create(int domain, int type, int protocol, struct socket **ret)
{
    if (domain < 0 || domain >= AF_MAX)
        return -EAFNOSUPPORT;
    if (type < 0 || type > SOCK_PACKET)
        return -EINVAL;
    for (unsigned i = 0; i < MAX_FAMILIES && families[i]; i++)
        if (families[i]->domain == domain)
            return families[i]->create(type, protocol, ret);
    return -EAFNOSUPPORT;
}

void socket_init(struct socket *s, const struct socket_ops *ops, int domain, int type, int protocol)
{
    socket_init_in(s, current_netns(), ops, domain, type, protocol);
}

void socket_init_in(struct socket *s, struct net_namespace *ns, const struct socket_ops *ops, int domain, int type,
                    int protocol)
{
    refcount_init(&s->ref);
    s->ops = ops;
    s->ns = net_namespace_get(ns);
    static _Atomic uint64_t cookies = 1;
    s->cookie = cookies++;
    spin_lock(&s->ns->sockets_lock);
    list_add_tail(&s->ns->sockets, &s->ns_link);
    s->ns->socket_count++;
    spin_unlock(&s->ns->sockets_lock);
    s->domain = domain;
    s->type = type;
    s->protocol = protocol;
    spin_init(&s->file_lock);
    wait_queue_init(&s->readers);
    wait_queue_init(&s->writers);
    s->send_buffer = s->receive_buffer = SOCKET_BUFFER_DEFAULT;
    s->receive_low = 1;
    s->linger = -1;
    s->peek_offset = -1;
    s->incoming_cpu = -1;
    s->stamp = -1;
}

struct socket *socket_get(struct socket *s)
{
    refcount_get(&s->ref);
    return s;
}

void socket_put(struct socket *s)
{
    if (!refcount_put(&s->ref))
        return;
    struct net_namespace *ns = s->ns;
    socket_filter_free(s);
    spin_lock(&ns->sockets_lock);
    list_del(&s->ns_link);
    ns->socket_count--;
    spin_unlock(&ns->sockets_lock);
    s->ops->free(s);
    net_namespace_put(ns);
}

int socket_file(struct socket *s, int flags, struct file **ret)
{
    uint32_t file_flags = O_RDWR | (flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
    int err = anon_file_numbered("socket", S_IFSOCK | 0777, &socket_file_ops, s, file_flags, ret);
    if (err == 0) {
        s->ino = (*ret)->inode->attr.ino;
        s->file = *ret;
    }
    return err;
}

struct socket *socket_of(const struct file *f)
{
    return f->ops == &socket_file_ops ? f->private_data : NULL;
}

/* ---- all of them ---- */

int socket_list(struct net_namespace *ns, int domain, struct socket_list *ret)
{
    size_t room = ns->socket_count + 64;
    struct socket *s;
    *ret = (struct socket_list){.sockets = malloc(room * sizeof(s))};
    if (!ret->sockets)
        return -ENOMEM;
    spin_lock(&ns->sockets_lock);
    list_for_each(s, &ns->sockets, ns_link) {
        if (domain && s->domain != domain)
            continue;
        if (ret->count == room)
            break; /* they came while we looked */
        if (refcount_get_unless_zero(&s->ref))
            ret->sockets[ret->count++] = s;
    }
    spin_unlock(&ns->sockets_lock);
    return 0;
}

void socket_list_free(struct socket_list *l)
{
    for (size_t n = 0; n < l->count; n++)
        socket_put(l->sockets[n]);
    free(l->sockets);
    *l = (struct socket_list){0};
}

/* ---- for families ---- */

int socket_take_error(struct socket *s)
{
    return s->error ? -atomic_exchange(&s->error, 0) : 0;
}

int64_t socket_deadline(struct socket *s, bool sending)
{
    int64_t timeout = sending ? s->send_timeout : s->receive_timeout;
    return timeout ? now_monotonic() + timeout : NO_DEADLINE;
}

int socket_wait_error(int err, int64_t deadline)
{
    if (err == -ETIMEDOUT)
        return -EAGAIN;
    return err == -ERESTARTSYS && deadline != NO_DEADLINE ? -EINTR : err;
}

int socket_broken_pipe(int flags)
{
    if (!(flags & MSG_NOSIGNAL) && current) {
        siginfo_t info;
        siginfo_user(&info, SIGPIPE, SI_USER);
        signal_send_task(current, SIGPIPE, &info);
    }
    return -EPIPE;
}

void socket_give_timestamp(struct socket *s, struct socket_message *m, int64_t time)
{
    struct timespec ts;
    struct timeval tv;
    s->stamp = time;
    if (!s->timestamps && !s->timestamps_ns)
        return;
    if (!time)
        time = now_realtime();
    ts = (struct timespec){time / NSEC_PER_SEC, time % NSEC_PER_SEC};
    tv = (struct timeval){ts.tv_sec, ts.tv_nsec / NSEC_PER_USEC};
    if (s->timestamps_ns)
        message_put_control(m, SOL_SOCKET, SCM_TIMESTAMPNS, &ts, sizeof(ts));
    else
        message_put_control(m, SOL_SOCKET, SCM_TIMESTAMP, &tv, sizeof(tv));
}

void socket_signal_urgent(struct socket *s)
{
    spin_lock(&s->file_lock);
    if (s->file)
        file_signal_urgent(s->file);
    spin_unlock(&s->file_lock);
}

/* ---- the file ---- */

static ssize_t socket_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct socket *s = file->private_data;
    struct socket_message m = {.data = to, .flags = file_nonblock(file) ? MSG_DONTWAIT : 0};
    if (to->remaining == 0 && s->type == SOCK_STREAM)
        return 0;
    return s->ops->receive(s, &m);
}

static ssize_t socket_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct socket *s = file->private_data;
    struct socket_message m = {.data = from, .flags = file_nonblock(file) ? MSG_DONTWAIT : 0};
    return s->ops->send(s, &m);
}

static uint32_t socket_poll(struct file *file, struct poll_table *table)
{
    struct socket *s = file->private_data;
    poll_wait(table, &s->readers);
    poll_wait(table, &s->writers);
    return s->ops->poll(s, table);
}

/* FIOSETOWN and its kin are F_SETOWN by another name. */
static int64_t owner_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    int32_t id;
    int type, err = 0;
    if (cmd == FIOGETOWN || cmd == SIOCGPGRP) {
        file_get_owner(file, &type, &id);
        id = type == F_OWNER_PGRP ? -id : id;
        return put_user(&id, arg);
    }
    err = get_user(&id, arg);
    if (err == 0 && id == INT32_MIN)
        err = -EINVAL;
    if (err < 0)
        return err;
    return id < 0 ? file_set_owner(file, F_OWNER_PGRP, -id) : file_set_owner(file, F_OWNER_PID, id);
}

/* SIOCGSTAMP and SIOCGSTAMPNS: when the last message came. From now on that is kept track of. */
static int64_t stamp_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    int64_t time = s->stamp;
    if (time < 0)
        return -ENOENT;
    if (time == 0)
        s->stamp = time = now_realtime();
    bool ns = cmd == SIOCGSTAMPNS_OLD || cmd == SIOCGSTAMPNS_NEW;
    int64_t out[2] = {time / NSEC_PER_SEC, time % NSEC_PER_SEC / (ns ? 1 : NSEC_PER_USEC)};
    return copy_to_user(arg, out, sizeof(out));
}

static int64_t socket_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct socket *s = file->private_data;
    if (cmd == FIOSETOWN || cmd == SIOCSPGRP || cmd == FIOGETOWN || cmd == SIOCGPGRP)
        return owner_ioctl(file, cmd, arg);
    bool inet = s->domain == AF_INET || s->domain == AF_INET6;
    if (inet && (cmd == SIOCGSTAMP_OLD || cmd == SIOCGSTAMPNS_OLD || cmd == SIOCGSTAMP_NEW || cmd == SIOCGSTAMPNS_NEW))
        return stamp_ioctl(s, cmd, arg);
    int64_t result = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
    return result == -ENOTTY ? net_ioctl(s, cmd, arg) : result;
}

static void socket_release(struct file *file)
{
    struct socket *s = file->private_data;
    spin_lock(&s->file_lock);
    s->file = NULL;
    spin_unlock(&s->file_lock);
    s->ops->release(s);
    socket_put(s);
}

static const struct file_ops socket_file_ops = {
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .release = socket_release,
    .stream = true,
    .async = true,
};
