/*
 * A container's life as the command line sees it. Each verb is one of these functions, or a few.
 *
 * `create` forks the container's *agent* (agent.h), which sets everything up and stays; the caller
 * itself keeps books: the state directory, cgroups, hooks. So the agent becomes an orphan, its new
 * parent being whoever asked for that (PR_SET_CHILD_SUBREAPER: conmon, a containerd shim), who
 * reaps it and gets the container's exit status.
 */
#pragma once
#include "base/base.h"
#include "runtime/client.h"
#include "runtime/error.h"
#include "runtime/spec.h"
#include "runtime/state.h"

struct container_options {
    const char *id, *bundle, *pid_file, *console_socket;
    unsigned preserve_fds; /* descriptors 3 to 2 + preserve_fds go to the container */
    bool foreground;       /* run: the caller stays, and its terminal is the container's */
};

/* Everything up to "created". *ret_agent: the agent, a child of ours. */
NODISCARD int container_create(const struct container_options *o, pid_t *ret_agent,
                               struct error *err);
NODISCARD int container_start(const char *id, struct error *err);
NODISCARD int container_kill(const char *id, int signo, bool all, struct error *err);
NODISCARD int container_delete(const char *id, bool force, struct error *err);

/* A connection to the sandbox of a container that is created or running. */
NODISCARD int container_connect(const struct state *s, struct client *ret, struct error *err);
/* A signal by number or name, with or without "SIG"; -1 if there is none such. */
int container_signal_number(const char *name);
/* Writes a pid file, replacing it as a whole. */
NODISCARD int container_write_pid(const char *path, pid_t pid, struct error *err);
/* An absolute copy of a path, the caller's; NULL when out of memory. */
char *container_absolute(const char *path);
