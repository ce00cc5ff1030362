/*
 * The kernel's end of the socket to the command line: lines of JSON in and out (control/protocol.h).
 *
 *     channel_receive_start()    at boot, on a plain thread: the first line
 *     channel_serve()            in a fiber, for as long as the sandbox lives: signals in
 *     channel_send_...()         from any fiber or thread: one whole line, never interleaved
 */
#pragma once
#include "base/base.h"

/* The first message, in fresh memory; -EPIPE when the other side is gone, -EMSGSIZE, -ENOMEM. */
NODISCARD int channel_receive_start(int fd, char **ret_text, size_t *ret_len);

struct channel_handler {
    /* METHOD_SIGNAL. foreground: it came from the terminal. */
    void (*signal)(void *arg, int signo, bool foreground);
    /* The command line is gone: nobody is left to run for. */
    void (*closed)(void *arg);
    void *arg;
};

/* Serves until the other side closes; `handler` is copied. */
void channel_serve(int fd, const struct channel_handler *handler);

void channel_send_started(int fd);
/* error: negative errno. */
void channel_send_error(int fd, int error, int exit_status, const char *message);
void channel_send_exit(int fd, int wait_status);
void channel_send_stopped(int fd, int signo);
