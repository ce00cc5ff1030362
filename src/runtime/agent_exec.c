/* The agent of an exec: it only accompanies a process in a sandbox that is there. The manual is
 * agent.h. */
#include "base/cleanup.h"
#include "runtime/agent.h"
#include "runtime/agent_loop.h"
#include "runtime/logfile.h"
#include "runtime/program.h"
#include "runtime/pty.h"
#include "runtime/request.h"
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The namespaces and the root of the container's agent; engines look at an exec's, too. Nothing
 * depends on it. */
static void join_agent(pid_t pid)
{
    static const struct {
        const char *name;
        int flag;
    } kinds[] = {{"user", CLONE_NEWUSER},
                 {"net", CLONE_NEWNET},
                 {"ipc", CLONE_NEWIPC},
                 {"uts", CLONE_NEWUTS},
                 {"mnt", CLONE_NEWNS}};
    int fds[ARRAY_SIZE(kinds)];
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kinds[i].name);
        fds[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (fds[i] < 0)
            continue;
        /* One's own user namespace cannot be joined again. */
        if (setns(fds[i], kinds[i].flag) < 0 && kinds[i].flag != CLONE_NEWUSER)
            logfile_debug("cannot join the %s namespace: %s", kinds[i].name, strerror(errno));
        close(fds[i]);
    }
}

static int prepare(struct agent *a, struct agent_exec *x, int *ret_dir, struct error *err)
{
    int log = logfile_fd(), socket = -1, console = -1;
    int *const keep[] = {&x->command, ret_dir, &socket, &log};
    agent_fill_stdio();
    if (x->console_socket && (socket = pty_connect(x->console_socket, err)) < 0)
        return -1;
    if (agent_sort_fds(3 + x->preserve_fds, keep, ARRAY_SIZE(keep), err) < 0)
        return -1;
    logfile_set_fd(log);
    setsid();
    UNUSED CLEANUP_FD int to_close = socket;
    if (agent_loop_signals(a, err) < 0 ||
        (socket >= 0 && (console = pty_open_fd(socket, x->process, err)) < 0))
        return -1;
    return agent_collect_fds(a, x->preserve_fds, console, err);
}

static int set_up(struct agent *a, struct agent_exec *x, struct error *err)
{
    struct state state = *x->state;
    json_t *result, *params;
    if (prepare(a, x, &state.dir, err) < 0 || container_connect(&state, &a->client, err) < 0)
        return -1;
    params = request_process(x->process, a->id, a->fd_count, err);
    if (!params ||
        client_call(&a->client, METHOD_EXEC, params, a->fds, a->fd_count, &result, err) < 0)
        return -1;
    a->process = json_integer_value(json_object_get(result, "process"));
    json_decref(result);
    if (agent_loop_wait(a, err) < 0)
        return -1;
    join_agent(state.pid);
    close(state.dir);
    agent_loop_release_stdio(a);
    return 0;
}

void agent_exec_main(struct agent_exec *x)
{
    struct error err = {.exit_status = EXIT_FAILURE};
    struct agent a = {.id = x->state->id, .signals = -1, .listener = -1, .client.fd = -1};
    if (set_up(&a, x, &err) < 0) {
        (void)!agent_send(x->command, AGENT_ERROR, &err);
        _exit(err.exit_status);
    }
    program_set_title(x->process);
    (void)!agent_send(x->command, AGENT_CREATED, NULL);
    close(x->command);
    malloc_trim(0);
    agent_loop(&a);
}
