/* Sockets in /proc/net. See show.h. */
#include "base/cleanup.h"
#include "net/inet/each.h"
#include "net/netlink/netlink.h"
#include "net/show.h"
#include "net/unix/unix.h"
#include <netinet/in.h>
#include <string.h>

static void end_line(struct strbuf *out, size_t start, size_t width)
{
    while (!out->failed && out->len < start + width)
        strbuf_putc(out, ' ');
    strbuf_putc(out, '\n');
}

/* ---- AF_UNIX ---- */

static void put_unix_name(struct strbuf *out, const struct unix_address *a)
{
    size_t prefix = offsetof(struct sockaddr_un, sun_path), len = a->name.len - prefix;
    const char *text = a->name.bytes + prefix;
    strbuf_putc(out, ' ');
    bool abstract = text[0] == '\0';
    if (abstract)
        strbuf_putc(out, '@');
    for (size_t n = abstract; n < len; n++)
        if (abstract || text[n])
            strbuf_putc(out, text[n] ? text[n] : '@');
}

static void put_unix(struct strbuf *out, struct unix_socket *u)
{
    int state = unix_tcp_state(u);
    strbuf_printf(out, "%016llx: %08X %08X %08X %04X %02X %5llu", 0ULL, refcount_read(&u->socket.ref) - 1, 0,
                  u->socket.listening ? 0x10000 : 0, (unsigned)u->socket.type,
                  u->socket.ino ? (state == 1 ? 3 : 1) : (state == 1 ? 2 : 4), (unsigned long long)u->socket.ino);
    mutex_lock(&unix_lock);
    struct unix_address *a = u->address ? unix_address_get(u->address) : NULL;
    mutex_unlock(&unix_lock);
    if (a) {
        put_unix_name(out, a);
        unix_address_put(a);
    }
    strbuf_putc(out, '\n');
}

int net_show_unix(struct net_namespace *ns, struct strbuf *out)
{
    struct socket_list all;
    strbuf_puts(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    int err = socket_list(ns, AF_UNIX, &all);
    for (size_t n = 0; n < all.count; n++)
        put_unix(out, unix_of(all.sockets[n]));
    socket_list_free(&all);
    return err;
}

/* ---- AF_NETLINK, AF_PACKET ---- */

int net_show_netlink(struct net_namespace *ns, struct strbuf *out)
{
    struct socket_list all;
    strbuf_puts(out, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
    int err = socket_list(ns, AF_NETLINK, &all);
    for (size_t s = 0; s < all.count; s++) {
        struct netlink_socket *n = netlink_of(all.sockets[s]);
        strbuf_printf(out, "%016llx %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8u %-8llu\n", 0ULL, n->protocol->protocol,
                      n->port, (unsigned)n->groups[0], (int)n->queued, 0, n->dumping, 2, n->drops,
                      (unsigned long long)n->socket.ino);
    }
    socket_list_free(&all);
    return err;
}

int net_show_packet(struct net_namespace *ns, struct strbuf *out)
{
    strbuf_puts(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
    return 0;
}

/* ---- internet sockets ---- */

static void put_endpoint(struct strbuf *out, const struct inet_endpoint *e, int domain)
{
    if (domain == AF_INET)
        strbuf_printf(out, "%08X:%04X", e->addr.s6_addr32[3], e->port);
    else
        strbuf_printf(out, "%08X%08X%08X%08X:%04X", e->addr.s6_addr32[0], e->addr.s6_addr32[1], e->addr.s6_addr32[2],
                      e->addr.s6_addr32[3], e->port);
}

static void put_common(struct strbuf *out, const struct inet_info *i, uint32_t sent, uint32_t received)
{
    int timer = i->expires ? 3 : 0;
    strbuf_printf(out, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %llu %d %016llx", i->state, sent, received, timer,
                  (unsigned long)(i->expires / 10000000), 0, i->uid, 0, (unsigned long long)i->inode,
                  i->expires ? 3 : (int)i->refs, 0ULL);
}

static void put_tcp(struct strbuf *out, const struct inet_info *i, size_t number, int domain)
{
    size_t start = out->len;
    bool listening = i->state == TCP_LISTEN;
    strbuf_printf(out, "%4zu: ", number);
    put_endpoint(out, &i->local, domain);
    strbuf_putc(out, ' ');
    put_endpoint(out, &i->remote, domain);
    put_common(out, i, listening ? 0 : i->unsent, i->unread);
    if (!i->expires)
        strbuf_printf(out, " %lu %lu %u %u %d", 100UL, listening ? 0UL : 4UL, listening ? 0 : 30, 10,
                      listening ? 0 : -1);
    if (domain == AF_INET)
        end_line(out, start, 149);
    else
        strbuf_putc(out, '\n');
}

static void put_datagram(struct strbuf *out, const struct inet_info *i, size_t number, int domain)
{
    size_t start = out->len;
    strbuf_printf(out, i->type == SOCK_RAW && domain == AF_INET ? "%4zu: " : "%5zu: ", number);
    put_endpoint(out, &i->local, domain);
    strbuf_putc(out, ' ');
    put_endpoint(out, &i->remote, domain);
    put_common(out, i, i->unsent, i->unread);
    strbuf_printf(out, " %u", i->drops);
    if (domain == AF_INET && i->type != SOCK_RAW)
        end_line(out, start, 127);
    else
        strbuf_putc(out, '\n');
}

static int show_inet(struct net_namespace *ns, struct strbuf *out, int domain, int protocol, int type)
{
    static const char tcp[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                              "timeout inode";
    static const char udp[] = " sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                              "timeout inode ref pointer drops";
    static const char v6[] = "  sl  local_address                         remote_address                        st "
                             "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    struct inet_snapshot all;
    size_t start = out->len, number = 0;
    bool stream = protocol == IPPROTO_TCP;
    int err = inet_snapshot_take(ns, protocol, type, &all);
    if (err < 0)
        return err;
    if (!stream && domain == AF_INET)
        strbuf_puts(out, protocol == IPPROTO_UDP ? "  " : " ");
    strbuf_puts(out, domain == AF_INET6 ? v6 : stream ? tcp : udp);
    if (domain == AF_INET6)
        strbuf_puts(out, stream ? "\n" : " ref pointer drops\n");
    else if (type == SOCK_RAW)
        strbuf_putc(out, '\n');
    else
        end_line(out, start, stream ? 149 : 127);
    for (int pass = 0; pass < (stream ? 2 : 1); pass++) { /* listening ones first */
        for (size_t n = 0; n < all.count; n++) {
            const struct inet_info *i = &all.infos[n];
            if (i->domain != domain || (stream && (i->state == TCP_LISTEN) == (pass == 1)))
                continue;
            if (stream)
                put_tcp(out, i, number++, domain);
            else
                put_datagram(out, i, number++, domain);
        }
    }
    inet_snapshot_free(&all);
    return 0;
}

int net_show_tcp(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET, IPPROTO_TCP, 0);
}

int net_show_tcp6(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET6, IPPROTO_TCP, 0);
}

int net_show_udp(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET, IPPROTO_UDP, 0);
}

int net_show_udp6(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET6, IPPROTO_UDP, 0);
}

int net_show_raw(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET, 0, SOCK_RAW);
}

int net_show_raw6(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET6, 0, SOCK_RAW);
}

int net_show_icmp(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET, IPPROTO_ICMP, 0);
}

int net_show_icmp6(struct net_namespace *ns, struct strbuf *out)
{
    return show_inet(ns, out, AF_INET6, IPPROTO_ICMPV6, 0);
}
