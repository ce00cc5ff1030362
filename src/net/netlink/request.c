/*
 * What a guest asks the kernel: the messages of one packet, each answered or acknowledged. See
 * netlink.h.
 */
#include "net/netlink/netlink.h"
#include <stdlib.h>

/* ---- answers ---- */

static int send_bytes(struct netlink_socket *to, const char *data, size_t len, bool dump, bool last)
{
    if (len == 0)
        return 0;
    struct netlink_packet *p = netlink_packet_new(len);
    if (!p)
        return -ENOMEM;
    memcpy(p->data, data, len);
    int err = netlink_queue(to, p, dump, last);
    netlink_packet_put(p);
    return err;
}

/* The dump's packet is full: all but the message that did not fit. */
static void send_full(struct nl_writer *w)
{
    struct netlink_request *q = w->full_arg;
    (void)!send_bytes(q->from, w->buffer.s, w->start, true, false);
    size_t rest = w->buffer.len - w->start;
    memmove(w->buffer.s, w->buffer.s + w->start, rest);
    w->buffer.len = rest;
    w->start = 0;
}

static int start_dump(struct netlink_request *q)
{
    struct netlink_socket *n = q->from;
    spin_lock(&n->lock);
    bool busy = n->dumping;
    n->dumping = true;
    spin_unlock(&n->lock);
    q->out.flags = NLM_F_MULTI;
    q->out.full = send_full;
    q->out.full_arg = q;
    return busy ? -EBUSY : 0;
}

static void add_reason(struct netlink_request *q)
{
    if (q->why)
        nl_attr_string(&q->out, NLMSGERR_ATTR_MSG, q->why);
    if (q->why_offset)
        nl_attr_u32(&q->out, NLMSGERR_ATTR_OFFS, (uint32_t)q->why_offset);
}

static void cancel_dump(struct netlink_request *q)
{
    struct netlink_socket *n = q->from;
    strbuf_reset(&q->out.buffer);
    spin_lock(&n->lock);
    n->dumping = false;
    spin_unlock(&n->lock);
}

/* NLMSG_DONE, with the error if there was one. */
static void end_dump(struct netlink_request *q, int32_t err)
{
    struct nl_writer *w = &q->out;
    bool tlvs = q->from->ext_ack && (q->why || q->why_offset);
    (void)!send_bytes(q->from, w->buffer.s, w->buffer.len, true, false);
    strbuf_reset(&w->buffer);
    w->full = NULL;
    nl_open(w, NLMSG_DONE, tlvs ? NLM_F_ACK_TLVS : 0, &err, sizeof(err));
    if (tlvs)
        add_reason(q);
    nl_close(w);
    if (send_bytes(q->from, w->buffer.s, w->buffer.len, true, true) < 0)
        cancel_dump(q);
}

/* NLMSG_ERROR: with the whole request when it failed and the socket did not decline that. */
static void acknowledge(struct netlink_request *q, const char *message, int err)
{
    struct nl_writer *w = &q->out;
    struct {
        int32_t error;
        struct nlmsghdr h;
    } fixed = {err, q->h};
    bool capped = err == 0 || q->from->cap_ack;
    bool tlvs = q->from->ext_ack && (q->why || q->why_offset);
    strbuf_reset(&w->buffer);
    w->full = NULL;
    w->flags = 0;
    nl_open(w, NLMSG_ERROR, (capped ? NLM_F_CAPPED : 0) | (tlvs ? NLM_F_ACK_TLVS : 0), &fixed, sizeof(fixed));
    if (!capped)
        strbuf_add(&w->buffer, message + NLMSG_HDRLEN, NLMSG_ALIGN(q->h.nlmsg_len) - NLMSG_HDRLEN);
    if (tlvs)
        add_reason(q);
    nl_close(w);
    (void)!send_bytes(q->from, w->buffer.s, w->buffer.len, false, false);
}

/* ---- requests ---- */

static bool is_dump(const struct netlink_request *q)
{
    return (q->h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

/* Does the message ask for a dump where one is meant? Deletions have other flags in those bits. */
static bool wants_dump(const struct netlink_request *q)
{
    if (q->from->protocol->protocol == NETLINK_ROUTE)
        return is_dump(q) && q->h.nlmsg_type >= 16 && (q->h.nlmsg_type & 3) == 2;
    return is_dump(q);
}

/* Is its answer complete with this, or does an acknowledgement follow? */
static int run(struct netlink_request *q, bool *ret_answered)
{
    bool dump = wants_dump(q);
    int err = dump ? start_dump(q) : 0;
    if (dump && err < 0)
        return err; /* -EBUSY: the dump under way goes on */
    err = q->from->protocol->request(q);
    if (err >= 0 && q->out.buffer.failed)
        err = -ENOMEM;
    if (dump && (err >= 0 || q->dumping)) {
        end_dump(q, MIN(err, 0));
        *ret_answered = true;
    } else if (dump) {
        cancel_dump(q);
    } else if (err >= 0) {
        err = send_bytes(q->from, q->out.buffer.s, q->out.buffer.len, false, false);
    }
    return MIN(err, 0);
}

static void handle_one(struct netlink_socket *from, const char *message, const struct nlmsghdr *h)
{
    struct netlink_request q = {.from = from, .ns = from->socket.ns, .h = *h, .payload = message + NLMSG_HDRLEN,
                                .len = h->nlmsg_len - NLMSG_HDRLEN};
    q.out.port = from->port;
    q.out.sequence = h->nlmsg_seq;
    bool answered = false;
    int err = 0;
    if (h->nlmsg_flags & NLM_F_REQUEST && h->nlmsg_type >= NLMSG_MIN_TYPE)
        err = run(&q, &answered);
    if (!answered && (err < 0 || h->nlmsg_flags & NLM_F_ACK))
        acknowledge(&q, message, err);
    strbuf_free(&q.out.buffer);
    net_namespace_put(q.held);
}

int netlink_handle(struct netlink_socket *from, const char *data, size_t len)
{
    if (!from->protocol->request)
        return -ECONNREFUSED;
    while (len >= NLMSG_HDRLEN) {
        struct nlmsghdr h;
        memcpy(&h, data, sizeof(h));
        if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > len)
            break;
        handle_one(from, data, &h);
        size_t step = MIN((size_t)NLMSG_ALIGN(h.nlmsg_len), len);
        data += step;
        len -= step;
    }
    return 0;
}
