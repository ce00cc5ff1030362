/*
 * The state directory: ROOT/ID/ for each container, ROOT being /run/picket, $XDG_RUNTIME_DIR/picket
 * for ordinary users, or
 * --root.
 *
 *     state.json     what `state` and `list` tell; replaced as a whole, never half written
 *     config.json    a copy of the bundle's, for hooks that run after the bundle may be gone
 *     control.sock   the sandbox's control socket, in the directory of the container that started
 * the sandbox agent.sock     where the container's agent waits for `start`
 *
 * Each directory has a lock (flock(2) on the directory itself). Who changes a container holds it:
 * state_create() and state_open() with STATE_LOCK. Readers need none. What the file says is
 * corrected by what is: a container whose agent is gone is stopped, whatever was written last, so a
 * crash or a kill at any point leaves nothing that lies. A directory without a valid state.json is
 * one whose creation was interrupted; `delete --force` removes it, and nothing else shows it.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include <jansson.h>

enum state_status { STATE_CREATING, STATE_CREATED, STATE_RUNNING, STATE_PAUSED, STATE_STOPPED };

struct state {
    int dir; /* descriptor of ROOT/ID; carries the lock */
    bool locked;
    char *id;
    enum state_status status; /* as written; state_status() is the truth */
    pid_t pid;                /* the agent; 0: none yet */
    uint64_t pid_start;       /* its start time, against reuse of the number */
    char *bundle, *rootfs;
    char *created; /* RFC 3339 */
    char *
        sandbox; /* the container whose directory has control.sock; its own id if it stands alone */
    char *cgroup; /* path below the hierarchies, or "" */
    bool systemd_cgroup;
    bool terminal;
    json_t *annotations; /* object */
};

/* Sets where ROOT is; NULL or "": the default. */
NODISCARD int state_set_root(const char *root, struct error *err);
const char *state_root(void);

NODISCARD int state_check_id(const char *id, struct error *err);
/* Makes the directory and locks it. Fails if the container exists. */
NODISCARD int state_create(const char *id, struct state *ret, struct error *err);
enum state_access { STATE_READ, STATE_LOCK };
NODISCARD int state_open(const char *id, enum state_access access, struct state *ret,
                         struct error *err);
/* Did state_open() fail because there is no such container? */
bool state_is_absent(const char *id);
NODISCARD int state_write(const struct state *s, struct error *err);
void state_close(struct state *s); /* gives back lock, descriptor and memory */
/* Removes the directory and all in it. Call with the lock. */
void state_remove(struct state *s);
/* Removes a directory that state_open() cannot read. */
void state_remove_broken(const char *id);

enum state_status state_status(const struct state *s);
const char *state_status_name(enum state_status status);
/* Sets pid and pid_start. */
NODISCARD int state_set_pid(struct state *s, pid_t pid, struct error *err);
/* Sends a signal to the agent, if it is still the one. -ESRCH: it is gone. */
int state_signal_agent(const struct state *s, int signo);
/* A pidfd of the agent, or -ESRCH. */
int state_agent_fd(const struct state *s);

/* The ids of all containers, NULL-terminated; state_free_ids() frees them. */
NODISCARD int state_list(char ***ret, struct error *err);
void state_free_ids(char **ids);

/* A file in the directory. */
NODISCARD int state_put_file(const struct state *s, const char *name, const char *text,
                             struct error *err);
/* "/proc/self/fd/N/name": a way to the container's directory that any socket address has room for.
 */
void state_path(const struct state *s, const char *name, char path[static 64]);
/* The state as the specification has it, for hooks and `state`; the caller gives it back. */
json_t *state_json(const struct state *s, enum state_status status);
