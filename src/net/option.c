/*
 * Options of SOL_SOCKET that mean the same in every family: socket(7). The rest is passed to the
 * family.
 */
#include "net/filter.h"
#include "net/netns.h"
#include "net/socket.h"
#include <asm/socket.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <limits.h>
#include <string.h>
#include <sys/time.h>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
/* Newer than the headers. */
#define SO_PASSPIDFD_OPTION 76
#define SO_PEERPIDFD_OPTION 77
#define SO_RCVPRIORITY_OPTION 82
#define SO_PASSRIGHTS_OPTION 83
#define BPF_EXTENSIONS 64 /* SKF_AD_MAX */
#define TIMESTAMPING_ALL 0x3ffff /* SOF_TIMESTAMPING_MASK */
#define BUF_LOCK_SEND 1
#define BUF_LOCK_RECEIVE 2

enum option_kind { FLAG, NUMBER };

/* Plain values: stored and given back. */
static const struct plain_option {
    int option;
    enum option_kind kind;
    size_t offset;
} plain_options[] = {
    {SO_PASSCRED, FLAG, offsetof(struct socket, pass_credentials)},
    {SO_PASSSEC, FLAG, offsetof(struct socket, pass_security)},
    {SO_DEBUG, FLAG, offsetof(struct socket, debug)},
    {SO_NO_CHECK, FLAG, offsetof(struct socket, no_check)},
    {SO_RXQ_OVFL, FLAG, offsetof(struct socket, overflow_wanted)},
    {SO_SELECT_ERR_QUEUE, FLAG, offsetof(struct socket, select_errors)},
    {SO_RCVMARK, FLAG, offsetof(struct socket, mark_wanted)},
    {SO_WIFI_STATUS, FLAG, offsetof(struct socket, wifi_status)},
    {SO_NOFCS, FLAG, offsetof(struct socket, no_frame_check)},
    {SO_RCVPRIORITY_OPTION, FLAG, offsetof(struct socket, priority_wanted)},
    {SO_PREFER_BUSY_POLL, FLAG, offsetof(struct socket, prefer_busy_poll)},
    {SO_REUSEADDR, FLAG, offsetof(struct socket, reuse_address)},
    {SO_REUSEPORT, FLAG, offsetof(struct socket, reuse_port)},
    {SO_KEEPALIVE, FLAG, offsetof(struct socket, keepalive)},
    {SO_BROADCAST, FLAG, offsetof(struct socket, broadcast)},
    {SO_DONTROUTE, FLAG, offsetof(struct socket, dont_route)},
    {SO_OOBINLINE, FLAG, offsetof(struct socket, oob_inline)},
    {SO_PRIORITY, NUMBER, offsetof(struct socket, priority)},
    {SO_MARK, NUMBER, offsetof(struct socket, mark)},
    {SO_BUSY_POLL, NUMBER, offsetof(struct socket, busy_poll)},
    {SO_INCOMING_CPU, NUMBER, offsetof(struct socket, incoming_cpu)},
    {SO_TIMESTAMPING, NUMBER, offsetof(struct socket, timestamping)},
    {SO_TIMESTAMPING_NEW, NUMBER, offsetof(struct socket, timestamping)},
    {SO_BUSY_POLL_BUDGET, NUMBER, offsetof(struct socket, busy_poll_budget)},
};

static const struct plain_option *find_plain(int option)
{
    for (size_t i = 0; i < ARRAY_SIZE(plain_options); i++)
        if (plain_options[i].option == option)
            return &plain_options[i];
    return NULL;
}

static void set_plain(struct socket *s, const struct plain_option *o, int value)
{
    char *at = (char *)s + o->offset;
    if (o->kind == FLAG)
        *(_Atomic bool *)at = value != 0;
    else
        *(_Atomic int *)at = value;
}

static int get_plain(struct socket *s, const struct plain_option *o)
{
    const char *at = (const char *)s + o->offset;
    return o->kind == FLAG ? *(const _Atomic bool *)at : *(const _Atomic int *)at;
}

/* ---- setting ---- */

static bool may(const struct socket *s, int capability)
{
    return netns_capable(s->ns, capability);
}

static bool is_inet(const struct socket *s)
{
    return s->domain == AF_INET || s->domain == AF_INET6;
}

static int set_send_buffer(struct socket *s, int value, bool forced)
{
    if (forced && !may(s, CAP_NET_ADMIN))
        return -EPERM;
    if (forced)
        value = MIN(MAX(value, 0), INT_MAX / 2);
    else
        value = (int)MIN((unsigned)value, (unsigned)s->ns->sysctl.wmem_max);
    s->send_buffer = MAX(value * 2, SOCKET_BUFFER_MIN); /* doubled, as Linux does for its own overhead */
    s->send_sized = true;
    wake_poll(&s->writers, EPOLLOUT | EPOLLWRNORM);
    return 0;
}

static int set_receive_buffer(struct socket *s, int value, bool forced)
{
    if (forced && !may(s, CAP_NET_ADMIN))
        return -EPERM;
    if (forced)
        value = MIN(MAX(value, 0), INT_MAX / 2);
    else
        value = (int)MIN((unsigned)value, (unsigned)s->ns->sysctl.rmem_max);
    s->receive_buffer = MAX(value * 2, SOCKET_BUFFER_MIN / 2);
    s->receive_sized = true;
    return 0;
}

static int set_buffer_lock(struct socket *s, int value)
{
    if (value & ~(BUF_LOCK_SEND | BUF_LOCK_RECEIVE))
        return -EINVAL;
    s->send_sized = value & BUF_LOCK_SEND;
    s->receive_sized = value & BUF_LOCK_RECEIVE;
    return 0;
}

static int set_timestamps(struct socket *s, bool on, bool ns)
{
    s->timestamps = on && !ns;
    s->timestamps_ns = on && ns;
    return 0;
}

static int set_peek_offset(struct socket *s, int value)
{
    if (s->type == SOCK_RAW || (!is_inet(s) && s->domain != AF_UNIX))
        return -EOPNOTSUPP;
    s->peek_offset = value;
    return 0;
}

static int set_filter_lock(struct socket *s, bool on)
{
    if (s->filter_locked && !on)
        return -EPERM;
    s->filter_locked = on;
    return 0;
}

/* 4 or 8 bytes. */
static int set_pacing_rate(struct socket *s, const void *value, socklen_t len)
{
    uint64_t rate = 0;
    memcpy(&rate, value, len >= sizeof(rate) ? sizeof(rate) : sizeof(uint32_t));
    if (len < sizeof(rate) && rate == UINT32_MAX)
        rate = UINT64_MAX;
    s->pacing_rate = ~rate; /* kept inverted: none is the default */
    return 0;
}

static int set_timeout(_Atomic int64_t *timeout, const void *value, socklen_t len)
{
    struct timeval tv;
    if (len < sizeof(tv))
        return -EINVAL;
    memcpy(&tv, value, sizeof(tv));
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0)
        tv = (struct timeval){.tv_usec = 1}; /* negative: does not wait */
    int64_t ns = tv.tv_sec >= INT64_MAX / NSEC_PER_SEC / 2 ? 0 : tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC;
    *timeout = ns;
    return 0;
}

static int set_linger(struct socket *s, const void *value, socklen_t len)
{
    struct linger l;
    if (len < sizeof(l))
        return -EINVAL;
    memcpy(&l, value, sizeof(l));
    s->linger = l.l_onoff ? MAX(l.l_linger, 0) : -1;
    return 0;
}

/* May the option be set to that? */
static int check_plain(struct socket *s, int option, int value)
{
    switch (option) {
    case SO_DEBUG:
        return value && !may(s, CAP_NET_ADMIN) ? -EACCES : 0;
    case SO_MARK:
    case SO_RCVMARK:
        return may(s, CAP_NET_ADMIN) || may(s, CAP_NET_RAW) ? 0 : -EPERM;
    case SO_PRIORITY:
        return (value < 0 || value > 6) && !may(s, CAP_NET_ADMIN) && !may(s, CAP_NET_RAW) ? -EPERM : 0;
    case SO_REUSEPORT:
        return value && !is_inet(s) ? -EOPNOTSUPP : 0;
    case SO_PASSCRED:
    case SO_PASSSEC:
        return is_inet(s) ? -EOPNOTSUPP : 0;
    case SO_BUSY_POLL:
        return value < 0 ? -EINVAL : value > s->busy_poll && !may(s, CAP_NET_ADMIN) ? -EPERM : 0;
    case SO_PREFER_BUSY_POLL:
        return value && !may(s, CAP_NET_ADMIN) ? -EPERM : 0;
    case SO_BUSY_POLL_BUDGET:
        return value < 0 || value > UINT16_MAX ? -EINVAL : 0;
    case SO_TIMESTAMPING:
    case SO_TIMESTAMPING_NEW:
        return value & ~TIMESTAMPING_ALL ? -EINVAL : 0;
    default:
        return 0;
    }
}

static int set_number(struct socket *s, int option, int value)
{
    const struct plain_option *plain = find_plain(option);
    switch (option) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
        return set_send_buffer(s, value, option == SO_SNDBUFFORCE);
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
        return set_receive_buffer(s, value, option == SO_RCVBUFFORCE);
    case SO_BUF_LOCK:
        return set_buffer_lock(s, value);
    case SO_RCVLOWAT:
        s->receive_low = value < 0 ? INT_MAX : MAX(value, 1);
        return 0;
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_NEW:
        return set_timestamps(s, value != 0, option == SO_TIMESTAMPNS || option == SO_TIMESTAMPNS_NEW);
    case SO_PEEK_OFF:
        return set_peek_offset(s, value);
    case SO_LOCK_FILTER:
        return set_filter_lock(s, value != 0);
    case SO_DETACH_FILTER:
        return socket_filter_detach(s);
    case SO_BSDCOMPAT:
        return 0;
    case SO_ZEROCOPY: /* everything is copied; who asks can do without */
        return value < 0 || value > 1 ? -EINVAL : value ? -EOPNOTSUPP : 0;
    case SO_CNX_ADVICE: /* no neighbours to be told */
        return is_inet(s) ? 0 : -ENOPROTOOPT;
    case SO_RESERVE_MEM:
        return value < 0 ? -EINVAL : -EOPNOTSUPP;
    case SO_TXTIME:
        return -EINVAL;
    case SO_PASSPIDFD_OPTION:
    case SO_PASSRIGHTS_OPTION:
        return is_inet(s) ? -EOPNOTSUPP : -ENOPROTOOPT;
    }
    if (!plain)
        return -ENOPROTOOPT;
    int err = check_plain(s, option, value);
    if (err == 0)
        set_plain(s, plain, value);
    return err;
}

static int set_general(struct socket *s, int option, const void *value, socklen_t len)
{
    int number;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    switch (option) {
    case SO_RCVTIMEO:
    case SO_RCVTIMEO_NEW:
        return set_timeout(&s->receive_timeout, value, len);
    case SO_SNDTIMEO:
    case SO_SNDTIMEO_NEW:
        return set_timeout(&s->send_timeout, value, len);
    case SO_LINGER:
        return set_linger(s, value, len);
    case SO_MAX_PACING_RATE:
        return set_pacing_rate(s, value, len);
    case SO_ATTACH_FILTER:
        return socket_filter_attach(s, value, len);
    }
    return set_number(s, option, number);
}

int socket_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    int err = -ENOPROTOOPT;
    bool device = option == SO_BINDTODEVICE;
    if (level == SOL_SOCKET && !device)
        err = set_general(s, option, value, len);
    if (err == -ENOPROTOOPT && s->ops->set_option)
        err = s->ops->set_option(s, level, option, value, len);
    return err;
}

/* ---- getting ---- */

static int give(const void *from, size_t size, void *value, socklen_t *len)
{
    *len = (socklen_t)MIN((size_t)*len, size);
    memcpy(value, from, *len);
    return 0;
}

static int get_timeout(int64_t ns, void *value, socklen_t *len)
{
    struct timeval tv = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / NSEC_PER_USEC};
    return give(&tv, sizeof(tv), value, len);
}

static int get_linger(struct socket *s, void *value, socklen_t *len)
{
    struct linger l = {s->linger >= 0, MAX(s->linger, 0)};
    return give(&l, sizeof(l), value, len);
}

static int get_number(struct socket *s, int option, int *ret)
{
    const struct plain_option *plain = find_plain(option);
    switch (option) {
    case SO_SNDBUF:
        *ret = s->send_buffer;
        return 0;
    case SO_RCVBUF:
        *ret = s->receive_buffer;
        return 0;
    case SO_RCVLOWAT:
        *ret = s->receive_low;
        return 0;
    case SO_SNDLOWAT:
        *ret = 1;
        return 0;
    case SO_TYPE:
        *ret = s->type;
        return 0;
    case SO_DOMAIN:
        *ret = s->domain;
        return 0;
    case SO_PROTOCOL:
        *ret = s->protocol;
        return 0;
    case SO_ACCEPTCONN:
        *ret = s->listening;
        return 0;
    case SO_ERROR:
        *ret = -socket_take_error(s);
        return 0;
    case SO_TIMESTAMP:
        *ret = s->timestamps;
        return 0;
    case SO_TIMESTAMPNS:
        *ret = s->timestamps_ns;
        return 0;
    case SO_PEEK_OFF:
        *ret = s->peek_offset;
        return s->type == SOCK_RAW || (!is_inet(s) && s->domain != AF_UNIX) ? -EOPNOTSUPP : 0;
    case SO_LOCK_FILTER:
        *ret = s->filter_locked;
        return 0;
    case SO_BUF_LOCK:
        *ret = (s->send_sized ? BUF_LOCK_SEND : 0) | (s->receive_sized ? BUF_LOCK_RECEIVE : 0);
        return 0;
    case SO_BPF_EXTENSIONS:
        *ret = BPF_EXTENSIONS;
        return 0;
    case SO_PASSCRED:
    case SO_PASSSEC:
    case SO_PASSPIDFD_OPTION:
    case SO_PASSRIGHTS_OPTION:
        if (is_inet(s))
            return -EOPNOTSUPP;
        break;
    case SO_PEERGROUPS:
    case SO_PEERPIDFD_OPTION:
        if (is_inet(s))
            return -ENODATA;
        break;
    case SO_RESERVE_MEM:
    case SO_BSDCOMPAT:
    case SO_ZEROCOPY:
    case SO_INCOMING_NAPI_ID:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_NEW:
        *ret = 0;
        return 0;
    }
    if (!plain)
        return -ENOPROTOOPT;
    *ret = get_plain(s, plain);
    return 0;
}

static int get_memory_info(struct socket *s, void *value, socklen_t *len)
{
    uint32_t info[9] = {[1] = (uint32_t)s->receive_buffer, [3] = (uint32_t)s->send_buffer};
    return give(info, sizeof(info), value, len);
}

static int get_cookie(uint64_t cookie, void *value, socklen_t *len)
{
    return *len < sizeof(cookie) ? -EINVAL : give(&cookie, sizeof(cookie), value, len);
}

/* getpeername(2) by another name. */
static int get_peer_name(struct socket *s, void *value, socklen_t *len)
{
    struct socket_name name;
    int err = s->ops->name(s, true, &name);
    if (err < 0)
        return err == -ENOTCONN ? -ENOTCONN : err;
    return name.len < *len ? -EINVAL : give(name.bytes, name.len, value, len);
}

/* Of who is not known: nobody. */
static int get_no_credentials(void *value, socklen_t *len)
{
    struct ucred nobody = {0, UINT32_MAX, UINT32_MAX};
    return give(&nobody, sizeof(nobody), value, len);
}

static int get_pacing_rate(struct socket *s, void *value, socklen_t *len)
{
    uint64_t rate = ~s->pacing_rate;
    uint32_t small = (uint32_t)MIN(rate, (uint64_t)UINT32_MAX);
    return *len >= sizeof(rate) ? give(&rate, sizeof(rate), value, len) : give(&small, sizeof(small), value, len);
}

static int get_general(struct socket *s, int option, void *value, socklen_t *len)
{
    int number;
    switch (option) {
    case SO_RCVTIMEO:
    case SO_RCVTIMEO_NEW:
        return get_timeout(s->receive_timeout, value, len);
    case SO_SNDTIMEO:
    case SO_SNDTIMEO_NEW:
        return get_timeout(s->send_timeout, value, len);
    case SO_LINGER:
        return get_linger(s, value, len);
    case SO_MEMINFO:
        return get_memory_info(s, value, len);
    case SO_COOKIE:
        return get_cookie(s->cookie, value, len);
    case SO_NETNS_COOKIE:
        return get_cookie(s->ns->cookie, value, len);
    case SO_MAX_PACING_RATE:
        return get_pacing_rate(s, value, len);
    case SO_PEERNAME:
        return get_peer_name(s, value, len);
    case SO_PEERCRED:
        if (is_inet(s))
            return get_no_credentials(value, len);
        break;
    }
    int err = get_number(s, option, &number);
    return err < 0 ? err : give(&number, sizeof(number), value, len);
}

int socket_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    int err = level == SOL_SOCKET ? get_general(s, option, value, len) : -ENOPROTOOPT;
    if (err == -ENOPROTOOPT && s->ops->get_option)
        err = s->ops->get_option(s, level, option, value, len);
    return err;
}
