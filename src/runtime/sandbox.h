/*
 * Starting a sandbox: one kernel process in namespaces of its own, and the boot connection to it.
 *
 *     struct sandbox_spec spec = {.trees = ..., .boot = json parameters of Sandbox.Boot};
 *     sandbox_start(&spec, &sandbox, &err);     namespaces, host trees, kernel process; the boot message is sent
 *     client_call(&sandbox.client, METHOD_CREATE, ..., sandbox.trees ...)      control.md from here on
 *     sandbox_free(&sandbox);                   closes everything; the kernel process is the caller's to wait for
 *
 * Host trees are detached copies of the host's mounts, made in the kernel process's own mount namespace before it
 * runs: what an ordinary user may have. Their descriptors come back to be donated.
 *
 * Unless it is `detached`, the kernel process dies with this process (parent death signal, and the end of the boot
 * connection). Everything inside dies with the kernel process: it is process 1 of its pid namespace.
 */
#pragma once
#include "base/base.h"
#include "runtime/client.h"
#include "runtime/error.h"

#define SANDBOX_MAX_TREES 128

struct sandbox_tree {
    const char *path; /* on the host */
    bool read_only;
    bool is_root; /* where /proc, /sys and /dev are mounted below it, it has empty directories */
};

struct sandbox_spec {
    const struct sandbox_tree *trees;
    unsigned tree_count;
    json_t *boot;    /* parameters of Sandbox.Boot; consumed */
    int log_fd;      /* -1: no log */
    int listener_fd; /* a listening AF_UNIX socket for the kernel to serve, or -1 */
    int broker_fd;   /* the socket to the broker, or -1: no network but loopback */
    bool detached;
};

struct sandbox {
    pid_t pid; /* the kernel process; -1: it has been waited for */
    struct client client;
    int64_t boot_id; /* of the boot message: its answer is still to come */
    int trees[SANDBOX_MAX_TREES];
    unsigned tree_count;
};

NODISCARD int sandbox_start(const struct sandbox_spec *spec, struct sandbox *ret, struct error *err);
void sandbox_free(struct sandbox *s);
/* Says how the kernel process has ended, after waiting for that: always -1. */
int sandbox_died(struct sandbox *s, struct error *err);
/* Ends the kernel process, and with it everything inside. */
void sandbox_kill(struct sandbox *s);
/* 0, 1 and 2 are taken, so that nothing of ours gets these numbers: which of them were open. */
NODISCARD int sandbox_check_stdio(bool ret_open[3], struct error *err);
