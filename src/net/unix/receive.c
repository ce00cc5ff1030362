/*
 * Receiving. One receiver at a time holds read_lock: only it takes messages off the queue, so what
 * it looks at stays.
 */
#include "net/unix/unix.h"
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/user_namespace.h"
#include <string.h>

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/* ---- what comes with a message ---- */

/* SCM_PIDFD: a descriptor of the sender, or why there is none. */
static void give_pidfd(struct socket_message *m, struct pid *pid)
{
    struct file *file;
    if (!m->control_out || m->control_room - m->control_used < CMSG_LEN(sizeof(int))) {
        m->ret_flags |= MSG_CTRUNC;
        return;
    }
    int fd = pidfd_new(pid, 0, &file);
    if (fd >= 0) {
        fd = fd_install(file, O_CLOEXEC);
        if (fd < 0)
            file_put(file);
    }
    message_put_control(m, SOL_SOCKET, SCM_PIDFD, &fd, sizeof(fd));
}

static void give_creds(struct unix_socket *u, struct socket_message *m, const struct unix_creds *c)
{
    struct ucred cred = {0, OVERFLOW_ID, OVERFLOW_ID};
    if (u->pass_pidfd && c->pid)
        give_pidfd(m, c->pid);
    if (!u->socket.pass_credentials)
        return;
    if (c->pid)
        cred = (struct ucred){pid_number(c->pid), uid_to_user(c->uid), gid_to_user(c->gid)};
    message_put_control(m, SOL_SOCKET, SCM_CREDENTIALS, &cred, sizeof(cred));
}

/* As many as fit get a number; the rest is closed. */
static void give_files(struct socket_message *m, struct unix_files *f)
{
    int numbers[UNIX_MAX_FILES];
    size_t room = m->control_room - m->control_used;
    size_t fit = m->control_out && room >= CMSG_LEN(0) ? (room - CMSG_LEN(0)) / sizeof(int) : 0;
    unsigned given = 0;
    while (given < f->count && given < fit) {
        int fd = fd_install(f->files[given], m->flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);
        if (fd < 0)
            break;
        f->files[given] = NULL; /* the table's now */
        numbers[given++] = fd;
    }
    if (given > 0)
        message_put_control(m, SOL_SOCKET, SCM_RIGHTS, numbers, given * sizeof(int));
    if (given < f->count)
        m->ret_flags |= MSG_CTRUNC;
    unix_files_free(f);
}

/* The message's files, for good or as copies. */
static struct unix_files *take_files(struct unix_message *msg, bool peek)
{
    if (!msg->files)
        return NULL;
    unix_gc_lock();
    struct unix_files *files = msg->files && peek ? unix_files_copy(msg->files) : NULL;
    if (!peek)
        files = TAKE_PTR(msg->files);
    unix_gc_unlock();
    if (files && !peek)
        unix_files_landed(files);
    return files;
}

static void give_name(struct socket_message *m, const struct unix_message *msg)
{
    if (!m->name)
        return;
    if (msg->from)
        *m->name = msg->from->name;
    else
        m->name->len = 0;
}

/* ---- the queue ---- */

static struct unix_message *first_message(struct unix_socket *u)
{
    spin_lock(&u->lock);
    struct unix_message *msg = list_first(&u->queue, struct unix_message, link);
    spin_unlock(&u->lock);
    return msg;
}

static struct unix_message *next_message(struct unix_socket *u, struct unix_message *msg)
{
    spin_lock(&u->lock);
    bool last = msg->link.next == &u->queue;
    struct unix_message *next = last ? NULL : list_entry(msg->link.next, struct unix_message, link);
    spin_unlock(&u->lock);
    return next;
}

bool unix_readable_locked(const struct unix_socket *u)
{
    const struct unix_message *msg;
    list_for_each(msg, &u->queue, link)
        if (!msg->mark)
            return true;
    return false;
}

static bool readable(struct unix_socket *u)
{
    spin_lock(&u->lock);
    bool yes = unix_readable_locked(u);
    spin_unlock(&u->lock);
    return yes;
}

/* What was peeked at and has gone now, so the next peek is that much nearer. */
static void peeked_gone(struct unix_socket *u, size_t n)
{
    int offset = u->socket.peek_offset;
    if (offset > 0)
        u->socket.peek_offset = (size_t)offset > n ? offset - (int)n : 0;
}

static void consume(struct unix_socket *u, struct unix_message *msg, size_t n, bool whole)
{
    peeked_gone(u, whole ? msg->len : n);
    spin_lock(&u->lock);
    u->queue_bytes -= whole ? msg->len - msg->offset : n;
    msg->offset += n;
    bool done = whole || msg->offset == msg->len;
    if (done && u->urgent == msg)
        u->urgent = NULL;
    if (done) {
        list_del(&msg->link);
        u->queue_len--;
    }
    spin_unlock(&u->lock);
    if (done) {
        unix_message_free(msg);
        if (unix_is_dgram(u))
            unix_unswamp(u);
    }
}

/* Nothing is queued (beyond so many bytes, for those who have peeked at them): 1 at the end of the stream, 0 after a
 * wait, -errno. read_lock is let go meanwhile. */
static int wait_message(struct unix_socket *u, const struct socket_message *m, int64_t deadline, size_t beyond)
{
    int err = socket_take_error(&u->socket);
    if (err < 0)
        return err;
    if (u->shutdown & RECEIVE_SHUT)
        return unix_is_dgram(u) && (m->flags & MSG_DONTWAIT) ? -EAGAIN : 1;
    if (m->flags & MSG_DONTWAIT)
        return -EAGAIN;
    mutex_unlock(&u->read_lock);
    err = wait_event_timeout(&u->socket.readers,
                             (readable(u) && (!beyond || u->queue_bytes > beyond)) || (u->shutdown & RECEIVE_SHUT) ||
                                 u->socket.error,
                             deadline);
    mutex_lock(&u->read_lock);
    return socket_wait_error(err, deadline);
}

/* ---- streams ---- */

struct stream_read {
    size_t done, target;
    bool have_creds;
    struct pid *pid; /* of the message before; only compared */
    uint32_t uid, gid;
    struct unix_files *files;
};

/* Bytes of different senders are not glued together when the receiver wants to know who sent them.
 * */
static bool same_sender(struct unix_socket *u, struct socket_message *m, struct stream_read *r,
                        const struct unix_message *msg)
{
    if (r->have_creds)
        return !u->socket.pass_credentials ||
               (r->pid == msg->creds.pid && r->uid == msg->creds.uid && r->gid == msg->creds.gid);
    r->have_creds = true;
    r->pid = msg->creds.pid;
    r->uid = msg->creds.uid;
    r->gid = msg->creds.gid;
    give_creds(u, m, &msg->creds);
    give_name(m, msg);
    return true;
}

/* One message's bytes, from `skip` on: 1 to go on, 0 to stop, -errno. */
static int read_message(struct unix_socket *u, struct socket_message *m, struct stream_read *r,
                        struct unix_message *msg, size_t skip)
{
    bool peek = m->flags & MSG_PEEK;
    if (!same_sender(u, m, r, msg))
        return 0;
    size_t n = MIN(msg->len - msg->offset - skip, m->data->remaining);
    ssize_t put = m->flags & MSG_TRUNC ? (ssize_t)n : uio_put(m->data, msg->data + msg->offset + skip, n);
    if (put < 0)
        return (int)put;
    if (m->flags & MSG_TRUNC)
        uio_skip(m->data, n);
    r->done += (size_t)put;
    bool had_files = msg->files;
    if (had_files)
        r->files = take_files(msg, peek);
    if (!peek)
        consume(u, msg, (size_t)put, false);
    return (size_t)put == n && !had_files && m->data->remaining > 0;
}

/* Marks in the stream: a read that has bytes stops at one; otherwise it passes, and the urgent byte is
 * lost to a reader that did not ask for it in line. *ret_stop: the read is over. */
static struct unix_message *pass_marks(struct unix_socket *u, const struct socket_message *m, struct unix_message *msg,
                                       bool have_bytes, bool *ret_stop)
{
    struct list dropped;
    struct unix_message *next, *tmp;
    bool peek = m->flags & MSG_PEEK;
    list_init(&dropped);
    spin_lock(&u->lock);
    while (msg && (msg->mark || msg == u->urgent)) {
        if (have_bytes) {
            *ret_stop = true;
            break;
        }
        bool urgent = msg == u->urgent;
        if (urgent && !peek)
            u->urgent = NULL;
        if (urgent && u->socket.oob_inline)
            break;
        next = msg->link.next == &u->queue ? NULL : list_entry(msg->link.next, struct unix_message, link);
        if (!peek) {
            u->queue_bytes -= msg->len - msg->offset;
            u->queue_len--;
            list_del(&msg->link);
            list_add_tail(&dropped, &msg->link);
        }
        msg = next;
    }
    spin_unlock(&u->lock);
    list_for_each_safe(next, tmp, &dropped, link) {
        list_del(&next->link);
        unix_message_free(next);
    }
    return msg;
}

static int read_stream(struct unix_socket *u, struct socket_message *m, struct stream_read *r)
{
    int64_t deadline = socket_deadline(&u->socket, false);
    struct unix_message *msg = first_message(u);
    bool peek = m->flags & MSG_PEEK, stop = false;
    size_t offset = peek && u->socket.peek_offset > 0 ? (size_t)u->socket.peek_offset : 0, skip = offset;
    for (;;) {
        msg = pass_marks(u, m, msg, r->done > 0, &stop);
        if (stop)
            return 0;
        if (msg && skip >= msg->len - msg->offset && skip > 0) {
            skip -= msg->len - msg->offset;
            msg = next_message(u, msg);
            continue;
        }
        if (msg) {
            struct unix_message *next = peek ? next_message(u, msg) : NULL;
            int more = read_message(u, m, r, msg, skip);
            if (more <= 0)
                return more;
            msg = peek ? next : first_message(u);
            skip = 0;
            continue;
        }
        if (r->done >= r->target || (peek && r->done > 0))
            return 0;
        int err = wait_message(u, m, deadline, offset);
        if (err != 0)
            return err < 0 ? err : 0;
        msg = first_message(u);
        skip = offset;
    }
}

/* recv(2) with MSG_OOB. */
static ssize_t receive_urgent(struct unix_socket *u, struct socket_message *m)
{
    MUTEX_GUARD(&u->read_lock);
    spin_lock(&u->lock);
    struct unix_message *msg = u->socket.oob_inline ? NULL : u->urgent;
    char byte = msg ? msg->data[0] : 0;
    spin_unlock(&u->lock);
    if (!msg)
        return -EINVAL;
    if (m->data->remaining > 0 && uio_put(m->data, &byte, 1) != 1)
        return -EFAULT;
    m->ret_flags |= MSG_OOB;
    if (m->flags & MSG_PEEK)
        return 1;
    spin_lock(&u->lock);
    if (u->urgent == msg)
        u->urgent = NULL;
    msg->offset = msg->len;
    msg->mark = true;
    u->queue_bytes--;
    spin_unlock(&u->lock);
    return 1;
}

static ssize_t receive_stream(struct unix_socket *u, struct socket_message *m)
{
    struct stream_read r = {.target = m->flags & MSG_WAITALL ? m->data->remaining : (size_t)u->socket.receive_low};
    if (u->state != UNIX_CONNECTED)
        return u->shutdown & RECEIVE_SHUT ? 0 : -EINVAL;
    r.target = MAX(MIN(r.target, m->data->remaining), (size_t)1);
    int err = mutex_lock_interruptible(&u->read_lock);
    if (err < 0)
        return err;
    err = read_stream(u, m, &r);
    if (m->flags & MSG_PEEK && u->socket.peek_offset >= 0 && r.done > 0)
        u->socket.peek_offset += (int)r.done;
    mutex_unlock(&u->read_lock);
    if (r.files)
        give_files(m, r.files);
    return r.done > 0 ? (ssize_t)r.done : err;
}

/* ---- datagrams and sequenced packets ---- */

static ssize_t take_packet(struct unix_socket *u, struct socket_message *m, struct unix_message *msg, size_t skip)
{
    bool peek = m->flags & MSG_PEEK;
    size_t len = msg->len - skip, n = MIN(len, m->data->remaining);
    if (n < len)
        m->ret_flags |= MSG_TRUNC;
    ssize_t put = n > 0 ? uio_put(m->data, msg->data + skip, n) : 0;
    if (put < 0 || (size_t)put < n)
        return -EFAULT;
    if (peek && u->socket.peek_offset >= 0)
        u->socket.peek_offset += (int)n;
    socket_give_timestamp(&u->socket, m, msg->time);
    give_name(m, msg);
    give_creds(u, m, &msg->creds);
    struct unix_files *files = take_files(msg, peek);
    if (!peek)
        consume(u, msg, 0, true);
    if (files)
        give_files(m, files);
    return m->flags & MSG_TRUNC ? (ssize_t)len : put;
}

/* The packet to give; *ret_skip: so much of it has been peeked at. */
static struct unix_message *choose_packet(struct unix_socket *u, const struct socket_message *m, size_t *ret_skip)
{
    size_t skip = m->flags & MSG_PEEK && u->socket.peek_offset > 0 ? (size_t)u->socket.peek_offset : 0;
    struct unix_message *msg = first_message(u);
    while (msg && skip > 0 && skip >= msg->len) {
        skip -= msg->len;
        msg = next_message(u, msg);
    }
    *ret_skip = skip;
    return msg;
}

static ssize_t receive_packet(struct unix_socket *u, struct socket_message *m)
{
    int64_t deadline = socket_deadline(&u->socket, false);
    struct unix_message *msg;
    size_t skip, beyond = m->flags & MSG_PEEK && u->socket.peek_offset > 0 ? (size_t)u->socket.peek_offset : 0;
    if (!unix_is_dgram(u) && u->state != UNIX_CONNECTED && !(u->shutdown & RECEIVE_SHUT))
        return -ENOTCONN;
    ssize_t result = mutex_lock_interruptible(&u->read_lock);
    if (result < 0)
        return result;
    while (!(msg = choose_packet(u, m, &skip)) && result == 0)
        result = wait_message(u, m, deadline, beyond);
    if (msg)
        result = take_packet(u, m, msg, skip);
    else if (result == 1)
        result = 0;
    mutex_unlock(&u->read_lock);
    return result;
}

ssize_t unix_receive(struct socket *s, struct socket_message *m)
{
    struct unix_socket *u = unix_of(s);
    if (m->name)
        m->name->len = 0;
    if (m->flags & MSG_OOB)
        return unix_is_stream(u) ? receive_urgent(u, m) : -EOPNOTSUPP;
    return unix_is_stream(u) ? receive_stream(u, m) : receive_packet(u, m);
}
