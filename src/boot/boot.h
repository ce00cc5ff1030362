/*
 * Starting the kernel process: from the start message to the first guest instruction.
 *
 * main.c runs the init table on the one thread there is; each step finds what it needs in struct boot and leaves there
 * what later ones need. After lock-down the scheduler runs, and its first fiber (launch.c) starts the first process
 * and serves the control channel until the sandbox ends.
 */
#pragma once
#include "base/base.h"
#include "base/host_facts.h"
#include "control/start_request.h"

struct cred;
struct fdtable;
struct mount_namespace;
struct path;
struct process;

struct boot {
    int control;                    /* [I] socket to the command line */
    struct start_request *request;  /* [I] */
    struct host_facts facts;        /* [I] facts.c */
    struct mount_namespace *mounts; /* tree.c; a reference */
    struct fdtable *files;          /* stdio.c; a reference, the first process's from launch on */
    struct process *first;          /* launch.c; a reference */
};

extern struct boot boot;

/* Says why to the command line and ends the process; `error` is a negative errno. */
_Noreturn void boot_fail(const char *what, int error);

/* Steps in files of their own: 0 or -errno. */
int boot_facts(void);
int boot_tree(void);
int boot_stdio(void);

/* The first fiber. */
void boot_launch(void *unused);

/* Who runs the first process, from the request and the sandbox's own /etc/passwd and /etc/group (users.c). *ret is a
 * reference. -ENOENT: no such user or group. In a fiber. */
NODISCARD int boot_find_user(const struct path *root, const struct cred **ret);

/* The file that `name` means to that user: itself if it has a slash, else found in PATH as execvp(3) does (lookup.c).
 * Fresh memory. -ENOENT, -EACCES. In a fiber. */
NODISCARD int boot_find_program(const struct path *root, const struct cred *cred, char **ret);
