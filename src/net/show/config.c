/* Interfaces, addresses, routes and neighbours in /proc/net. See show.h. */
#include "net/config/config.h"
#include "net/show.h"
#include <net/if_arp.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>

/* A line of at least `width` characters, as seq_pad() makes it. */
static void end_line(struct strbuf *out, size_t start, size_t width)
{
    while (!out->failed && out->len < start + width)
        strbuf_putc(out, ' ');
    strbuf_putc(out, '\n');
}

static void put_v6(struct strbuf *out, const union net_address *a)
{
    for (unsigned n = 0; n < 16; n++)
        strbuf_printf(out, "%02x", a->bytes[n]);
}

static const char *name_of(struct net_namespace *ns, int index)
{
    struct net_interface *i = index ? netns_interface(ns, index) : NULL;
    return i ? i->name : "*";
}

static unsigned long long count(const _Atomic uint64_t *n)
{
    return *n;
}

int net_show_dev(struct net_namespace *ns, struct strbuf *out)
{
    struct net_interface *i;
    strbuf_puts(out, "Inter-|   Receive                                                |  Transmit\n"
                     " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
                     "drop fifo colls carrier compressed\n");
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(i, &ns->interfaces, link) {
        const struct net_counters *c = &i->counters;
        strbuf_printf(out, "%6s: %7llu %7llu %4llu %4llu %4u %5u %10u %9llu %8llu %7llu %4llu %4llu %4u %5u %7u %10u\n",
                      i->name, count(&c->rx_bytes), count(&c->rx_packets), count(&c->rx_errors), count(&c->rx_dropped),
                      0, 0, 0, count(&c->rx_multicast), count(&c->tx_bytes), count(&c->tx_packets),
                      count(&c->tx_errors), count(&c->tx_dropped), 0, 0, 0, 0);
    }
    return 0;
}

int net_show_if_inet6(struct net_namespace *ns, struct strbuf *out)
{
    struct net_interface *i;
    struct net_ifaddr *a;
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(i, &ns->interfaces, link) {
        list_for_each(a, &i->addresses, link) {
            if (a->family != AF_INET6)
                continue;
            unsigned scope = a->scope == RT_SCOPE_HOST ? 0x10 : a->scope == RT_SCOPE_LINK ? 0x20 : 0;
            put_v6(out, &a->local);
            strbuf_printf(out, " %02x %02x %02x %02x %8s\n", (unsigned)i->index, a->prefix_len, scope,
                          a->flags & 0xff, i->name);
        }
    }
    return 0;
}

int net_show_route(struct net_namespace *ns, struct strbuf *out)
{
    const struct net_route *r;
    size_t start = out->len;
    strbuf_puts(out, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
    end_line(out, start, 127);
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(r, &ns->routes, link) {
        if (r->family != AF_INET || r->table != RT_TABLE_MAIN || r->type == RTN_BROADCAST || r->type == RTN_MULTICAST)
            continue;
        uint32_t mask = r->dst_len ? htonl(UINT32_MAX << (32 - r->dst_len)) : 0;
        unsigned flags = RTF_UP | (r->gateway_family ? RTF_GATEWAY : 0) | (r->dst_len == 32 ? RTF_HOST : 0) |
                         (r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT ? RTF_REJECT : 0);
        start = out->len;
        strbuf_printf(out, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%d\t%u\t%u", name_of(ns, r->interface), r->dst.v4,
                      r->gateway_family == AF_INET ? r->gateway.v4 : 0, flags, 0, 0, r->metric, mask,
                      r->advmss ? (int)r->advmss + 40 : 0, r->window, r->rtt >> 3);
        end_line(out, start, 127);
    }
    return 0;
}

int net_show_ipv6_route(struct net_namespace *ns, struct strbuf *out)
{
    static const union net_address none;
    const struct net_route *r;
    for (int n = 0; n < 3; n++) { /* what everything else comes to */
        put_v6(out, &none);
        strbuf_puts(out, n < 2 ? " 00 " : " ffffffff 00000001 00000000 00200200       lo\n");
    }
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(r, &ns->routes, link) {
        if (r->family != AF_INET6)
            continue;
        unsigned flags = RTF_UP | (r->gateway_family ? RTF_GATEWAY : 0x00200000 /* RTF_NONEXTHOP */) |
                         (r->type == RTN_LOCAL ? 0x80000000 : r->dst_len == 128 ? RTF_HOST : 0);
        if (r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT || r->type == RTN_BLACKHOLE)
            flags |= RTF_REJECT;
        put_v6(out, &r->dst);
        strbuf_printf(out, " %02x ", r->dst_len);
        put_v6(out, &none);
        strbuf_printf(out, " %02x ", 0);
        put_v6(out, r->gateway_family ? &r->gateway : &none);
        strbuf_printf(out, " %08x %08x %08x %08x %8s\n", r->metric, r->type == RTN_LOCAL ? 2 : 1, 0, flags,
                      name_of(ns, r->interface));
    }
    return 0;
}

int net_show_arp(struct net_namespace *ns, struct strbuf *out)
{
    const struct net_neighbour *n;
    strbuf_puts(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(n, &ns->neighbours, link) {
        const uint8_t *b = n->dst.bytes, *h = n->address;
        char text[16];
        if (n->family != AF_INET || n->state & NUD_NOARP)
            continue;
        snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        strbuf_printf(out, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n", text, ARPHRD_ETHER,
                      n->state & NUD_PERMANENT ? ATF_PERM | ATF_COM : ATF_COM, h[0], h[1], h[2], h[3], h[4], h[5],
                      name_of(ns, n->interface));
    }
    return 0;
}

int net_show_dev_mcast(struct net_namespace *ns, struct strbuf *out)
{
    struct net_interface *i;
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(i, &ns->interfaces, link) {
        if (i->type != ARPHRD_ETHER || !(i->flags & IFF_UP))
            continue;
        strbuf_printf(out, "%-4d %-15s %-5d %-5d 333300000001\n", i->index, i->name, 1, 0);
        strbuf_printf(out, "%-4d %-15s %-5d %-5d 01005e000001\n", i->index, i->name, 1, 0);
    }
    return 0;
}

int net_show_igmp(struct net_namespace *ns, struct strbuf *out)
{
    struct net_interface *i;
    strbuf_puts(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(i, &ns->interfaces, link) {
        if (!(i->flags & IFF_UP))
            continue;
        strbuf_printf(out, "%d\t%-10s: %5d %7s\n", i->index, i->name, 1, "V3");
        strbuf_printf(out, "\t\t\t\t%08X %5d %d:%08X\t\t%d\n", htonl(0xe0000001), 1, 0, 0, 0);
    }
    return 0;
}

int net_show_igmp6(struct net_namespace *ns, struct strbuf *out)
{
    static const char *const groups[] = {"ff020000000000000000000000000001", "ff010000000000000000000000000001"};
    struct net_interface *i;
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(i, &ns->interfaces, link)
        for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
            strbuf_printf(out, "%-4d %-15s %s %5d %08X %d\n", i->index, i->name, groups[g], 1, g ? 0x8 : 0xC, 0);
    return 0;
}

/* DEVIATION: every prefix hangs directly below the root; programs read the leaves. */
int net_show_fib_trie(struct net_namespace *ns, struct strbuf *out)
{
    static const char *const types[] = {"UNSPEC",    "UNICAST",   "LOCAL",       "BROADCAST", "ANYCAST",
                                        "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",  "THROW"};
    MUTEX_GUARD(&netcfg_lock);
    for (int t = 0; t < 2; t++) {
        const struct net_route *r;
        strbuf_printf(out, "%s:\n  +-- 0.0.0.0/0 1 0 0\n", t ? "Local" : "Main");
        list_for_each(r, &ns->routes, link) {
            const uint8_t *b = r->dst.bytes;
            if (r->family != AF_INET || (r->table != RT_TABLE_MAIN && r->table != RT_TABLE_LOCAL))
                continue; /* Linux has both in one trie, shown twice */
            strbuf_printf(out, "     |-- %u.%u.%u.%u\n        /%u %s %s\n", b[0], b[1], b[2], b[3], r->dst_len,
                          r->scope == RT_SCOPE_HOST ? "host" : r->scope == RT_SCOPE_LINK ? "link" : "universe",
                          r->type < ARRAY_SIZE(types) ? types[r->type] : "?");
        }
    }
    return 0;
}

/* ---- what is the same everywhere ---- */

int net_show_psched(struct net_namespace *ns, struct strbuf *out)
{
    strbuf_puts(out, "000003e8 00000040 000f4240 3b9aca00\n");
    return 0;
}

int net_show_ptype(struct net_namespace *ns, struct strbuf *out)
{
    strbuf_puts(out, "Type Device      Function\n0800          ip_rcv\n0806          arp_rcv\n"
                     "86dd          ipv6_rcv\n");
    return 0;
}

int net_show_softnet_stat(struct net_namespace *ns, struct strbuf *out)
{
    strbuf_puts(out, "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
                     "00000000 00000000 00000000 00000000 00000000\n");
    return 0;
}

int net_show_rt_cache(struct net_namespace *ns, struct strbuf *out)
{
    size_t start = out->len;
    strbuf_puts(out, "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\t"
                     "HHRef\tHHUptod\tSpecDst");
    end_line(out, start, 127);
    return 0;
}
