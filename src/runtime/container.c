/* create, start, kill, delete: the command's side. */
#include "runtime/container.h"
#include "base/cleanup.h"
#include "runtime/agent.h"
#include "runtime/cgroup.h"
#include "runtime/hooks.h"
#include "runtime/logfile.h"
#include "runtime/options.h"
#include "runtime/pod.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- small things ---- */

char *container_absolute(const char *path)
{
    char cwd[PATH_MAX], *joined;
    if (path[0] == '/')
        return strdup(path);
    if (!getcwd(cwd, sizeof cwd))
        return NULL;
    return asprintf(&joined, "%s/%s", cwd, path) < 0 ? NULL : joined;
}

int container_write_pid(const char *path, pid_t pid, struct error *err)
{
    CLEANUP_FREE char *draft = NULL;
    if (asprintf(&draft, "%s.picket-%d", path, getpid()) < 0)
        return error_set(err, EXIT_FAILURE, "out of memory");
    CLEANUP_FD int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || dprintf(fd, "%d", pid) < 0 || rename(draft, path) < 0)
        return error_set(err, EXIT_FAILURE, "cannot write the pid file '%s': %s", path,
                         strerror(errno));
    return 0;
}

int container_signal_number(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    if (*name && !*end)
        return number >= 0 && number < NSIG ? (int)number : -1;
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int i = 1; i < NSIG; i++) {
        const char *known = sigabbrev_np(i);
        if (known && strcasecmp(known, name) == 0)
            return i;
    }
    int base = strncasecmp(name, "RTMIN", 5) == 0   ? SIGRTMIN
               : strncasecmp(name, "RTMAX", 5) == 0 ? SIGRTMAX
                                                    : 0;
    number = base ? strtol(name + 5, &end, 10) : 0;
    return base && !*end && base + number >= SIGRTMIN && base + number <= SIGRTMAX
               ? (int)(base + number)
               : -1;
}

int container_connect(const struct state *s, struct client *ret, struct error *err)
{
    char path[64];
    struct state sandbox;
    if (strcmp(s->sandbox, s->id) == 0) {
        state_path(s, "control.sock", path);
        return client_connect(ret, path, err);
    }
    if (state_open(s->sandbox, STATE_READ, &sandbox, err) < 0)
        return -1;
    state_path(&sandbox, "control.sock", path);
    int result = client_connect(ret, path, err);
    state_close(&sandbox);
    return result;
}

/* ---- create ---- */

/* What a creation in progress holds; undone as a whole when it fails. */
struct creation {
    const struct container_options *options;
    struct spec spec;
    struct state state;
    struct pod pod;
    pid_t agent;
    int channel;
    bool has_cgroup;
};

static int write_ids(pid_t pid, const char *file, const struct spec_id_map *map, size_t count,
                     struct error *err)
{
    char path[64], text[16384];
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%u %u %u\n", map[i].inside,
                                map[i].outside, map[i].count);
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len)
        return error_set(err, EXIT_FAILURE, "cannot write '%s': %s", path, strerror(errno));
    return 0;
}

static int map_ids(const struct creation *c, struct error *err)
{
    const struct spec *s = &c->spec;
    if (s->uid_map_count == 0 || s->gid_map_count == 0)
        return error_set(err, EXIT_FAILURE,
                         "config.json: linux.uidMappings: is required with a new user namespace");
    if (geteuid() != 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/setgroups", c->agent);
        CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "deny", 4) != 4)
            return error_set(err, EXIT_FAILURE, "cannot write '%s': %s", path, strerror(errno));
    }
    return write_ids(c->agent, "uid_map", s->uid_map, s->uid_map_count, err) < 0
               ? -1
               : write_ids(c->agent, "gid_map", s->gid_map, s->gid_map_count, err);
}

/* An agent has its namespaces: what the host does for it now. */
static int dress_agent(struct creation *c, struct error *err)
{
    if (state_set_pid(&c->state, c->agent, err) < 0)
        return -1;
    c->has_cgroup = cgroup_enter(c->state.cgroup, global.systemd_cgroup, c->agent) == 0;
    if (c->has_cgroup)
        cgroup_limit(c->state.cgroup, &c->spec.resources);
    if (state_write(&c->state, err) < 0)
        return -1;
    if (!c->spec.hooks[HOOK_PRESTART].count && !c->spec.hooks[HOOK_CREATE_RUNTIME].count)
        return 0;
    json_t *state = state_json(&c->state, STATE_CREATING);
    int result = hooks_run(&c->spec, HOOK_PRESTART, state, err);
    if (result == 0)
        result = hooks_run(&c->spec, HOOK_CREATE_RUNTIME, state, err);
    json_decref(state);
    return result;
}

static int talk_to_agent(struct creation *c, struct error *err)
{
    const struct spec_namespace_choice *user = &c->spec.namespaces[SPEC_NS_USER];
    if (user->given && !user->path &&
        (agent_receive(c->channel, AGENT_MAP_IDS, err) < 0 || map_ids(c, err) < 0 ||
         agent_send(c->channel, AGENT_GO, NULL) < 0))
        return -1;
    if (agent_receive(c->channel, AGENT_NAMESPACES, err) < 0 || dress_agent(c, err) < 0)
        return -1;
    if (agent_send(c->channel, AGENT_GO, NULL) < 0)
        return error_set(err, EXIT_FAILURE, "the container's process ended unexpectedly");
    return agent_receive(c->channel, AGENT_CREATED, err);
}

static int fork_agent(struct creation *c, struct error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make a socket: %s", strerror(errno));
    c->agent = fork();
    if (c->agent == 0) {
        struct agent_setup setup = {
            .spec = &c->spec, .state = &c->state, .options = c->options, .command = pair[1]};
        memcpy(setup.share, c->pod.share, sizeof setup.share);
        close(pair[0]);
        agent_main(&setup);
    }
    close(pair[1]);
    c->channel = pair[0];
    return c->agent > 0 ? 0 : error_set(err, EXIT_FAILURE, "cannot fork: %s", strerror(errno));
}

static int load_bundle(struct creation *c, struct error *err)
{
    const char *bundle = c->options->bundle ? c->options->bundle : ".";
    CLEANUP_FREE char *config = NULL;
    CLEANUP_FREE char *text = NULL;
    size_t len;
    c->state.bundle = container_absolute(bundle);
    if (!c->state.bundle || asprintf(&config, "%s/config.json", bundle) < 0)
        return error_set(err, EXIT_FAILURE, "out of memory");
    if (spec_read_file(config, &text, &len, err) < 0 || spec_parse(text, len, &c->spec, err) < 0 ||
        state_put_file(&c->state, "config.json", text, err) < 0)
        return -1;
    const char *root = c->spec.root;
    CLEANUP_FREE char *joined = NULL;
    if (root[0] != '/' && asprintf(&joined, "%s/%s", c->state.bundle, root) < 0)
        return error_set(err, EXIT_FAILURE, "out of memory");
    c->state.rootfs = realpath(joined ? joined : root, NULL);
    if (!c->state.rootfs)
        return error_set(err, EXIT_FAILURE, "config.json: root.path: cannot use '%s': %s",
                         joined ? joined : root, strerror(errno));
    return 0;
}

/* What the state file says besides. */
static int fill_state(struct creation *c, struct error *err)
{
    struct state *s = &c->state;
    s->terminal = c->spec.process.terminal;
    s->systemd_cgroup = global.systemd_cgroup;
    s->annotations = json_incref(json_object_get(c->spec.document, "annotations"));
    s->cgroup = cgroup_path(&c->spec, s->id, global.systemd_cgroup);
    if (c->pod.sandbox) {
        free(s->sandbox);
        s->sandbox = strdup(c->pod.sandbox);
    }
    return s->cgroup && s->sandbox ? 0 : error_set(err, EXIT_FAILURE, "out of memory");
}

static void undo(struct creation *c)
{
    if (c->agent > 0) {
        kill(c->agent, SIGKILL);
        while (waitpid(c->agent, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (c->has_cgroup)
        cgroup_remove(c->state.cgroup, false);
    state_remove(&c->state);
}

static int create(struct creation *c, struct error *err)
{
    if (load_bundle(c, err) < 0 || pod_find(&c->spec, &c->pod, err) < 0 || fill_state(c, err) < 0 ||
        fork_agent(c, err) < 0 || talk_to_agent(c, err) < 0)
        return -1;
    c->state.status = STATE_CREATED;
    if (state_write(&c->state, err) < 0)
        return -1;
    return c->options->pid_file ? container_write_pid(c->options->pid_file, c->agent, err) : 0;
}

int container_create(const struct container_options *o, pid_t *ret_agent, struct error *err)
{
    struct creation c = {.options = o, .channel = -1};
    if (state_create(o->id, &c.state, err) < 0)
        return -1;
    int result = create(&c, err);
    if (result < 0)
        undo(&c);
    else
        *ret_agent = c.agent;
    if (c.channel >= 0)
        close(c.channel);
    pod_free(&c.pod);
    spec_free(&c.spec);
    state_close(&c.state);
    return result;
}

/* ---- start ---- */

static int ask_agent(const struct state *s, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    state_path(s, "agent.sock", address.sun_path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        agent_send(fd, AGENT_START, NULL) < 0)
        return error_set(err, EXIT_FAILURE, "cannot reach the process of container '%s': %s", s->id,
                         strerror(errno));
    return agent_receive(fd, AGENT_STARTED, err);
}

/* The container's spec, from the copy in the state directory. */
static int load_copy(const struct state *s, struct spec *ret, struct error *err)
{
    char path[64];
    state_path(s, "config.json", path);
    return spec_load(path, ret, err);
}

static void run_late_hooks(const struct state *s, enum spec_hook_kind kind,
                           enum state_status status)
{
    struct spec spec;
    struct error err;
    if (load_copy(s, &spec, &err) < 0)
        return;
    if (spec.hooks[kind].count) {
        json_t *state = state_json(s, status);
        hooks_run_tolerant(&spec, kind, state);
        json_decref(state);
    }
    spec_free(&spec);
}

int container_start(const char *id, struct error *err)
{
    struct state s;
    if (state_open(id, STATE_LOCK, &s, err) < 0)
        return -1;
    enum state_status status = state_status(&s);
    int result = 0;
    if (status != STATE_CREATED)
        result = error_set(err, EXIT_FAILURE, "cannot start container '%s': it is %s, not created",
                           id, state_status_name(status));
    if (result == 0 && (result = ask_agent(&s, err)) == 0) {
        s.status = STATE_RUNNING;
        result = state_write(&s, err);
    }
    if (result == 0)
        run_late_hooks(&s, HOOK_POSTSTART, STATE_RUNNING);
    state_close(&s);
    return result;
}

/* ---- kill ---- */

static int signal_inside(const struct state *s, int signo, bool all, struct error *err)
{
    struct client client;
    if (container_connect(s, &client, err) < 0)
        return -1;
    int result = client_call(
        &client, METHOD_SIGNAL,
        json_pack("{s:s, s:i, s:b}", "container_id", s->id, "signo", signo, "signalAll", all), NULL,
        0, NULL, err);
    client_free(&client);
    return result;
}

static int kill_opened(const struct state *s, int signo, bool all, struct error *err)
{
    enum state_status status = state_status(s);
    /* Engines look for these words. */
    if (status == STATE_STOPPED || status == STATE_CREATING)
        return all && status == STATE_STOPPED
                   ? 0
                   : error_set(err, EXIT_FAILURE, "container not running");
    if (status != STATE_CREATED && signal_inside(s, signo, all, err) == 0)
        return 0;
    if (status != STATE_CREATED && signo != SIGKILL && state_status(s) != STATE_STOPPED)
        return -1;
    /* Nothing inside to take it, or nobody who answers. */
    int e = state_signal_agent(s, signo);
    return e == 0 || all ? 0 : error_set(err, EXIT_FAILURE, "container not running");
}

int container_kill(const char *id, int signo, bool all, struct error *err)
{
    struct state s;
    if (state_open(id, STATE_READ, &s, err) < 0)
        return -1;
    int result = kill_opened(&s, signo, all, err);
    state_close(&s);
    return result;
}

/* ---- delete ---- */

static void kill_agent(const struct state *s)
{
    CLEANUP_FD int fd = state_agent_fd(s);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (fd < 0)
        return;
    (void)!state_signal_agent(s, SIGKILL);
    while (poll(&p, 1, 10000) < 0 && errno == EINTR)
        ;
}

static int delete_locked(struct state *s, bool force, struct error *err)
{
    enum state_status status = state_status(s);
    if (status != STATE_STOPPED && status != STATE_CREATED && !force)
        return error_set(err, EXIT_FAILURE, "cannot delete container '%s': it is %s, not stopped",
                         s->id, state_status_name(status));
    kill_agent(s);
    cgroup_remove(s->cgroup, true);
    run_late_hooks(s, HOOK_POSTSTOP, STATE_STOPPED);
    state_remove(s);
    return 0;
}

int container_delete(const char *id, bool force, struct error *err)
{
    struct state s;
    if (state_open(id, STATE_LOCK, &s, err) < 0) {
        if (!force || state_check_id(id, err) < 0)
            return -1;
        if (!state_is_absent(id))
            state_remove_broken(id);
        return 0;
    }
    int result = delete_locked(&s, force, err);
    state_close(&s);
    return result;
}
