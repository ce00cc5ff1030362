/*
 * The agent: one process of the host for each container and each exec, which stands for it towards
 * engines.
 *
 * It is a child of `picket create` (run, exec) that stays: its exit status is the process's (128 +
 * N for signal N); signals sent to it go to the process inside; who kills it kills what it stands
 * for, since the sandbox ties the process to the agent's connection. It lives in the container's
 * host namespaces and cgroup, its root is the container's root, so /proc/PID/{root,ns,cgroup} mean
 * to engines what they mean for other runtimes. The agent of the first container of a sandbox is
 * also the parent of the kernel process, which dies with it.
 *
 * A container's agent:
 *
 *     create      agent                                 sandbox
 *     fork  ───►  new or joined namespaces
 *       ◄── NAMESPACES
 *     cgroup, prestart and createRuntime hooks
 *       ── GO ──► createContainer hooks, trees
 *                 kernel process (or connect)    ───►   Boot
 *                                                ───►   CreateContainer
 *                 pivot_root
 *       ◄── CREATED
 *     exits       waits at agent.sock for `start` ───►  StartContainer, with the descriptors; then
 * they are closed here sleeps until the end           ◄───   the answer to WaitContainer exits
 *
 * It sleeps in one poll(2) without a timeout.
 */
#pragma once
#include "base/base.h"
#include "runtime/container.h"
#include "runtime/error.h"
#include "runtime/spec.h"
#include "runtime/state.h"

/* What passes between the command and its agent: whole messages over a SOCK_SEQPACKET pair, and
 * over agent.sock. */
enum agent_word {
    AGENT_MAP_IDS,
    AGENT_NAMESPACES,
    AGENT_GO,
    AGENT_CREATED,
    AGENT_START,
    AGENT_STARTED,
    AGENT_ERROR
};

struct agent_message {
    enum agent_word word;
    struct error err; /* with AGENT_ERROR */
};

NODISCARD int agent_send(int fd, enum agent_word word, const struct error *err);
/* The next message; an error from the other side, or its end, is an error here. */
NODISCARD int agent_receive(int fd, enum agent_word expected, struct error *err);

struct agent_setup {
    const struct spec *spec;
    struct state *state; /* its `sandbox` says whether to start a sandbox or to join one */
    const struct container_options *options;
    const char
        *share[SPEC_NS_COUNT]; /* containers of the sandbox whose namespaces are shared inside */
    int command;               /* socket to the command */
    int listener, log;         /* for the kernel process */
};

/* In the child; never returns. */
_Noreturn void agent_main(struct agent_setup *setup);

struct agent_exec {
    const struct spec_process *process;
    const struct state *state;
    const char *console_socket;
    unsigned preserve_fds;
    int command;
};

_Noreturn void agent_exec_main(struct agent_exec *exec);
