/*
 * NETLINK_SOCK_DIAG: sock_diag(7), what ss(8) shows. Families whose sockets cannot be listed here
 * give ENOENT, on which ss reads /proc/net instead. See netlink.h.
 */
#include "net/netlink/diag.h"
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

static const struct {
    int family;
    diag_handler *handler;
} handlers[] = {{AF_UNIX, diag_unix}, {AF_NETLINK, diag_netlink}};

int diag_each(struct net_namespace *ns, int domain, diag_visit *visit, void *arg)
{
    struct socket_list all;
    int err = socket_list(ns, domain, &all);
    for (size_t n = 0; n < all.count && err == 0; n++)
        err = visit(all.sockets[n], arg);
    socket_list_free(&all);
    return err;
}

void diag_meminfo(struct nl_writer *w, int type, const struct socket *s, size_t received, size_t sent)
{
    uint32_t info[SK_MEMINFO_VARS] = {[SK_MEMINFO_RMEM_ALLOC] = (uint32_t)received,
                                      [SK_MEMINFO_RCVBUF] = (uint32_t)s->receive_buffer,
                                      [SK_MEMINFO_WMEM_ALLOC] = (uint32_t)sent,
                                      [SK_MEMINFO_SNDBUF] = (uint32_t)s->send_buffer};
    nl_attr(w, type, info, sizeof(info));
}

void diag_cookie(const struct socket *s, uint32_t ret[2])
{
    ret[0] = (uint32_t)s->cookie;
    ret[1] = (uint32_t)(s->cookie >> 32);
}

bool diag_cookie_matches(const struct socket *s, const uint32_t wanted[2])
{
    uint32_t own[2];
    diag_cookie(s, own);
    return (wanted[0] == UINT32_MAX && wanted[1] == UINT32_MAX) || (own[0] == wanted[0] && own[1] == wanted[1]);
}

int diag_request(struct netlink_request *q)
{
    struct sock_diag_req r;
    int type = q->h.nlmsg_type;
    if (type == 18 || type == 19) /* TCPDIAG_GETSOCK, DCCPDIAG_GETSOCK */
        return -ENOENT;
    if (type != SOCK_DIAG_BY_FAMILY)
        return -EINVAL;
    if (q->len < sizeof(r))
        return -EINVAL;
    memcpy(&r, q->payload, sizeof(r));
    if (r.sdiag_family >= AF_MAX)
        return -EINVAL;
    for (size_t h = 0; h < ARRAY_SIZE(handlers); h++)
        if (handlers[h].family == r.sdiag_family)
            return handlers[h].handler(q, (q->h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP);
    return -ENOENT;
}

/* ---- AF_NETLINK ---- */

struct netlink_dump {
    struct netlink_request *q;
    struct netlink_diag_req r;
};

static int visit_netlink(struct socket *s, void *arg)
{
    struct netlink_dump *d = arg;
    struct netlink_socket *n = netlink_of(s);
    if (d->r.sdiag_protocol != NDIAG_PROTO_ALL && d->r.sdiag_protocol != n->protocol->protocol)
        return 0;
    struct netlink_diag_msg m = {.ndiag_family = AF_NETLINK, .ndiag_type = (uint8_t)s->type,
                                 .ndiag_protocol = (uint8_t)n->protocol->protocol, .ndiag_portid = n->port,
                                 .ndiag_dst_portid = n->peer_port, .ndiag_dst_group = n->peer_groups,
                                 .ndiag_ino = (uint32_t)s->ino};
    diag_cookie(s, m.ndiag_cookie);
    nl_open(&d->q->out, SOCK_DIAG_BY_FAMILY, 0, &m, sizeof(m));
    if (d->r.ndiag_show & NDIAG_SHOW_GROUPS)
        nl_attr(&d->q->out, NETLINK_DIAG_GROUPS, n->groups, (n->protocol->groups + 31) / 32 * 4);
    if (d->r.ndiag_show & NDIAG_SHOW_MEMINFO)
        diag_meminfo(&d->q->out, NETLINK_DIAG_MEMINFO, s, n->queued, 0);
    nl_close(&d->q->out);
    return 0;
}

int diag_netlink(struct netlink_request *q, bool dump)
{
    struct netlink_dump d = {.q = q};
    if (q->len < sizeof(d.r))
        return -EINVAL;
    if (!dump)
        return -EOPNOTSUPP;
    memcpy(&d.r, q->payload, sizeof(d.r));
    if (d.r.sdiag_protocol != NDIAG_PROTO_ALL && d.r.sdiag_protocol >= 32)
        return -ENOENT;
    return diag_each(q->ns, AF_NETLINK, visit_netlink, &d);
}
