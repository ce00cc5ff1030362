/* picket start: lets a created container run. */
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    return options_id(key, arg, state, state->input);
}

static const struct argp start_argp = {
    .parser = parse, .args_doc = "ID", .doc = "Starts a container that was created."};

int cmd_start(int argc, char **argv)
{
    const char *id = NULL;
    struct error err;
    options_parse(&start_argp, argc, argv, false, &id);
    return container_start(id, &err) < 0 ? error_report(&err) : 0;
}
