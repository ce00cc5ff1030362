/*
 * The pseudo-terminal of a container with "terminal": its master goes to the engine over
 * --console-socket, its slave into the sandbox. The slave is in raw mode: line editing, echo and ^C
 * belong to the terminal inside.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include "runtime/spec.h"

/* Makes the pair, sends the master, and returns the slave, which becomes the caller's controlling
 * terminal if it leads a session. */
NODISCARD int pty_open(const char *console_socket, const struct spec_process *p, struct error *err);
/* Connects to the socket, for a caller that soon changes its root. */
NODISCARD int pty_connect(const char *console_socket, struct error *err);
/* The rest of pty_open(), with the socket's descriptor. */
NODISCARD int pty_open_fd(int socket, const struct spec_process *p, struct error *err);
