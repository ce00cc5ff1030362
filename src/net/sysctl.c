/* The defaults of the numbers of /proc/sys/net. See sysctl.h. */
#include "net/sysctl.h"
#include <stddef.h>

static const struct {
    size_t offset;
    int values[3], count;
} defaults[] = {
#define ONE(folder, name, value, low, high) {offsetof(struct net_sysctls, NET_SYSCTL_##folder(name)), {value}, 1},
#define MANY(folder, name, count, low, high, ...) \
    {offsetof(struct net_sysctls, NET_SYSCTL_##folder(name)), {__VA_ARGS__}, count},
    NET_SYSCTLS(ONE, MANY)
#undef ONE
#undef MANY
};

void net_sysctls_init(struct net_sysctls *s)
{
    for (size_t d = 0; d < sizeof(defaults) / sizeof(*defaults); d++)
        for (int n = 0; n < defaults[d].count; n++)
            ((_Atomic int *)(void *)((char *)s + defaults[d].offset))[n] = defaults[d].values[n];
}

#define SET(name, value, of_all) c->name = all ? of_all : value;

void net_conf4_init(struct net_conf4 *c, int all)
{
    NET_CONF4(SET)
}

void net_conf6_init(struct net_conf6 *c, int all)
{
    NET_CONF6(SET)
}
