/*
 * Sending: messages are made, charged to their sender and put on the receiver's queue.
 */
#include "net/unix/unix.h"
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/user_namespace.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

/* What a call attaches to its first message. */
struct attachment {
    struct unix_creds creds;
    bool explicit_creds;
    struct unix_files *files;
};

/* ---- control messages ---- */

static int add_files(struct attachment *a, const char *data, size_t len)
{
    size_t count = len / sizeof(int);
    if (len % sizeof(int) != 0)
        return -EINVAL;
    if (!a->files)
        a->files = calloc(1, sizeof(*a->files));
    if (!a->files)
        return -ENOMEM;
    if (count > UNIX_MAX_FILES - a->files->count)
        return -EINVAL;
    if (count > 0 && unix_too_many_in_flight())
        return -ETOOMANYREFS;
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, data + i * sizeof(int), sizeof(fd));
        int err = fd_file_any(fd, &a->files->files[a->files->count]);
        if (err < 0)
            return err;
        a->files->count++;
    }
    return 0;
}

static bool may_claim(const struct ucred *c, struct pid *pid)
{
    const struct cred *cred = current_cred();
    bool pid_ok = pid == current->process->pid || ns_capable(current->pid->ns->common.owner, CAP_SYS_ADMIN);
    bool uid_ok = c->uid == cred->uid || c->uid == cred->euid || c->uid == cred->suid ||
                  cred_capable_own(cred, CAP_SETUID);
    bool gid_ok = c->gid == cred->gid || c->gid == cred->egid || c->gid == cred->sgid ||
                  cred_capable_own(cred, CAP_SETGID);
    return pid_ok && uid_ok && gid_ok;
}

static int claim_creds(struct attachment *a, const char *data, size_t len)
{
    struct ucred c;
    if (len != sizeof(c))
        return -EINVAL;
    memcpy(&c, data, sizeof(c));
    c.uid = uid_from_user(c.uid);
    c.gid = gid_from_user(c.gid);
    if (c.uid == ID_INVALID || c.gid == ID_INVALID)
        return -EINVAL;
    struct pid *pid = pid_find(c.pid);
    if (!pid)
        return -ESRCH;
    if (!may_claim(&c, pid)) {
        pid_put(pid);
        return -EPERM;
    }
    unix_creds_put(&a->creds);
    a->creds = (struct unix_creds){pid, c.uid, c.gid};
    a->explicit_creds = true;
    return 0;
}

static int parse_control(const struct socket_message *m, struct attachment *a)
{
    size_t at = 0, len;
    struct cmsghdr h;
    const char *data;
    int err;
    while ((err = message_next_control(m, &at, &h, &data, &len)) > 0) {
        if (h.cmsg_level != SOL_SOCKET)
            continue;
        if (h.cmsg_type == SCM_RIGHTS)
            err = add_files(a, data, len);
        else if (h.cmsg_type == SCM_CREDENTIALS)
            err = claim_creds(a, data, len);
        else
            err = -EINVAL;
        if (err < 0)
            return err;
    }
    return err;
}

static void attachment_fini(struct attachment *a)
{
    unix_creds_put(&a->creds);
    if (a->files)
        unix_files_free(a->files);
}

/* ---- messages ---- */

void unix_message_free(struct unix_message *m)
{
    struct unix_socket *sender = m->sender;
    sender->charged -= m->cost;
    if (unix_writable(sender) && wait_queue_active(&sender->socket.writers))
        wake_poll(&sender->socket.writers, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
    if (m->files) { /* off the queue, so the collector does not see it any more */
        unix_files_landed(m->files);
        unix_files_free(m->files);
    }
    if (m->from)
        unix_address_put(m->from);
    unix_creds_put(&m->creds);
    free(m);
    unix_put(sender);
}

/* A message of n bytes taken from the caller. Consumes nothing else yet. */
static int message_new(struct unix_socket *u, struct uio *data, size_t n, struct unix_message **ret)
{
    struct unix_message *m = malloc(sizeof(*m) + n);
    if (!m)
        return -ENOMEM;
    *m = (struct unix_message){.len = n, .cost = n + UNIX_MESSAGE_COST};
    ssize_t got = n > 0 ? uio_take(data, m->data, n) : 0;
    if (got < 0 || (size_t)got < n) {
        free(m);
        return -EFAULT;
    }
    list_init(&m->link);
    m->sender = unix_get(u);
    u->charged += m->cost;
    *ret = m;
    return 0;
}

static void attach(struct unix_message *m, struct unix_socket *u, struct unix_socket *to, struct attachment *a)
{
    if (a->explicit_creds)
        m->creds = (struct unix_creds){pid_get(a->creds.pid), a->creds.uid, a->creds.gid};
    else if (unix_wants_creds(u) || unix_wants_creds(to))
        unix_current_creds(&m->creds);
    if (u->address)
        m->from = unix_address_get(u->address);
    if (!unix_is_stream(to) && (to->socket.timestamps || to->socket.timestamps_ns))
        m->time = now_realtime();
    if (a->files && a->files->count > 0) {
        unix_files_in_flight(a->files);
        m->files = TAKE_PTR(a->files);
    }
}

/* Onto the queue of `to`: 0, or -EPIPE / -ECONNREFUSED, and m is the caller's again. */
static int enqueue(struct unix_socket *to, struct unix_message *m, bool urgent)
{
    int err = 0;
    spin_lock(&to->lock);
    if (to->dead) {
        err = unix_is_dgram(to) ? -ECONNREFUSED : -EPIPE;
    } else if (to->shutdown & RECEIVE_SHUT) {
        err = -EPIPE;
    } else {
        list_add_tail(&to->queue, &m->link);
        to->queue_len++;
        to->queue_bytes += m->len;
        if (urgent)
            to->urgent = m;
    }
    spin_unlock(&to->lock);
    if (err == 0)
        wake_poll(&to->socket.readers, EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | (urgent ? EPOLLPRI : 0));
    if (err == 0 && urgent)
        socket_signal_urgent(&to->socket);
    return err;
}

/* ---- streams ---- */

static int wait_room(struct unix_socket *u, struct unix_socket *peer, const struct socket_message *m, int64_t deadline)
{
    if (unix_send_room(u) > 0)
        return 0;
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    int err = wait_event_timeout(&u->socket.writers,
                                 unix_send_room(u) > 0 || (u->shutdown & SEND_SHUT) || peer->dead, deadline);
    return socket_wait_error(err, deadline);
}

/* `most` bytes at most; urgent: the receiver's mark is on it. */
static int send_chunk(struct unix_socket *u, struct unix_socket *peer, struct socket_message *m, struct attachment *a,
                      int64_t deadline, size_t most, bool urgent, size_t *ret_sent)
{
    struct unix_message *msg;
    if (u->shutdown & SEND_SHUT)
        return -EPIPE;
    int err = wait_room(u, peer, m, deadline);
    if (err < 0)
        return err;
    size_t n = MIN(most, (size_t)UNIX_CHUNK);
    n = MIN(n, MAX((size_t)u->socket.send_buffer / 2, (size_t)64));
    err = message_new(u, m->data, n, &msg);
    if (err < 0)
        return err;
    attach(msg, u, peer, a);
    err = enqueue(peer, msg, urgent);
    if (err < 0)
        unix_message_free(msg);
    else
        *ret_sent = n;
    return err;
}

static ssize_t send_stream(struct unix_socket *u, struct socket_message *m, struct attachment *a)
{
    if (m->name && m->name->len)
        return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    struct unix_socket *peer = unix_peer(u);
    int err = peer ? 0 : u->shutdown & SEND_SHUT ? -EPIPE : -ENOTCONN;
    int64_t deadline = socket_deadline(&u->socket, true);
    size_t done = 0;
    size_t last = m->flags & MSG_OOB ? 1 : 0; /* the last byte is the urgent one */
    if (err == 0 && last && m->data->remaining == 0)
        err = -EOPNOTSUPP;
    while (err == 0 && m->data->remaining > last) {
        size_t sent = 0;
        err = send_chunk(u, peer, m, a, deadline, m->data->remaining - last, false, &sent);
        done += sent;
    }
    if (err == 0 && last) {
        err = send_chunk(u, peer, m, a, deadline, last, true, &last);
        done += err == 0;
    }
    if (peer)
        unix_put(peer);
    if (done > 0)
        return (ssize_t)done;
    return err == -EPIPE ? socket_broken_pipe(m->flags) : err;
}

/* ---- datagrams and sequenced packets ---- */

/* Is `to` swamped by senders it is not connected to? Then u is woken when that changes. */
bool unix_swamped(struct unix_socket *u, struct unix_socket *to)
{
    spin_lock(&to->lock);
    bool full = to != u && to->peer != u && to->queue_len > to->backlog_max && !to->dead;
    if (full && list_empty(&u->swamped_link)) {
        list_add_tail(&to->swamped, &u->swamped_link);
        unix_get(u); /* unix_unswamp() gives it back */
    }
    spin_unlock(&to->lock);
    return full;
}

void unix_unswamp(struct unix_socket *to)
{
    for (;;) {
        spin_lock(&to->lock);
        struct unix_socket *u = list_first(&to->swamped, struct unix_socket, swamped_link);
        if (u)
            list_del(&u->swamped_link);
        spin_unlock(&to->lock);
        if (!u)
            return;
        wake_poll(&u->socket.writers, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
        unix_put(u);
    }
}

static int wait_packet_room(struct unix_socket *u, struct unix_socket *to, const struct socket_message *m)
{
    int64_t deadline = socket_deadline(&u->socket, true);
    bool ready = unix_send_room(u) > 0 && !unix_swamped(u, to);
    if (ready)
        return 0;
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    int err = wait_event_timeout(
        &u->socket.writers, (unix_send_room(u) > 0 && !unix_swamped(u, to)) || (u->shutdown & SEND_SHUT), deadline);
    return socket_wait_error(err, deadline);
}

static int find_receiver(struct unix_socket *u, const struct socket_message *m, struct unix_socket **ret)
{
    bool named = unix_is_dgram(u) && m->name && m->name->len > 0;
    if (!unix_is_dgram(u) && u->state != UNIX_CONNECTED)
        return -ENOTCONN;
    if (named)
        return unix_find(u, m->name, ret);
    *ret = unix_peer(u);
    return *ret ? 0 : -ENOTCONN;
}

static int send_to(struct unix_socket *u, struct unix_socket *to, struct socket_message *m, struct attachment *a)
{
    struct unix_message *msg;
    if (u->shutdown & SEND_SHUT)
        return -EPIPE;
    if (unix_is_dgram(u) && to->peer && to->peer != u)
        return -EPERM; /* it listens to somebody else */
    int err = wait_packet_room(u, to, m);
    if (err == 0 && !u->address && (unix_wants_creds(u) || unix_wants_creds(to)) && unix_is_dgram(u))
        err = unix_autobind(u);
    if (err == 0)
        err = message_new(u, m->data, m->data->remaining, &msg);
    if (err < 0)
        return err;
    attach(msg, u, to, a);
    err = enqueue(to, msg, false);
    if (err < 0)
        unix_message_free(msg);
    return err;
}

static ssize_t send_packet(struct unix_socket *u, struct socket_message *m, struct attachment *a)
{
    struct unix_socket *to;
    size_t len = m->data->remaining;
    if (len + 32 > (size_t)u->socket.send_buffer)
        return -EMSGSIZE;
    int err = find_receiver(u, m, &to);
    if (err < 0)
        return err;
    err = send_to(u, to, m, a);
    if (err == -ECONNREFUSED && unix_is_dgram(u) && !(m->name && m->name->len))
        unix_set_peer(u, NULL);
    unix_put(to);
    return err < 0 ? err : (ssize_t)len;
}

ssize_t unix_send(struct socket *s, struct socket_message *m)
{
    struct unix_socket *u = unix_of(s);
    struct attachment a = {0};
    if (m->flags & MSG_OOB && !unix_is_stream(u))
        return -EOPNOTSUPP;
    ssize_t result = socket_take_error(s);
    if (result == 0 && m->control_len > 0)
        result = parse_control(m, &a);
    if (result == 0)
        result = unix_is_stream(u) ? send_stream(u, m, &a) : send_packet(u, m, &a);
    attachment_fini(&a);
    return result;
}
