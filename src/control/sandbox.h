/*
 * The control server's own view of the sandbox: containers and what has become of them, processes that clients have
 * started, and the connections. Private to control/ and boot/.
 *
 * A container (struct unit) is on the list from CreateContainer to DestroyContainer. Its state only goes forward:
 * CREATED, STARTING, RUNNING, STOPPED (a start that fails goes back to CREATED). A started process (struct started) has
 * a handle that clients know it by; it is on its unit's list until it was waited for, or the unit is destroyed.
 *
 * Locks: sandbox.lock (mutex) protects lists and states; nothing waits, and no file is opened, while it is held. Before
 * tasklist_lock, after no other.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "control/params.h"
#include "control/wire.h"
#include "kernel/container.h"
#include "sched/mutex.h"
#include "sched/wait.h"

struct hostfile_set;
struct connection;

enum unit_state { UNIT_CREATED, UNIT_STARTING, UNIT_RUNNING, UNIT_STOPPED };

struct started {
    struct refcount ref; /* the unit's list; the process until its end; requests */
    struct unit *unit;   /* [I] reference */
    uint64_t handle;     /* [I] */
    bool first;          /* [I] the container's first process */
    const struct connection *tied; /* [lock] ends with it; only compared, and NULL when it is gone */
    struct process *process;   /* [lock] reference, from the start on */
    struct hostfile_set *files; /* [lock] until its end */
    bool announced;      /* [lock] its start has been told: its end may be */
    bool ended;          /* [lock] exit_status is valid */
    int exit_status;
    struct list link;    /* [lock] of unit.started */
};

struct unit {
    struct refcount ref;
    struct container *container; /* [I] reference */
    enum unit_state state;       /* [lock] */
    bool destroying;             /* [lock] */
    unsigned starting;           /* [lock] StartContainer and Exec under way */
    int exit_status;             /* [lock] valid in UNIT_STOPPED */
    struct started *first;       /* [lock] reference */
    struct list started;         /* [lock] references */
    unsigned started_count;
    char *cgroup_made;           /* [I] the path of a cgroup that goes with it, or NULL */
    struct wait_queue changed;   /* state, started processes' ends, `starting` */
    struct list link;            /* [lock] of sandbox.units */
};

struct sandbox {
    struct mutex lock;
    struct list units;       /* [lock] */
    struct list connections; /* [lock] */
    uint64_t last_handle;    /* [lock] */
    bool ends_with_boot;     /* [I] after Sandbox.Boot */
    bool network_paused;     /* [lock] */
    uint32_t owner;          /* [I] */
    bool host_write;         /* [I] */
    bool rootless;           /* [I] */
    bool ending;             /* [lock] Shutdown, or the last container is destroyed: the process ends */
};
extern struct sandbox sandbox;

/* ---- units.c ---- */
struct unit *unit_find(const char *id); /* a reference, or NULL */
struct unit *unit_find_locked(const char *id); /* borrowed */
struct unit *unit_get(struct unit *u);
void unit_put(struct unit *u);
void started_put(struct started *s);
/* The handle's process, a reference, or NULL. */
struct started *started_find(uint64_t handle);
/* Waits until what was killed is gone; the unit leaves the list. */
void unit_destroy(struct unit *u);
/* The callbacks of processes: kernel/task.h. */
void started_exited(void *started, int wait_status);
void started_stopped(void *started, int signo);

/* SIGKILL for what is tied to a connection that has ended: a process, or a container by its first process. */
void started_untie(const struct connection *connection);

/* As kill(2) from outside; foreground: as the terminal would, to its foreground group. -ESRCH: it has ended. */
int started_signal(struct started *s, int signo, bool foreground);

/* ---- requests ---- */

struct request {
    struct connection *connection; /* reference */
    json_t *id;                    /* reference, or NULL: not answered */
    const char *method;            /* of the table */
    json_t *object;                /* reference: the whole */
    struct params params;
    int *fds; /* taken ones are -1 */
    unsigned fd_count;
    int64_t received; /* realtime, ns */
    json_t *result;   /* reference; NULL: {} */
    int code;         /* of the error */
    int exit_status;
    char message[512];
    bool ends_sandbox; /* after the answer, the process */
};

/* Fills the error and returns `code`. */
int request_fail(struct request *r, int code, const char *fmt, ...) PRINTF(3, 4);
/* params_finish() as a request's error. */
NODISCARD int request_params(struct request *r);
/* The descriptor at `index`, now the caller's; -1: there is none. */
int request_take_fd(struct request *r, uint32_t index);
/* The unit named by params.container_id; the reference is the caller's. */
NODISCARD int request_unit(struct request *r, struct unit **ret);

/* A handler returns 0, or a negative code after filling the error (request_fail(); else the errno's text is it). */
typedef int request_fn(struct request *r);
request_fn handle_create, handle_start, handle_wait, handle_exit_status, handle_reap, handle_is_running,
    handle_signal, handle_pause, handle_resume, handle_pause_network, handle_resume_network, handle_destroy,
    handle_state, handle_shutdown, handle_exec, handle_ps, handle_proc_wait, handle_proc_signal, handle_resize,
    handle_events, handle_cgroup_read, handle_cgroup_write, handle_info, handle_usage, handle_metrics, handle_stacks,
    handle_strace, handle_logging;

/* ---- server.c ---- */

struct connection {
    struct refcount ref; /* its fiber, its requests */
    int fd;
    bool boot;               /* [I] */
    struct wire wire;        /* its fiber's */
    struct wait_queue queue; /* the socket's readiness, the end of waiting requests */
    struct host_event *event;
    struct mutex out_lock;
    char *out; /* [out_lock] what the socket has not taken */
    size_t out_len, out_room;
    _Atomic bool dead;       /* nobody reads any more, or it is to be cut off */
    _Atomic unsigned waiting; /* requests in fibers of their own */
    bool events, stops, processes; /* [sandbox.lock] Events.Attach */
    char *events_of;         /* [sandbox.lock] a container's id, or NULL: all */
    struct list link;        /* [sandbox.lock] */
};

/* Serves the boot connection, and the listener if it is one, for good; in a fiber. */
void server_run(struct wire *boot, int listener);
/* Consumes `notification`'s reference. It goes to those who want to know of this kind of events. */
enum notification_kind { NOTIFY_LIFE, NOTIFY_STOP, NOTIFY_PROCESS };
void server_event(const char *container_id, enum notification_kind kind, json_t *notification);
bool server_has_listeners(const char *container_id);
json_t *event_exit(const char *container_id, int exit_status);
