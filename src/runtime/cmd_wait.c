/* picket wait: sleeps until a container has stopped, and exits with its status. */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"
#include <poll.h>
#include <sys/wait.h>

static error_t parse(int key, char *arg, struct argp_state *state)
{
    return options_id(key, arg, state, state->input);
}

static const struct argp wait_argp = {
    .parser = parse,
    .args_doc = "ID",
    .doc = "Waits until the container stops, and exits with its status."};

static int wait_container(const struct state *s, struct error *err)
{
    struct client client;
    json_t *result = NULL;
    /* Nobody knows any more how it ended but who reaped its agent. */
    if (state_status(s) == STATE_STOPPED)
        return error_set(err, EXIT_FAILURE, "container '%s' has stopped already", s->id);
    if (container_connect(s, &client, err) < 0)
        return -1;
    int ok = client_call(&client, METHOD_WAIT, json_pack("{s:s}", "container_id", s->id), NULL, 0,
                         &result, err);
    client_free(&client);
    int status = (int)json_integer_value(json_object_get(result, "exit_status"));
    json_decref(result);
    if (ok < 0)
        return -1;
    CLEANUP_FD int agent = state_agent_fd(s);
    struct pollfd p = {.fd = agent, .events = POLLIN};
    if (agent >= 0)
        (void)poll(&p, 1, 5000); /* stopped is what it is when its agent is gone */
    return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

int cmd_wait(int argc, char **argv)
{
    const char *id = NULL;
    struct state s;
    struct error err;
    options_parse(&wait_argp, argc, argv, false, &id);
    if (state_open(id, STATE_READ, &s, &err) < 0)
        return error_report(&err);
    int status = wait_container(&s, &err);
    state_close(&s);
    return status < 0 ? error_report(&err) : status;
}
