/*
 * Classic BPF: the small programs that seccomp(2) and SO_ATTACH_FILTER take.
 *
 * A program comes from outside: cbpf_check() accepts it once, for one use, by Linux's rules; then
 * cbpf_run_*() runs it any number of times, from any thread. A checked program always ends: jumps
 * only go forward. Nothing is compiled, nothing is allocated.
 */
#pragma once
#include "base/base.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

#define CBPF_MAX_INSNS 4096 /* BPF_MAXINSNS */

enum cbpf_use {
    CBPF_SECCOMP, /* loads are of struct seccomp_data, whole words in the machine's order */
    CBPF_PACKET,  /* loads are of bytes of a packet, in network order */
};

/* 0, or -EINVAL: too long, empty, an unknown instruction, a jump or memory word out of bounds, a
 * word read that may not have been written, a division by a constant zero, no return at the end. */
NODISCARD int cbpf_check(const struct sock_filter *prog, size_t len, enum cbpf_use use);

/* What a checked CBPF_SECCOMP program returns for one call. */
uint32_t cbpf_run_seccomp(const struct sock_filter *prog, const struct seccomp_data *data);

/* What surrounds a packet: the ancillary loads (SKF_AD_OFF) that filter programs use. */
struct cbpf_packet {
    const uint8_t *data; /* what offset 0 means to the program */
    size_t len;
    size_t net_offset; /* of the network header in data: SKF_NET_OFF */
    uint32_t protocol; /* ETH_P_..., host order */
    uint32_t pkttype, ifindex, hatype, mark, cpu;
};

/* What a checked CBPF_PACKET program returns: the bytes of the packet to keep, 0 drops it. A load
 * beyond the packet drops it. */
uint32_t cbpf_run_packet(const struct sock_filter *prog, const struct cbpf_packet *packet);
