/* An agent that sleeps: signals in, the end out. */
#include "runtime/agent_loop.h"
#include "base/cleanup.h"
#include "runtime/agent.h"
#include "runtime/logfile.h"
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int agent_loop_signals(struct agent *a, struct error *err)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    a->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return a->signals >= 0
               ? 0
               : error_set(err, EXIT_FAILURE, "cannot receive signals: %s", strerror(errno));
}

void agent_loop_release_stdio(struct agent *a)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* A container's root may have no /dev: then the numbers stay closed. */
    for (int fd = 0; fd < 3; fd++)
        if (null < 0)
            close(fd);
        else
            dup2(null, fd);
    if (null > 2)
        close(null);
    for (unsigned i = 0; i < a->fd_count; i++)
        if (a->fds[i] > 2)
            close(a->fds[i]);
    a->fd_count = 0;
}

/* ---- the end ---- */

static int exit_code(int wait_status)
{
    return WIFSIGNALED(wait_status) ? EXIT_SIGNAL_BASE + WTERMSIG(wait_status)
                                    : WEXITSTATUS(wait_status);
}

static void end_kernel(struct agent *a)
{
    if (a->kernel <= 0)
        return;
    kill(a->kernel, SIGKILL);
    while (waitpid(a->kernel, NULL, 0) < 0 && errno == EINTR)
        ;
}

_Noreturn static void end(struct agent *a, int status)
{
    struct error err;
    if (!a->process &&
        client_call(&a->client, METHOD_DESTROY, json_pack("{s:s}", "container_id", a->id), NULL, 0,
                    NULL, &err) < 0)
        logfile_debug("cannot destroy container '%s' inside: %s", a->id, err.message);
    end_kernel(a);
    _exit(status);
}

/* The sandbox has gone without a word: killed, most likely by the host for want of memory. */
_Noreturn static void kernel_is_gone(struct agent *a)
{
    logfile_error("the sandbox of container '%s' has died", a->id);
    end_kernel(a);
    _exit(EXIT_SIGNAL_BASE + SIGKILL);
}

static void handle_object(struct agent *a, const json_t *object)
{
    struct error err;
    json_t *result;
    if (!a->wait_id || client_answer_id(object) != a->wait_id)
        return;
    if (client_answer(object, &result, &err) < 0) {
        logfile_error("waiting for container '%s': %s", a->id, err.message);
        end(a, EXIT_PICKET);
    }
    end(a, exit_code((int)json_integer_value(json_object_get(result, "exit_status"))));
}

static void receive(struct agent *a)
{
    for (;;) {
        json_t *object;
        bool closed;
        struct error err;
        if (client_poll(&a->client, &object, &closed, &err) < 0)
            kernel_is_gone(a);
        if (!object)
            return;
        handle_object(a, object);
        json_decref(object);
    }
}

/* ---- signals ---- */

static void tell(struct agent *a, const char *method, json_t *params)
{
    struct error err;
    if (a->process)
        json_object_set_new(params, "process", json_integer(a->process));
    else
        json_object_set_new(params, "container_id", json_string(a->id));
    if (client_send(&a->client, method, params, NULL, 0, &err) < 0)
        logfile_debug("%s", err.message);
}

static void reap(struct agent *a)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == a->kernel) {
            a->kernel = 0;
            receive(a); /* its last word may still be there */
            kernel_is_gone(a);
        }
}

static void handle_signal(struct agent *a, int signo)
{
    if (signo == SIGCHLD) {
        reap(a);
    } else if (!a->wait_id) {
        /* Created and not started: there is nothing yet that could handle it. */
        if (signo == SIGTERM || signo == SIGINT || signo == SIGQUIT || signo == SIGHUP)
            end(a, EXIT_SIGNAL_BASE + signo);
    } else if (signo == SIGWINCH) {
        tell(a, METHOD_RESIZE, json_object());
    } else {
        tell(a, a->process ? METHOD_PROC_SIGNAL : METHOD_SIGNAL,
             json_pack("{s:i}", "signo", signo));
    }
}

static void read_signals(struct agent *a)
{
    struct signalfd_siginfo info;
    while (read(a->signals, &info, sizeof info) == sizeof info)
        handle_signal(a, (int)info.ssi_signo);
}

/* ---- start ---- */

int agent_loop_wait(struct agent *a, struct error *err)
{
    json_t *params = a->process ? json_pack("{s:I}", "process", (json_int_t)a->process)
                                : json_pack("{s:s}", "container_id", a->id);
    a->wait_id =
        client_send(&a->client, a->process ? METHOD_PROC_WAIT : METHOD_WAIT, params, NULL, 0, err);
    return a->wait_id < 0 ? -1 : 0;
}

/* `start` is at the door. A start that fails leaves the container as it is: it may be tried again,
 * or deleted. */
static void handle_start(struct agent *a)
{
    struct error err = {0};
    CLEANUP_FD int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || agent_receive(fd, AGENT_START, &err) < 0)
        return;
    if (client_call(&a->client, METHOD_START, json_incref(a->start), a->fds, a->fd_count, NULL,
                    &err) < 0 ||
        agent_loop_wait(a, &err) < 0) {
        (void)!agent_send(fd, AGENT_ERROR, &err);
        return;
    }
    json_decref(TAKE_PTR(a->start));
    close(TAKE_FD(a->listener));
    agent_loop_release_stdio(a);
    malloc_trim(0);
    (void)!agent_send(fd, AGENT_STARTED, NULL);
}

void agent_loop(struct agent *a)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = a->signals, .events = POLLIN},
                               {.fd = a->client.fd, .events = POLLIN},
                               {.fd = a->listener, .events = POLLIN}};
        /* client_call() may have put something by that poll(2) does not know of. */
        receive(a);
        if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
            end(a, EXIT_PICKET);
        if (fds[0].revents)
            read_signals(a);
        if (fds[1].revents)
            receive(a);
        if (fds[2].revents)
            handle_start(a);
    }
}
