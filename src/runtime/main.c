/*
 * picket: the command line. Finds the command in the table and runs it.
 */
#include "control/protocol.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/spec.h"
#include "runtime/program.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command commands[] = {
    {"do", "[OPTION...] [--] COMMAND [ARG...]",
     "run a command in a fresh sandbox over the host's files", cmd_do},
    {"doctor", "", "say whether this host can run Picket, and what is missing", cmd_doctor},
    {"create", "[OPTION...] ID", "create a container from a bundle", cmd_create},
    {"start", "ID", "start a created container", cmd_start},
    {"run", "[OPTION...] ID", "create and start a container", cmd_run},
    {"exec", "[OPTION...] ID COMMAND [ARG...]", "run one more process in a container", cmd_exec},
    {"kill", "[OPTION...] ID [SIGNAL]", "send a signal to a container", cmd_kill},
    {"delete", "[OPTION...] ID", "delete a stopped container", cmd_delete},
    {"state", "ID", "show a container's state", cmd_state},
    {"list", "[OPTION...]", "list the containers", cmd_list},
    {"ps", "[OPTION...] ID", "show a container's processes", cmd_ps},
    {"pause", "ID", "suspend a container", cmd_pause},
    {"resume", "ID", "resume a paused container", cmd_resume},
    {"wait", "ID", "wait until a container stops", cmd_wait},
    {"events", "[OPTION...] ID", "show a container's usage as it changes", cmd_events},
    {"update", "[OPTION...] ID", "change a container's limits", cmd_update},
    {"spec", "[OPTION...]", "write a config.json to start from", cmd_spec},
    {"features", "", "say what Picket can do, as JSON", cmd_features},
    {"checkpoint", "[OPTION...] ID", "(not supported yet)", cmd_checkpoint},
    {"restore", "[OPTION...] ID", "(not supported yet)", cmd_restore},
    {"stacks", "ID", "show where a sandbox's tasks are blocked", cmd_stacks},
    {"strace", "ID on|off", "log a sandbox's system calls, or stop it", cmd_strace},
    {"metrics", "ID", "show a sandbox's metrics", cmd_metrics},
    {"debug", "ID [LEVEL]", "show what a sandbox is, or set its log level", cmd_debug},
    {"install", "[OPTION...]", "make Picket known to docker and podman", cmd_install},
    {"uninstall", "[OPTION...]", "undo install", cmd_uninstall},
    {"help", "[COMMAND]", "describe picket, or one of its commands", cmd_help},
    {0},
};

/* Options that stand for commands, as every tool has them. */
static const struct {
    const char *option, *command;
} aliases[] = {{"--help", "help"}, {"-h", "help"}, {"-?", "help"}};

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int usage_error(const char *problem, const char *what)
{
    fprintf(stderr, "picket: %s%s\nTry 'picket help'.\n", problem, what);
    return EXIT_PICKET;
}

int main(int argc, char **argv)
{
    struct error err;
    program_init(argc, argv);
    if (argc < 2)
        return usage_error("no command given", "");
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0 ||
        strcmp(argv[1], "-version") == 0)
        return puts("picket version " PICKET_VERSION_STRING "\nspec: " SPEC_VERSION) < 0;
    const char *name = argv[1];
    int verb = 1;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(name, aliases[i].option) == 0)
            name = aliases[i].command;
    if (name == argv[1] && name[0] == '-') {
        argp_err_exit_status = EXIT_PICKET;
        verb = options_global(argc, argv, &err);
        if (verb < 0)
            return error_report(&err);
        if (verb == argc)
            return usage_error("no command given", "");
        name = argv[verb];
    } else if (options_global(1, argv, &err) < 0) {
        return error_report(&err);
    }
    const struct command *command = command_find(name);
    if (!command)
        return usage_error("unknown command: ", name);
    argp_err_exit_status = EXIT_FAILURE; /* what engines expect; `do` and its like have their own */
    return command->run(argc - verb, argv + verb);
}
