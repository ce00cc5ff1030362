/*
 * Connections: each has a fiber that receives, and carries out one request after another; requests that wait for
 * something get a fiber of their own. Answers go out at once if the socket takes them; what it does not is kept, up to
 * a bound, and sent by the connection's fiber when there is room. Who lets more than that pile up is cut off.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "control/sandbox.h"
#include "control/server.h"
#include "kernel/pid.h"
#include "sched/event.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_WAITING_BYTES PROTOCOL_MAX_MESSAGE
#define MAX_WAITING_REQUESTS 1024
#define MAX_CONNECTIONS 256

static const struct method {
    const char *name;
    request_fn *handle;
    bool waits; /* in a fiber of its own */
} methods[] = {
    {METHOD_INFO, handle_info, false},
    {METHOD_CREATE, handle_create, false},
    {METHOD_START, handle_start, false},
    {METHOD_WAIT, handle_wait, true},
    {METHOD_EXIT_STATUS, handle_exit_status, false},
    {METHOD_REAP, handle_reap, false},
    {METHOD_IS_RUNNING, handle_is_running, false},
    {METHOD_SIGNAL, handle_signal, false},
    {METHOD_PAUSE, handle_pause, false},
    {METHOD_RESUME, handle_resume, false},
    {METHOD_PAUSE_NETWORK, handle_pause_network, false},
    {METHOD_RESUME_NETWORK, handle_resume_network, false},
    {METHOD_DESTROY, handle_destroy, false},
    {METHOD_STATE, handle_state, false},
    {METHOD_SHUTDOWN, handle_shutdown, false},
    {METHOD_EXEC, handle_exec, false},
    {METHOD_PS, handle_ps, false},
    {METHOD_PROC_WAIT, handle_proc_wait, true},
    {METHOD_PROC_SIGNAL, handle_proc_signal, false},
    {METHOD_RESIZE, handle_resize, false},
    {METHOD_EVENTS, handle_events, false},
    {METHOD_CGROUP_READ, handle_cgroup_read, false},
    {METHOD_CGROUP_WRITE, handle_cgroup_write, false},
    {METHOD_USAGE, handle_usage, false},
    {METHOD_METRICS, handle_metrics, false},
    {METHOD_STACKS, handle_stacks, false},
    {METHOD_STRACE, handle_strace, false},
    {METHOD_LOGGING, handle_logging, false},
};

static unsigned connection_count; /* [sandbox.lock] */

/* ---- life ---- */

static void connection_put(struct connection *c)
{
    if (!refcount_put(&c->ref))
        return;
    close(c->fd);
    free(c->out);
    free(c->events_of);
    free(c);
}

static struct connection *connection_new(int fd, bool boot)
{
    struct connection *c = calloc(1, sizeof *c);
    struct host_event *event = calloc(1, sizeof *event);
    if (!c || !event) {
        free(c);
        free(event);
        return NULL;
    }
    refcount_init(&c->ref);
    c->fd = fd;
    c->boot = boot;
    c->event = event;
    wait_queue_init(&c->queue);
    mutex_init(&c->out_lock);
    list_init(&c->link);
    if (host_event_add(event, fd, &c->queue) < 0) {
        free(event);
        free(c);
        return NULL;
    }
    return c;
}

/* ---- sending ---- */

/* out_lock held. What the socket takes goes out; the rest stays. */
static void flush_locked(struct connection *c)
{
    while (c->out_len > 0 && !c->dead) {
        ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            c->dead = true;
            return;
        }
        c->out_len -= (size_t)n;
        memmove(c->out, c->out + n, c->out_len);
    }
    if (c->out_len == 0) {
        free(TAKE_PTR(c->out));
        c->out_room = 0;
    }
}

static bool append_locked(struct connection *c, const char *text, size_t len)
{
    if (c->out_len + len > c->out_room) {
        char *grown = realloc(c->out, c->out_len + len);
        if (!grown)
            return false;
        c->out = grown;
        c->out_room = c->out_len + len;
    }
    memcpy(c->out + c->out_len, text, len);
    c->out_len += len;
    return true;
}

static void send_text(struct connection *c, const char *text, size_t len)
{
    mutex_lock(&c->out_lock);
    bool slow = c->out_len > 0 && c->out_len + len > MAX_WAITING_BYTES;
    if (slow || !append_locked(c, text, len))
        c->dead = true;
    flush_locked(c);
    bool dead = c->dead;
    mutex_unlock(&c->out_lock);
    if (slow)
        log_warn("control: a client does not read its answers, and is cut off");
    if (dead)
        wake_all(&c->queue);
}

/* Consumes the reference. */
static void send_object(struct connection *c, json_t *object)
{
    CLEANUP_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text)
        return;
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of the NUL */
    send_text(c, text, len + 1);
}

static void send_error(struct connection *c, json_t *id, int code, int exit_status, const char *message)
{
    json_t *text = json_string(message); /* NULL: it quotes something that is not UTF-8 */
    send_object(c, json_pack("{s:s, s:O, s:{s:i, s:o, s:{s:i}}}", "jsonrpc", "2.0", "id", id ? id : json_null(),
                             "error", "code", code, "message", text ? text : json_string(strerror(-code)), "data",
                             "exit_status", exit_status));
}

static bool all_sent(struct connection *c)
{
    mutex_lock(&c->out_lock);
    flush_locked(c);
    bool sent = c->out_len == 0;
    mutex_unlock(&c->out_lock);
    return sent;
}

/* ---- requests ---- */

static void request_free(struct request *r)
{
    for (unsigned i = 0; i < r->fd_count; i++)
        if (r->fds[i] >= 0)
            close(r->fds[i]);
    free(r->fds);
    json_decref(r->id);
    json_decref(r->object);
    json_decref(r->result);
    connection_put(r->connection);
    free(r);
}

static void answer(struct request *r, int err)
{
    if (!err) {
        if (r->id)
            send_object(r->connection, json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", r->id, "result",
                                                 r->result ? json_incref(r->result) : json_object()));
        return;
    }
    if (!r->message[0])
        request_fail(r, err, "%s: %s", r->method, strerror(-err));
    log_info("control: %s", r->message);
    if (r->id)
        send_error(r->connection, r->id, r->code, r->exit_status, r->message);
}

static const struct method *method_of(const struct request *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (methods[i].name == r->method)
            return &methods[i];
    return NULL;
}

/* The process is about to end: the socket has a moment to take the answer. */
static void last_words(struct connection *c)
{
    for (int tries = 0; tries < 100 && !all_sent(c) && !c->dead; tries++)
        if (sleep_until(now_monotonic() + 10 * NSEC_PER_MSEC) < 0)
            return;
}

static void carry_out(struct request *r)
{
    int err = method_of(r)->handle(r);
    answer(r, err);
    if (r->ends_sandbox) {
        last_words(r->connection);
        _exit(0);
    }
    request_free(r);
}

static void waiting_main(void *arg)
{
    struct request *r = arg;
    struct connection *c = r->connection;
    refcount_get(&c->ref);
    carry_out(r);
    c->waiting--;
    wake_all(&c->queue);
    connection_put(c);
}

static void carry_out_aside(struct request *r)
{
    bool room = r->connection->waiting < MAX_WAITING_REQUESTS;
    struct fiber *f = room ? fiber_new("waiting request", waiting_main, r) : NULL;
    if (!f) {
        answer(r, request_fail(r, -EAGAIN, "too many requests wait already"));
        request_free(r);
        return;
    }
    r->connection->waiting++;
    fiber_start(f);
}

static int look_at_head(struct request *r)
{
    const char *version = json_string_value(json_object_get(r->object, "jsonrpc"));
    const char *method = json_string_value(json_object_get(r->object, "method"));
    json_t *id = json_object_get(r->object, "id"), *params = json_object_get(r->object, "params");
    if (id && !json_is_null(id) && !json_is_integer(id) && !json_is_string(id))
        return request_fail(r, PROTOCOL_INVALID_REQUEST, "id is neither a number nor a string");
    r->id = id && !json_is_null(id) ? json_incref(id) : NULL;
    if (!json_is_object(r->object) || !version || strcmp(version, "2.0") != 0 || !method)
        return request_fail(r, PROTOCOL_INVALID_REQUEST, "not a JSON-RPC 2.0 request (jsonrpc \"2.0\", method)");
    if (params && !json_is_object(params))
        return request_fail(r, PROTOCOL_INVALID_REQUEST, "params is not an object");
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(methods[i].name, method) == 0)
            r->method = methods[i].name;
    params_init(&r->params, params);
    return r->method ? 0 : request_fail(r, PROTOCOL_NO_METHOD, "unknown method '%.100s'", method);
}

static struct request *request_new(struct connection *c, const struct wire_object *o)
{
    struct request *r = calloc(1, sizeof *r);
    int *fds = calloc(o->fd_count + 1, sizeof *fds);
    json_error_t error;
    if (!r || !fds) {
        free(r);
        free(fds);
        return NULL;
    }
    refcount_get(&c->ref);
    r->connection = c;
    r->received = now_realtime();
    r->exit_status = EXIT_PICKET;
    r->fds = fds;
    r->fd_count = o->fd_count;
    for (unsigned i = 0; i < o->fd_count; i++)
        fds[i] = TAKE_FD(o->fds[i]);
    r->object = json_loadb(o->text, o->len, JSON_REJECT_DUPLICATES, &error);
    if (!r->object)
        request_fail(r, PROTOCOL_PARSE_ERROR, "not JSON: %.120s", error.text);
    return r;
}

static void take_object(struct connection *c, const struct wire_object *o)
{
    struct request *r = o->error ? NULL : request_new(c, o);
    if (!r) {
        send_error(c, NULL, PROTOCOL_PARSE_ERROR, EXIT_PICKET,
                   o->error == -EMSGSIZE ? "an object is longer than 4 MiB"
                   : o->error == -EMFILE ? "more than 253 descriptors came with an object"
                                         : "a line that is no JSON object");
        return;
    }
    int err = r->object ? look_at_head(r) : r->code;
    if (err) {
        send_error(c, r->id, r->code, EXIT_PICKET, r->message);
        request_free(r);
    } else if (method_of(r)->waits) {
        carry_out_aside(r);
    } else {
        carry_out(r);
    }
}

/* ---- a connection's life ---- */

/* True when there is something to do: bytes came, or the end, or it is dead. */
static bool progress(struct connection *c, ssize_t *ret)
{
    if (c->out_len > 0) {
        mutex_lock(&c->out_lock);
        flush_locked(c);
        mutex_unlock(&c->out_lock);
    }
    *ret = c->dead ? 0 : wire_receive(&c->wire, MSG_DONTWAIT);
    return c->dead || (*ret != -EAGAIN && *ret != -EINTR);
}

static bool peer_is_gone(struct connection *c)
{
    struct pollfd p = {.fd = c->fd};
    return c->dead || (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR));
}

/* The other side sends no more, but may still read: what it waits for is sent, as long as it is there. */
static void finish_answers(struct connection *c)
{
    wait_event(&c->queue, c->waiting == 0 || peer_is_gone(c));
    wait_event(&c->queue, all_sent(c) || peer_is_gone(c));
}

static void wake_waiting(void)
{
    struct unit *u;
    MUTEX_GUARD(&sandbox.lock);
    list_for_each (u, &sandbox.units, link)
        wake_all(&u->changed);
}

static void connection_close(struct connection *c)
{
    c->dead = true;
    mutex_lock(&sandbox.lock);
    list_del(&c->link);
    c->events = false;
    connection_count--;
    mutex_unlock(&sandbox.lock);
    host_event_remove(c->event);
    free(TAKE_PTR(c->event));
    wire_fini(&c->wire);
    wake_waiting(); /* requests that nobody waits for any more */
    connection_put(c);
}

static void connection_main(void *arg)
{
    struct connection *c = arg;
    struct wire_object object;
    ssize_t n;
    do { /* what came with the boot message is here already */
        while (!c->dead && wire_next(&c->wire, &object))
            take_object(c, &object);
        wait_event(&c->queue, progress(c, &n));
    } while (n > 0);
    if (c->boot && sandbox.ends_with_boot)
        _exit(EXIT_PICKET); /* nobody is left to run for */
    started_untie(c);
    finish_answers(c);
    connection_close(c);
}

static int connection_start(struct connection *c)
{
    struct fiber *f = fiber_new("control", connection_main, c);
    if (!f)
        return -ENOMEM;
    mutex_lock(&sandbox.lock);
    list_add_tail(&sandbox.connections, &c->link);
    connection_count++;
    mutex_unlock(&sandbox.lock);
    fiber_start(f);
    return 0;
}

/* ---- accepting ---- */

static bool peer_is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    return peer.uid == 0 || peer.uid == sandbox.owner;
}

static void take_client(int fd)
{
    struct connection *c = NULL;
    if (peer_is_allowed(fd) && connection_count < MAX_CONNECTIONS)
        c = connection_new(fd, false);
    else
        log_warn("control: a connection was refused");
    if (!c) {
        close(fd);
        return;
    }
    wire_init(&c->wire, fd);
    if (connection_start(c) < 0) {
        host_event_remove(c->event);
        free(TAKE_PTR(c->event));
        connection_put(c);
    }
}

static bool try_accept(int listener, int *ret)
{
    *ret = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return *ret >= 0 || errno != EAGAIN;
}

static void listener_main(void *arg)
{
    int listener = (int)(intptr_t)arg, fd;
    struct wait_queue queue;
    struct host_event event;
    wait_queue_init(&queue);
    if (host_event_add(&event, listener, &queue) < 0)
        return;
    for (;;) {
        wait_event(&queue, try_accept(listener, &fd));
        if (fd >= 0)
            take_client(fd);
        else if (sleep_until(now_monotonic() + 10 * NSEC_PER_MSEC)) /* out of descriptors, or the client was quick */
            return;
    }
}

static bool is_listener(int fd)
{
    int listening = 0;
    socklen_t len = sizeof listening;
    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

int server_prepare_listener(int fd)
{
    if (!is_listener(fd))
        return -1;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? fd : -1;
}

void server_run(struct wire *boot, int listener)
{
    struct connection *c = connection_new(boot->fd, true);
    assert_always(c);
    c->wire = *boot;
    struct fiber *f = listener >= 0 ? fiber_new("control listener", listener_main, (void *)(intptr_t)listener) : NULL;
    if (f)
        fiber_start(f);
    int err = connection_start(c);
    assert_always(err == 0);
}

/* ---- events ---- */

static bool wants_locked(const struct connection *c, const char *id, enum notification_kind kind)
{
    bool kind_wanted = kind == NOTIFY_LIFE || (kind == NOTIFY_STOP ? c->stops : c->processes);
    return c->events && !c->dead && kind_wanted && (!c->events_of || strcmp(c->events_of, id) == 0);
}

bool server_has_listeners(const char *container_id)
{
    struct connection *c;
    MUTEX_GUARD(&sandbox.lock);
    list_for_each (c, &sandbox.connections, link)
        if (wants_locked(c, container_id, NOTIFY_LIFE))
            return true;
    return false;
}

void server_event(const char *container_id, enum notification_kind kind, json_t *notification)
{
    struct connection *c;
    CLEANUP_FREE char *text = notification ? json_dumps(notification, JSON_COMPACT) : NULL;
    json_decref(notification);
    if (!text)
        return;
    size_t len = strlen(text);
    text[len] = '\n';
    MUTEX_GUARD(&sandbox.lock); /* sending does not wait */
    list_for_each (c, &sandbox.connections, link)
        if (wants_locked(c, container_id, kind))
            send_text(c, text, len + 1);
}

json_t *event_exit(const char *container_id, int exit_status)
{
    return json_pack("{s:s, s:s, s:{s:s, s:i}}", "jsonrpc", "2.0", "method", EVENT_EXIT, "params", "container_id",
                     container_id, "exit_status", exit_status);
}

/* On the process's own fiber. */
static void process_event(struct container *c, struct process *p, bool exec)
{
    int pid = pid_number_in(p->pid, container_pid_ns(c));
    const char *method = exec ? EVENT_PROCESS_EXEC : EVENT_PROCESS_EXIT;
    json_t *params = json_pack("{s:s, s:i}", "container_id", c->id, "pid", pid);
    if (exec) {
        json_t *comm = json_string(current->comm);
        json_object_set_new(params, "command", comm ? comm : json_string("?"));
    } else {
        json_object_set_new(params, "exit_status", json_integer(p->exit_status));
    }
    server_event(c->id, NOTIFY_PROCESS,
                 json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

int handle_events(struct request *r)
{
    CLEANUP_FREE char *id = NULL;
    bool stops = false, processes = false;
    params_string(&r->params, "container_id", &id);
    params_bool(&r->params, "stops", &stops);
    params_bool(&r->params, "processes", &processes);
    int err = request_params(r);
    if (err)
        return err;
    MUTEX_GUARD(&sandbox.lock);
    free(r->connection->events_of);
    r->connection->events_of = TAKE_PTR(id);
    r->connection->stops = stops;
    r->connection->processes = processes;
    if (processes)
        container_watcher = process_event;
    r->connection->events = true;
    return 0;
}
