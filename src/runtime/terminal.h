/*
 * The caller's terminal while a command runs.
 *
 * The command has a pseudo-terminal of its own inside the sandbox: line editing, echo, ^C and ^Z are that one's. So
 * the host's terminal only carries bytes meanwhile: it is in raw mode from terminal_enter() to terminal_leave(), which
 * may alternate when the job is stopped and continued. Does nothing when standard input is no terminal, or the job is
 * in the background (the terminal is somebody else's then).
 */
#pragma once
#include <stdbool.h>
#include <termios.h>

struct terminal {
    bool raw;             /* we have changed it */
    struct termios saved; /* as it was; valid while raw */
};

void terminal_enter(struct terminal *t);
void terminal_leave(struct terminal *t);
