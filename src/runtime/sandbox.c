/*
 * The parent makes the socket and the namespaces; the child (already inside them) clones the host's trees, sends
 * their descriptors back, puts its own where control/protocol.h says and becomes the kernel process. Meanwhile the
 * parent sends the boot message.
 *
 * The child runs in a copy of this process, so it may use everything the parent has read. What goes wrong in it is
 * told to the parent as the answer to the boot message, the way the kernel process itself would.
 */
#include "runtime/sandbox.h"
#include "base/cleanup.h"
#include "host/mounts.h"
#include "host/namespaces.h"
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
#define FD_SHELF 256 /* where descriptors wait until their final numbers are free; above all of those */
#define TREES_READY "\n" /* what the trees' descriptors come with: nothing, to a reader of JSON */

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

static void child_send_trees(const struct sandbox_spec *spec, int control)
{
    int fds[SANDBOX_MAX_TREES];
    for (unsigned i = 0; i < spec->tree_count; i++) {
        const struct sandbox_tree *t = &spec->trees[i];
        fds[i] = t->is_root ? host_clone_root(t->path) : host_clone_tree(t->path, t->read_only);
        if (fds[i] < 0)
            child_fail(control, t->is_root ? "cannot use root" : "cannot use volume", t->path, -fds[i]);
    }
    int err = client_send_bytes(control, TREES_READY, 1, fds, spec->tree_count);
    if (err)
        child_fail(control, "cannot send a descriptor", NULL, -err);
}

static void child_place_fds(const struct sandbox_spec *spec, int control)
{
    int log = spec->log_fd >= 0 ? spec->log_fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
    int listener = spec->listener_fd >= 0 ? spec->listener_fd : log;
    int broker = spec->broker_fd >= 0 ? spec->broker_fd : log;
    if (log < 0)
        child_fail(control, "cannot open", "/dev/null", errno);
    shelve(&log, control);
    shelve(&listener, control);
    shelve(&broker, control);
    place(control, DONATED_CONTROL, control);
    place(log, DONATED_LOG, control);
    place(listener, DONATED_LISTENER, control);
    place(broker, DONATED_BROKER, control);
    close_range(DONATED_END, ~0U, 0);
}

_Noreturn static void child_main(const struct sandbox_spec *spec, const char *kernel, int control)
{
    char go;
    if (!spec->detached)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(control, &go, 1) != 1) /* the ids are mapped, or the parent is gone */
        _exit(EXIT_PICKET);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    shelve(&control, control);
    child_send_trees(spec, control);
    child_place_fds(spec, control);
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

int sandbox_check_stdio(bool ret_open[3], struct error *err)
{
    for (int fd = 0; fd < 3; fd++) {
        ret_open[fd] = fcntl(fd, F_GETFD) >= 0;
        if (!ret_open[fd] && open("/dev/null", O_RDWR) != fd)
            return error_set(err, EXIT_PICKET, "cannot open /dev/null: %s", strerror(errno));
    }
    return 0;
}

static int check_trees(const struct sandbox_spec *spec, struct error *err)
{
    struct stat st;
    if (spec->tree_count > SANDBOX_MAX_TREES)
        return error_set(err, EXIT_PICKET, "more than %d trees of the host", SANDBOX_MAX_TREES);
    for (unsigned i = 0; i < spec->tree_count; i++) {
        const struct sandbox_tree *t = &spec->trees[i];
        const char *what = t->is_root ? "root" : "volume";
        if (stat(t->path, &st) < 0)
            return error_set(err, EXIT_PICKET, "cannot use %s '%s': %s", what, t->path, strerror(errno));
        if (t->is_root && !S_ISDIR(st.st_mode))
            return error_set(err, EXIT_PICKET, "cannot use %s '%s': not a directory", what, t->path);
    }
    return 0;
}

/* ---- its end ---- */

static int wait_for(struct sandbox *s)
{
    int status = 0;
    pid_t pid = TAKE_FD(s->pid);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return pid > 0 ? status : -1;
}

int sandbox_died(struct sandbox *s, struct error *err)
{
    int status = wait_for(s);
    if (status < 0)
        return error_set(err, EXIT_PICKET, "the sandbox's kernel process is gone");
    if (WIFSIGNALED(status))
        return error_set(err, EXIT_PICKET, "the sandbox's kernel process was killed by signal %d (%s)",
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
    return error_set(err, EXIT_PICKET, "the sandbox's kernel process ended with status %d", WEXITSTATUS(status));
}

void sandbox_kill(struct sandbox *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        (void)wait_for(s);
    }
}

void sandbox_free(struct sandbox *s)
{
    for (unsigned i = 0; i < s->tree_count; i++)
        close(s->trees[i]);
    s->tree_count = 0;
    client_free(&s->client);
}

/* ---- its beginning ---- */

/* The trees' descriptors; or, from a child that failed, an answer that says why. */
static int receive_trees(struct sandbox *s, unsigned count, struct error *err)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * SANDBOX_MAX_TREES)];
    } control;
    char byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    while ((n = recvmsg(s->client.fd, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    if (n != 1)
        return sandbox_died(s, err);
    if (byte != *TREES_READY) {
        json_t *object, *result;
        client_push_byte(&s->client, byte);
        if (client_receive(&s->client, &object, NULL, err) < 0)
            return -1;
        int ok = client_answer(object, &result, err);
        json_decref(object);
        return ok < 0 ? -1 : error_set(err, EXIT_PICKET, "the sandbox's child process is confused");
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&m);
    if (count && (!header || header->cmsg_len != CMSG_LEN(sizeof(int) * count)))
        return error_set(err, EXIT_PICKET, "descriptors got lost");
    if (count)
        memcpy(s->trees, CMSG_DATA(header), sizeof(int) * count);
    s->tree_count = count;
    return 0;
}

static int make_process(const struct sandbox_spec *spec, struct sandbox *ret, struct error *err)
{
    char kernel[PATH_MAX];
    int pair[2];
    if (find_kernel(kernel, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, EXIT_PICKET, "cannot make a socket: %s", strerror(errno));
    CLEANUP_FD int ours = pair[0];
    CLEANUP_FD int theirs = pair[1];
    pid_t pid = host_clone_namespaces();
    if (pid == 0) {
        close(ours);
        child_main(spec, kernel, theirs);
    }
    if (pid < 0)
        return error_set(err, EXIT_PICKET, "the host forbids a sandbox's namespaces: %s (see 'picket doctor')",
                         strerror(-pid));
    *ret = (struct sandbox){.pid = pid};
    int e = host_map_ids(pid);
    if (e) {
        sandbox_kill(ret);
        return error_set(err, EXIT_PICKET, "cannot map ids into the sandbox: %s", strerror(-e));
    }
    client_init(&ret->client, TAKE_FD(ours));
    return 0;
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *ret, struct error *err)
{
    json_t *boot = spec->boot;
    if (check_trees(spec, err) < 0 || make_process(spec, ret, err) < 0) {
        json_decref(boot);
        return -1;
    }
    /* One byte says that the ids are mapped. A failure to send means that the child has died: whoever receives will
     * find out why. */
    (void)!client_send_bytes(ret->client.fd, "\n", 1, NULL, 0);
    ret->boot_id = client_send(&ret->client, METHOD_BOOT, boot, NULL, 0, err);
    if (receive_trees(ret, spec->tree_count, err) == 0)
        return 0;
    sandbox_kill(ret);
    sandbox_free(ret);
    return -1;
}
