/* Numbers in /proc/net: how many sockets, how many packets. See show.h. */
#include "net/inet/each.h"
#include "net/show.h"

/* ---- sockets ---- */

int net_show_sockstat(struct net_namespace *ns, struct strbuf *out)
{
    struct inet_counts c;
    inet_count(ns, &c);
    strbuf_printf(out, "sockets: used %u\nTCP: inuse %u orphan %u tw %u alloc %u mem 0\nUDP: inuse %u mem 0\n"
                       "UDPLITE: inuse 0\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n",
                  (unsigned)ns->socket_count, c.tcp, c.tcp_orphans, c.tcp_timewait, c.tcp + c.tcp6, c.udp, c.raw);
    return 0;
}

int net_show_sockstat6(struct net_namespace *ns, struct strbuf *out)
{
    struct inet_counts c;
    inet_count(ns, &c);
    strbuf_printf(out, "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse %u\nFRAG6: inuse 0 memory 0\n",
                  c.tcp6, c.udp6, c.raw6);
    return 0;
}

int net_show_protocols(struct net_namespace *ns, struct strbuf *out)
{
    static const struct {
        const char *name;
        int size;
        const char *flags;
    } rows[] = {
        {"PACKET", 1536, "n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n"},
        {"PINGv6", 1320, "y  y  y  n  n  y  n  n  y  y  y  y  n  y  y  y  y  y  n"},
        {"RAWv6", 1320, "y  y  y  n  y  y  y  n  y  y  y  y  n  y  y  y  y  n  n"},
        {"UDPv6", 1536, "y  y  y  n  y  y  y  n  y  y  y  y  n  n  n  y  y  y  n"},
        {"TCPv6", 2496, "y  y  y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y"},
        {"UNIX-STREAM", 1088, "y  n  n  n  n  n  n  n  n  n  n  n  n  n  n  y  n  n  n"},
        {"UNIX", 1088, "n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n"},
        {"PING", 1088, "y  y  y  n  n  y  n  n  y  y  y  y  n  y  y  y  y  y  n"},
        {"RAW", 1096, "y  y  y  n  y  y  y  n  y  y  y  y  n  y  y  y  y  n  n"},
        {"UDP", 1344, "y  y  y  n  y  y  y  n  y  y  y  y  y  n  n  y  y  y  n"},
        {"TCP", 2304, "y  y  y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y"},
        {"NETLINK", 1104, "n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n"},
    };
    strbuf_puts(out, "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re "
                     "bi br ha uh gp em\n");
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
        strbuf_printf(out, "%-9s %4d %6d  %6d   %-3s %6d   %-3s  %-10s  %s\n", rows[r].name, rows[r].size, 0, -1, "NI",
                      0, "yes", "kernel", rows[r].flags);
    return 0;
}

/* ---- packets ---- */

static unsigned long long n(const _Atomic uint64_t *counter)
{
    return *counter;
}

int net_show_snmp(struct net_namespace *ns, struct strbuf *out)
{
    const struct inet_counters *c = inet_counters_of(ns);
    struct inet_counts sockets;
    inet_count(ns, &sockets);
    unsigned long long in = n(&c->tcp_in) + n(&c->udp_in) + n(&c->icmp_in);
    unsigned long long sent = n(&c->tcp_out) + n(&c->udp_out) + n(&c->icmp_out);
    strbuf_printf(out,
                  "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos "
                  "InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
                  "ReasmFails FragOKs FragFails FragCreates OutTransmits\n"
                  "Ip: %d %d %llu 0 0 0 0 0 %llu %llu 0 0 0 0 0 0 0 0 0 %llu\n",
                  ns->sysctl.ip_forward ? 1 : 2, (int)ns->sysctl.ip_default_ttl, in, in, sent, sent);
    strbuf_printf(out,
                  "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects "
                  "InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors "
                  "OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
                  "OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps\n"
                  "Icmp: %llu 0 0 0 0 0 0 0 %llu 0 0 0 0 0 %llu 0 0 0 %llu 0 0 0 0 0 0 0 0 0 0\n",
                  n(&c->icmp_in), n(&c->icmp_in_echos), n(&c->icmp_out), n(&c->icmp_out_unreachable));
    strbuf_printf(out,
                  "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab "
                  "InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
                  "Tcp: 1 200 120000 -1 %llu %llu %llu %llu %u %llu %llu 0 0 %llu 0\n",
                  n(&c->tcp_active), n(&c->tcp_passive), n(&c->tcp_attempt_fails), n(&c->tcp_resets), sockets.tcp,
                  n(&c->tcp_in), n(&c->tcp_out), n(&c->tcp_out_resets));
    strbuf_printf(out,
                  "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti "
                  "MemErrors\nUdp: %llu %llu %llu %llu %llu 0 0 0 0\n",
                  n(&c->udp_in), n(&c->udp_no_ports), n(&c->udp_errors), n(&c->udp_out), n(&c->udp_receive_overflows));
    strbuf_puts(out, "UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
                     "IgnoredMulti MemErrors\nUdpLite: 0 0 0 0 0 0 0 0 0\n");
    return 0;
}

/* DEVIATION: what is counted is counted once for both families, and shown under IPv4. */
int net_show_snmp6(struct net_namespace *ns, struct strbuf *out)
{
    static const char *const names[] = {
        "Ip6InReceives",   "Ip6InHdrErrors",   "Ip6InNoRoutes",   "Ip6InDiscards",   "Ip6InDelivers", "Ip6OutRequests",
        "Ip6OutDiscards",  "Ip6OutNoRoutes",   "Ip6InMcastPkts",  "Ip6OutMcastPkts", "Ip6InOctets",   "Ip6OutOctets",
        "Icmp6InMsgs",     "Icmp6InErrors",    "Icmp6OutMsgs",    "Icmp6OutErrors",  "Udp6InDatagrams",
        "Udp6NoPorts",     "Udp6InErrors",     "Udp6OutDatagrams", "Udp6RcvbufErrors", "Udp6SndbufErrors",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        strbuf_printf(out, "%-32s\t%d\n", names[i], 0);
    return 0;
}

int net_show_netstat(struct net_namespace *ns, struct strbuf *out)
{
    const struct inet_counters *c = inet_counters_of(ns);
    strbuf_puts(out, "TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TCPTimeouts "
                     "TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory\nTcpExt: 0 0 0 0 0 0 0 0 0\n");
    strbuf_printf(out, "IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets "
                       "OutOctets\nIpExt: 0 0 0 0 0 0 %llu %llu\n",
                  n(&c->tcp_in) * 40, n(&c->tcp_out) * 40);
    return 0;
}
