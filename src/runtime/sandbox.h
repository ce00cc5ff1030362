/*
 * A sandbox as the command line sees it: one kernel process in namespaces of its own, and the socket to it.
 *
 *     struct sandbox_spec spec = {...};            what shall run, and on what
 *     sandbox_start(&spec, &sandbox, &err);        namespaces, mounts, kernel process, start message
 *     status = sandbox_wait(&sandbox, &err);       forwards signals until the command ends; its exit status
 *
 * The kernel process dies with this process (parent death signal, and the socket's end), and everything inside dies
 * with the kernel process (it is process 1 of its pid namespace), so nothing can outlive the command line.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"

struct volume {
    const char *source;      /* path on the host */
    const char *destination; /* absolute path inside */
    bool read_only;
};

struct sandbox_spec {
    const char *root; /* directory on the host */
    const struct volume *volumes;
    unsigned volume_count;
    char **argv, **envv;  /* NULL-terminated */
    const char *cwd;      /* absolute path inside, or NULL: the caller's own if there is one like it, else "/" */
    const char *user;     /* "user[:group]", or NULL: the caller's own ids */
    const char *hostname; /* NULL: the host's */
    int log_fd;           /* -1: no log */
    bool strace, debug;
};

struct sandbox {
    pid_t pid;   /* the kernel process */
    int control; /* socket to it */
};

NODISCARD int sandbox_start(const struct sandbox_spec *spec, struct sandbox *ret, struct error *err);
/* The exit status for the shell: the command's, or 128 + signal. -1 and *err when Picket itself failed. Gives back
 * what the sandbox holds. */
NODISCARD int sandbox_wait(struct sandbox *sandbox, struct error *err);

/* The start message (control/protocol.h), one line with its newline, in fresh memory; NULL when out of memory.
 * start_message.c */
char *start_message(const struct sandbox_spec *spec, const bool stdio_open[3]);
