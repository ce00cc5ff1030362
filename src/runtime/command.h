/*
 * The commands of `picket`: one file each (cmd_<name>.c), one row each in the table of main.c.
 *
 * A command gets its own name as argv[0] and returns the exit status of the program.
 */
#pragma once

struct command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;   /* one line of `picket help` */
    int (*run)(int argc, char **argv);
};

extern const struct command commands[]; /* ends with a row whose name is NULL */
const struct command *command_find(const char *name);

int cmd_do(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_help(int argc, char **argv);
