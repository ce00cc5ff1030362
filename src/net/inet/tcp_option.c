/*
 * Options of IPPROTO_TCP, TCP_INFO, and the ioctls of streams: tcp(7).
 *
 * What governs segments (TCP_NODELAY, TCP_CORK, keep-alive times, the congestion control) is kept and given back;
 * there are no segments for it to act on, and bytes arrive as soon as they are sent.
 */
#include "net/inet/backend.h"
#include "net/inet/tcp.h"
#include "kernel/cred.h"
#include "mm/uaccess.h"
#include <limits.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONGESTION_NAME_MAX 16
#define FIN_TIMEOUT 60 /* net.ipv4.tcp_fin_timeout */
#define LINGER2_MAX 120

static const char *const congestion_names[] = {"cubic", "reno"};

void tcp_options_init(struct tcp_options *o)
{
    o->keep_idle = 7200;
    o->keep_interval = 75;
    o->keep_count = 9;
    o->quick_ack = true;
    o->syn_count = 0;
}

const char *tcp_congestion_name(const struct tcp_socket *t)
{
    return congestion_names[(int)t->options.congestion];
}

/* ---- options that are a number within bounds ---- */

enum number_kind { NUMBER_INT, NUMBER_BOOL };

static const struct tcp_number {
    int option;
    enum number_kind kind;
    size_t offset;
    int min, max;
} numbers[] = {
#define NUMBER(option, field, min, max) {option, NUMBER_INT, offsetof(struct tcp_options, field), min, max}
#define BOOL(option, field, max) {option, NUMBER_BOOL, offsetof(struct tcp_options, field), INT_MIN, max}
    BOOL(TCP_NODELAY, nodelay, INT_MAX),
    BOOL(TCP_CORK, cork, INT_MAX),
    NUMBER(TCP_KEEPIDLE, keep_idle, 1, 32767),
    NUMBER(TCP_KEEPINTVL, keep_interval, 1, 32767),
    NUMBER(TCP_KEEPCNT, keep_count, 1, 127),
    NUMBER(TCP_SYNCNT, syn_count, 1, 127),
    NUMBER(TCP_USER_TIMEOUT, user_timeout, 0, INT_MAX),
    NUMBER(TCP_NOTSENT_LOWAT, notsent_low, INT_MIN, INT_MAX),
    NUMBER(TCP_THIN_LINEAR_TIMEOUTS, thin, 0, 1),
    NUMBER(TCP_SAVE_SYN, save_syn, 0, 2),
#undef NUMBER
#undef BOOL
};

static const struct tcp_number *find_number(int option)
{
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i].option == option)
            return &numbers[i];
    return NULL;
}

static int set_number(struct tcp_socket *t, const struct tcp_number *n, int value)
{
    char *at = (char *)&t->options + n->offset;
    if (value < n->min || value > n->max)
        return -EINVAL;
    if (n->kind == NUMBER_BOOL)
        *(_Atomic bool *)at = value != 0;
    else
        *(_Atomic int *)at = value;
    return 0;
}

static int get_number(struct tcp_socket *t, const struct tcp_number *n)
{
    const char *at = (const char *)&t->options + n->offset;
    return n->kind == NUMBER_BOOL ? *(const _Atomic bool *)at : *(const _Atomic int *)at;
}

/* ---- TCP_DEFER_ACCEPT counts repetitions, which take 1, 2, 4 ... seconds ---- */

static int seconds_to_tries(int seconds)
{
    int tries = 0, timeout = 1, period = 1;
    if (seconds > 0)
        tries = 1;
    while (seconds > period && tries < 255) {
        tries++;
        timeout = MIN(timeout * 2, 120);
        period += timeout;
    }
    return tries;
}

int64_t tcp_tries_to_seconds(int tries)
{
    int timeout = 1, period = tries > 0;
    while (--tries > 0) {
        timeout = MIN(timeout * 2, 120);
        period += timeout;
    }
    return period;
}

/* ---- setting ---- */

static int set_congestion(struct tcp_socket *t, const void *value, socklen_t len)
{
    char name[CONGESTION_NAME_MAX] = {0};
    if (len < 1)
        return -EINVAL;
    memcpy(name, value, MIN((size_t)len, sizeof(name) - 1));
    for (size_t i = 0; i < ARRAY_SIZE(congestion_names); i++) {
        if (strcmp(name, congestion_names[i]) == 0) {
            t->options.congestion = (char)i;
            return 0;
        }
    }
    return -ENOENT;
}

static int set_max_segment(struct tcp_socket *t, int value)
{
    if (value && (value < 88 || value > 32767))
        return -EINVAL;
    t->options.max_segment = value;
    return 0;
}

static int set_window_clamp(struct tcp_socket *t, int value)
{
    if (value == 0 && t->inet.state != TCP_CLOSE)
        return -EINVAL;
    t->options.window_clamp = value ? MAX(value, SOCKET_BUFFER_MIN / 4) : 0;
    return 0;
}

static int set_fastopen(struct tcp_socket *t, int option, int value)
{
    bool idle = t->inet.state == TCP_CLOSE, listening = t->inet.state == TCP_LISTEN;
    switch (option) {
    case TCP_FASTOPEN:
        if (value < 0 || (!idle && !listening))
            return -EINVAL;
        t->options.fastopen_queue = value;
        return 0;
    case TCP_FASTOPEN_CONNECT:
        if (value < 0 || value > 1 || !idle)
            return -EINVAL;
        t->options.fastopen_connect = value;
        return 0;
    default: /* TCP_FASTOPEN_NO_COOKIE */
        if (value < 0 || value > 1 || (!idle && !listening))
            return -EINVAL;
        t->options.fastopen_no_cookie = value;
        return 0;
    }
}

static int set_special(struct tcp_socket *t, int option, int value)
{
    switch (option) {
    case TCP_MAXSEG:
        return set_max_segment(t, value);
    case TCP_WINDOW_CLAMP:
        return set_window_clamp(t, value);
    case TCP_LINGER2:
        t->options.linger2 = value < 0 || value > LINGER2_MAX ? -1 : value;
        return 0;
    case TCP_DEFER_ACCEPT:
        t->options.defer_accept = seconds_to_tries(value);
        return 0;
    case TCP_QUICKACK:
        t->options.quick_ack = value & 1;
        return 0;
    case TCP_INQ:
        if (value < 0 || value > 1)
            return -EINVAL;
        t->options.inquire = value;
        return 0;
    case TCP_FASTOPEN:
    case TCP_FASTOPEN_CONNECT:
    case TCP_FASTOPEN_NO_COOKIE:
        return set_fastopen(t, option, value);
    case TCP_THIN_DUPACK:
        return value < 0 || value > 1 ? -EINVAL : 0;
    case TCP_REPAIR: /* no state of segments to repair */
    case TCP_TIMESTAMP:
    case TCP_QUEUE_SEQ:
    case TCP_REPAIR_QUEUE:
        return -EPERM;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_set_option(struct socket *s, int level, int option, const void *value, socklen_t len)
{
    struct tcp_socket *t = tcp_of(s);
    int number;
    if (level != IPPROTO_TCP)
        return inet_set_option(s, level, option, value, len);
    if (t->inet.outside)
        return t->inet.outside->ops->set_option(t->inet.outside, level, option, value, len);
    if (option == TCP_CONGESTION)
        return set_congestion(t, value, len);
    if (option == TCP_ULP)
        return -ENOENT;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    const struct tcp_number *n = find_number(option);
    return n ? set_number(t, n, number) : set_special(t, option, number);
}

/* ---- getting ---- */

static int give_congestion(struct tcp_socket *t, void *value, socklen_t *len)
{
    char name[CONGESTION_NAME_MAX] = {0};
    strncpy(name, tcp_congestion_name(t), sizeof(name) - 1);
    return inet_option_give(name, sizeof(name), value, len);
}

static bool is_connected(const struct tcp_socket *t)
{
    return t->inet.state != TCP_CLOSE && t->inet.state != TCP_LISTEN && t->inet.state != TCP_SYN_SENT;
}

static int max_segment(struct tcp_socket *t)
{
    int own = t->options.max_segment;
    if (!is_connected(t))
        return own ? own : 536;
    int most = inet_is_v4(&t->inet.pair.remote.addr) ? TCP_MSS_LOOPBACK : TCP_MSS_LOOPBACK - 20;
    return own ? MIN(own, most) : most;
}

static uint32_t since_ms(int64_t then)
{
    return then ? (uint32_t)((now_monotonic() - then) / NSEC_PER_MSEC) : 0;
}

static int give_info(struct tcp_socket *t, void *value, socklen_t *len)
{
    struct tcp_info info = {.tcpi_state = t->inet.state};
    bool connected = is_connected(t);
    uint32_t mss = (uint32_t)max_segment(t);
    spin_lock(&t->inet.lock);
    info.tcpi_snd_mss = mss;
    info.tcpi_rcv_mss = connected ? mss : 536;
    info.tcpi_advmss = connected ? mss : 536;
    info.tcpi_options = connected ? TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE : 0;
    info.tcpi_snd_wscale = info.tcpi_rcv_wscale = connected ? 7 : 0;
    info.tcpi_pmtu = connected ? LOOPBACK_MTU - 1 : 0;
    info.tcpi_rto = connected ? 201000 : 1000000;
    info.tcpi_ato = 40000;
    info.tcpi_rtt = connected ? 20 : 0;
    info.tcpi_rttvar = connected ? 10 : 250000;
    info.tcpi_min_rtt = connected ? 10 : UINT32_MAX;
    info.tcpi_snd_ssthresh = INT_MAX;
    info.tcpi_snd_cwnd = 10;
    info.tcpi_reordering = 3;
    info.tcpi_rcv_space = 65495;
    info.tcpi_rcv_ssthresh = 65495;
    info.tcpi_snd_wnd = connected ? TCP_WINDOW : 0;
    info.tcpi_bytes_acked = connected ? t->sent + 1 : 0;
    info.tcpi_bytes_sent = t->sent;
    info.tcpi_bytes_received = t->queue.read + t->queue.bytes;
    info.tcpi_segs_in = (uint32_t)t->segments_in;
    info.tcpi_segs_out = (uint32_t)t->segments_out;
    info.tcpi_last_data_recv = since_ms(t->last_received);
    info.tcpi_last_data_sent = since_ms(t->last_sent);
    if (t->inet.state == TCP_LISTEN) {
        info.tcpi_unacked = t->backlog_len; /* as Linux: the backlog, and how long it may be */
        info.tcpi_sacked = t->backlog_max;
    }
    spin_unlock(&t->inet.lock);
    return inet_option_give(&info, sizeof(info), value, len);
}

static int get_special(struct tcp_socket *t, int option, void *value, socklen_t *len)
{
    int linger2 = t->options.linger2;
    switch (option) {
    case TCP_MAXSEG:
        return inet_option_give_int(max_segment(t), value, len);
    case TCP_WINDOW_CLAMP:
        return inet_option_give_int(t->options.window_clamp, value, len);
    case TCP_LINGER2:
        return inet_option_give_int(linger2 ? linger2 : FIN_TIMEOUT, value, len);
    case TCP_DEFER_ACCEPT:
        return inet_option_give_int((int)tcp_tries_to_seconds(t->options.defer_accept), value, len);
    case TCP_QUICKACK:
        return inet_option_give_int(t->options.quick_ack, value, len);
    case TCP_INQ:
        return inet_option_give_int(t->options.inquire, value, len);
    case TCP_FASTOPEN:
        return inet_option_give_int(t->options.fastopen_queue, value, len);
    case TCP_FASTOPEN_CONNECT:
        return inet_option_give_int(t->options.fastopen_connect, value, len);
    case TCP_FASTOPEN_NO_COOKIE:
        return inet_option_give_int(t->options.fastopen_no_cookie, value, len);
    case TCP_THIN_DUPACK:
    case TCP_REPAIR:
        return inet_option_give_int(0, value, len);
    case TCP_TIMESTAMP:
        return inet_option_give_int((int)(now_monotonic() / NSEC_PER_MSEC), value, len);
    case TCP_CONGESTION:
        return give_congestion(t, value, len);
    case TCP_INFO:
        return give_info(t, value, len);
    case TCP_ULP:
    case TCP_SAVED_SYN:
    case TCP_CC_INFO:
        *len = 0;
        return 0;
    case TCP_TX_DELAY:
        return inet_option_give_int(0, value, len);
    case TCP_QUEUE_SEQ:
    case TCP_REPAIR_WINDOW:
    case TCP_ZEROCOPY_RECEIVE:
        return -EINVAL;
    default:
        return -ENOPROTOOPT;
    }
}

#define SYN_RETRIES 6 /* net.ipv4.tcp_syn_retries */

int tcp_get_option(struct socket *s, int level, int option, void *value, socklen_t *len)
{
    struct tcp_socket *t = tcp_of(s);
    if (level != IPPROTO_TCP)
        return inet_get_option(s, level, option, value, len);
    if (t->inet.outside)
        return t->inet.outside->ops->get_option(t->inet.outside, level, option, value, len);
    const struct tcp_number *n = find_number(option);
    if (!n)
        return get_special(t, option, value, len);
    int number = get_number(t, n);
    if (option == TCP_SYNCNT && number == 0)
        number = SYN_RETRIES;
    return inet_option_give_int(number, value, len);
}

/* ---- ioctls ---- */

static int unread_bytes(struct tcp_socket *t)
{
    if (t->inet.outside)
        return (int)t->inet.outside->ops->unread(t->inet.outside);
    spin_lock(&t->inet.lock);
    uint64_t n = t->queue.bytes;
    /* Up to the urgent mark; a byte at the mark itself does not count. */
    if (t->urgent && !t->inet.socket.oob_inline && t->urgent_at >= t->queue.read)
        n = t->urgent_at > t->queue.read ? t->urgent_at - t->queue.read : n - 1;
    spin_unlock(&t->inet.lock);
    return (int)MIN(n, (uint64_t)INT_MAX);
}

int64_t tcp_ioctl(struct socket *s, unsigned cmd, uaddr_t arg)
{
    struct tcp_socket *t = tcp_of(s);
    int n;
    if (t->inet.state == TCP_LISTEN && (cmd == FIONREAD || cmd == SIOCOUTQ || cmd == SIOCOUTQNSD))
        return -EINVAL;
    switch (cmd) {
    case FIONREAD:
        n = unread_bytes(t);
        break;
    case SIOCOUTQ:
    case SIOCOUTQNSD:
        n = (int)(t->inet.outside ? t->inet.outside->ops->unsent(t->inet.outside) : tcp_unsent(t));
        break;
    case SIOCATMARK:
        spin_lock(&t->inet.lock);
        n = t->urgent && t->urgent_at == t->queue.read;
        spin_unlock(&t->inet.lock);
        break;
    default:
        return inet_ioctl(s, cmd, arg);
    }
    return put_user(&n, arg);
}
