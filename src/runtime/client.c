/* Requests out, answers in: see client.h. An object ends where its outermost brace closes; the server puts a newline
 * after each, and so do we. */
#include "runtime/client.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json_frame.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RECEIVE_STEP 16384

void client_init(struct client *c, int fd)
{
    *c = (struct client){.fd = fd, .events = json_array()};
}

/* A socket's address has room for 107 bytes; what is longer is reached through its directory. */
static int connect_path(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int dir = -1;
    if (strlen(path) >= sizeof address.sun_path) {
        CLEANUP_FREE char *copy = strdup(path);
        char *slash = copy ? strrchr(copy, '/') : NULL;
        if (!slash)
            return -ENAMETOOLONG;
        *slash = '\0';
        dir = open(*copy ? copy : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
            return -errno;
        if (snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, slash + 1) >=
            (int)sizeof address.sun_path)
            return -ENAMETOOLONG;
    } else {
        strcpy(address.sun_path, path);
    }
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

int client_connect(struct client *c, const char *path, struct error *err)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int e = fd < 0 ? -errno : connect_path(fd, path);
    if (e) {
        error_set(err, EXIT_PICKET, "cannot reach the sandbox at '%s': %s", path, strerror(-e));
        err->code = e;
        return -1;
    }
    client_init(c, TAKE_FD(fd));
    return 0;
}

void client_free(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->buffer);
    json_decref(c->events);
    *c = (struct client){.fd = -1};
}

/* ---- sending ---- */

static ssize_t send_some(int fd, const char *text, size_t len, const int *fds, unsigned count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * PROTOCOL_MAX_FDS)];
    } control;
    struct iovec v = {(void *)text, len};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (count) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int) * count), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
    }
    ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}

int client_send_bytes(int fd, const char *text, size_t len, const int *fds, unsigned count)
{
    while (len) {
        ssize_t n = send_some(fd, text, len, fds, count);
        if (n == -EINTR)
            continue;
        if (n < 0)
            return (int)n;
        count = 0; /* they went with the first byte */
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

int64_t client_send(struct client *c, const char *method, json_t *params, const int *fds, unsigned count,
                    struct error *err)
{
    int64_t id = ++c->last_id;
    json_t *object = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", (json_int_t)id, "method", method,
                               "params", params ? params : json_object());
    CLEANUP_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    CLEANUP_FREE char *line = NULL;
    json_decref(object);
    if (!text || asprintf(&line, "%s\n", text) < 0)
        return error_set(err, EXIT_PICKET, "out of memory");
    if (strlen(line) > PROTOCOL_MAX_MESSAGE)
        return error_set(err, EXIT_PICKET, "arguments and environment are too long");
    if (count > PROTOCOL_MAX_FDS)
        return error_set(err, EXIT_PICKET, "more than %d descriptors", PROTOCOL_MAX_FDS);
    int e = client_send_bytes(c->fd, line, strlen(line), fds, count);
    if (e)
        return error_set(err, EXIT_PICKET, "cannot talk to the sandbox: %s", strerror(-e));
    return id;
}

/* ---- receiving ---- */

/* A whole object from the buffer, or NULL. */
static int take_object(struct client *c, json_t **ret, struct error *err)
{
    struct json_frame frame = {0};
    *ret = NULL;
    for (size_t i = 0; i < c->len; i++) {
        enum frame_step step = json_frame_step(&frame, c->buffer[i]);
        if (step == FRAME_MORE)
            continue;
        *ret = step == FRAME_END ? json_loadb(c->buffer, i + 1, 0, NULL) : NULL;
        memmove(c->buffer, c->buffer + i + 1, c->len - i - 1);
        c->len -= i + 1;
        return *ret ? 0 : error_set(err, EXIT_PICKET, "the sandbox's kernel sent a malformed message");
    }
    return 0;
}

static int receive_some(struct client *c, int flags, bool *ret_closed, struct error *err)
{
    if (c->len > 2 * PROTOCOL_MAX_MESSAGE)
        return error_set(err, EXIT_PICKET, "the sandbox's kernel sent an endless message");
    if (c->room - c->len < RECEIVE_STEP) {
        char *grown = realloc(c->buffer, c->room + 4 * RECEIVE_STEP);
        if (!grown)
            return error_set(err, EXIT_PICKET, "out of memory");
        c->buffer = grown;
        c->room += 4 * RECEIVE_STEP;
    }
    ssize_t n = recv(c->fd, c->buffer + c->len, c->room - c->len, flags);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n > 0) {
        c->len += (size_t)n;
        return 0;
    }
    if (ret_closed)
        *ret_closed = true;
    return error_set(err, EXIT_PICKET, "the sandbox's kernel has closed the connection");
}

static json_t *take_event(struct client *c)
{
    json_t *event = json_array_get(c->events, 0);
    json_incref(event);
    if (event)
        json_array_remove(c->events, 0);
    return event;
}

void client_push_byte(struct client *c, char byte)
{
    assert_always(c->room == 0);
    c->buffer = malloc(RECEIVE_STEP);
    assert_always(c->buffer);
    c->room = RECEIVE_STEP;
    c->buffer[c->len++] = byte;
}

/* What comes next on the wire, past the events that were put by. */
static int receive_object(struct client *c, json_t **ret, bool *ret_closed, struct error *err)
{
    for (;;) {
        if (take_object(c, ret, err) < 0)
            return -1;
        if (*ret)
            return 0;
        if (receive_some(c, 0, ret_closed, err) < 0)
            return -1;
    }
}

int client_receive(struct client *c, json_t **ret, bool *ret_closed, struct error *err)
{
    if (ret_closed)
        *ret_closed = false;
    *ret = take_event(c);
    return *ret ? 0 : receive_object(c, ret, ret_closed, err);
}

int client_poll(struct client *c, json_t **ret, bool *ret_closed, struct error *err)
{
    if (ret_closed)
        *ret_closed = false;
    *ret = take_event(c);
    if (*ret || take_object(c, ret, err) < 0)
        return *ret ? 0 : -1;
    if (*ret)
        return 0;
    return receive_some(c, MSG_DONTWAIT, ret_closed, err) < 0 ? -1 : take_object(c, ret, err);
}

int64_t client_answer_id(const json_t *object)
{
    json_t *id = json_object_get(object, "id");
    return json_is_integer(id) ? json_integer_value(id) : -1;
}

int client_answer(const json_t *object, json_t **ret_result, struct error *err)
{
    json_t *error = json_object_get(object, "error");
    if (!error) {
        *ret_result = json_object_get(object, "result");
        return 0;
    }
    json_t *status = json_object_get(json_object_get(error, "data"), "exit_status");
    const char *text = json_string_value(json_object_get(error, "message"));
    error_set(err, json_is_integer(status) ? (int)json_integer_value(status) : EXIT_PICKET, "%s",
              text ? text : "the sandbox refused");
    err->code = (int)json_integer_value(json_object_get(error, "code"));
    return -1;
}

int client_call(struct client *c, const char *method, json_t *params, const int *fds, unsigned count,
                json_t **ret_result, struct error *err)
{
    int64_t id = client_send(c, method, params, fds, count, err);
    while (id >= 0) {
        json_t *object, *result;
        if (receive_object(c, &object, NULL, err) < 0)
            return -1;
        if (client_answer_id(object) != id) {
            json_array_append_new(c->events, object);
            continue;
        }
        int ok = client_answer(object, &result, err);
        if (ok == 0 && ret_result)
            *ret_result = json_incref(result);
        json_decref(object);
        return ok;
    }
    return -1;
}

/* ---- values ---- */

json_t *client_string(const char *s)
{
    json_t *text = json_string(s);
    if (text)
        return text;
    CLEANUP_FREE char *encoded = base64_encode(s, strlen(s));
    return json_pack("{s:s}", "base64", encoded ? encoded : "");
}

json_t *client_strings(char *const *list)
{
    json_t *array = json_array();
    for (char *const *s = list; *s; s++)
        json_array_append_new(array, client_string(*s));
    return array;
}
