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
int cmd_create(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_state(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_spec(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_stacks(int argc, char **argv);
int cmd_strace(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_debug(int argc, char **argv);
int cmd_install(int argc, char **argv);
int cmd_uninstall(int argc, char **argv);
int cmd_help(int argc, char **argv);
