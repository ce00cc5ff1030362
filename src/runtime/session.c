/*
 * While the command runs: a loop over two descriptors.
 *
 * A signalfd brings what is sent to this process; it goes on to the sandbox, with the word whether it came from the
 * terminal (then it is for the foreground group inside) or from a process (then for the command alone). The control
 * socket brings the end of the command, or its stop: then this process stops too, so that the shell above sees a
 * stopped job, and passes on the SIGCONT that wakes it.
 */
#include "runtime/session.h"
#include "base/cleanup.h"
#include "runtime/terminal.h"
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const int forwarded[] = {SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGTSTP, SIGWINCH, SIGCONT, SIGTTIN, SIGTTOU};

struct session {
    struct sandbox sandbox;
    struct terminal terminal;
    int64_t wait_id; /* the request whose answer is the end */
    bool ended;      /* wait_status is the command's */
    int wait_status;
};

static void forwarded_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
        sigaddset(set, forwarded[i]);
}

/* Before the kernel process is made, so that none is lost or kills us. */
static void block_signals(void)
{
    sigset_t set;
    forwarded_set(&set);
    sigaddset(&set, SIGPIPE); /* the kernel process may be gone when we write to it */
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void forward_signal(struct session *s, int signals)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != sizeof info)
        return;
    /* The terminal's driver is the host kernel; processes have SI_USER and the like, which are not positive. */
    bool from_terminal = info.ssi_code > 0;
    if (info.ssi_signo == SIGCONT)
        terminal_enter(&s->terminal);
    struct error ignored; /* a sandbox that is gone is noticed by receiving */
    (void)!(client_send(&s->sandbox.client, METHOD_SIGNAL,
                        json_pack("{s:s, s:i, s:b}", "container_id", DO_CONTAINER, "signo", (int)info.ssi_signo,
                                  "foreground", (int)from_terminal),
                        NULL, 0, &ignored) < 0);
}

/* ---- what comes from the kernel ---- */

static void handle_event(struct session *s, const json_t *event)
{
    const char *method = json_string_value(json_object_get(event, "method"));
    if (method && strcmp(method, EVENT_STOPPED) == 0) {
        terminal_leave(&s->terminal);
        raise(SIGSTOP);
    }
}

static int handle_object(struct session *s, const json_t *object, struct error *err)
{
    json_t *result;
    int64_t id = client_answer_id(object);
    if (id < 0) {
        handle_event(s, object);
        return 0;
    }
    if (id > s->wait_id) /* a signal's: it came too late, at worst */
        return 0;
    if (client_answer(object, &result, err) < 0)
        return -1;
    if (id == s->wait_id) {
        s->ended = true;
        s->wait_status = (int)json_integer_value(json_object_get(result, "exit_status"));
    }
    return 0;
}

/* Everything that is here by now. */
static int receive(struct session *s, struct error *err)
{
    for (;;) {
        json_t *object;
        bool closed;
        if (client_poll(&s->sandbox.client, &object, &closed, err) < 0)
            return closed ? sandbox_died(&s->sandbox, err) : -1;
        if (!object)
            return 0;
        int result = handle_object(s, object, err);
        json_decref(object);
        if (result < 0 || s->ended)
            return result;
    }
}

static int session_loop(struct session *s, struct error *err)
{
    sigset_t set;
    forwarded_set(&set);
    CLEANUP_FD int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return error_set(err, EXIT_PICKET, "cannot receive signals: %s", strerror(errno));
    struct pollfd fds[] = {{.fd = s->sandbox.client.fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    while (!s->ended) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_set(err, EXIT_PICKET, "cannot wait for the sandbox: %s", strerror(errno));
        }
        if (fds[0].revents && receive(s, err) < 0)
            return -1;
        if (fds[1].revents)
            forward_signal(s, signals);
    }
    return 0;
}

/* ---- the whole ---- */

static int send_requests(struct session *s, const struct do_spec *spec, const bool stdio_open[3], struct error *err)
{
    struct client *c = &s->sandbox.client;
    int stdio[3];
    unsigned count = 0;
    for (int fd = 0; fd < 3; fd++)
        if (stdio_open[fd])
            stdio[count++] = fd;
    if (client_send(c, METHOD_EVENTS, json_pack("{s:b}", "stops", 1), NULL, 0, err) < 0 ||
        client_send(c, METHOD_CREATE, do_create(spec), s->sandbox.trees, s->sandbox.tree_count, err) < 0 ||
        client_send(c, METHOD_START, do_start(spec, stdio_open), stdio, count, err) < 0)
        return -1;
    s->wait_id = client_send(c, METHOD_WAIT, json_pack("{s:s}", "container_id", DO_CONTAINER), NULL, 0, err);
    return s->wait_id < 0 ? -1 : 0;
}

static int start(struct session *s, const struct do_spec *spec, struct error *err)
{
    struct sandbox_tree trees[DO_MAX_VOLUMES + 1] = {{.path = spec->root, .read_only = true, .is_root = true}};
    bool stdio_open[3];
    if (sandbox_check_stdio(stdio_open, err) < 0)
        return -1;
    for (unsigned i = 0; i < spec->volume_count; i++)
        trees[i + 1] =
            (struct sandbox_tree){.path = spec->volumes[i].source, .read_only = spec->volumes[i].read_only};
    CLEANUP_FD int broker = -1;
    int broker_pid = spec->network ? broker_start(spec->network, spec->log_fd, &broker) : 0;
    if (broker_pid < 0)
        return error_set(err, EXIT_PICKET, "cannot start the network broker: %s", strerror(-broker_pid));
    const struct sandbox_spec sandbox = {.trees = trees,
                                         .tree_count = spec->volume_count + 1,
                                         .boot = do_boot(spec),
                                         .log_fd = spec->log_fd,
                                         .listener_fd = -1,
                                         .broker_fd = broker};
    block_signals();
    if (sandbox_start(&sandbox, &s->sandbox, err) < 0)
        return -1;
    if (send_requests(s, spec, stdio_open, err) == 0)
        return 0;
    sandbox_kill(&s->sandbox);
    sandbox_free(&s->sandbox);
    return -1;
}

int do_run(const struct do_spec *spec, struct error *err)
{
    struct session s = {0};
    if (start(&s, spec, err) < 0)
        return -1;
    terminal_enter(&s.terminal);
    int result = session_loop(&s, err);
    /* Nothing is left to do inside, and killing process 1 is the quickest way to end a pid namespace. */
    sandbox_kill(&s.sandbox);
    sandbox_free(&s.sandbox);
    terminal_leave(&s.terminal);
    if (result < 0)
        return result;
    return WIFSIGNALED(s.wait_status) ? EXIT_SIGNAL_BASE + WTERMSIG(s.wait_status) : WEXITSTATUS(s.wait_status);
}
