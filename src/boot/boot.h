/*
 * Starting the kernel process: from the start message to the first guest instruction.
 *
 * main.c runs the init table on the one thread there is; each step finds what it needs in struct boot and leaves there
 * what later ones need. After lock-down the scheduler runs, and its first fiber (launch.c) starts the first process
 * and serves the control channel until the sandbox ends.
 */
#pragma once
#include "base/base.h"
#include "control/start_request.h"

struct fdtable;
struct fs_context;
struct mount_namespace;
struct process;

struct boot {
    int control;
    struct start_request *request;
    struct mount_namespace *mounts; /* tree.c */
    struct fdtable *files;          /* stdio.c */
    struct process *first;          /* launch.c */
};

extern struct boot boot;

/* A step that fails says why through boot_fail(), which ends the process; `error` is a negative errno. */
_Noreturn void boot_fail(const char *what, int error);

int boot_tree(void);   /* the root file system and all that is mounted on it */
int boot_stdio(void);  /* the first process's descriptors */
void boot_launch(void *unused); /* the first fiber */
