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
#include "runtime/sandbox.h"
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
    struct sandbox *sandbox;
    char *line; /* received and not yet a whole line */
    size_t len;
    struct terminal terminal;
    bool ended; /* wait_status is the command's */
    int wait_status;
};

static void forwarded_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
        sigaddset(set, forwarded[i]);
}

void session_block_signals(void)
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
    dprintf(s->sandbox->control,
            "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"signo\":%u,\"foreground\":%s}}\n",
            METHOD_SIGNAL, info.ssi_signo, from_terminal ? "true" : "false");
}

/* An answer to the start message: 0 when the command runs, -1 with its error. */
static int handle_answer(json_t *message, struct error *err)
{
    json_t *error = json_object_get(message, "error");
    if (!error)
        return 0;
    json_t *status = json_object_get(json_object_get(error, "data"), "exit_status");
    const char *text = json_string_value(json_object_get(error, "message"));
    return error_set(err, json_is_integer(status) ? (int)json_integer_value(status) : EXIT_PICKET, "%s",
                     text ? text : "the sandbox could not start");
}

static int handle_message(struct session *s, json_t *message, struct error *err)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    json_t *params = json_object_get(message, "params");
    if (!method)
        return handle_answer(message, err);
    if (strcmp(method, EVENT_EXIT) == 0) {
        s->ended = true;
        s->wait_status = (int)json_integer_value(json_object_get(params, "exit_status"));
    } else if (strcmp(method, EVENT_STOPPED) == 0) {
        terminal_leave(&s->terminal);
        raise(SIGSTOP);
    }
    return 0;
}

static int handle_lines(struct session *s, struct error *err)
{
    char *end;
    while (!s->ended && (end = memchr(s->line, '\n', s->len))) {
        size_t used = (size_t)(end - s->line) + 1;
        json_t *message = json_loadb(s->line, used, 0, NULL);
        if (!message)
            return error_set(err, EXIT_PICKET, "the sandbox's kernel sent a malformed message");
        int result = handle_message(s, message, err);
        json_decref(message);
        memmove(s->line, s->line + used, s->len - used);
        s->len -= used;
        if (result < 0)
            return result;
    }
    return 0;
}

/* The kernel process has ended without a word: says how. */
static int kernel_died(struct session *s, struct error *err)
{
    int status;
    pid_t pid = TAKE_FD(s->sandbox->pid);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, EXIT_PICKET, "the sandbox's kernel process is gone");
    if (WIFSIGNALED(status))
        return error_set(err, EXIT_PICKET, "the sandbox's kernel process was killed by signal %d (%s)",
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
    return error_set(err, EXIT_PICKET, "the sandbox's kernel process ended with status %d", WEXITSTATUS(status));
}

static int receive(struct session *s, struct error *err)
{
    if (s->len == PROTOCOL_MAX_MESSAGE)
        return error_set(err, EXIT_PICKET, "the sandbox's kernel sent an endless message");
    size_t room = 4096;
    char *grown = realloc(s->line, s->len + room);
    if (!grown)
        return error_set(err, EXIT_PICKET, "out of memory");
    s->line = grown;
    ssize_t n = recv(s->sandbox->control, s->line + s->len, MIN(room, PROTOCOL_MAX_MESSAGE - s->len), 0);
    if (n < 0 && errno == EINTR)
        return 0;
    if (n <= 0)
        return kernel_died(s, err);
    s->len += (size_t)n;
    return handle_lines(s, err);
}

static int session_loop(struct session *s, struct error *err)
{
    sigset_t set;
    forwarded_set(&set);
    CLEANUP_FD int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return error_set(err, EXIT_PICKET, "cannot receive signals: %s", strerror(errno));
    struct pollfd fds[] = {{.fd = s->sandbox->control, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
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

int sandbox_wait(struct sandbox *sandbox, struct error *err)
{
    struct session s = {.sandbox = sandbox};
    terminal_enter(&s.terminal);
    int result = session_loop(&s, err);
    free(s.line);
    close(TAKE_FD(sandbox->control));
    /* Nothing is left to do inside, and killing process 1 is the quickest way to end a pid namespace. */
    if (sandbox->pid > 0) {
        kill(sandbox->pid, SIGKILL);
        while (waitpid(sandbox->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    terminal_leave(&s.terminal);
    if (result < 0)
        return result;
    return WIFSIGNALED(s.wait_status) ? EXIT_SIGNAL_BASE + WTERMSIG(s.wait_status) : WEXITSTATUS(s.wait_status);
}
