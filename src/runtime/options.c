/* Options before the verb, and helpers for those after it. */
#include "runtime/options.h"
#include "runtime/logfile.h"
#include "runtime/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct global_options global;

enum {
    OPTION_ROOT = 256,
    OPTION_LOG,
    OPTION_LOG_FORMAT,
    OPTION_LOG_LEVEL,
    OPTION_DEBUG,
    OPTION_SYSTEMD,
    OPTION_ROOTLESS,
    OPTION_MANAGER,
    OPTION_CRIU,
    OPTION_STRACE,
    OPTION_DEBUG_LOG
};

/* A switch's argument must be joined by "=", so that the verb is not taken for it: argp does that
 * for optional ones. */
static const struct argp_option options[] = {
    {"root", OPTION_ROOT, "DIR", 0, "where the state of containers is kept (default: /run/picket)",
     0},
    {"log", OPTION_LOG, "FILE", 0, "write warnings and errors to FILE", 0},
    {"log-format", OPTION_LOG_FORMAT, "text|json", 0, "how (default: text)", 0},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "debug, or anything else", 0},
    SWITCH("debug", OPTION_DEBUG, "log more"),
    SWITCH("systemd-cgroup", OPTION_SYSTEMD, "let systemd make the cgroups"),
    {"cgroup-manager", OPTION_MANAGER, "cgroupfs|systemd|disabled", 0,
     "who makes the cgroups (default: cgroupfs)", 0},
    {"rootless", OPTION_ROOTLESS, "true|false|auto", OPTION_ARG_OPTIONAL,
     "accepted; it is found out", 0},
    {"criu", OPTION_CRIU, "PATH", OPTION_HIDDEN, NULL, 0},
    SWITCH("strace", OPTION_STRACE, "sandboxes log each system call to --debug-log"),
    {"debug-log", OPTION_DEBUG_LOG, "FILE", 0,
     "the log of the sandboxes' kernels; %ID% is the container's id", 0},
    {0},
};

bool options_switch(const char *arg, struct argp_state *state)
{
    if (!arg || strcmp(arg, "true") == 0 || strcmp(arg, "1") == 0 || strcmp(arg, "t") == 0 ||
        strcmp(arg, "TRUE") == 0)
        return true;
    if (strcmp(arg, "false") != 0 && strcmp(arg, "0") != 0 && strcmp(arg, "f") != 0 &&
        strcmp(arg, "FALSE") != 0)
        argp_error(state, "a switch is true or false, not '%s'", arg);
    return false;
}

static bool choose(const char *arg, const char *a, const char *b, const char *option,
                   struct argp_state *state)
{
    if (strcmp(arg, a) != 0 && strcmp(arg, b) != 0)
        argp_error(state, "%s is '%s' or '%s', not '%s'", option, a, b, arg);
    return strcmp(arg, b) == 0;
}

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
    int *verb = state->input;
    switch (key) {
    case OPTION_ROOT:
        global.root = arg;
        return 0;
    case OPTION_LOG:
        global.log = arg;
        return 0;
    case OPTION_LOG_FORMAT:
        (void)choose(arg, "text", "json", "--log-format", state);
        global.log_format = arg;
        return 0;
    case OPTION_LOG_LEVEL:
        global.debug |= strcmp(arg, "debug") == 0;
        return 0;
    case OPTION_DEBUG:
        global.debug = options_switch(arg, state);
        return 0;
    case OPTION_SYSTEMD:
        global.systemd_cgroup = options_switch(arg, state);
        return 0;
    case OPTION_MANAGER:
        if (strcmp(arg, "disabled") != 0)
            global.systemd_cgroup = choose(arg, "cgroupfs", "systemd", "--cgroup-manager", state);
        return 0;
    case OPTION_ROOTLESS:
    case OPTION_CRIU:
        return 0;
    case OPTION_STRACE:
        global.strace = options_switch(arg, state);
        return 0;
    case OPTION_DEBUG_LOG:
        global.debug_log = arg;
        return 0;
    case ARGP_KEY_ARG: /* the verb: the rest is its own */
        *verb = state->next - 1;
        state->next = state->argc;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp global_argp = {
    .options = options,
    .parser = parse_global,
    .args_doc = "COMMAND [ARG...]",
    .doc = "Options before the command.\v'picket help' lists the commands."};

int options_global(int argc, char **argv, struct error *err)
{
    int verb = argc;
    argp_parse(&global_argp, argc, argv, ARGP_IN_ORDER | ARGP_LONG_ONLY, NULL, &verb);
    bool json = global.log_format && strcmp(global.log_format, "json") == 0;
    if (logfile_open(global.log, json, global.debug, err) < 0 ||
        state_set_root(global.root, err) < 0)
        return -1;
    return verb;
}

void options_parse(const struct argp *argp, int argc, char **argv, bool in_order, void *input)
{
    static char name[64];
    snprintf(name, sizeof name, "picket %.40s", argv[0]);
    argv[0] = name;
    argp_parse(argp, argc, argv, ARGP_LONG_ONLY | (in_order ? ARGP_IN_ORDER : 0), NULL, input);
}

error_t options_id(int key, char *arg, struct argp_state *state, const char **ret_id)
{
    switch (key) {
    case ARGP_KEY_ARG:
        if (*ret_id)
            return ARGP_ERR_UNKNOWN;
        *ret_id = arg;
        return 0;
    case ARGP_KEY_END:
        if (!*ret_id)
            argp_error(state, "no container id given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}
