/*
 * picket do: one command in a sandbox of its own, with the caller's terminal and signals.
 *
 *     struct do_spec spec = {...};               what shall run, and on what
 *     status = do_run(&spec, &err);              the exit status for the shell; -1 and *err: Picket itself failed
 */
#pragma once
#include "broker/broker.h"
#include "runtime/sandbox.h"

#define DO_MAX_VOLUMES 64
#define DO_CONTAINER "do"

struct volume {
    const char *source;      /* path on the host */
    const char *destination; /* absolute path inside */
    bool read_only;
};

struct do_spec {
    const char *root; /* directory on the host */
    const struct volume *volumes;
    unsigned volume_count;
    char **argv, **envv;  /* NULL-terminated */
    const char *cwd;      /* absolute path inside, or NULL: the caller's own if there is one like it, else "/" */
    const char *user;     /* "user[:group]", or NULL: the caller's own ids */
    const char *hostname; /* NULL: the host's */
    int log_fd;           /* -1: no log */
    bool strace, debug;
    const struct broker_policy *network; /* NULL: loopback only; else the host's, under this */
};

/* session.c. The exit status: the command's, or 128 + signal. */
NODISCARD int do_run(const struct do_spec *spec, struct error *err);

/* do_requests.c: parameters of requests; stdio_open: which of 0, 1, 2 the command has. */
json_t *do_boot(const struct do_spec *spec);
json_t *do_create(const struct do_spec *spec);
json_t *do_start(const struct do_spec *spec, const bool stdio_open[3]);
