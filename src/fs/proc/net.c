/*
 * /proc/PID/net: tables of the network, for now those of a machine with nothing but a loopback
 * interface and no sockets to show: the header lines that parsers expect.
 */
#include "fs/proc/private.h"

static const char dev_text[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier"
    " compressed\n"
    "    lo:       0       0    0    0    0     0          0         0        0       0    0    0  "
    "  0     0       0"
    "          0\n";
#define TCP_COLUMNS                                                                               \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout " \
    "inode"
static const char tcp_text[] =
    TCP_COLUMNS "                                                     \n";
static const char udp_text[] =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    " inode ref pointer drops             \n";
#define TCP6_COLUMNS                                                                        \
    "  sl  local_address                         remote_address                        st " \
    "tx_queue"                                                                              \
    " rx_queue tr tm->when retrnsmt   uid  timeout inode"
static const char route_text[] =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
    "                                                       \n";
static const char if_inet6_text[] = "00000000000000000000000000000001 01 80 10 80       lo\n";

const struct synth_entry proc_net_entries[] = {
    TEXT("dev", 0444, dev_text),
    TEXT("unix", 0444, "Num       RefCount Protocol Flags    Type St Inode Path\n"),
    TEXT("tcp", 0444, tcp_text),
    TEXT("tcp6", 0444, TCP6_COLUMNS "\n"),
    TEXT("udp", 0444, udp_text),
    TEXT("udp6", 0444, TCP6_COLUMNS " ref pointer drops\n"),
    TEXT("raw", 0444, udp_text),
    TEXT("raw6", 0444, TCP6_COLUMNS " ref pointer drops\n"),
    TEXT("packet", 0444, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    TEXT("netlink", 0444,
         "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
         "Inode\n"),
    TEXT("arp", 0444,
         "IP address       HW type     Flags       HW address            Mask     Device\n"),
    TEXT("route", 0444, route_text),
    TEXT("ipv6_route", 0444, ""),
    TEXT("if_inet6", 0444, if_inet6_text),
    TEXT("dev_mcast", 0444, ""),
    TEXT("protocols", 0444,
         "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss "
         "gs se re bi br ha uh gp em\n"),
    TEXT("sockstat", 0444,
         "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: "
         "inuse 0\n"
         "RAW: inuse 0\nFRAG: inuse 0 memory 0\n"),
    {0},
};
