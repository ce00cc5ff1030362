/* Netlink messages and attributes. See message.h. */
#include "net/netlink/message.h"

/* ---- reading ---- */

static int check_size(const struct nl_policy *p, size_t len, const char *data)
{
    static const size_t sizes[] = {[NL_U8] = 1, [NL_U16] = 2, [NL_U32] = 4, [NL_U64] = 8};
    switch (p->kind) {
    case NL_U8:
    case NL_U16:
    case NL_U32:
    case NL_U64:
        return len < sizes[p->kind] ? -ERANGE : 0;
    case NL_STRING:
        if (len == 0)
            return -ERANGE;
        if (data[len - 1] == '\0')
            len--;
        return p->max && len > p->max ? -ERANGE : 0;
    case NL_BINARY:
        return p->max && len > p->max ? -ERANGE : 0;
    case NL_EXACT:
        return len < p->max ? -ERANGE : 0;
    case NL_NESTED:
        return len != 0 && len < sizeof(struct nlattr) ? -ERANGE : 0;
    case NL_FLAG:
        return len > 0 ? -ERANGE : 0;
    default:
        return 0;
    }
}

int nl_parse(const char *data, size_t len, const struct nl_policy *policy, unsigned max, bool strict,
             struct nl_attrs *ret, const char **ret_bad, const char **ret_why)
{
    memset(ret, 0, sizeof(*ret));
    *ret_bad = *ret_why = NULL;
    while (len >= sizeof(struct nlattr)) {
        struct nlattr a;
        memcpy(&a, data, sizeof(a));
        if (a.nla_len < sizeof(a) || a.nla_len > len)
            break;
        unsigned type = a.nla_type & NLA_TYPE_MASK;
        const char *value = data + sizeof(a);
        uint16_t value_len = (uint16_t)(a.nla_len - sizeof(a));
        if (type > max || type == 0 || policy[type].kind == NL_NONE) {
            if (strict) {
                *ret_bad = data;
                *ret_why = "Unknown attribute type";
                return -EINVAL;
            }
        } else {
            if (check_size(&policy[type], value_len, value) < 0) {
                *ret_bad = data;
                *ret_why = "Attribute failed policy validation";
                return -ERANGE;
            }
            ret->at[type] = (struct nl_attr){value, value_len};
        }
        size_t step = MIN((size_t)NLA_ALIGN(a.nla_len), len);
        data += step;
        len -= step;
    }
    if (len > 0 && strict) {
        *ret_why = "bytes leftover after parsing attributes";
        return -EINVAL;
    }
    return 0;
}

static uint64_t get_number(const struct nl_attr *a, size_t size)
{
    uint64_t v = 0;
    if (a->data)
        memcpy(&v, a->data, MIN(size, (size_t)a->len));
    return v;
}

uint8_t nl_get_u8(const struct nl_attr *a)
{
    return (uint8_t)get_number(a, 1);
}

uint16_t nl_get_u16(const struct nl_attr *a)
{
    return (uint16_t)get_number(a, 2);
}

uint32_t nl_get_u32(const struct nl_attr *a)
{
    return (uint32_t)get_number(a, 4);
}

void nl_get_string(const struct nl_attr *a, char *ret, size_t room)
{
    size_t len = a->data ? strnlen(a->data, a->len) : 0;
    len = MIN(len, room - 1);
    if (len)
        memcpy(ret, a->data, len);
    memset(ret + len, 0, room - len);
}

/* ---- writing ---- */

static void pad(struct nl_writer *w)
{
    static const char zeroes[NLA_ALIGNTO];
    size_t over = w->buffer.len % NLA_ALIGNTO;
    if (over)
        strbuf_add(&w->buffer, zeroes, NLA_ALIGNTO - over);
}

void nl_open(struct nl_writer *w, int type, int flags, const void *fixed, size_t fixed_len)
{
    struct nlmsghdr h = {.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(w->flags | flags),
                         .nlmsg_seq = w->sequence, .nlmsg_pid = w->port};
    w->start = w->buffer.len;
    strbuf_add(&w->buffer, &h, sizeof(h));
    strbuf_add(&w->buffer, fixed, fixed_len);
    pad(w);
}

/* Cuts before the message that has just been ended when the packet with it would be too long. */
void nl_close(struct nl_writer *w)
{
    if (w->buffer.failed)
        return;
    uint32_t len = (uint32_t)(w->buffer.len - w->start);
    memcpy(w->buffer.s + w->start + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
    if (w->full && w->buffer.len > NL_PACKET_SIZE && w->start > 0)
        w->full(w);
}

void nl_cancel(struct nl_writer *w)
{
    w->buffer.len = w->start;
}

void nl_attr(struct nl_writer *w, int type, const void *data, size_t len)
{
    struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + len), .nla_type = (uint16_t)type};
    assert(len <= UINT16_MAX - sizeof(a));
    strbuf_add(&w->buffer, &a, sizeof(a));
    strbuf_add(&w->buffer, data, len);
    pad(w);
}

void nl_attr_string(struct nl_writer *w, int type, const char *s)
{
    nl_attr(w, type, s, strlen(s) + 1);
}

size_t nl_nest(struct nl_writer *w, int type)
{
    size_t at = w->buffer.len;
    struct nlattr a = {.nla_len = 0, .nla_type = (uint16_t)type};
    strbuf_add(&w->buffer, &a, sizeof(a));
    return at;
}

void nl_nest_end(struct nl_writer *w, size_t nest)
{
    if (w->buffer.failed)
        return;
    uint16_t len = (uint16_t)(w->buffer.len - nest);
    memcpy(w->buffer.s + nest, &len, sizeof(len));
}
