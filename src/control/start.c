/*
 * Lifecycle.StartContainer and Proc.Exec: the steps of docs/control.md, in their order. What a step has made is undone
 * by scope when a later one fails, so a failure leaves nothing behind; nobody else sees the process before it runs.
 */
#include "control/start.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "fs/hostfile/hostfile.h"
#include "fs/tty.h"
#include "kernel/cgroup.h"
#include "kernel/cred.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define MAX_STARTED 4096 /* handles that nobody has waited for, of one container */

/* One start under way: what it has so far. */
struct start {
    struct request *r;
    const struct start_spec *spec;
    struct unit *unit;
    struct container *container;
    bool exec;
    struct cred *cred;
    struct fs_context *fs;
    struct fdtable *files;
    struct hostfile_set *set;
    struct cgroup *cgroup; /* reference; NULL: the container's */
    char **envv; /* borrowed strings, but for the last one */
    char *home;
    char *program;
    struct started *started;
    bool console_bound; /* /dev/console is the terminal */
    int64_t starting;   /* realtime, ns */
};

/* ---- the steps in the container ---- */

static int find_user(struct start *s)
{
    const struct start_spec *spec = s->spec;
    int err = start_find_user(spec, s->container, &s->cred);
    if (err)
        return request_fail(s->r, err, "cannot run as user '%.200s': %s", spec->user ? spec->user : "",
                            strerror(-err));
    task_set_cred(current, cred_get(s->cred)); /* what follows is looked at with the user's eyes */
    return 0;
}

static int set_up_fs(struct start *s)
{
    const struct start_spec *spec = s->spec;
    CLEANUP_PATH_REF struct path wd = {0};
    const char *name = spec->wd && *spec->wd ? spec->wd : "/";
    int err = fs_context_new(s->container->mounts, &s->fs);
    if (err)
        return err;
    s->fs->umask = spec->umask;
    err = name[0] == '/' ? path_lookup(AT_FDCWD, name, WALK_FOLLOW | WALK_DIRECTORY, &wd) : -EINVAL;
    if (!err)
        err = inode_permission(wd.dentry->inode, MAY_EXEC, s->cred);
    if (!err)
        fs_set_cwd(s->fs, &wd);
    else if (!spec->wd_optional)
        return request_fail(s->r, err, "cannot use working directory '%.300s': %s", name, strerror(-err));
    return 0;
}

static size_t count_strings(char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

static bool has_home(char *const *envv, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(envv[i], "HOME=", 5) == 0)
            return true;
    return false;
}

static int build_environment(struct start *s)
{
    size_t open = count_strings(s->spec->envv), secret = count_strings(s->spec->secret_envv);
    s->envv = calloc(open + secret + 2, sizeof *s->envv);
    if (!s->envv)
        return -ENOMEM;
    if (open)
        memcpy(s->envv, s->spec->envv, open * sizeof *s->envv);
    if (secret)
        memcpy(s->envv + open, s->spec->secret_envv, secret * sizeof *s->envv);
    if (!s->spec->resolve_home || has_home(s->envv, open + secret))
        return 0;
    int err = start_find_home(s->container, s->cred->uid, &s->home);
    if (!err)
        s->envv[open + secret] = s->home;
    return err;
}

static int exit_status_of(int err)
{
    return err == -ENOENT || err == -ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int find_program(struct start *s)
{
    char problem[512] = "";
    int err = start_find_program(s->spec, s->envv, &s->program, problem, sizeof problem);
    if (!err)
        return 0;
    s->r->exit_status = exit_status_of(err);
    return problem[0] ? request_fail(s->r, err, "%s", problem) : err;
}

static int check_cgroups(struct start *s)
{
    const char *controller;
    json_t *value;
    json_object_foreach((json_t *)s->spec->initial_cgroups, controller, value)
    {
        const char *path = json_string_value(value);
        if (!path || !cgroup_exists(controller, path))
            return request_fail(s->r, -ENOENT, "there is no cgroup '%.200s' of controller '%.50s'", path ? path : "",
                                controller);
        cgroup_put(TAKE_PTR(s->cgroup));
        int err = cgroup_find(path, &s->cgroup); /* of one tree: the last one counts */
        if (err)
            return err;
    }
    return 0;
}

/* ---- donated descriptors ---- */

/* The order of the numbers inside: the lowest is the standard input, whatever the order of the request. */
static unsigned lowest_above(const struct start_spec *spec, int after)
{
    unsigned best = spec->donated_count;
    for (unsigned i = 0; i < spec->donated_count; i++)
        if (spec->donated[i] > after && (best == spec->donated_count || spec->donated[i] < spec->donated[best]))
            best = i;
    return best;
}

static int donate(struct start *s, unsigned i)
{
    struct file *file;
    int fd = request_take_fd(s->r, i);
    int err = hostfile_new(s->set, fd, &file);
    if (err)
        return request_fail(s->r, err, "descriptor %d: %s", s->spec->donated[i], strerror(-err));
    err = fdtable_install_at(s->files, s->spec->donated[i], file, false);
    if (err)
        file_put(file);
    return err;
}

static int open_files(struct start *s)
{
    CLEANUP_PATH_REF struct path pts = {0};
    const struct start_spec *spec = s->spec;
    struct super_block *devpts = NULL;
    if (path_lookup(AT_FDCWD, "/dev/pts", WALK_FOLLOW, &pts) == 0)
        devpts = pts.mount->sb;
    int err = fdtable_new(&s->files);
    if (!err)
        err = hostfile_set_new(s->cred->uid, s->cred->gid, devpts, &s->set);
    for (int after = -1; !err;) {
        unsigned i = lowest_above(spec, after);
        if (i == spec->donated_count)
            break;
        after = spec->donated[i];
        err = donate(s, i);
    }
    if (!err && spec->terminal && !s->set->count)
        err = request_fail(s->r, -ENOTTY, "terminal: none of the descriptors is a terminal");
    if (s->set)
        s->set->devpts = NULL;
    return err;
}

/* The container's /dev/console is its first process's terminal, as engines have it. */
static int bind_console(struct start *s)
{
    CLEANUP_PATH_REF struct path node = {0}, at = {0};
    char name[32];
    struct tty *tty = s->spec->terminal && !s->exec ? hostfile_console(s->set) : NULL;
    if (!tty)
        return 0;
    snprintf(name, sizeof name, "/dev/pts/%u", tty_number(tty));
    tty_unref(tty);
    if (path_lookup(AT_FDCWD, name, WALK_FOLLOW, &node) != 0)
        return 0; /* no devpts there: no name for it either */
    int err = path_lookup(AT_FDCWD, "/dev/console", WALK_FOLLOW, &at);
    if (err == -ENOENT && vfs_mknod_at(AT_FDCWD, "/dev/console", S_IFREG | 0620, 0) == 0)
        err = path_lookup(AT_FDCWD, "/dev/console", WALK_FOLLOW, &at);
    if (!err && do_bind(&node, &at, false) == 0)
        s->console_bound = true;
    return 0; /* a container without it works, but for who opens /dev/console */
}

static void unbind_console(struct start *s)
{
    struct path at;
    if (!s->console_bound || container_step_in(s->container, NULL) < 0)
        return;
    if (path_lookup(AT_FDCWD, "/dev/console", WALK_FOLLOW, &at) == 0 && do_umount(&at, MNT_DETACH) < 0)
        log_debug("control: /dev/console stays");
    container_step_out();
}

static int steps_inside(struct start *s)
{
    int err = find_user(s);
    if (!err)
        err = open_files(s);
    if (!err)
        err = build_environment(s);
    if (!err)
        err = find_program(s);
    if (!err)
        err = set_up_fs(s);
    if (!err)
        err = check_cgroups(s);
    return err;
}

static int prepare(struct start *s)
{
    int err = container_step_in(s->container, NULL);
    if (err)
        return err;
    err = steps_inside(s);
    container_step_out();
    if (!err && s->spec->terminal && !s->exec) {
        err = container_step_in(s->container, NULL);
        if (!err) {
            err = bind_console(s);
            container_step_out();
        }
    }
    return err;
}

/* ---- the process ---- */

static int started_new(struct start *s)
{
    struct started *started = calloc(1, sizeof *started);
    if (!started)
        return -ENOMEM;
    refcount_init(&started->ref);
    list_init(&started->link);
    started->unit = unit_get(s->unit);
    started->first = !s->exec;
    started->files = TAKE_PTR(s->set);
    s->started = started;
    return 0;
}

static int run(struct start *s)
{
    const struct start_spec *spec = s->spec;
    char *argv0[] = {s->program, NULL};
    struct process *process;
    const struct first_process_args args = {
        .filename = s->program,
        .argv = spec->argv && spec->argv[0] ? spec->argv : argv0,
        .envv = s->envv,
        .cred = s->cred,
        .fs = s->fs,
        .files = s->files,
        .container = s->container,
        .cgroup = s->cgroup,
        .limits = &spec->limits,
        .ignored_signals = spec->ignored_signals,
        .tty = spec->terminal ? hostfile_console(s->started->files) : NULL,
        .init = spec->init,
        .oom_score_adj = (int)spec->oom_score_adj,
        .nice = (int)spec->nice,
        .personality = (unsigned long)spec->personality,
        .exited = started_exited,
        .stopped = started_stopped,
        .exited_arg = s->started,
    };
    refcount_get(&s->started->ref); /* the process's, until its end */
    s->starting = now_realtime();
    int err = process_start_first(&args, &process);
    if (err) {
        started_put(s->started);
        if (args.tty)
            tty_unref(args.tty);
        s->r->exit_status = exit_status_of(err);
        return request_fail(s->r, err, "cannot run '%.300s': %s", args.argv[0], strerror(-err));
    }
    s->cred = NULL; /* consumed */
    s->fs = NULL;
    s->files = NULL;
    s->started->process = process;
    return 0;
}

/* ---- the record ---- */

/* Of a handle that was never asked for again. */
static struct started *drop_oldest_locked(struct unit *u)
{
    struct started *s;
    if (u->started_count < MAX_STARTED)
        return NULL;
    list_for_each (s, &u->started, link)
        if (s->ended) {
            list_del(&s->link);
            u->started_count--;
            return s;
        }
    return NULL;
}

static void record(struct start *s)
{
    struct unit *u = s->unit;
    struct started *started = s->started;
    mutex_lock(&sandbox.lock);
    started->handle = ++sandbox.last_handle;
    started->tied = s->spec->tied ? s->r->connection : NULL;
    struct started *oldest = drop_oldest_locked(u);
    refcount_get(&started->ref);
    list_add_tail(&u->started, &started->link);
    u->started_count++;
    if (started->first) {
        refcount_get(&started->ref);
        u->first = started;
        u->state = UNIT_RUNNING;
    }
    if (s->spec->terminal)
        hostfile_start_session(started->files, started->process->pid);
    mutex_unlock(&sandbox.lock);
    started_put(oldest);
}

static void announce(struct start *s)
{
    const char *id = s->container->id;
    if (!s->exec) {
        log_info("control: container '%s' runs", id);
        server_event(id, NOTIFY_LIFE,
                     json_pack("{s:s, s:s, s:{s:b, s:s, s:I, s:I, s:I}}", "jsonrpc", "2.0", "method", EVENT_STARTED,
                               "params", "started", 1, "container_id", id, "request_received",
                               (json_int_t)s->r->received, "container_process_starting", (json_int_t)s->starting,
                               "request_completed", (json_int_t)now_realtime()));
    }
    mutex_lock(&sandbox.lock);
    s->started->announced = true; /* its end may be told now */
    mutex_unlock(&sandbox.lock);
    wake_all(&s->unit->changed);
    int32_t pid = pid_number_in(s->started->process->pid, container_pid_ns(s->container));
    s->r->result = json_pack("{s:i, s:I}", "pid", pid, "process", (json_int_t)s->started->handle);
}

static void start_end(struct start *s, int err)
{
    if (err)
        unbind_console(s);
    if (s->cred)
        cred_put(s->cred);
    if (s->fs)
        fs_context_put(s->fs);
    fdtable_put(s->files);
    cgroup_put(s->cgroup);
    hostfile_set_free(s->set);
    free(s->envv);
    free(s->home);
    free(s->program);
    started_put(s->started);
}

static int start_process(struct start *s)
{
    int err = prepare(s);
    if (!err)
        err = started_new(s);
    if (!err)
        err = run(s);
    if (!err) {
        record(s);
        announce(s);
    }
    start_end(s, err);
    return err;
}

/* ---- the requests ---- */

/* Takes the right to start in the unit: nobody destroys it meanwhile, and only one starts its first process. */
static int begin(struct request *r, const struct start_spec *spec, bool exec, struct unit **ret)
{
    MUTEX_GUARD(&sandbox.lock);
    struct unit *u = unit_find_locked(spec->id);
    if (!u || u->destroying)
        return request_fail(r, -ENOENT, "container '%.200s' has not been created", spec->id);
    if (!exec && u->state != UNIT_CREATED)
        return request_fail(r, -EBUSY, "container '%.200s' is already started", spec->id);
    if (exec && u->state != UNIT_RUNNING)
        return request_fail(r, -ESRCH, "container '%.200s' is not running", spec->id);
    if (!exec)
        u->state = UNIT_STARTING;
    u->starting++;
    *ret = unit_get(u);
    return 0;
}

static void end(struct unit *u, bool exec, int err)
{
    mutex_lock(&sandbox.lock);
    u->starting--;
    if (!exec && err)
        u->state = UNIT_CREATED;
    mutex_unlock(&sandbox.lock);
    wake_all(&u->changed);
    unit_put(u);
}

static void log_call(const char *method, const struct start_spec *spec)
{
    CLEANUP_FREE char *text = log_enabled(LOG_INFO) ? start_describe(method, spec) : NULL;
    if (text)
        log_info("control: %.2000s", text);
}

static int check(struct request *r, const struct start_spec *spec)
{
    if (r->fd_count != spec->donated_count)
        return request_fail(r, -EINVAL, "%u descriptors came with the request, but donated_fds names %u", r->fd_count,
                            spec->donated_count);
    return 0;
}

static int check_user(struct request *r, const struct start_spec *spec)
{
    if (spec->user && (spec->kuid || spec->kgid))
        return request_fail(r, -EINVAL, "user '%.100s' and KUID or KGID are both given: one or the other", spec->user);
    return 0;
}

static int start_or_exec(struct request *r, bool exec)
{
    struct start_spec spec;
    struct unit *u = NULL;
    int err = start_params(r, exec, &spec);
    if (!err) {
        log_call(r->method, &spec);
        err = check(r, &spec);
    }
    if (!err)
        err = begin(r, &spec, exec, &u);
    if (!err) {
        struct start s = {.r = r, .spec = &spec, .unit = u, .container = u->container, .exec = exec};
        err = check_user(r, &spec);
        if (!err)
            err = start_process(&s);
        if (err && !r->message[0])
            request_fail(r, err, "%s of '%.200s': %s", r->method, spec.id, strerror(-err));
        end(u, exec, err);
    }
    start_spec_free(&spec);
    return err;
}

int handle_start(struct request *r)
{
    return start_or_exec(r, false);
}

int handle_exec(struct request *r)
{
    return start_or_exec(r, true);
}
