/* /sys/devices/virtual/net/lo: the one interface every sandbox has. */
#include "fs/sysfs/private.h"

/* What a loopback interface does not know: reading gives EINVAL. */
static int unknown_show(struct synth_inode *i, struct strbuf *out)
{
    return -EINVAL;
}

static const struct synth_entry statistics_entries[] = {
    TEXT("collisions", "0\n"),
    TEXT("multicast", "0\n"),
    TEXT("rx_bytes", "0\n"),
    TEXT("rx_dropped", "0\n"),
    TEXT("rx_errors", "0\n"),
    TEXT("rx_packets", "0\n"),
    TEXT("tx_bytes", "0\n"),
    TEXT("tx_dropped", "0\n"),
    TEXT("tx_errors", "0\n"),
    TEXT("tx_packets", "0\n"),
    {0},
};

static const struct synth_entry queue_entries[] = {
    TEXT("rps_cpus", "0\n"),
    {0},
};

static const struct synth_entry queues_entries[] = {
    DIR("rx-0", .entries = queue_entries),
    DIR("tx-0", .entries = (const struct synth_entry[]){{0}}),
    {0},
};

const struct synth_entry loopback_entries[] = {
    TEXT("addr_assign_type", "0\n"),
    TEXT("addr_len", "6\n"),
    TEXT("address", "00:00:00:00:00:00\n"),
    TEXT("broadcast", "00:00:00:00:00:00\n"),
    TEXT("carrier", "1\n"),
    TEXT("dev_id", "0x0\n"),
    TEXT("dev_port", "0\n"),
    TEXT("dormant", "0\n"),
    REG("duplex", unknown_show),
    TEXT("flags", "0x9\n"),
    TEXT("ifalias", ""),
    TEXT("ifindex", "1\n"),
    TEXT("iflink", "1\n"),
    TEXT("link_mode", "0\n"),
    TEXT("mtu", "65536\n"),
    TEXT("netdev_group", "0\n"),
    TEXT("operstate", "unknown\n"),
    REG("speed", unknown_show),
    TEXT("tx_queue_len", "1000\n"),
    TEXT("type", "772\n"),
    TEXT("uevent", "INTERFACE=lo\nIFINDEX=1\n"),
    LNK("subsystem", "../../../../class/net"),
    DIR("statistics", .entries = statistics_entries),
    DIR("queues", .entries = queues_entries),
    {0},
};
