/* Running hooks: fork, a pipe for the state, exec, and a wait with a deadline. */
#include "runtime/hooks.h"
#include "base/cleanup.h"
#include "runtime/logfile.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The state in a file in memory: a hook that does not read its input must not block us. */
static int state_file(const json_t *state)
{
    CLEANUP_FREE char *text = json_dumps(state, JSON_COMPACT);
    int fd = memfd_create("picket-hook-state", MFD_CLOEXEC);
    if (!text || fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
        lseek(fd, 0, SEEK_SET) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

_Noreturn static void exec_hook(const struct spec_hook *hook, int input)
{
    char *const plain[] = {(char *)hook->path, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(input, STDIN_FILENO);
    close_range(3, ~0U, 0);
    execve(hook->path, hook->args && hook->args[0] ? hook->args : plain,
           hook->env ? hook->env : environ);
    dprintf(STDERR_FILENO, "picket: cannot run the hook '%s': %s\n", hook->path, strerror(errno));
    _exit(127);
}

static int wait_hook(pid_t pid, const struct spec_hook *hook, struct error *err)
{
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int status = 0, ready = 1;
    if (hook->timeout && fd >= 0)
        while ((ready = poll(&p, 1, hook->timeout * 1000)) < 0 && errno == EINTR)
            ;
    if (ready == 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        return error_set(err, EXIT_FAILURE, "the hook '%s' took longer than %d s", hook->path,
                         hook->timeout);
    if (WIFSIGNALED(status))
        return error_set(err, EXIT_FAILURE, "the hook '%s' was killed by signal %d", hook->path,
                         WTERMSIG(status));
    if (WEXITSTATUS(status))
        return error_set(err, EXIT_FAILURE, "the hook '%s' failed with status %d", hook->path,
                         WEXITSTATUS(status));
    return 0;
}

static int run_hook(const struct spec_hook *hook, const json_t *state, struct error *err)
{
    CLEANUP_FD int input = state_file(state);
    if (input < 0)
        return error_set(err, EXIT_FAILURE, "cannot pass the state to the hook '%s'", hook->path);
    pid_t pid = fork();
    if (pid == 0)
        exec_hook(hook, input);
    if (pid < 0)
        return error_set(err, EXIT_FAILURE, "cannot fork for the hook '%s': %s", hook->path,
                         strerror(errno));
    return wait_hook(pid, hook, err);
}

int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const json_t *state,
              struct error *err)
{
    for (size_t i = 0; i < spec->hooks[kind].count; i++)
        if (run_hook(&spec->hooks[kind].list[i], state, err) < 0)
            return -1;
    return 0;
}

void hooks_run_tolerant(const struct spec *spec, enum spec_hook_kind kind, const json_t *state)
{
    struct error err;
    for (size_t i = 0; i < spec->hooks[kind].count; i++)
        if (run_hook(&spec->hooks[kind].list[i], state, &err) < 0)
            logfile_warning("%s: %s", spec_hook_names[kind], err.message);
}
