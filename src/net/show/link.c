/* /sys/class/net/NAME. See show.h. */
#include "net/config/config.h"
#include "net/show.h"
#include <linux/capability.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

int net_next_interface(struct net_namespace *ns, int from, int *ret_index, char ret_name[NET_NAME_LEN])
{
    struct net_interface *i;
    int err = -ENOENT;
    spin_lock(&ns->lock);
    list_for_each(i, &ns->interfaces, link) {
        if (i->index < from)
            continue;
        *ret_index = i->index;
        memcpy(ret_name, i->name, NET_NAME_LEN);
        err = 0;
        break;
    }
    spin_unlock(&ns->lock);
    return err;
}

static void put_hardware(struct strbuf *out, const uint8_t *a)
{
    strbuf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x\n", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static const char *operstate_name(const struct net_interface *i)
{
    static const char *const names[] = {"unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"};
    return names[netif_operstate(i)];
}

/* Files that are one number. */
static bool number_of(const struct net_interface *i, const char *file, bool *ret_hex, long long *ret)
{
    const struct net_counters *c = &i->counters;
    const struct {
        const char *name;
        bool hex;
        long long value;
    } numbers[] = {
        {"addr_assign_type", false, i->type == ARPHRD_LOOPBACK ? 0 : 1},
        {"addr_len", false, NET_HW_LEN},
        {"dev_id", true, 0},
        {"dev_port", false, 0},
        {"dormant", false, 0},
        {"testing", false, 0},
        {"flags", true, netif_flags(i) & 0xffff & ~(unsigned)IFF_RUNNING},
        {"gro_flush_timeout", false, 0},
        {"napi_defer_hard_irqs", false, 0},
        {"threaded", false, 0},
        {"ifindex", false, i->index},
        {"iflink", false, i->peer ? i->peer->index : i->index},
        {"link_mode", false, 0},
        {"mtu", false, i->mtu},
        {"name_assign_type", false, 3},
        {"netdev_group", false, i->group},
        {"proto_down", false, 0},
        {"tx_queue_len", false, i->tx_queue_len},
        {"type", false, i->type},
        {"carrier_changes", false, 0},
        {"carrier_up_count", false, 0},
        {"carrier_down_count", false, 0},
        {"rx_bytes", false, (long long)c->rx_bytes},
        {"rx_packets", false, (long long)c->rx_packets},
        {"rx_errors", false, (long long)c->rx_errors},
        {"rx_dropped", false, (long long)c->rx_dropped},
        {"multicast", false, (long long)c->rx_multicast},
        {"tx_bytes", false, (long long)c->tx_bytes},
        {"tx_packets", false, (long long)c->tx_packets},
        {"tx_errors", false, (long long)c->tx_errors},
        {"tx_dropped", false, (long long)c->tx_dropped},
    };
    for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
        if (strcmp(numbers[n].name, file) != 0)
            continue;
        *ret_hex = numbers[n].hex;
        *ret = numbers[n].value;
        return true;
    }
    return false;
}

static int show_locked(const struct net_interface *i, const char *file, struct strbuf *out)
{
    static const char *const counters[] = {"collisions",        "rx_compressed",    "rx_crc_errors",
                                           "rx_fifo_errors",    "rx_frame_errors",  "rx_length_errors",
                                           "rx_missed_errors",  "rx_nohandler",     "rx_over_errors",
                                           "tx_aborted_errors", "tx_carrier_errors", "tx_compressed",
                                           "tx_fifo_errors",    "tx_heartbeat_errors", "tx_window_errors"};
    bool hex;
    long long number;
    if (number_of(i, file, &hex, &number)) {
        strbuf_printf(out, hex ? "0x%llx\n" : "%lld\n", number);
        return 0;
    }
    for (size_t c = 0; c < ARRAY_SIZE(counters); c++) {
        if (strcmp(counters[c], file) == 0) {
            strbuf_puts(out, "0\n");
            return 0;
        }
    }
    if (strcmp(file, "address") == 0)
        put_hardware(out, i->address);
    else if (strcmp(file, "broadcast") == 0)
        put_hardware(out, i->broadcast);
    else if (strcmp(file, "operstate") == 0)
        strbuf_printf(out, "%s\n", operstate_name(i));
    else if (strcmp(file, "ifalias") == 0)
        strbuf_printf(out, i->alias[0] ? "%s\n" : "%s", i->alias);
    else if (strcmp(file, "uevent") == 0)
        strbuf_printf(out, "INTERFACE=%s\nIFINDEX=%d\n", i->name, i->index);
    else if (strcmp(file, "carrier") == 0 && i->flags & IFF_UP)
        strbuf_printf(out, "%d\n", i->carrier);
    else if (strcmp(file, "speed") == 0 && i->peer && i->flags & IFF_UP)
        strbuf_puts(out, "10000\n");
    else if (strcmp(file, "duplex") == 0 && i->peer && i->flags & IFF_UP)
        strbuf_puts(out, "full\n");
    else
        return -EINVAL; /* not known to this one, or not while it is down */
    return 0;
}

int net_link_show(struct net_namespace *ns, int index, const char *file, struct strbuf *out)
{
    MUTEX_GUARD(&netcfg_lock);
    struct net_interface *i = netns_interface(ns, index);
    return i ? show_locked(i, file, out) : -ENOENT;
}

int net_link_write(struct net_namespace *ns, int index, const char *file, const char *text)
{
    char *end;
    if (!netns_capable(ns, CAP_NET_ADMIN))
        return -EPERM;
    MUTEX_GUARD(&netcfg_lock);
    struct net_interface *i = netns_interface(ns, index);
    if (!i)
        return -ENOENT;
    if (strcmp(file, "ifalias") == 0) {
        size_t len = MIN(strcspn(text, "\n"), sizeof(i->alias) - 1);
        spin_lock(&ns->lock);
        memcpy(i->alias, text, len);
        i->alias[len] = '\0';
        spin_unlock(&ns->lock);
        netcfg_link_changed(i, 0);
        return 0;
    }
    unsigned long long number = strtoull(text, &end, 0);
    if (end == text || (*end && *end != '\n') || number > UINT32_MAX)
        return -EINVAL;
    if (strcmp(file, "mtu") == 0)
        return netcfg_link_mtu(i, (uint32_t)number);
    if (strcmp(file, "flags") == 0)
        return netcfg_link_flags(i, (unsigned)number, UINT32_MAX);
    spin_lock(&ns->lock);
    if (strcmp(file, "tx_queue_len") == 0)
        i->tx_queue_len = (uint32_t)number;
    else if (strcmp(file, "netdev_group") == 0)
        i->group = (uint32_t)number;
    spin_unlock(&ns->lock);
    netcfg_link_changed(i, 0);
    return 0;
}
