/*
 * What passes between the command line and a sandbox's kernel process: shared by both sides, and nothing else is.
 *
 * The two are joined by a socket pair (AF_UNIX, stream) that exists before the kernel process does. Each message is
 * one JSON-RPC 2.0 object on a line of its own, at most PROTOCOL_MAX_MESSAGE bytes:
 *
 *     runtime -> kernel   METHOD_START     id 1; answered when the first process runs or cannot
 *     kernel -> runtime   {"id": 1, "result": {}} or {"id": 1, "error": {"code": -errno, "message": text,
 *                         "data": {"exit_status": what the command line shall exit with}}}
 *     runtime -> kernel   METHOD_SIGNAL    {"signo": 2, "foreground": true}     no id, no answer
 *     kernel -> runtime   EVENT_STOPPED    {"signo": 20}   the first process has stopped
 *     kernel -> runtime   EVENT_EXIT       {"exit_status": wait status encoding}; then the kernel process ends
 *
 * The end of the socket's life on either side is the end of the sandbox.
 *
 * Parameters of METHOD_START (strings that are not UTF-8 are given as {"base64": "..."}):
 *
 *     argv, envv          lists; argv[0] is looked up in envv's PATH unless it has a slash
 *     wd                  working directory; wd_optional: "/" if it is not there
 *     KUID, KGID, groups  who runs it; or user: "user[:group]", names or numbers of the sandbox's /etc/passwd
 *     umask, limits       limits: {"RLIMIT_NOFILE": [cur, max], ...}, null for infinity
 *     ignored_signals     list of numbers
 *     hostname
 *     volumes             list of {"destination": path, "read_only": bool}; their trees follow in the descriptors
 *     stdio               three booleans: is descriptor 0, 1, 2 open
 *     strace, debug       booleans: what to write to the log descriptor
 *
 * Descriptors are not passed but inherited, at fixed numbers:
 */
#pragma once

#define PROTOCOL_MAX_MESSAGE (4 << 20)
#define PROTOCOL_MAX_STRINGS 65536
#define PROTOCOL_MAX_VOLUMES 64

#define METHOD_START "Lifecycle.StartContainer"
#define METHOD_SIGNAL "Lifecycle.SignalContainer"
#define EVENT_EXIT "Events.ContainerExit"
#define EVENT_STOPPED "Events.ContainerStopped"

enum donated_fd {
    /* 0, 1, 2: the first process's own; /dev/null where the caller had none */
    DONATED_CONTROL = 3,
    DONATED_LOG,    /* write only */
    DONATED_ROOT,   /* the root tree, detached and read-only */
    DONATED_VOLUMES /* one for each volume, in order */
};

/* Exit statuses of the command line that are not the command's own. */
enum exit_status {
    EXIT_PICKET = 125,         /* Picket itself failed, or was used wrongly */
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNAL_BASE = 128,
};
