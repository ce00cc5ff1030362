/*
 * picket do: runs one command in a fresh sandbox whose root is a directory of the host, read-only, under a writable
 * layer in memory that is gone afterwards.
 */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/session.h"
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct do_options {
    struct do_spec spec;
    struct volume volumes[DO_MAX_VOLUMES];
    const char *debug_log;
    char **envv;
    size_t env_count;
    struct broker_policy policy;
    bool network_host;
};

enum {
    OPTION_CWD = 256,
    OPTION_ENV,
    OPTION_HOSTNAME,
    OPTION_STRACE,
    OPTION_DEBUG_LOG,
    OPTION_NETWORK,
    OPTION_NETWORK_ALLOW,
    OPTION_NETWORK_DENY,
};

static const struct argp_option options[] = {
    {"root", 'r', "DIR", 0, "the root directory (default: the host's, /)", 0},
    {"volume", 'v', "SRC:DST[:ro]", 0, "show the host's SRC as DST inside; changes reach the host unless ':ro'", 0},
    {"cwd", OPTION_CWD, "DIR", 0, "working directory (default: the current one, if there is one like it)", 0},
    {"env", 'e', "NAME=VALUE", 0, "set an environment variable; the others are the caller's", 0},
    {"user", 'u', "USER[:GROUP]", 0, "run as this user, a name or number inside (default: the caller)", 0},
    {"hostname", OPTION_HOSTNAME, "NAME", 0, "host name inside (default: the host's)", 0},
    {"network", OPTION_NETWORK, "none|host", 0, "what lies beyond loopback (default: none)", 0},
    {"network-allow", OPTION_NETWORK_ALLOW, "HOST[:PORT]", 0,
     "with --network=host: may be talked to. ADDRESS, ADDRESS/LEN, a name or '*'; the last rule that matches decides",
     0},
    {"network-deny", OPTION_NETWORK_DENY, "HOST[:PORT]", 0, "the opposite; '*' first denies by default", 0},
    {"strace", OPTION_STRACE, NULL, 0, "log each system call, to the debug log or stderr", 0},
    {"debug-log", OPTION_DEBUG_LOG, "FILE", 0, "write the kernel's log to FILE", 0},
    {0},
};

/* Parsing SRC:DST[:ro|:rw] in place. */
static void add_volume(struct do_options *o, char *arg, struct argp_state *state)
{
    char *destination = strchr(arg, ':');
    if (o->spec.volume_count == DO_MAX_VOLUMES)
        argp_error(state, "more than %d volumes", DO_MAX_VOLUMES);
    if (!destination || destination == arg || destination[1] != '/')
        argp_error(state, "--volume needs SRC:DST with an absolute DST, not '%s'", arg);
    *destination++ = '\0';
    char *mode = strchr(destination, ':');
    if (mode)
        *mode++ = '\0';
    if (mode && strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
        argp_error(state, "a volume's mode is 'ro' or 'rw', not '%s'", mode);
    o->volumes[o->spec.volume_count++] =
        (struct volume){.source = arg, .destination = destination, .read_only = mode && strcmp(mode, "ro") == 0};
}

static void set_env(struct do_options *o, char *arg, struct argp_state *state)
{
    char *equals = strchr(arg, '=');
    if (!equals || equals == arg)
        argp_error(state, "--env needs NAME=VALUE, not '%s'", arg);
    size_t name = (size_t)(equals - arg) + 1;
    size_t i = 0;
    while (i < o->env_count && strncmp(o->envv[i], arg, name) != 0)
        i++;
    o->envv[i] = arg;
    if (i == o->env_count)
        o->env_count++;
}

static const char *absolute(const char *arg, const char *option, struct argp_state *state)
{
    if (arg[0] != '/')
        argp_error(state, "%s needs an absolute path, not '%s'", option, arg);
    return arg;
}

static void add_rule(struct do_options *o, const char *arg, bool allow, struct argp_state *state)
{
    if (strcmp(arg, "*") == 0 && !allow && !o->policy.count) {
        o->policy.deny_by_default = true;
        return;
    }
    int err = broker_policy_add(&o->policy, arg, allow);
    if (err == -ENOENT)
        argp_failure(state, EXIT_PICKET, 0, "nobody is called '%s'", arg);
    if (err < 0)
        argp_error(state, "'%s' is no HOST[:PORT], or there are too many", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct do_options *o = state->input;
    switch (key) {
    case 'r':
        o->spec.root = arg;
        return 0;
    case 'v':
        add_volume(o, arg, state);
        return 0;
    case 'e':
        set_env(o, arg, state);
        return 0;
    case 'u':
        o->spec.user = arg;
        return 0;
    case OPTION_CWD:
        o->spec.cwd = absolute(arg, "--cwd", state);
        return 0;
    case OPTION_HOSTNAME:
        if (strlen(arg) > 64)
            argp_error(state, "a host name has at most 64 characters");
        o->spec.hostname = arg;
        return 0;
    case OPTION_NETWORK:
        o->network_host = strcmp(arg, "host") == 0;
        if (!o->network_host && strcmp(arg, "none") != 0)
            argp_error(state, "a network is 'none' or 'host', not '%s'", arg);
        return 0;
    case OPTION_NETWORK_ALLOW:
    case OPTION_NETWORK_DENY:
        add_rule(o, arg, key == OPTION_NETWORK_ALLOW, state);
        return 0;
    case OPTION_STRACE:
        o->spec.strace = true;
        return 0;
    case OPTION_DEBUG_LOG:
        o->debug_log = arg;
        return 0;
    case ARGP_KEY_ARG: /* the command: everything from here on is its own */
        o->spec.argv = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!o->spec.argv)
            argp_error(state, "no command given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp do_argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[--] COMMAND [ARG...]",
    .doc = "Runs COMMAND in a fresh sandbox, on a kernel of its own.\v"
           "Exits with the command's status, or 128 + N if signal N ended it; 127 if the command was not found, 126 if "
           "it cannot be executed, 125 if Picket itself failed.",
};

/* Where the kernel's log goes: a file, or stderr when calls are traced without one. */
static int open_log(const struct do_options *o, struct error *err)
{
    if (!o->debug_log)
        return o->spec.strace ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
    int fd = open(o->debug_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : error_set(err, EXIT_PICKET, "cannot write '%s': %s", o->debug_log, strerror(errno));
}

static int run(struct do_options *o, struct error *err)
{
    CLEANUP_FD int log = open_log(o, err);
    if (o->debug_log && log < 0)
        return -1;
    o->spec.log_fd = log;
    o->spec.debug = o->debug_log != NULL;
    o->spec.volumes = o->volumes;
    o->spec.envv = o->envv;
    o->spec.network = o->network_host ? &o->policy : NULL;
    return do_run(&o->spec, err);
}

int cmd_do(int argc, char **argv)
{
    struct do_options o = {.spec = {.root = "/"}};
    struct error err;
    while (environ[o.env_count])
        o.env_count++;
    /* Room for all of the caller's and as many --env as there can be. */
    CLEANUP_FREE char **envv = calloc(o.env_count + (size_t)argc + 1, sizeof *envv);
    if (!envv) {
        error_set(&err, EXIT_PICKET, "out of memory");
        return error_report(&err);
    }
    o.envv = memcpy(envv, environ, o.env_count * sizeof *envv);
    argp_err_exit_status = EXIT_PICKET;
    argv[0] = (char *)"picket do";
    argp_parse(&do_argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
    int status = run(&o, &err);
    return status >= 0 ? status : error_report(&err);
}
