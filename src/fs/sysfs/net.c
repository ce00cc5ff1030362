/*
 * /sys/devices/virtual/net and /sys/class/net: the interfaces of the network namespace that mounted
 * this sysfs. The object of an inode below NAME is the interface's number.
 */
#include "fs/sysfs/private.h"
#include "net/show.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int index_of(const struct synth_inode *i)
{
    return (int)(uintptr_t)i->object;
}

static int file_show(struct synth_inode *i, struct strbuf *out)
{
    return net_link_show(synth_fs(i), index_of(i), i->entry->name, out);
}

static int file_write(struct synth_inode *i, char *text, size_t len)
{
    return net_link_write(synth_fs(i), index_of(i), i->entry->name, text);
}

#define FILE_ROW(name) REG(name, file_show)
#define WRITABLE(name) {name, S_IFREG | 0644, .show = file_show, .write = file_write}

static const struct synth_entry statistics_entries[] = {
    FILE_ROW("collisions"),        FILE_ROW("multicast"),          FILE_ROW("rx_bytes"),
    FILE_ROW("rx_compressed"),     FILE_ROW("rx_crc_errors"),      FILE_ROW("rx_dropped"),
    FILE_ROW("rx_errors"),         FILE_ROW("rx_fifo_errors"),     FILE_ROW("rx_frame_errors"),
    FILE_ROW("rx_length_errors"),  FILE_ROW("rx_missed_errors"),   FILE_ROW("rx_nohandler"),
    FILE_ROW("rx_over_errors"),    FILE_ROW("rx_packets"),         FILE_ROW("tx_aborted_errors"),
    FILE_ROW("tx_bytes"),          FILE_ROW("tx_carrier_errors"),  FILE_ROW("tx_compressed"),
    FILE_ROW("tx_dropped"),        FILE_ROW("tx_errors"),          FILE_ROW("tx_fifo_errors"),
    FILE_ROW("tx_heartbeat_errors"), FILE_ROW("tx_packets"),       FILE_ROW("tx_window_errors"),
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

static const struct synth_entry interface_entries[] = {
    FILE_ROW("addr_assign_type"),
    FILE_ROW("addr_len"),
    FILE_ROW("address"),
    FILE_ROW("broadcast"),
    FILE_ROW("carrier"),
    FILE_ROW("carrier_changes"),
    FILE_ROW("carrier_down_count"),
    FILE_ROW("carrier_up_count"),
    FILE_ROW("dev_id"),
    FILE_ROW("dev_port"),
    FILE_ROW("dormant"),
    FILE_ROW("duplex"),
    WRITABLE("flags"),
    FILE_ROW("gro_flush_timeout"),
    WRITABLE("ifalias"),
    FILE_ROW("ifindex"),
    FILE_ROW("iflink"),
    FILE_ROW("link_mode"),
    WRITABLE("mtu"),
    FILE_ROW("name_assign_type"),
    FILE_ROW("napi_defer_hard_irqs"),
    WRITABLE("netdev_group"),
    FILE_ROW("operstate"),
    FILE_ROW("proto_down"),
    FILE_ROW("speed"),
    FILE_ROW("testing"),
    FILE_ROW("threaded"),
    WRITABLE("tx_queue_len"),
    FILE_ROW("type"),
    FILE_ROW("uevent"),
    LNK("subsystem", "../../../../class/net"),
    DIR("statistics", .entries = statistics_entries),
    DIR("queues", .entries = queues_entries),
    {0},
};

static const struct synth_entry interface_row = DIR("interface", .entries = interface_entries);

/* ---- the two directories of all of them ---- */

static int link_read(struct synth_inode *i, char **ret)
{
    int index;
    char name[NET_NAME_LEN];
    if (net_next_interface(synth_fs(i), index_of(i), &index, name) < 0 || index != index_of(i))
        return -ENOENT;
    return asprintf(ret, "../../devices/virtual/net/%s", name) < 0 ? -ENOMEM : 0;
}

static const struct synth_entry link_row = {.name = "link", .mode = S_IFLNK | 0777, .readlink = link_read};

static const struct synth_entry *row_of(const struct synth_inode *dir)
{
    return dir->arg ? &link_row : &interface_row;
}

int net_dir_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    char text[NET_NAME_LEN] = "";
    int index;
    if (name->len >= sizeof(text))
        return -ENOENT;
    memcpy(text, name->s, name->len);
    if (netns_interface_index(synth_fs(dir), text, &index) < 0)
        return -ENOENT;
    return synth_inode_new(dir->inode.sb, row_of(dir), (void *)(uintptr_t)index, 0, (uint64_t)index, ret);
}

int net_dir_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    int index;
    char name[NET_NAME_LEN];
    while (net_next_interface(synth_fs(dir), (int)(*pos - SYNTH_FIRST_DYNAMIC), &index, name) == 0) {
        int64_t next = SYNTH_FIRST_DYNAMIC + (int64_t)index + 1;
        uint64_t ino = synth_ino(row_of(dir), (uint64_t)index);
        if (!e->emit(e, name, strlen(name), ino, dir->arg ? DT_LNK : DT_DIR, next))
            return 0;
        *pos = next;
    }
    return 0;
}
