/* /proc/sys/net: numbers in and out. See show.h. */
#include "net/config/config.h"
#include "net/show.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 3

static const struct sysctl_row {
    const char *name;
    enum net_sysctl_folder folder;
    size_t offset;
    int count, low, high;
} rows[] = {
#define ONE(folder, name, value, low, high) \
    {#name, NET_FOLDER_##folder, offsetof(struct net_sysctls, NET_SYSCTL_##folder(name)), 1, low, high},
#define MANY(folder, name, count, low, high, ...) \
    {#name, NET_FOLDER_##folder, offsetof(struct net_sysctls, NET_SYSCTL_##folder(name)), count, low, high},
    NET_SYSCTLS(ONE, MANY)
#undef ONE
#undef MANY
};

const char *net_sysctl_name(unsigned n, enum net_sysctl_folder *ret_folder)
{
    if (n >= ARRAY_SIZE(rows))
        return NULL;
    *ret_folder = rows[n].folder;
    return rows[n].name;
}

static _Atomic int *values_of(struct net_namespace *ns, const struct sysctl_row *r)
{
    return (_Atomic int *)(void *)((char *)&ns->sysctl + r->offset);
}

/* notsent_lowat and the like are unsigned on Linux. */
static void put_value(struct strbuf *out, const struct sysctl_row *r, int value)
{
    if (strcmp(r->name, "tcp_notsent_lowat") == 0)
        strbuf_printf(out, "%u", (unsigned)value);
    else
        strbuf_printf(out, "%d", value);
}

int net_sysctl_show(struct net_namespace *ns, unsigned n, struct strbuf *out)
{
    for (int v = 0; v < rows[n].count; v++) {
        if (v > 0)
            strbuf_putc(out, '\t');
        put_value(out, &rows[n], values_of(ns, &rows[n])[v]);
    }
    strbuf_putc(out, '\n');
    return 0;
}

/* At most `count` numbers: how many there were, or -EINVAL. */
static int parse(const char *text, int count, int low, int high, int *ret)
{
    int done = 0;
    while (done < count) {
        char *end;
        while (isspace((unsigned char)*text))
            text++;
        if (!*text)
            break;
        errno = 0;
        long long value = strtoll(text, &end, 0);
        if (end == text || (*end && !isspace((unsigned char)*end)) || errno)
            return -EINVAL;
        if (value > INT_MAX && value <= UINT32_MAX && low < 0)
            value = (int)(uint32_t)value;
        if (value < low || value > high)
            return -EINVAL;
        ret[done++] = (int)value;
        text = end;
    }
    return done;
}

/* What is wanted of several numbers together. */
static int check_together(struct net_namespace *ns, const struct sysctl_row *r, int *v)
{
    if (strcmp(r->name, "ip_local_port_range") == 0)
        return v[0] > v[1] || v[0] < ns->sysctl.ip_unprivileged_port_start ? -EINVAL : 0;
    if (strcmp(r->name, "ip_unprivileged_port_start") == 0)
        return v[0] > ns->sysctl.ip_local_port_range[0] ? -EINVAL : 0;
    if (strcmp(r->name, "ping_group_range") == 0 && v[1] < v[0]) {
        v[0] = 1;
        v[1] = 0;
    }
    return 0;
}

static void forward_all(struct net_namespace *ns, int value)
{
    struct net_interface *i;
    ns->sysctl.ip_forward = ns->conf4_all.forwarding = ns->conf4_default.forwarding = value;
    MUTEX_GUARD(&netcfg_lock);
    list_for_each(i, &ns->interfaces, link)
        i->conf4.forwarding = value;
}

int net_sysctl_write(struct net_namespace *ns, unsigned n, const char *text)
{
    const struct sysctl_row *r = &rows[n];
    int v[MAX_VALUES];
    for (int k = 0; k < r->count; k++)
        v[k] = values_of(ns, r)[k];
    int count = parse(text, r->count, r->low, r->high, v);
    if (count < 0)
        return count;
    if (count == 0 && r->count > 1)
        return 0;
    int err = count == 0 ? -EINVAL : check_together(ns, r, v);
    if (err < 0)
        return err;
    for (int k = 0; k < r->count; k++)
        values_of(ns, r)[k] = v[k];
    if (strcmp(r->name, "ip_forward") == 0)
        forward_all(ns, v[0]);
    return 0;
}

/* ---- net.ipv4.conf, net.ipv6.conf ---- */

struct conf_row {
    const char *name;
    size_t offset;
};

static const struct conf_row rows4[] = {
#define ROW(name, value, all) {#name, offsetof(struct net_conf4, name)},
    NET_CONF4(ROW)
#undef ROW
};
static const struct conf_row rows6[] = {
#define ROW(name, value, all) {#name, offsetof(struct net_conf6, name)},
    NET_CONF6(ROW)
#undef ROW
};

static const struct conf_row *conf_row(int family, unsigned n)
{
    if (family == AF_INET)
        return n < ARRAY_SIZE(rows4) ? &rows4[n] : NULL;
    return n < ARRAY_SIZE(rows6) ? &rows6[n] : NULL;
}

const char *net_conf_name(int family, unsigned n)
{
    const struct conf_row *r = conf_row(family, n);
    return r ? r->name : NULL;
}

/* netcfg_lock held. NULL: the interface is gone. */
static _Atomic int *conf_value(struct net_namespace *ns, int family, int of, const struct conf_row *r)
{
    struct net_interface *i = NULL;
    char *base;
    if (of != NET_CONF_ALL && of != NET_CONF_DEFAULT && !(i = netns_interface(ns, of)))
        return NULL;
    if (family == AF_INET)
        base = (char *)(i ? &i->conf4 : of == NET_CONF_ALL ? &ns->conf4_all : &ns->conf4_default);
    else
        base = (char *)(i ? &i->conf6 : of == NET_CONF_ALL ? &ns->conf6_all : &ns->conf6_default);
    return (_Atomic int *)(void *)(base + r->offset);
}

int net_conf_show(struct net_namespace *ns, int family, int of, unsigned n, struct strbuf *out)
{
    MUTEX_GUARD(&netcfg_lock);
    const _Atomic int *value = conf_value(ns, family, of, conf_row(family, n));
    if (!value)
        return -ENOENT;
    strbuf_printf(out, "%d\n", *value);
    return 0;
}

/* Writing to "all" reaches every interface for these. netcfg_lock held. */
static void spread(struct net_namespace *ns, int family, const struct conf_row *r, int value)
{
    struct net_interface *i;
    *conf_value(ns, family, NET_CONF_DEFAULT, r) = value;
    list_for_each(i, &ns->interfaces, link)
        *conf_value(ns, family, i->index, r) = value;
}

static void ipv6_switched(struct net_interface *i)
{
    struct net_ifaddr *a, *next;
    if (i->conf6.disable_ipv6) {
        list_for_each_safe(a, next, &i->addresses, link)
            if (a->family == AF_INET6)
                netcfg_addr_delete(a);
    } else if (i->flags & IFF_UP) {
        netcfg_addr_link_up(i);
    }
}

int net_conf_write(struct net_namespace *ns, int family, int of, unsigned n, const char *text)
{
    const struct conf_row *r = conf_row(family, n);
    struct net_interface *i;
    int v;
    int count = parse(text, 1, INT_MIN, INT_MAX, &v);
    if (count <= 0)
        return -EINVAL;
    MUTEX_GUARD(&netcfg_lock);
    _Atomic int *value = conf_value(ns, family, of, r);
    if (!value)
        return -ENOENT;
    bool changed = *value != v, disable = strcmp(r->name, "disable_ipv6") == 0;
    *value = v;
    if (of == NET_CONF_ALL && (disable || strcmp(r->name, "forwarding") == 0))
        spread(ns, family, r, v);
    if (of == NET_CONF_ALL && family == AF_INET && strcmp(r->name, "forwarding") == 0)
        ns->sysctl.ip_forward = v;
    if (!disable || !changed)
        return 0;
    list_for_each(i, &ns->interfaces, link)
        if (of == NET_CONF_ALL || of == i->index)
            ipv6_switched(i);
    return 0;
}
