/*
 * Netlink messages: taking those of a guest apart, making those of the kernel.
 *
 * Reading never trusts a length: nl_parse() gives only attributes that lie wholly inside, and
 * checks their sizes by a policy. Writing appends to one growing buffer; nl_close() ends a message,
 * and dumps cut the buffer into packets where nl_close() says a packet is full.
 */
#pragma once
#include "base/base.h"
#include "base/strbuf.h"
#include <linux/netlink.h>
#include <string.h>

/* ---- reading ---- */

#define NL_ATTRS_MAX 80

enum nl_kind { NL_NONE, NL_U8, NL_U16, NL_U32, NL_U64, NL_STRING, NL_BINARY, NL_EXACT, NL_NESTED, NL_FLAG };

struct nl_policy {
    enum nl_kind kind; /* NL_NONE: not known */
    uint16_t max;      /* of NL_STRING (without NUL), NL_BINARY; the size of NL_EXACT; 0: any */
};

struct nl_attr {
    const char *data; /* NULL: not there */
    uint16_t len;
};

struct nl_attrs {
    struct nl_attr at[NL_ATTRS_MAX + 1];
};

/* Attributes 1..max of data. strict: unknown ones, and bytes left over, are errors. -EINVAL, -ERANGE;
 * *ret_bad points at the offender, if there is one. */
NODISCARD int nl_parse(const char *data, size_t len, const struct nl_policy *policy, unsigned max, bool strict,
                       struct nl_attrs *ret, const char **ret_bad, const char **ret_why);
uint8_t nl_get_u8(const struct nl_attr *a);
uint16_t nl_get_u16(const struct nl_attr *a);
uint32_t nl_get_u32(const struct nl_attr *a);
/* A string with its NUL; cut to room. */
void nl_get_string(const struct nl_attr *a, char *ret, size_t room);

/* ---- writing ---- */

#define NL_PACKET_SIZE 3776 /* NLMSG_GOODSIZE */

struct nl_writer {
    struct strbuf buffer;
    size_t start; /* of the open message */
    uint32_t port, sequence;
    uint16_t flags; /* of every message */
    /* Takes a full packet off: the dump's. NULL: the buffer grows. */
    void (*full)(struct nl_writer *w);
    void *full_arg;
};

void nl_open(struct nl_writer *w, int type, int flags, const void *fixed, size_t fixed_len);
void nl_close(struct nl_writer *w);
void nl_cancel(struct nl_writer *w); /* drops the open message */
void nl_attr(struct nl_writer *w, int type, const void *data, size_t len);
void nl_attr_string(struct nl_writer *w, int type, const char *s);
size_t nl_nest(struct nl_writer *w, int type);
void nl_nest_end(struct nl_writer *w, size_t nest);
static inline void nl_attr_u8(struct nl_writer *w, int type, uint8_t v)
{
    nl_attr(w, type, &v, sizeof(v));
}
static inline void nl_attr_u16(struct nl_writer *w, int type, uint16_t v)
{
    nl_attr(w, type, &v, sizeof(v));
}
static inline void nl_attr_u32(struct nl_writer *w, int type, uint32_t v)
{
    nl_attr(w, type, &v, sizeof(v));
}
static inline void nl_attr_u64(struct nl_writer *w, int type, uint64_t v)
{
    nl_attr(w, type, &v, sizeof(v));
}
