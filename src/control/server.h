/*
 * The control server, as the boot code sees it.
 *
 *     server_prepare_listener(fd)      before lock-down
 *     boot_receive()                   the boot message, on a plain thread
 *     server_run(&wire, listener)      in a fiber: serves for good, what came after the boot message first
 */
#pragma once
#include "control/wire.h"
#include <jansson.h>

/* The descriptor, ready for server_run(), if it is a listening socket; else -1. */
int server_prepare_listener(int fd);
void server_run(struct wire *boot, int listener);

/* Sandbox.Boot, checked. */
struct boot_request {
    bool ends_with_boot;
    bool host_write;
    bool strace, debug;
    bool host_network; /* by way of the broker: DONATED_BROKER */
    uint32_t owner;
    uint32_t cpus;   /* 0: the host's */
    uint64_t memory; /* 0: the host's */
    json_t *id;      /* reference, or NULL */
};

/* Receives from the boot connection until Sandbox.Boot is there: whatever else is refused. -EPIPE: the other side is
 * gone. */
NODISCARD int boot_receive(struct wire *w, struct boot_request *ret);
void boot_answer(int fd, const json_t *id, int error, const char *message); /* error 0: it is booted */
