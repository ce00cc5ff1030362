/* picket kill: a signal to a container's first process, or to all of its processes. */
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"
#include <signal.h>
#include <string.h>

struct kill_options {
    const char *id, *signal;
    bool all;
};

static const struct argp_option options[] = {
    SWITCH("all", 'a', "to all of the container's processes"), {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct kill_options *o = state->input;
    if (key == 'a') {
        o->all = options_switch(arg, state);
        return 0;
    }
    if (key == ARGP_KEY_ARG && o->id && !o->signal) {
        o->signal = arg;
        return 0;
    }
    return options_id(key, arg, state, &o->id);
}

static const struct argp kill_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ID [SIGNAL]",
    .doc = "Sends SIGNAL, a number or a name (default: TERM), to the container's first process."};

int cmd_kill(int argc, char **argv)
{
    struct kill_options o = {0};
    struct error err;
    options_parse(&kill_argp, argc, argv, false, &o);
    int signo = o.signal ? container_signal_number(o.signal) : SIGTERM;
    if (signo < 0)
        (void)!error_set(&err, EXIT_FAILURE, "unknown signal '%s'", o.signal);
    else if (container_kill(o.id, signo, o.all, &err) == 0)
        return 0;
    return error_report(&err);
}
