/* Parsing the options of `create` and `run`. */
#include "runtime/container_options.h"
#include "runtime/options.h"
#include <stdlib.h>

enum {
    OPTION_PID_FILE = 256,
    OPTION_CONSOLE,
    OPTION_PRESERVE,
    OPTION_KEEP,
    OPTION_IGNORED,
    OPTION_CONFIG
};

struct parsing {
    struct container_options *o;
    struct run_options *run;
};

#define COMMON                                                                                  \
    {"bundle", 'b', "DIR", 0, "the bundle: a directory with config.json (default: .)", 0},      \
        {"pid-file",                                                                            \
         OPTION_PID_FILE,                                                                       \
         "FILE",                                                                                \
         0,                                                                                     \
         "write the pid of the container's host process to FILE",                               \
         0},                                                                                    \
        {"console-socket", OPTION_CONSOLE, "SOCKET", 0, "send the terminal's master there", 0}, \
        {"preserve-fds",                                                                        \
         OPTION_PRESERVE,                                                                       \
         "N",                                                                                   \
         0,                                                                                     \
         "pass N descriptors, from 3 on, to the container",                                     \
         0},                                                                                    \
        SWITCH_HIDDEN("no-pivot", OPTION_IGNORED),                                              \
        SWITCH_HIDDEN("no-new-keyring", OPTION_IGNORED),                                        \
        SWITCH_HIDDEN("no-subreaper", OPTION_IGNORED)

static const struct argp_option create_options[] = {COMMON, {0}};
static const struct argp_option run_options[] = {
    COMMON,
    SWITCH("detach", 'd', "return when the container runs"),
    SWITCH("keep", OPTION_KEEP, "do not delete the container when it has ended"),
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct parsing *p = state->input;
    char *end;
    switch (key) {
    case 'b':
        p->o->bundle = arg;
        return 0;
    case 'd':
        p->run->detach = options_switch(arg, state);
        return 0;
    case OPTION_KEEP:
        p->run->keep = options_switch(arg, state);
        return 0;
    case OPTION_PID_FILE:
        p->o->pid_file = *arg ? arg : NULL;
        return 0;
    case OPTION_CONSOLE:
        p->o->console_socket = *arg ? arg : NULL;
        return 0;
    case OPTION_PRESERVE:
        p->o->preserve_fds = (unsigned)strtoul(arg, &end, 10);
        if (!*arg || *end || p->o->preserve_fds > 200)
            argp_error(state, "--preserve-fds needs a number up to 200, not '%s'", arg);
        return 0;
    case OPTION_IGNORED:
        (void)options_switch(arg, state);
        return 0;
    default:
        return options_id(key, arg, state, &p->o->id);
    }
}

static const struct argp create_argp = {
    .options = create_options,
    .parser = parse,
    .args_doc = "ID",
    .doc = "Creates a container from a bundle. 'picket start ID' starts it."};
static const struct argp run_argp = {
    .options = run_options,
    .parser = parse,
    .args_doc = "ID",
    .doc = "Creates a container from a bundle and starts it. Without --detach, exits "
           "with its status when it has ended."};

void container_options_parse(int argc, char **argv, bool run, struct container_options *ret,
                             struct run_options *ret_run)
{
    struct parsing p = {ret, ret_run};
    options_parse(run ? &run_argp : &create_argp, argc, argv, false, &p);
}
