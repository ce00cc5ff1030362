/* An agent's beginning: namespaces, the sandbox, the container in it. The manual is agent.h. */
#include "broker/broker.h"
#include "runtime/agent.h"
#include "base/cleanup.h"
#include "runtime/agent_loop.h"
#include "runtime/hooks.h"
#include "runtime/kernel_process.h"
#include "runtime/logfile.h"
#include "runtime/options.h"
#include "runtime/program.h"
#include "runtime/pty.h"
#include "runtime/request.h"
#include "runtime/trees.h"
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- messages ---- */

int agent_send(int fd, enum agent_word word, const struct error *err)
{
    struct agent_message m = {.word = word};
    if (err)
        m.err = *err;
    return send(fd, &m, sizeof m, MSG_NOSIGNAL) == sizeof m ? 0 : -1;
}

int agent_receive(int fd, enum agent_word expected, struct error *err)
{
    struct agent_message m;
    ssize_t n;
    while ((n = recv(fd, &m, sizeof m, 0)) < 0 && errno == EINTR)
        ;
    if (n != sizeof m)
        return error_set(err, EXIT_FAILURE, "the container's process ended unexpectedly");
    if (m.word == AGENT_ERROR) {
        *err = m.err;
        return -1;
    }
    if (m.word != expected)
        return error_set(err, EXIT_FAILURE, "the container's process is confused");
    return 0;
}

/* ---- namespaces ---- */

static const struct {
    enum spec_namespace ns;
    int flag;
} kinds[] = {{SPEC_NS_USER, CLONE_NEWUSER},
             {SPEC_NS_NETWORK, CLONE_NEWNET},
             {SPEC_NS_IPC, CLONE_NEWIPC},
             {SPEC_NS_UTS, CLONE_NEWUTS}};

static int join_namespace(const char *path, int flag, struct error *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, flag) < 0)
        return error_set(err, EXIT_FAILURE, "cannot join the namespace '%s': %s", path,
                         strerror(errno));
    return 0;
}

/* A user namespace comes first: it owns the others. Its ids are mapped by the command, which has
 * the privilege. */
static int enter_user_namespace(const struct agent_setup *setup, struct error *err)
{
    const struct spec_namespace_choice *user = &setup->spec->namespaces[SPEC_NS_USER];
    if (!user->given)
        return 0;
    if (user->path)
        return join_namespace(user->path, CLONE_NEWUSER, err);
    if (unshare(CLONE_NEWUSER) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make a user namespace: %s", strerror(errno));
    if (agent_send(setup->command, AGENT_MAP_IDS, NULL) < 0 ||
        agent_receive(setup->command, AGENT_GO, err) < 0)
        return -1;
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return error_set(err, EXIT_FAILURE, "cannot drop groups: %s", strerror(errno));
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return error_set(err, EXIT_FAILURE, "the user namespace does not map id 0: %s",
                         strerror(errno));
    /* Another id makes a process private: its own files in /proc would be out of its reach. */
    prctl(PR_SET_DUMPABLE, 1);
    return 0;
}

/* `mounts`: a mount namespace, too. */
static int enter_namespaces(const struct agent_setup *setup, bool mounts, struct error *err)
{
    int fresh = mounts ? CLONE_NEWNS : 0;
    if (enter_user_namespace(setup, err) < 0)
        return -1;
    for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
        const struct spec_namespace_choice *choice = &setup->spec->namespaces[kinds[i].ns];
        if (!choice->given)
            continue;
        if (!choice->path)
            fresh |= kinds[i].flag;
        else if (join_namespace(choice->path, kinds[i].flag, err) < 0)
            return -1;
    }
    if (unshare(fresh) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make namespaces: %s (see 'picket doctor')",
                         strerror(errno));
    const char *hostname = setup->spec->hostname;
    if ((fresh & CLONE_NEWUTS) && hostname && sethostname(hostname, strlen(hostname)) < 0)
        logfile_debug("cannot set the host name: %s", strerror(errno));
    return 0;
}

/* ---- the sandbox ---- */

static int listen_at(const struct state *s, const char *name, int type, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    state_path(s, name, address.sun_path);
    CLEANUP_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    mode_t mask = umask(0177);
    int e =
        fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 128) < 0
            ? errno
            : 0;
    umask(mask);
    if (e)
        return error_set(err, EXIT_FAILURE, "cannot listen at '%s/%s/%s': %s", state_root(), s->id,
                         name, strerror(e));
    return TAKE_FD(fd);
}

static int open_debug_log(const char *id, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    const char *mark = global.debug_log ? strstr(global.debug_log, "%ID%") : NULL;
    if (!global.debug_log)
        return -1;
    int len = mark ? asprintf(&path, "%.*s%s%s", (int)(mark - global.debug_log), global.debug_log,
                              id, mark + 4)
                   : asprintf(&path, "%s", global.debug_log);
    int fd = len < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        (void)!error_set(err, EXIT_FAILURE, "cannot write '%s': %s", global.debug_log,
                         strerror(errno));
    return fd;
}

static int start_sandbox(struct agent *a, const struct agent_setup *setup, struct error *err)
{
    struct kernel_process kernel;
    /* In the container's network namespace, which the engine has set up by now: what it shows is what is
     * inside. */
    static const struct broker_policy everything;
    CLEANUP_FD int broker = -1;
    int e = broker_start(&everything, setup->log, &broker);
    if (e < 0)
        return error_set(err, EXIT_FAILURE, "cannot start the network broker: %s", strerror(-e));
    json_t *boot = request_boot(setup->spec, err);
    if (boot)
        json_object_set_new(boot, "network", json_string("host"));
    if (!boot || kernel_process_start(setup->listener, setup->log, broker, &kernel, err) < 0) {
        json_decref(boot);
        return -1;
    }
    a->kernel = kernel.pid;
    client_init(&a->client, kernel.control);
    return client_call(&a->client, METHOD_BOOT, boot, NULL, 0, NULL, err);
}

static int join_sandbox(struct agent *a, const struct agent_setup *setup, struct error *err)
{
    struct state sandbox;
    if (state_open(setup->state->sandbox, STATE_READ, &sandbox, err) < 0)
        return -1;
    int result = container_connect(&sandbox, &a->client, err);
    state_close(&sandbox);
    return result;
}

/* ---- putting it together ---- */

static int create_inside(struct agent *a, const struct agent_setup *setup, struct trees *trees,
                         struct error *err)
{
    json_t *create = request_create(setup->spec, a->id, setup->share, trees, err);
    if (!create)
        return -1;
    return client_call(&a->client, METHOD_CREATE, create, trees->fds, trees->count, NULL, err);
}

static int run_hooks(const struct agent_setup *setup, struct error *err)
{
    if (!setup->spec->hooks[HOOK_CREATE_CONTAINER].count)
        return 0;
    setup->state->pid = getpid();
    json_t *state = state_json(setup->state, STATE_CREATING);
    int result = hooks_run(setup->spec, HOOK_CREATE_CONTAINER, state, err);
    json_decref(state);
    return result;
}

static int check_program(const struct agent_setup *setup, struct error *err)
{
    return setup->spec->process.given ? program_check(setup->spec, err) : 0;
}

static int prepare_trees(struct agent *a, const struct agent_setup *setup, struct trees *ret,
                         struct error *err)
{
    char shelf[PATH_MAX + 256];
    snprintf(shelf, sizeof shelf, "%s/%s", state_root(), a->id);
    return trees_prepare(setup->spec, setup->state->rootfs, shelf, ret, err);
}

static int use_trees(struct agent *a, const struct agent_setup *setup, struct trees *trees,
                     struct error *err)
{
    if (run_hooks(setup, err) < 0 || create_inside(a, setup, trees, err) < 0 ||
        trees_pivot(trees, err) < 0)
        return -1;
    return check_program(setup, err);
}

/* Whoever is root maps other ids than his own, to which the host's directories may be closed: the
 * trees are made while he is still himself, in a mount namespace that stays his. */
static bool trees_come_first(const struct agent_setup *setup)
{
    const struct spec_namespace_choice *user = &setup->spec->namespaces[SPEC_NS_USER];
    return user->given && !user->path && geteuid() == 0;
}

static int make_namespaces(struct agent *a, struct agent_setup *setup, struct trees *trees,
                           struct error *err)
{
    bool first = trees_come_first(setup);
    if (first && unshare(CLONE_NEWNS) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make a mount namespace: %s", strerror(errno));
    if (first && prepare_trees(a, setup, trees, err) < 0)
        return -1;
    if (enter_namespaces(setup, !first, err) < 0 ||
        agent_send(setup->command, AGENT_NAMESPACES, NULL) < 0 ||
        agent_receive(setup->command, AGENT_GO, err) < 0)
        return -1;
    return first ? 0 : prepare_trees(a, setup, trees, err);
}

static int prepare_console(const struct agent_setup *setup, int *ret_socket, struct error *err)
{
    const struct container_options *o = setup->options;
    const struct spec_process *p = &setup->spec->process;
    if (!p->terminal && o->console_socket)
        return error_set(err, EXIT_FAILURE,
                         "--console-socket is given, but config.json has no process.terminal");
    if (p->terminal && !o->console_socket && !o->foreground)
        return error_set(err, EXIT_FAILURE,
                         "cannot allocate a terminal: process.terminal is set, and there is no "
                         "--console-socket");
    if (p->terminal && o->console_socket)
        return (*ret_socket = pty_connect(o->console_socket, err)) < 0 ? -1 : 0;
    return 0;
}

/* The container's descriptors, and ours out of their way. */
static int prepare(struct agent *a, struct agent_setup *setup, struct error *err)
{
    int log = logfile_fd(), console_socket = -1;
    int *const keep[] = {&setup->command, &setup->state->dir, &console_socket, &log};
    agent_fill_stdio();
    /* The command's descriptor carries its lock, and would carry it on in us. */
    int dir = openat(setup->state->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_set(err, EXIT_FAILURE, "cannot open the state directory: %s", strerror(errno));
    close(setup->state->dir);
    setup->state->dir = dir;
    if (prepare_console(setup, &console_socket, err) < 0 ||
        agent_sort_fds(3 + setup->options->preserve_fds, keep, ARRAY_SIZE(keep), err) < 0)
        return -1;
    logfile_set_fd(log);
    setsid();
    CLEANUP_FD int socket = console_socket;
    int console = -1;
    if (agent_loop_signals(a, err) < 0 ||
        (socket >= 0 && (console = pty_open_fd(socket, &setup->spec->process, err)) < 0))
        return -1;
    return agent_collect_fds(a, setup->options->preserve_fds, console, err);
}

/* What needs the caller's rights: in a user namespace of its own the agent has no way to the state
 * directory. */
static int open_doors(struct agent *a, struct agent_setup *setup, bool first, struct error *err)
{
    a->listener = listen_at(setup->state, "agent.sock", SOCK_SEQPACKET, err);
    if (a->listener < 0)
        return -1;
    if (!first)
        return join_sandbox(a, setup, err);
    setup->listener = listen_at(setup->state, "control.sock", SOCK_STREAM, err);
    setup->log = setup->listener < 0 ? -1 : open_debug_log(a->id, err);
    return setup->listener < 0 || (global.debug_log && setup->log < 0) ? -1 : 0;
}

static void close_doors(struct agent_setup *setup)
{
    if (setup->listener >= 0)
        close(setup->listener);
    if (setup->log >= 0)
        close(setup->log);
    close(TAKE_FD(setup->state->dir));
}

static int set_up(struct agent *a, struct agent_setup *setup, struct error *err)
{
    bool first = strcmp(setup->state->sandbox, setup->state->id) == 0;
    struct trees trees = {.root_dir = -1};
    setup->listener = setup->log = -1;
    if (prepare(a, setup, err) < 0 || open_doors(a, setup, first, err) < 0 ||
        make_namespaces(a, setup, &trees, err) < 0 || (first && start_sandbox(a, setup, err) < 0) ||
        use_trees(a, setup, &trees, err) < 0)
        return -1; /* what is open ends with this process */
    trees_close(&trees);
    close_doors(setup);
    if (setup->spec->process.given &&
        !(a->start = request_process(&setup->spec->process, a->id, a->fd_count, err)))
        return -1;
    return 0;
}

_Noreturn void agent_main(struct agent_setup *setup)
{
    struct error err = {.exit_status = EXIT_FAILURE};
    struct agent a = {.id = setup->state->id, .signals = -1, .listener = -1, .client.fd = -1};
    if (set_up(&a, setup, &err) < 0) {
        (void)!agent_send(setup->command, AGENT_ERROR, &err);
        _exit(EXIT_PICKET);
    }
    program_set_title(&setup->spec->process);
    (void)!agent_send(setup->command, AGENT_CREATED, NULL);
    close(setup->command);
    agent_loop(&a);
}
