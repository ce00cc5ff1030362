/* Lines of JSON over the control socket. */
#include "control/channel.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "control/protocol.h"
#include "sched/event.h"
#include "sched/wait.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define RECEIVE_STEP 65536
#define MAX_REQUEST 4096 /* of a running sandbox: signals are all there is */

/* ---- the first message ---- */

int channel_receive_start(int fd, char **ret_text, size_t *ret_len)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    do {
        char *grown = len < PROTOCOL_MAX_MESSAGE ? realloc(text, len + RECEIVE_STEP) : NULL;
        if (!grown)
            return len < PROTOCOL_MAX_MESSAGE ? -ENOMEM : -EMSGSIZE;
        text = grown;
        ssize_t n = recv(fd, text + len, RECEIVE_STEP, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -EPIPE;
        len += (size_t)n;
    } while (len == 0 || text[len - 1] != '\n');
    *ret_text = TAKE_PTR(text);
    *ret_len = len;
    return 0;
}

/* ---- serving ---- */

struct channel {
    int fd;
    struct channel_handler handler;
    struct wait_queue queue;
    struct host_event event;
    char line[MAX_REQUEST];
    size_t len;
    bool skipping; /* the rest of a line that was too long */
};

static void handle_request(struct channel *c, const char *text, size_t len)
{
    json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const char *method = json_string_value(json_object_get(message, "method"));
    json_t *params = json_object_get(message, "params");
    json_int_t signo = json_integer_value(json_object_get(params, "signo"));
    if (method && strcmp(method, METHOD_SIGNAL) == 0 && signo >= 1 && signo <= 64)
        c->handler.signal(c->handler.arg, (int)signo, json_is_true(json_object_get(params, "foreground")));
    else
        log_warn("control: request not understood");
    json_decref(message);
}

static void take_lines(struct channel *c)
{
    char *end;
    while ((end = memchr(c->line, '\n', c->len))) {
        size_t used = (size_t)(end - c->line) + 1;
        if (!c->skipping)
            handle_request(c, c->line, used);
        c->skipping = false;
        memmove(c->line, c->line + used, c->len - used);
        c->len -= used;
    }
    if (c->len == sizeof c->line) {
        c->skipping = true;
        c->len = 0;
    }
}

/* True when something came, or the end: *ret is recv(2)'s result. */
static bool try_receive(struct channel *c, ssize_t *ret)
{
    *ret = recv(c->fd, c->line + c->len, sizeof c->line - c->len, MSG_DONTWAIT);
    return *ret >= 0 || (errno != EAGAIN && errno != EINTR);
}

void channel_serve(int fd, const struct channel_handler *handler)
{
    struct channel *c = calloc(1, sizeof *c);
    assert_always(c);
    c->fd = fd;
    c->handler = *handler;
    wait_queue_init(&c->queue);
    int err = host_event_add(&c->event, fd, &c->queue);
    assert_always(err == 0);
    for (;;) {
        ssize_t n;
        wait_event(&c->queue, try_receive(c, &n));
        if (n <= 0)
            break;
        c->len += (size_t)n;
        take_lines(c);
    }
    host_event_remove(&c->event);
    c->handler.closed(c->handler.arg);
    free(c);
}

/* ---- sending: a line is one send, so that lines from several threads never mix ---- */

static void send_line(int fd, const char *line)
{
    /* Should the socket be full for ever, or the peer gone, the sandbox ends with it anyway. */
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        log_debug("control: cannot send");
}

void channel_send_started(int fd)
{
    send_line(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

void channel_send_error(int fd, int error, int exit_status, const char *message)
{
    json_t *answer = json_pack("{s:s, s:i, s:{s:i, s:s, s:{s:i}}}", "jsonrpc", "2.0", "id", 1, "error", "code", error,
                               "message", message, "data", "exit_status", exit_status);
    if (!answer) /* the message quotes something that is not UTF-8 */
        answer = json_pack("{s:s, s:i, s:{s:i, s:s, s:{s:i}}}", "jsonrpc", "2.0", "id", 1, "error", "code", error,
                           "message", strerror(-error), "data", "exit_status", exit_status);
    CLEANUP_FREE char *text = json_dumps(answer, JSON_COMPACT);
    CLEANUP_FREE char *line = NULL;
    json_decref(answer);
    if (text && asprintf(&line, "%s\n", text) >= 0)
        send_line(fd, line);
}

void channel_send_exit(int fd, int wait_status)
{
    char line[128];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"method\":\"" EVENT_EXIT "\",\"params\":{\"exit_status\":%d}}\n",
             wait_status);
    send_line(fd, line);
}

void channel_send_stopped(int fd, int signo)
{
    char line[128];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"method\":\"" EVENT_STOPPED "\",\"params\":{\"signo\":%d}}\n",
             signo);
    send_line(fd, line);
}
