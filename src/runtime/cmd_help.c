/* picket help: what there is, or the options of one command. */
#include "control/protocol.h"
#include "runtime/command.h"
#include <stdio.h>
#include <string.h>

int cmd_help(int argc, char **argv)
{
    if (argc > 1) {
        const struct command *command = command_find(argv[1]);
        if (!command) {
            fprintf(stderr, "picket: unknown command: %s\n", argv[1]);
            return EXIT_PICKET;
        }
        if (command->run == cmd_help)
            return puts("Usage: picket help [COMMAND]") < 0;
        return command->run(2, (char *[]){argv[1], (char *)"--help", NULL});
    }
    puts("Usage: picket COMMAND [ARG...]\n\n"
         "Runs unmodified Linux programs on a kernel of their own, in user space.\n\nCommands:");
    for (const struct command *c = commands; c->name; c++)
        printf("  %-11s %s\n", c->name, c->summary);
    puts("\n'picket help COMMAND' shows the options of a command; 'picket --version' the version.");
    return 0;
}
