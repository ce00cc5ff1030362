/* picket checkpoint, restore: not there yet, and plainly so. Their options are known, since engines
 * ask for --help. */
#include "runtime/command.h"
#include "runtime/options.h"
#include <stdlib.h>

static const struct argp_option options[] = {
    {"image-path", 'i', "DIR", 0, "where the image is", 0},
    {"work-path", 'w', "DIR", 0, "for logs", 0},
    {"parent-path", 'p', "DIR", OPTION_HIDDEN, NULL, 0},
    {"bundle", 'b', "DIR", 0, "the bundle", 0},
    {"pid-file", 'f', "FILE", OPTION_HIDDEN, NULL, 0},
    {"console-socket", 'c', "SOCKET", OPTION_HIDDEN, NULL, 0},
    {"manage-cgroups-mode", 'm', "MODE", OPTION_HIDDEN, NULL, 0},
    SWITCH("leave-running", 'l', "the container goes on"),
    SWITCH("detach", 'd', "return when it runs"),
    SWITCH_HIDDEN("tcp-established", 't'),
    SWITCH_HIDDEN("ext-unix-sk", 'u'),
    SWITCH_HIDDEN("shell-job", 's'),
    SWITCH_HIDDEN("file-locks", 'k'),
    SWITCH_HIDDEN("pre-dump", 'e'),
    SWITCH_HIDDEN("no-subreaper", 'n'),
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    if (key >= 'a' && key <= 'z')
        return 0;
    return options_id(key, arg, state, state->input);
}

static const struct argp checkpoint_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ID",
    .doc = "Would save a container's state. Not supported yet."};
static const struct argp restore_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ID",
    .doc = "Would restore a container's state. Not supported yet."};

static int refuse(const char *what)
{
    struct error err;
    (void)!error_set(&err, EXIT_FAILURE, "%s is not supported by this version of Picket", what);
    return error_report(&err);
}

int cmd_checkpoint(int argc, char **argv)
{
    const char *id = NULL;
    options_parse(&checkpoint_argp, argc, argv, false, &id);
    return refuse("checkpoint");
}

int cmd_restore(int argc, char **argv)
{
    const char *id = NULL;
    options_parse(&restore_argp, argc, argv, false, &id);
    return refuse("restore");
}
