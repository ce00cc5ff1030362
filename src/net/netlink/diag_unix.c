/* AF_UNIX sockets for ss(8). See diag.h. */
#include "base/cleanup.h"
#include "net/netlink/diag.h"
#include "net/unix/unix.h"
#include "vfs/dentry.h"
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>

struct unix_dump {
    struct netlink_request *q;
    struct unix_diag_req r;
    bool found;
};

int unix_tcp_state(const struct unix_socket *u)
{
    if (u->state == UNIX_LISTENING)
        return TCP_LISTEN;
    return u->state == UNIX_CONNECTED || (unix_is_dgram(u) && u->peer) ? TCP_ESTABLISHED : TCP_CLOSE;
}

static void add_name(struct nl_writer *w, struct unix_socket *u, uint32_t show)
{
    mutex_lock(&unix_lock);
    struct unix_address *a = u->address ? unix_address_get(u->address) : NULL;
    mutex_unlock(&unix_lock);
    if (!a)
        return;
    size_t prefix = offsetof(struct sockaddr_un, sun_path);
    if (show & UDIAG_SHOW_NAME && a->name.len > prefix)
        nl_attr(w, UNIX_DIAG_NAME, a->name.bytes + prefix, a->name.len - prefix);
    if (show & UDIAG_SHOW_VFS && a->path.dentry) {
        const struct inode *i = a->path.dentry->inode;
        struct unix_diag_vfs vfs = {(uint32_t)i->attr.ino, (uint32_t)i->sb->dev};
        nl_attr(w, UNIX_DIAG_VFS, &vfs, sizeof(vfs));
    }
    unix_address_put(a);
}

static void add_peer(struct nl_writer *w, struct unix_socket *u)
{
    struct unix_socket *peer = unix_peer(u);
    if (!peer)
        return;
    nl_attr_u32(w, UNIX_DIAG_PEER, (uint32_t)peer->socket.ino);
    unix_put(peer);
}

/* The clients of those that wait to be accepted. */
static void add_waiting(struct nl_writer *w, struct unix_socket *u)
{
    uint32_t numbers[128];
    size_t count = 0;
    struct unix_socket *waiting;
    if (u->state != UNIX_LISTENING)
        return;
    spin_lock(&u->lock);
    list_for_each(waiting, &u->backlog, accept_link) {
        if (count == ARRAY_SIZE(numbers))
            break;
        spin_lock(&waiting->lock);
        numbers[count++] = waiting->peer ? (uint32_t)waiting->peer->socket.ino : 0;
        spin_unlock(&waiting->lock);
    }
    spin_unlock(&u->lock);
    nl_attr(w, UNIX_DIAG_ICONS, numbers, count * sizeof(*numbers));
}

static void add_queues(struct nl_writer *w, struct unix_socket *u)
{
    struct unix_diag_rqlen q;
    spin_lock(&u->lock);
    if (u->state == UNIX_LISTENING)
        q = (struct unix_diag_rqlen){u->backlog_len, u->backlog_max};
    else
        q = (struct unix_diag_rqlen){(uint32_t)u->queue_bytes, (uint32_t)u->charged};
    spin_unlock(&u->lock);
    nl_attr(w, UNIX_DIAG_RQLEN, &q, sizeof(q));
}

static void fill(struct nl_writer *w, struct unix_socket *u, uint32_t show)
{
    struct unix_diag_msg m = {.udiag_family = AF_UNIX, .udiag_type = (uint8_t)u->socket.type,
                              .udiag_state = (uint8_t)unix_tcp_state(u), .udiag_ino = (uint32_t)u->socket.ino};
    diag_cookie(&u->socket, m.udiag_cookie);
    nl_open(w, SOCK_DIAG_BY_FAMILY, 0, &m, sizeof(m));
    add_name(w, u, show);
    if (show & UDIAG_SHOW_PEER)
        add_peer(w, u);
    if (show & UDIAG_SHOW_ICONS)
        add_waiting(w, u);
    if (show & UDIAG_SHOW_RQLEN)
        add_queues(w, u);
    if (show & UDIAG_SHOW_MEMINFO)
        diag_meminfo(w, UNIX_DIAG_MEMINFO, &u->socket, u->queue_bytes, u->charged);
    nl_attr_u8(w, UNIX_DIAG_SHUTDOWN, (uint8_t)u->shutdown);
    nl_close(w);
}

static int visit(struct socket *s, void *arg)
{
    struct unix_dump *d = arg;
    struct unix_socket *u = unix_of(s);
    if (s->ino && d->r.udiag_states & (1u << unix_tcp_state(u)))
        fill(&d->q->out, u, d->r.udiag_show);
    return 0;
}

static int visit_one(struct socket *s, void *arg)
{
    struct unix_dump *d = arg;
    if (s->ino != d->r.udiag_ino)
        return 0;
    if (!diag_cookie_matches(s, d->r.udiag_cookie))
        return -ESTALE;
    d->found = true;
    fill(&d->q->out, unix_of(s), d->r.udiag_show);
    return 1;
}

int diag_unix(struct netlink_request *q, bool dump)
{
    struct unix_dump d = {.q = q};
    if (q->len < sizeof(d.r))
        return -EINVAL;
    memcpy(&d.r, q->payload, sizeof(d.r));
    if (dump)
        return diag_each(q->ns, AF_UNIX, visit, &d);
    if (!d.r.udiag_ino)
        return -EINVAL;
    int err = diag_each(q->ns, AF_UNIX, visit_one, &d);
    return err < 0 ? err : d.found ? 0 : -ENOENT;
}
