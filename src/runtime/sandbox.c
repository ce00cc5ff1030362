/*
 * Starting a sandbox: the parent makes the socket and the namespaces, the child (already inside them) prepares the
 * mounts, puts every descriptor where control/protocol.h says and becomes the kernel process.
 *
 * The child runs in a copy of this process, so it may use everything the parent has read. What goes wrong in it is
 * told to the parent as the answer to the start message, the way the kernel process itself would.
 */
#include "runtime/sandbox.h"
#include "base/cleanup.h"
#include "host/mounts.h"
#include "host/namespaces.h"
#include "runtime/session.h"
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_NAME "picket-kernel"
#define FD_SHELF 128 /* where descriptors wait until their final numbers are free; above all of those */

/* ---- the child ---- */

_Noreturn static void child_fail(int control, const char *what, const char *path, int error)
{
    char text[PATH_MAX + 256];
    snprintf(text, sizeof text, "%s%s%s%s: %s", what, path ? " '" : "", path ? path : "", path ? "'" : "",
             strerror(error));
    json_t *message = json_pack("{s:s, s:i, s:{s:i, s:s#, s:{s:i}}}", "jsonrpc", "2.0", "id", 1, "error", "code",
                                -error, "message", text, (int)strlen(text), "data", "exit_status", EXIT_PICKET);
    char *line = message ? json_dumps(message, JSON_COMPACT) : NULL;
    dprintf(control, "%s\n", line ? line : "{}");
    _exit(EXIT_PICKET);
}

/* Moves *fd out of the way of the final numbers. */
static void shelve(int *fd, int control)
{
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, FD_SHELF);
    if (high < 0)
        child_fail(control, "cannot keep a descriptor", NULL, errno);
    *fd = high;
}

static void place(int fd, int number, int control)
{
    if (dup2(fd, number) < 0)
        child_fail(control, "cannot place a descriptor", NULL, errno);
}

static void child_prepare_fds(const struct sandbox_spec *spec, int control)
{
    int fds[DONATED_VOLUMES + PROTOCOL_MAX_VOLUMES];
    int log = spec->log_fd >= 0 ? spec->log_fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (log < 0)
        child_fail(control, "cannot open", "/dev/null", errno);
    shelve(&log, control);
    fds[DONATED_CONTROL] = control;
    fds[DONATED_LOG] = log;
    for (unsigned i = 0; i < spec->volume_count; i++) {
        const struct volume *v = &spec->volumes[i];
        int *fd = &fds[DONATED_VOLUMES + i];
        *fd = host_clone_tree(v->source, v->read_only);
        if (*fd < 0)
            child_fail(control, "cannot use volume", v->source, -*fd);
        shelve(fd, control);
    }
    fds[DONATED_ROOT] = host_clone_root(spec->root);
    if (fds[DONATED_ROOT] < 0)
        child_fail(control, "cannot use root", spec->root, -fds[DONATED_ROOT]);
    shelve(&fds[DONATED_ROOT], control);

    unsigned end = DONATED_VOLUMES + spec->volume_count;
    for (unsigned i = DONATED_CONTROL; i < end; i++)
        place(fds[i], (int)i, control);
    close_range(end, ~0U, 0);
}

_Noreturn static void child_main(const struct sandbox_spec *spec, const char *kernel, int control)
{
    char go;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(control, &go, 1) != 1) /* the ids are mapped, or the parent is gone */
        _exit(EXIT_PICKET);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    shelve(&control, control);
    child_prepare_fds(spec, control);
    int err = geteuid() ? host_keep_capabilities() : 0;
    if (err)
        child_fail(DONATED_CONTROL, "cannot keep capabilities", NULL, -err);
    execv(kernel, (char *[]){(char *)KERNEL_NAME, NULL});
    child_fail(DONATED_CONTROL, "cannot run", kernel, errno);
}

/* ---- the parent ---- */

/* Next to this program (a build directory), else where it is installed. */
static int find_kernel(char path[static PATH_MAX], struct error *err)
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof "/" KERNEL_NAME);
    if (len > 0) {
        path[len] = '\0';
        char *slash = strrchr(path, '/');
        strcpy(slash ? slash + 1 : path, KERNEL_NAME);
        if (access(path, X_OK) == 0)
            return 0;
    }
    snprintf(path, PATH_MAX, "%s/%s", PICKET_LIBEXECDIR, KERNEL_NAME);
    if (access(path, X_OK) == 0)
        return 0;
    return error_set(err, EXIT_PICKET, "cannot find " KERNEL_NAME ", neither beside picket nor in " PICKET_LIBEXECDIR);
}

/* Makes sure that 0, 1 and 2 are taken, so that nothing of ours gets these numbers. */
static int check_stdio(bool ret_open[3], struct error *err)
{
    for (int fd = 0; fd < 3; fd++) {
        ret_open[fd] = fcntl(fd, F_GETFD) >= 0;
        if (!ret_open[fd] && open("/dev/null", O_RDWR) != fd)
            return error_set(err, EXIT_PICKET, "cannot open /dev/null: %s", strerror(errno));
    }
    return 0;
}

static int send_all(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

static int check_spec(const struct sandbox_spec *spec, struct error *err)
{
    struct stat st;
    if (stat(spec->root, &st) < 0)
        return error_set(err, EXIT_PICKET, "cannot use root '%s': %s", spec->root, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return error_set(err, EXIT_PICKET, "cannot use root '%s': not a directory", spec->root);
    for (unsigned i = 0; i < spec->volume_count; i++)
        if (stat(spec->volumes[i].source, &st) < 0)
            return error_set(err, EXIT_PICKET, "cannot use volume '%s': %s", spec->volumes[i].source, strerror(errno));
    return 0;
}

static void kill_and_wait(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *ret, struct error *err)
{
    char kernel[PATH_MAX];
    bool stdio_open[3];
    int pair[2];
    if (check_stdio(stdio_open, err) < 0 || check_spec(spec, err) < 0 || find_kernel(kernel, err) < 0)
        return -1;
    CLEANUP_FREE char *message = start_message(spec, stdio_open);
    if (!message)
        return error_set(err, EXIT_PICKET, "out of memory");
    if (strlen(message) > PROTOCOL_MAX_MESSAGE)
        return error_set(err, EXIT_PICKET, "arguments and environment are too long");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, EXIT_PICKET, "cannot make a socket: %s", strerror(errno));
    CLEANUP_FD int ours = pair[0];
    CLEANUP_FD int theirs = pair[1];

    session_block_signals();
    pid_t pid = host_clone_namespaces();
    if (pid == 0) {
        close(ours);
        child_main(spec, kernel, theirs);
    }
    if (pid < 0)
        return error_set(err, EXIT_PICKET, "the host forbids a sandbox's namespaces: %s (see 'picket doctor')",
                         strerror(-pid));
    int e = host_map_ids(pid);
    if (e) {
        kill_and_wait(pid);
        return error_set(err, EXIT_PICKET, "cannot map ids into the sandbox: %s", strerror(-e));
    }
    close(TAKE_FD(theirs));
    /* One byte says that the ids are mapped. A failure to send means that the child has died: sandbox_wait() will
     * find out why. */
    if (send_all(ours, "\n", 1) == 0)
        (void)send_all(ours, message, strlen(message));
    *ret = (struct sandbox){.pid = pid, .control = TAKE_FD(ours)};
    return 0;
}
