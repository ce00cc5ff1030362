/* picket events: what happens to a container, and how much it uses, as JSON lines. */
#include "base/cleanup.h"
#include "runtime/cgroup.h"
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>

struct events_options {
    const char *id;
    bool stats;
    unsigned interval; /* seconds */
};

static const struct argp_option options[] = {
    SWITCH("stats", 's', "show the usage once, and end"),
    {"interval", 'i', "TIME", 0, "between two (default: 5s)", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct events_options *o = state->input;
    switch (key) {
    case 's':
        o->stats = options_switch(arg, state);
        return 0;
    case 'i': {
        char unit = 's';
        if (sscanf(arg, "%u%c", &o->interval, &unit) < 1 || o->interval == 0 ||
            (unit != 's' && unit != 'm'))
            argp_error(state, "--interval needs a time like 5s, not '%s'", arg);
        o->interval *= unit == 'm' ? 60 : 1;
        return 0;
    }
    default:
        return options_id(key, arg, state, &o->id);
    }
}

static const struct argp events_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ID",
    .doc = "Shows a container's usage of memory, CPU and processes every few seconds, as JSON "
           "lines, until it stops."};

/* The host counts the kernel's threads, too; how many processes there are is known inside. */
static void correct_pids(const struct state *s, json_t *data)
{
    struct client client;
    struct error err;
    json_t *result = NULL;
    if (container_connect(s, &client, &err) < 0)
        return;
    if (client_call(&client, METHOD_USAGE, json_pack("{s:s}", "container_id", s->id), NULL, 0,
                    &result, &err) == 0)
        json_object_set(json_object_get(data, "pids"), "current",
                        json_object_get(result, "threads"));
    json_decref(result);
    client_free(&client);
}

static int show(const struct state *s)
{
    json_t *data = cgroup_stats(s->cgroup);
    correct_pids(s, data);
    json_t *event = json_pack("{s:s, s:s, s:o}", "type", "stats", "id", s->id, "data", data);
    CLEANUP_FREE char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    return text && puts(text) >= 0 && fflush(stdout) == 0 ? 0 : EXIT_FAILURE;
}

int cmd_events(int argc, char **argv)
{
    struct events_options o = {.interval = 5};
    struct state s;
    struct error err;
    options_parse(&events_argp, argc, argv, false, &o);
    if (state_open(o.id, STATE_READ, &s, &err) < 0)
        return error_report(&err);
    CLEANUP_FD int agent = state_agent_fd(&s);
    struct pollfd p = {.fd = agent, .events = POLLIN};
    int status = 0;
    if (agent < 0) {
        (void)!error_set(&err, EXIT_FAILURE, "container not running");
        status = error_report(&err);
    }
    while (agent >= 0 && status == 0) {
        status = show(&s);
        if (o.stats || poll(&p, 1, (int)o.interval * 1000) != 0)
            break;
    }
    state_close(&s);
    return status;
}
