/*
 * Fuzz target: netlink. The first byte chooses the protocol and whether the socket is strict; the rest is
 * one packet for the kernel, in a network namespace of its own. What the answers are is not looked at
 * beyond their lengths. Run by tests/fuzz/run, and over the corpus by every test run.
 */
#include "kernel/user_namespace.h"
#include "net/netlink/netlink.h"
#include "net/netns.h"
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_up(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    netlink_init();
    if (netns_init() < 0)
        abort();
}

/* Every answer is whole messages. */
static void check_queue(struct netlink_socket *n)
{
    struct netlink_entry *e;
    list_for_each(e, &n->queue, link) {
        size_t at = 0;
        while (at < e->packet->len) {
            struct nlmsghdr h;
            if (e->packet->len - at < sizeof(h))
                abort();
            memcpy(&h, e->packet->data + at, sizeof(h));
            if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > e->packet->len - at)
                abort();
            at += NLMSG_ALIGN(h.nlmsg_len);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int protocols[] = {NETLINK_ROUTE, NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_GENERIC};
    struct net_namespace *ns;
    struct socket *s;
    set_up();
    if (size < 1 || net_namespace_new(&root_user_ns, &ns) < 0)
        return 0;
    if (socket_create(AF_NETLINK, SOCK_RAW, protocols[data[0] % 4], &s) < 0)
        abort();
    struct netlink_socket *n = netlink_of(s);
    struct net_namespace *first = s->ns;
    n->strict = data[0] & 4;
    n->ext_ack = data[0] & 8;
    n->cap_ack = data[0] & 16;
    s->ns = ns;
    /* as netlink_send() has it: padded, for the echo of the last message */
    char *packet = calloc(1, size - 1 + NLMSG_ALIGNTO);
    memcpy(packet, data + 1, size - 1);
    (void)!netlink_handle(n, packet, size - 1);
    check_queue(n);
    free(packet);
    s->ns = first;
    net_namespace_put(ns);
    socket_put(s);
    return 0;
}
