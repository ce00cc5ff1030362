/*
 * Errors of the command line: a message for the user and the exit status it leads to.
 *
 * A function that can fail takes `struct error *err` last and returns -1 after filling it; the command prints it
 * once, at the top. Nothing below prints.
 */
#pragma once
#include "base/base.h"
#include "control/protocol.h"
#include <stdlib.h> /* EXIT_FAILURE */

struct error {
    int exit_status;
    int code; /* a request's: -errno, or JSON-RPC's (control/protocol.h); else 0 */
    char message[1024];
};

/* Fills *err and returns -1. */
int error_set(struct error *err, int exit_status, const char *fmt, ...) PRINTF(3, 4);
/* "picket: message" on stderr; returns the exit status. */
int error_report(const struct error *err);
