/*
 * Options of SOL_SOCKET that mean the same in every family: socket(7). The rest is passed to the
 * family.
 */
#include "kernel/cred.h"
#include "net/socket.h"
#include <asm/socket.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <limits.h>
#include <string.h>
#include <sys/time.h>

#define BUFFER_LIMIT 212992 /* /proc/sys/net/core/wmem_max */

enum option_kind { FLAG, NUMBER };

/* Plain values: stored and given back. */
static const struct plain_option {
    int option;
    enum option_kind kind;
    size_t offset;
} plain_options[] = {
    {SO_PASSCRED, FLAG, offsetof(struct socket, pass_credentials)},
    {SO_PASSSEC, FLAG, offsetof(struct socket, pass_security)},
    {SO_TIMESTAMP, FLAG, offsetof(struct socket, timestamps)},
    {SO_REUSEADDR, FLAG, offsetof(struct socket, reuse_address)},
    {SO_REUSEPORT, FLAG, offsetof(struct socket, reuse_port)},
    {SO_KEEPALIVE, FLAG, offsetof(struct socket, keepalive)},
    {SO_BROADCAST, FLAG, offsetof(struct socket, broadcast)},
    {SO_DONTROUTE, FLAG, offsetof(struct socket, dont_route)},
    {SO_OOBINLINE, FLAG, offsetof(struct socket, oob_inline)},
    {SO_PRIORITY, NUMBER, offsetof(struct socket, priority)},
    {SO_MARK, NUMBER, offsetof(struct socket, mark)},
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

static int set_buffer(_Atomic int *buffer, int value, bool forced)
{
    if (forced && !cred_capable_own(current_cred(), CAP_NET_ADMIN))
        return -EPERM;
    if (value < 0)
        value = forced ? 0 : BUFFER_LIMIT;
    value = forced ? MIN(value, INT_MAX / 2) : MIN(value, BUFFER_LIMIT);
    *buffer = MAX(value * 2, SOCKET_BUFFER_MIN); /* doubled, as Linux does for its own overhead */
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

static int set_number(struct socket *s, int option, int value)
{
    const struct plain_option *plain = find_plain(option);
    switch (option) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
        return set_buffer(&s->send_buffer, value, option == SO_SNDBUFFORCE);
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
        return set_buffer(&s->receive_buffer, value, option == SO_RCVBUFFORCE);
    case SO_RCVLOWAT:
        s->receive_low = value < 0 ? INT_MAX : MAX(value, 1);
        return 0;
    case SO_MARK:
        if (!cred_capable_own(current_cred(), CAP_NET_ADMIN))
            return -EPERM;
        break;
    case SO_PRIORITY:
        if ((value < 0 || value > 6) && !cred_capable_own(current_cred(), CAP_NET_ADMIN))
            return -EPERM;
        break;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
        return -ENOPROTOOPT;
    }
    if (!plain)
        return -ENOPROTOOPT;
    set_plain(s, plain, value);
    return 0;
}

int socket_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    int number, err = -ENOPROTOOPT;
    if (level == SOL_SOCKET) {
        if (option == SO_RCVTIMEO || option == SO_SNDTIMEO)
            return set_timeout(option == SO_RCVTIMEO ? &s->receive_timeout : &s->send_timeout, value, len);
        if (option == SO_LINGER)
            return set_linger(s, value, len);
        if (len < sizeof(number))
            return -EINVAL;
        memcpy(&number, value, sizeof(number));
        err = set_number(s, option, number);
    }
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
    }
    if (!plain)
        return -ENOPROTOOPT;
    *ret = get_plain(s, plain);
    return 0;
}

int socket_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    int number, err = -ENOPROTOOPT;
    if (level == SOL_SOCKET) {
        if (option == SO_RCVTIMEO || option == SO_SNDTIMEO)
            return get_timeout(option == SO_RCVTIMEO ? s->receive_timeout : s->send_timeout, value, len);
        if (option == SO_LINGER)
            return get_linger(s, value, len);
        err = get_number(s, option, &number);
        if (err == 0)
            return give(&number, sizeof(number), value, len);
    }
    if (err == -ENOPROTOOPT && s->ops->get_option)
        err = s->ops->get_option(s, level, option, value, len);
    return err;
}
