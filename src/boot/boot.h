/*
 * Starting the kernel process: from the boot message to the control server.
 *
 * main.c runs the init table on the one thread there is; each step finds what it needs in struct boot and leaves there
 * what later ones need. After lock-down the scheduler runs, and its first fiber (launch.c) answers the boot message and
 * hands the connection to the control server, which does the rest.
 */
#pragma once
#include "base/base.h"
#include "base/host_facts.h"
#include "control/server.h"

struct boot {
    struct wire wire;            /* the boot connection */
    struct boot_request request; /* [I] */
    int listener;                /* [I] or -1 */
    struct host_facts facts;     /* [I] facts.c */
};

extern struct boot boot;

/* Says why to the other side and ends the process; `error` is a negative errno. */
_Noreturn void boot_fail(const char *what, int error);

int boot_facts(void);
int boot_descriptors(void);

/* The first fiber. */
void boot_launch(void *unused);
