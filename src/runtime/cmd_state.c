/* picket state: a container's state, as the specification has it. */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/state.h"
#include <stdio.h>

static error_t parse(int key, char *arg, struct argp_state *state)
{
    return options_id(key, arg, state, state->input);
}

static const struct argp state_argp = {
    .parser = parse, .args_doc = "ID", .doc = "Shows a container's state as JSON."};

int cmd_state(int argc, char **argv)
{
    const char *id = NULL;
    struct state s;
    struct error err;
    options_parse(&state_argp, argc, argv, false, &id);
    if (state_open(id, STATE_READ, &s, &err) < 0)
        return error_report(&err);
    json_t *o = state_json(&s, state_status(&s));
    CLEANUP_FREE char *text = json_dumps(o, JSON_INDENT(2));
    json_decref(o);
    state_close(&s);
    return text && puts(text) >= 0 ? 0 : EXIT_FAILURE;
}
