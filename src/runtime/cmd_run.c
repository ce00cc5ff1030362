/* picket run: create and start; then, unless detached, stay until the end: signals and the terminal
 * go to the container. */
#include "runtime/command.h"
#include "runtime/container_options.h"
#include "runtime/options.h"
#include "runtime/terminal.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the caller gets is meant for the container: its agent passes it on. */
static pid_t forward_to;

static void forward(int signo)
{
    int saved = errno;
    kill(forward_to, signo);
    errno = saved;
}

static void forward_signals(pid_t agent)
{
    static const int list[] = {SIGHUP,  SIGINT,   SIGQUIT, SIGTERM, SIGUSR1,
                               SIGUSR2, SIGWINCH, SIGALRM, SIGCONT};
    struct sigaction action = {.sa_handler = forward, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    forward_to = agent;
    for (size_t i = 0; i < ARRAY_SIZE(list); i++)
        sigaction(list[i], &action, NULL);
}

static int wait_agent(pid_t agent)
{
    int status = 0;
    while (waitpid(agent, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_FAILURE;
    return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

int cmd_run(int argc, char **argv)
{
    struct container_options o = {0};
    struct run_options run = {0};
    struct terminal terminal = {0};
    struct error err, ignored;
    pid_t agent;
    container_options_parse(argc, argv, true, &o, &run);
    o.foreground = !run.detach;
    if (container_create(&o, &agent, &err) < 0)
        return error_report(&err);
    forward_signals(agent);
    if (!run.detach && !o.console_socket)
        terminal_enter(&terminal);
    if (container_start(o.id, &err) < 0) {
        terminal_leave(&terminal);
        (void)!container_delete(o.id, true, &ignored);
        return error_report(&err);
    }
    if (run.detach)
        return 0;
    int status = wait_agent(agent);
    terminal_leave(&terminal);
    if (!run.keep && container_delete(o.id, true, &err) < 0)
        return error_report(&err);
    return status;
}
