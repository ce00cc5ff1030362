/*
 * The broker: a process that holds host sockets for one sandbox, in the network namespace it was
 * started in, under a policy. It can make sockets and nothing else: no files, no processes.
 *
 *     broker_policy_add(&policy, "10.0.0.0/8:443", true, ...)      from the command line
 *     broker_start(&policy, log, &fd, &err)                       the other end of its socket
 *
 * It ends when the kernel process's end of the socket does.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BROKER_RULES_MAX 256

#define BROKER_NAME "picket-broker" /* of its process */

struct broker_rule {
    bool allow;
    struct in6_addr addr; /* IPv4: mapped */
    uint8_t prefix_len;   /* of the mapped form: 0 is any address */
    uint16_t port_low, port_high; /* 0, 0: any port */
};

struct broker_policy {
    bool deny_by_default;
    unsigned count;
    struct broker_rule rules[BROKER_RULES_MAX]; /* the last one that matches decides */
};

/* "*", "ADDRESS[/LEN]" or "NAME", then ":PORT" or ":LOW-HIGH" (IPv6 addresses in brackets). A name stands for the
 * addresses it has now. -EINVAL, -ENOSPC, -ENOENT for a name without addresses. */
int broker_policy_add(struct broker_policy *p, const char *text, bool allow);
bool broker_policy_allows(const struct broker_policy *p, const struct sockaddr_in6 *to);

/* The broker's process: its pid and *ret_fd, or -errno. log -1: none. */
int broker_start(const struct broker_policy *policy, int log, int *ret_fd);
