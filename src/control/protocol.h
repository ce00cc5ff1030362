/*
 * The control interface, as both of its sides know it: names, bounds, fixed descriptors. docs/control.md describes
 * every method with its JSON.
 *
 * A connection is an AF_UNIX stream socket that carries JSON-RPC 2.0 objects, one after another, in both directions;
 * white space between them is ignored, and the server ends each of its own with a newline. Descriptors travel beside
 * the bytes (SCM_RIGHTS): they belong to the object that is being sent. So an object that has some goes out in a
 * sendmsg(2) of its own, with all of them beside its first byte.
 *
 * picket-kernel is started with the descriptors of enum donated_fd. The first object on the boot connection is
 * METHOD_BOOT; when it is answered the kernel is locked down, and every method may be used on every connection.
 */
#pragma once

#define PROTOCOL_MAX_MESSAGE (4 << 20)
#define PROTOCOL_MAX_FDS 253 /* the host's own limit, SCM_MAX_FD */
#define PROTOCOL_MAX_STRINGS 65536
#define PROTOCOL_MAX_MOUNTS 1024
#define PROTOCOL_MAX_ID 1024 /* bytes of a container's id */

#define METHOD_BOOT "Sandbox.Boot"
#define METHOD_INFO "Sandbox.Info"

#define METHOD_CREATE "Lifecycle.CreateContainer"
#define METHOD_START "Lifecycle.StartContainer"
#define METHOD_WAIT "Lifecycle.WaitContainer"
#define METHOD_EXIT_STATUS "Lifecycle.GetExitStatus"
#define METHOD_REAP "Lifecycle.Reap"
#define METHOD_IS_RUNNING "Lifecycle.IsContainerRunning"
#define METHOD_SIGNAL "Lifecycle.SignalContainer"
#define METHOD_PAUSE "Lifecycle.Pause"
#define METHOD_RESUME "Lifecycle.Resume"
#define METHOD_PAUSE_NETWORK "Lifecycle.PauseExternalNetworking"
#define METHOD_RESUME_NETWORK "Lifecycle.ResumeExternalNetworking"
#define METHOD_DESTROY "Lifecycle.DestroyContainer"
#define METHOD_STATE "Lifecycle.GetState"
#define METHOD_SHUTDOWN "Lifecycle.Shutdown"

#define METHOD_EXEC "Proc.Exec"
#define METHOD_PS "Proc.Ps"
#define METHOD_PROC_WAIT "Proc.Wait"
#define METHOD_PROC_SIGNAL "Proc.Signal"
#define METHOD_RESIZE "Proc.Resize"

#define METHOD_EVENTS "Events.Attach"
#define EVENT_STARTED "Events.ContainerStarted"
#define EVENT_EXIT "Events.ContainerExit"
#define EVENT_STOPPED "Events.ProcessStopped"
#define EVENT_PROCESS_EXEC "Events.ProcessExec"
#define EVENT_PROCESS_EXIT "Events.ProcessExit"

#define METHOD_CGROUP_READ "Cgroups.Read"
#define METHOD_CGROUP_WRITE "Cgroups.Write"
#define METHOD_USAGE "Usage.Collect"
#define METHOD_METRICS "Metrics.Export"
#define METHOD_STACKS "Debug.Stacks"
#define METHOD_STRACE "Debug.Strace"
#define METHOD_LOGGING "Logging.Level"

/* Codes of errors: -errno, or JSON-RPC's own. */
enum protocol_error {
    PROTOCOL_PARSE_ERROR = -32700,
    PROTOCOL_INVALID_REQUEST = -32600,
    PROTOCOL_NO_METHOD = -32601,
    PROTOCOL_INVALID_PARAMS = -32602,
};

/* What picket-kernel is started with. */
enum donated_fd {
    DONATED_CONTROL = 3, /* the boot connection */
    DONATED_LOG,         /* write only */
    DONATED_LISTENER,    /* a listening AF_UNIX socket; or anything else: there is none */
    DONATED_BROKER,      /* the socket to the broker, for network "host"; or anything else */
    DONATED_END,
};

/* Exit statuses of the command line that are not the command's own; an error says which in data.exit_status. */
enum exit_status {
    EXIT_PICKET = 125,         /* Picket itself failed, or was used wrongly */
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNAL_BASE = 128,
};
