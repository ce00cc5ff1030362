/* picket exec: one more process in a running container. */
#include "base/cleanup.h"
#include "runtime/agent.h"
#include "runtime/cgroup.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/terminal.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LIST 1024

struct exec_options {
    const char *id, *process, *pid_file, *console_socket, *cwd, *user;
    char **args;
    const char *env[MAX_LIST], *caps[64];
    unsigned env_count, cap_count, preserve_fds;
    uint32_t groups[64];
    unsigned group_count;
    bool detach, terminal, no_new_privileges;
};

enum {
    OPTION_PID_FILE = 256,
    OPTION_CONSOLE,
    OPTION_PRESERVE,
    OPTION_CWD,
    OPTION_NNP,
    OPTION_IGNORED,
    OPTION_IGNORED_ARG
};

static const struct argp_option options[] = {
    {"process", 'p', "FILE", 0, "a process.json to take everything from", 0},
    SWITCH("detach", 'd', "return when the process runs"),
    SWITCH("tty", 't', "give it a terminal"),
    {"env", 'e', "NAME=VALUE", 0, "set an environment variable", 0},
    {"user", 'u', "UID[:GID]", 0, "run as these ids", 0},
    {"additional-gids", 'g', "GID", 0, "a supplementary group", 0},
    {"cap", 'c', "CAP", 0, "add a capability", 0},
    {"cwd", OPTION_CWD, "DIR", 0, "working directory inside", 0},
    SWITCH("no-new-privs", OPTION_NNP, "no privileges are gained by exec"),
    {"pid-file", OPTION_PID_FILE, "FILE", 0, "write the pid of its host process to FILE", 0},
    {"console-socket", OPTION_CONSOLE, "SOCKET", 0, "send the terminal's master there", 0},
    {"preserve-fds", OPTION_PRESERVE, "N", 0, "pass N descriptors, from 3 on", 0},
    {"apparmor", OPTION_IGNORED_ARG, "PROFILE", OPTION_HIDDEN, NULL, 0},
    {"process-label", OPTION_IGNORED_ARG, "LABEL", OPTION_HIDDEN, NULL, 0},
    {"cgroup", OPTION_IGNORED_ARG, "PATH", OPTION_HIDDEN, NULL, 0},
    SWITCH_HIDDEN("no-subreaper", OPTION_IGNORED),
    SWITCH_HIDDEN("ignore-paused", OPTION_IGNORED),
    {0},
};

static uint32_t number(const char *text, const char *what, struct argp_state *state)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (!*text || (*end && *end != ':') || value >= UINT32_MAX)
        argp_error(state, "%s needs a number, not '%s'", what, text);
    return (uint32_t)value;
}

static void add(const char **list, unsigned *count, unsigned max, const char *arg,
                struct argp_state *state)
{
    if (*count == max)
        argp_error(state, "too many of these: '%s'", arg);
    list[(*count)++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct exec_options *o = state->input;
    switch (key) {
    case 'p':
        o->process = arg;
        return 0;
    case 'd':
        o->detach = options_switch(arg, state);
        return 0;
    case 't':
        o->terminal = options_switch(arg, state);
        return 0;
    case 'e':
        add(o->env, &o->env_count, MAX_LIST, arg, state);
        return 0;
    case 'c':
        add(o->caps, &o->cap_count, ARRAY_SIZE(o->caps), arg, state);
        return 0;
    case 'u':
        o->user = arg;
        return 0;
    case 'g':
        if (o->group_count == ARRAY_SIZE(o->groups))
            argp_error(state, "too many groups");
        o->groups[o->group_count++] = number(arg, "--additional-gids", state);
        return 0;
    case OPTION_CWD:
        o->cwd = arg;
        return 0;
    case OPTION_NNP:
        o->no_new_privileges = options_switch(arg, state);
        return 0;
    case OPTION_PID_FILE:
        o->pid_file = *arg ? arg : NULL;
        return 0;
    case OPTION_CONSOLE:
        o->console_socket = *arg ? arg : NULL;
        return 0;
    case OPTION_PRESERVE:
        o->preserve_fds = MIN(number(arg, "--preserve-fds", state), 200U);
        return 0;
    case OPTION_IGNORED:
    case OPTION_IGNORED_ARG:
        return 0;
    case ARGP_KEY_ARG:
        if (!o->id) {
            o->id = arg;
            /* What follows is the command, options and all; but engines put some of ours behind the
             * id. */
            if (state->next < state->argc && state->argv[state->next][0] != '-') {
                o->args = state->argv + state->next;
                state->next = state->argc;
            }
            return 0;
        }
        o->args = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!o->id)
            argp_error(state, "no container id given");
        if (!o->process && !o->args)
            argp_error(state, "no command given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp exec_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ID COMMAND [ARG...]\n--process FILE ID",
    .doc =
        "Runs one more process in a running container. Without --detach, exits with its status."};

/* What the command line says, over what the container's own process has. */
static int apply_options(const struct exec_options *o, struct spec *spec, struct error *err)
{
    struct spec_process *p = &spec->process;
    size_t old = 0;
    p->args = o->args;
    p->terminal = o->terminal;
    p->no_new_privileges |= o->no_new_privileges;
    p->rlimit_count = p->given ? p->rlimit_count : 0;
    if (o->cwd)
        p->cwd = o->cwd;
    if (o->user) {
        const char *colon = strchr(o->user, ':');
        p->uid = (uint32_t)strtoul(o->user, NULL, 10);
        p->gid = colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : p->gid;
    }
    if (o->group_count) {
        p->groups = (uint32_t *)o->groups;
        p->group_count = o->group_count;
    }
    for (unsigned i = 0; i < o->cap_count; i++) {
        int cap = spec_capability(o->caps[i]);
        if (cap < 0)
            return error_set(err, EXIT_FAILURE, "unknown capability '%s'", o->caps[i]);
        for (unsigned set = 0; set < CAPS_AMBIENT; set++)
            p->caps[set] |= 1ULL << cap;
    }
    while (p->env && p->env[old])
        old++;
    char **env = arena_alloc(&spec->arena, old + o->env_count + 1, sizeof *env);
    if (!env)
        return error_set(err, EXIT_FAILURE, "out of memory");
    for (size_t i = 0; i < old; i++)
        env[i] = p->env[i];
    for (unsigned i = 0; i < o->env_count; i++)
        env[old + i] = (char *)o->env[i];
    p->env = env;
    p->given = true;
    return 0;
}

static int load_process(const struct exec_options *o, const struct state *s, struct spec *ret,
                        struct error *err)
{
    char path[64];
    if (o->process) {
        if (spec_load_process(o->process, ret, err) < 0)
            return -1;
        ret->process.terminal |= o->terminal;
        return 0;
    }
    state_path(s, "config.json", path);
    if (spec_load(path, ret, err) < 0)
        return -1;
    return apply_options(o, ret, err);
}

static pid_t forward_to;

static void forward(int signo)
{
    kill(forward_to, signo);
}

static int wait_agent(pid_t agent)
{
    static const int list[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
    struct sigaction action = {.sa_handler = forward, .sa_flags = SA_RESTART};
    int status = 0;
    forward_to = agent;
    for (size_t i = 0; i < ARRAY_SIZE(list); i++)
        sigaction(list[i], &action, NULL);
    while (waitpid(agent, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_FAILURE;
    return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t start_agent(const struct exec_options *o, const struct state *s,
                         const struct spec_process *p, struct error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make a socket: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        struct agent_exec x = {p, s, o->console_socket, o->preserve_fds, pair[1]};
        close(pair[0]);
        agent_exec_main(&x);
    }
    close(pair[1]);
    CLEANUP_FD int channel = pair[0];
    if (pid < 0)
        return error_set(err, EXIT_FAILURE, "cannot fork: %s", strerror(errno));
    (void)cgroup_enter(s->cgroup, false, pid);
    if (agent_receive(channel, AGENT_CREATED, err) == 0)
        return pid;
    (void)waitpid(pid, NULL, 0);
    return -1;
}

static int run(const struct exec_options *o, const struct state *s, struct error *err)
{
    struct spec spec;
    struct terminal terminal = {0};
    enum state_status status = state_status(s);
    if (status != STATE_RUNNING && status != STATE_CREATED)
        return error_set(err, EXIT_FAILURE, "cannot exec in container '%s': it is %s", s->id,
                         state_status_name(status));
    if (load_process(o, s, &spec, err) < 0)
        return -1;
    if (spec.process.terminal && o->detach && !o->console_socket)
        return error_set(err, EXIT_FAILURE, "--detach with a terminal needs --console-socket");
    if (spec.process.terminal && !o->console_socket)
        terminal_enter(&terminal);
    pid_t agent = start_agent(o, s, &spec.process, err);
    int result = agent < 0 ? -1 : 0;
    if (result == 0 && o->pid_file)
        result = container_write_pid(o->pid_file, agent, err);
    if (result == 0 && !o->detach)
        result = wait_agent(agent);
    terminal_leave(&terminal);
    spec_free(&spec);
    return result;
}

int cmd_exec(int argc, char **argv)
{
    struct exec_options o = {0};
    struct state s;
    struct error err;
    options_parse(&exec_argp, argc, argv, true, &o);
    if (state_open(o.id, STATE_READ, &s, &err) < 0)
        return error_report(&err);
    int status = run(&o, &s, &err);
    state_close(&s);
    return status < 0 ? error_report(&err) : status;
}
