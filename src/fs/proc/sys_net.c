/*
 * /proc/sys/net: the network namespace of whoever looks. The numbers that mean something are
 * net/show.h's; the others are what a Linux of our version starts with and cannot be changed.
 */
#include "fs/proc/private.h"
#include "net/show.h"
#include <dirent.h>
#include <string.h>
#include <sys/socket.h>

/* ---- core, ipv4, ipv6, unix: rows found by folder and name ---- */

static int number_show(struct synth_inode *i, struct strbuf *out)
{
    return net_sysctl_show(current_netns(), (unsigned)i->arg, out);
}

static int number_write(struct synth_inode *i, char *text, size_t len)
{
    return net_sysctl_write(current_netns(), (unsigned)i->arg, text);
}

static const struct synth_entry number_row = REG("number", 0644, number_show, .write = number_write);

static bool same(const struct name *name, const char *text)
{
    return name->len == strlen(text) && memcmp(name->s, text, name->len) == 0;
}

static int number_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    enum net_sysctl_folder folder;
    const char *text;
    for (unsigned n = 0; (text = net_sysctl_name(n, &folder)); n++)
        if (folder == (enum net_sysctl_folder)dir->arg && same(name, text))
            return synth_inode_new(dir->inode.sb, &number_row, NULL, n, n, ret);
    return -ENOENT;
}

static int number_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    enum net_sysctl_folder folder;
    const char *text;
    for (; (text = net_sysctl_name((unsigned)(*pos - SYNTH_FIRST_DYNAMIC), &folder)); ++*pos) {
        if (folder != (enum net_sysctl_folder)dir->arg)
            continue;
        uint64_t ino = synth_ino(&number_row, (uint64_t)(*pos - SYNTH_FIRST_DYNAMIC));
        if (!e->emit(e, text, strlen(text), ino, DT_REG, *pos + 1))
            return 0;
    }
    return 0;
}

/* ---- conf: "all", "default" and the interfaces, each with the same files ---- */

/* arg of a file: the interface's number, the family, the row. */
#define CONF_ARG(of, family, n) ((uint64_t)(of) << 32 | (uint64_t)(family) << 16 | (n))

static int conf_value_show(struct synth_inode *i, struct strbuf *out)
{
    return net_conf_show(current_netns(), (int)(i->arg >> 16 & 0xffff), (int)(i->arg >> 32), i->arg & 0xffff, out);
}

static int conf_value_write(struct synth_inode *i, char *text, size_t len)
{
    return net_conf_write(current_netns(), (int)(i->arg >> 16 & 0xffff), (int)(i->arg >> 32), i->arg & 0xffff, text);
}

static const struct synth_entry conf_value_row = REG("value", 0644, conf_value_show, .write = conf_value_write);

static int conf_value_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    const char *text;
    for (unsigned n = 0; (text = net_conf_name((int)(dir->arg >> 16 & 0xffff), n)); n++)
        if (same(name, text))
            return synth_inode_new(dir->inode.sb, &conf_value_row, NULL, dir->arg | n, dir->arg | n, ret);
    return -ENOENT;
}

static int conf_value_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    const char *text;
    for (;; ++*pos) {
        unsigned n = (unsigned)(*pos - SYNTH_FIRST_DYNAMIC);
        if (!(text = net_conf_name((int)(dir->arg >> 16 & 0xffff), n)))
            return 0;
        if (!e->emit(e, text, strlen(text), synth_ino(&conf_value_row, dir->arg | n), DT_REG, *pos + 1))
            return 0;
    }
}

static const struct synth_entry conf_row =
    DIR("conf", 0555, .lookup = conf_value_lookup, .iterate = conf_value_iterate, .is_volatile = true);

static int conf_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    char text[NET_NAME_LEN] = "";
    int of = same(name, "all") ? NET_CONF_ALL : NET_CONF_DEFAULT;
    if (of == NET_CONF_DEFAULT && !same(name, "default")) {
        if (name->len >= sizeof(text))
            return -ENOENT;
        memcpy(text, name->s, name->len);
        if (netns_interface_index(current_netns(), text, &of) < 0)
            return -ENOENT;
    }
    uint64_t arg = CONF_ARG(of, dir->arg, 0);
    return synth_inode_new(dir->inode.sb, &conf_row, NULL, arg, arg, ret);
}

static int conf_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    static const char *const fixed[] = {"all", "default"};
    int index;
    char name[NET_NAME_LEN];
    for (; *pos < SYNTH_FIRST_DYNAMIC + 2; ++*pos) {
        const char *text = fixed[*pos - SYNTH_FIRST_DYNAMIC];
        uint64_t arg = CONF_ARG(*pos == SYNTH_FIRST_DYNAMIC ? NET_CONF_ALL : NET_CONF_DEFAULT, dir->arg, 0);
        if (!e->emit(e, text, strlen(text), synth_ino(&conf_row, arg), DT_DIR, *pos + 1))
            return 0;
    }
    while (net_next_interface(current_netns(), (int)(*pos - SYNTH_FIRST_DYNAMIC - 2), &index, name) == 0) {
        int64_t next = SYNTH_FIRST_DYNAMIC + 2 + (int64_t)index + 1;
        uint64_t ino = synth_ino(&conf_row, CONF_ARG(index, dir->arg, 0));
        if (!e->emit(e, name, strlen(name), ino, DT_DIR, next))
            return 0;
        *pos = next;
    }
    return 0;
}

/* ---- the tree ---- */

static const struct synth_entry core_entries[] = {
    TEXT("netdev_max_backlog", 0644, "1000\n"),
    TEXT("default_qdisc", 0644, "pfifo_fast\n"),
    TEXT("bpf_jit_enable", 0644, "1\n"),
    TEXT("busy_poll", 0644, "0\n"),
    TEXT("busy_read", 0644, "0\n"),
    TEXT("dev_weight", 0644, "64\n"),
    TEXT("message_burst", 0644, "10\n"),
    TEXT("message_cost", 0644, "5\n"),
    TEXT("tstamp_allow_data", 0644, "1\n"),
    TEXT("warnings", 0644, "0\n"),
    {0},
};

static const struct synth_entry neigh_default_entries[] = {
    TEXT("gc_thresh1", 0644, "128\n"), TEXT("gc_thresh2", 0644, "512\n"), TEXT("gc_thresh3", 0644, "1024\n"),
    TEXT("gc_interval", 0644, "30\n"), TEXT("gc_stale_time", 0644, "60\n"), {0},
};

static const struct synth_entry neigh_entries[] = {
    DIR("default", 0555, .entries = neigh_default_entries),
    {0},
};

static const struct synth_entry ipv4_route_entries[] = {
    TEXT("flush", 0200, ""), TEXT("min_adv_mss", 0644, "256\n"), TEXT("min_pmtu", 0644, "552\n"),
    TEXT("mtu_expires", 0644, "600\n"), {0},
};

static const struct synth_entry ipv4_entries[] = {
    DIR("conf", 0555, .lookup = conf_lookup, .iterate = conf_iterate, .is_volatile = true, .arg = AF_INET),
    DIR("neigh", 0555, .entries = neigh_entries),
    DIR("route", 0555, .entries = ipv4_route_entries),
    TEXT("ip_local_reserved_ports", 0644, "\n"),
    TEXT("tcp_allowed_congestion_control", 0644, "reno\n"),
    TEXT("tcp_available_congestion_control", 0444, "reno\n"),
    TEXT("tcp_congestion_control", 0644, "reno\n"),
    TEXT("tcp_mem", 0644, "185511\t247350\t371022\n"),
    TEXT("udp_mem", 0644, "371022\t494700\t742044\n"),
    {0},
};

static const struct synth_entry ipv6_entries[] = {
    DIR("conf", 0555, .lookup = conf_lookup, .iterate = conf_iterate, .is_volatile = true, .arg = AF_INET6),
    DIR("neigh", 0555, .entries = neigh_entries),
    {0},
};

const struct synth_entry proc_sys_net_entries[] = {
    DIR("core", 0555, .entries = core_entries, .lookup = number_lookup, .iterate = number_iterate,
        .arg = NET_FOLDER_CORE),
    DIR("ipv4", 0555, .entries = ipv4_entries, .lookup = number_lookup, .iterate = number_iterate,
        .arg = NET_FOLDER_IPV4),
    DIR("ipv6", 0555, .entries = ipv6_entries, .lookup = number_lookup, .iterate = number_iterate,
        .arg = NET_FOLDER_IPV6),
    DIR("unix", 0555, .lookup = number_lookup, .iterate = number_iterate, .arg = NET_FOLDER_UNIX),
    {0},
};
