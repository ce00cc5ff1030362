/* picket delete: what is left of a container goes. */
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"

struct delete_options {
    const char *id;
    bool force;
};

static const struct argp_option options[] = {
    SWITCH("force", 'f', "kill the container if it runs; it is no error if there is none"), {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct delete_options *o = state->input;
    if (key != 'f')
        return options_id(key, arg, state, &o->id);
    o->force = options_switch(arg, state);
    return 0;
}

static const struct argp delete_argp = {.options = options,
                                        .parser = parse,
                                        .args_doc = "ID",
                                        .doc = "Deletes a container that has stopped."};

int cmd_delete(int argc, char **argv)
{
    struct delete_options o = {0};
    struct error err;
    options_parse(&delete_argp, argc, argv, false, &o);
    return container_delete(o.id, o.force, &err) < 0 ? error_report(&err) : 0;
}
