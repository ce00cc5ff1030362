/* Who may be talked to. See broker.h. */
#include "broker/broker.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static void map_v4(struct in6_addr *a, const struct in_addr *v4)
{
    memset(a, 0, sizeof(*a));
    a->s6_addr[10] = a->s6_addr[11] = 0xff;
    memcpy(a->s6_addr + 12, v4, 4);
}

static int parse_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;
    errno = 0;
    *ret = strtoul(text, &end, 10);
    return *text < '0' || *text > '9' || *end || errno || *ret > max ? -EINVAL : 0;
}

/* ":PORT" or ":LOW-HIGH" */
static int parse_ports(char *text, struct broker_rule *r)
{
    unsigned long low, high;
    char *dash = strchr(text, '-');
    if (dash)
        *dash++ = '\0';
    if (parse_number(text, 65535, &low) < 0 || parse_number(dash ? dash : text, 65535, &high) < 0 || !low || low > high)
        return -EINVAL;
    r->port_low = (uint16_t)low;
    r->port_high = (uint16_t)high;
    return 0;
}

static int add(struct broker_policy *p, const struct broker_rule *r)
{
    if (p->count == BROKER_RULES_MAX)
        return -ENOSPC;
    p->rules[p->count++] = *r;
    return 0;
}

static int add_name(struct broker_policy *p, const char *name, const struct broker_rule *model)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all, *a;
    int err = 0;
    if (getaddrinfo(name, NULL, &hints, &all) != 0)
        return -ENOENT;
    for (a = all; a && err == 0; a = a->ai_next) {
        struct broker_rule r = *model;
        r.prefix_len = 128;
        if (a->ai_family == AF_INET)
            map_v4(&r.addr, &((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr);
        else if (a->ai_family == AF_INET6)
            r.addr = ((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr;
        else
            continue;
        err = add(p, &r);
    }
    freeaddrinfo(all);
    return err;
}

static int add_host(struct broker_policy *p, char *host, struct broker_rule *r)
{
    struct in_addr v4;
    unsigned long len = 128;
    char *slash = strchr(host, '/');
    if (strcmp(host, "*") == 0)
        return add(p, r);
    if (slash)
        *slash++ = '\0';
    if (inet_pton(AF_INET, host, &v4) == 1) {
        if (slash && parse_number(slash, 32, &len) < 0)
            return -EINVAL;
        map_v4(&r->addr, &v4);
        r->prefix_len = (uint8_t)(slash ? len + 96 : 128);
        return add(p, r);
    }
    if (inet_pton(AF_INET6, host, &r->addr) == 1) {
        if (slash && parse_number(slash, 128, &len) < 0)
            return -EINVAL;
        r->prefix_len = (uint8_t)len;
        return add(p, r);
    }
    return slash || !*host || strchr(host, '*') ? -EINVAL : add_name(p, host, r);
}

int broker_policy_add(struct broker_policy *p, const char *text, bool allow)
{
    char copy[512], *host = copy, *port;
    struct broker_rule r = {.allow = allow};
    if (strlen(text) >= sizeof(copy))
        return -EINVAL;
    strcpy(copy, text);
    if (*host == '[') {
        char *end = strchr(++host, ']');
        if (!end || (end[1] && end[1] != ':'))
            return -EINVAL;
        port = end[1] ? end + 2 : NULL;
        *end = '\0';
    } else {
        port = strchr(host, ':');
        if (port && strchr(port + 1, ':'))
            port = NULL; /* a bare IPv6 address */
        else if (port)
            *port++ = '\0';
    }
    if (port && parse_ports(port, &r) < 0)
        return -EINVAL;
    return add_host(p, host, &r);
}

static bool matches(const struct broker_rule *r, const struct sockaddr_in6 *to)
{
    uint16_t port = ntohs(to->sin6_port);
    unsigned whole = r->prefix_len / 8, rest = r->prefix_len % 8;
    const uint8_t *a = r->addr.s6_addr, *b = to->sin6_addr.s6_addr;
    if (r->port_high && (port < r->port_low || port > r->port_high))
        return false;
    return memcmp(a, b, whole) == 0 && (!rest || ((a[whole] ^ b[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

bool broker_policy_allows(const struct broker_policy *p, const struct sockaddr_in6 *to)
{
    bool allow = !p->deny_by_default;
    for (unsigned r = 0; r < p->count; r++)
        if (matches(&p->rules[r], to))
            allow = p->rules[r].allow;
    return allow;
}
