/*
 * The client's side of the control interface (docs/control.md): calls with descriptors beside them.
 *
 *     client_init(&c, fd) or client_connect(&c, path, &err)
 *     client_call(&c, METHOD_CREATE, params, fds, count, &result, &err)     one request and its answer
 *
 *     client_send(&c, ...)              or many requests ahead ...
 *     client_receive(&c, &object, &err) ... then objects as they come: answers and events
 *     client_free(&c)
 *
 * The descriptors sent stay the caller's. One connection has one user at a time.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include <jansson.h>

struct client {
    int fd;
    int64_t last_id;
    char *buffer; /* received, and not yet a whole object */
    size_t len, room;
    json_t *events; /* an array: notifications that came while client_call() waited */
};

void client_init(struct client *c, int fd); /* consumes fd: client_free() closes it */
NODISCARD int client_connect(struct client *c, const char *path, struct error *err);
void client_free(struct client *c);

/* Sends a request; the id it was given, or -1. `params` is consumed (NULL: none). Blocks while the socket is full. */
NODISCARD int64_t client_send(struct client *c, const char *method, json_t *params, const int *fds, unsigned count,
                              struct error *err);

/* The next object, a reference for the caller: one that client_call() put by, else what comes. -1: malformed, or
 * (*ret_closed, if not NULL) the connection has ended. Blocks. */
NODISCARD int client_receive(struct client *c, json_t **ret, bool *ret_closed, struct error *err);

/* As client_receive(), but an object that is here already or comes with one recv(2) that does not block: 0 and
 * *ret NULL if there is none. For loops over several descriptors. */
NODISCARD int client_poll(struct client *c, json_t **ret, bool *ret_closed, struct error *err);

/* An answer's id, or -1: it is a notification. */
int64_t client_answer_id(const json_t *object);
/* An answer's result (borrowed) with 0; or -1 and err from its error object: its message, and data.exit_status. */
NODISCARD int client_answer(const json_t *object, json_t **ret_result, struct error *err);

/* A request and its answer. *ret_result (may be NULL) is a reference for the caller. err->code is the errno. */
NODISCARD int client_call(struct client *c, const char *method, json_t *params, const int *fds, unsigned count,
                          json_t **ret_result, struct error *err);

/* ---- for sandbox.c ---- */
/* All of the bytes, the descriptors beside the first one: 0 or -errno. */
NODISCARD int client_send_bytes(int fd, const char *text, size_t len, const int *fds, unsigned count);
void client_push_byte(struct client *c, char byte); /* received already; before anything else was */

/* ---- values ---- */

/* A string as it is when it is UTF-8, which JSON requires; else {"base64": ...}. */
json_t *client_string(const char *s);
json_t *client_strings(char *const *list); /* NULL-terminated */
