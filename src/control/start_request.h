/*
 * A request to start the first process: METHOD_START's parameters (control/protocol.h), checked and bounded.
 */
#pragma once
#include "base/base.h"
#include "kernel/limits.h"

struct start_volume {
    char *destination; /* absolute */
    bool read_only;
};

struct start_request {
    char **argv, **envv; /* NULL-terminated */
    char *wd;            /* absolute */
    bool wd_optional;
    char *user;          /* "user[:group]", or NULL: the ids below */
    uint32_t uid, gid;
    uint32_t *groups;
    unsigned group_count;
    uint32_t umask;
    struct limits limits;
    uint64_t ignored_signals; /* bit n-1 is signal n */
    char *hostname;
    struct start_volume *volumes;
    unsigned volume_count;
    bool stdio_open[3];
    bool strace, debug;
};

/* Parses one message. 0 and a request for the caller to free; or -EINVAL, -ENOMEM and *ret_problem says in words what
 * is wrong (static). */
NODISCARD int start_request_parse(const char *text, size_t len, struct start_request **ret, const char **ret_problem);
void start_request_free(struct start_request *r);
