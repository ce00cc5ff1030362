/*
 * What picket do asks of the sandbox's kernel: one container over the donated root, with what every Linux has mounted
 * on it, and the command in it. What the spec leaves open is taken from the caller: ids, umask, limits, ignored
 * signals, working directory, host name.
 */
#include "base/cleanup.h"
#include "runtime/session.h"
#include <grp.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *limit_value(rlim_t value)
{
    return value == RLIM_INFINITY ? json_null() : json_integer((json_int_t)value);
}

static json_t *limits(void)
{
    static const char *const names[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = "RLIMIT_CPU",           [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
        [RLIMIT_DATA] = "RLIMIT_DATA",         [RLIMIT_STACK] = "RLIMIT_STACK",
        [RLIMIT_CORE] = "RLIMIT_CORE",         [RLIMIT_RSS] = "RLIMIT_RSS",
        [RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
        [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
        [RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
        [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
        [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
    };
    json_t *object = json_object();
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit l;
        if (names[i] && getrlimit(i, &l) == 0)
            json_object_set_new(object, names[i], json_pack("{s:o, s:o}", "cur", limit_value(l.rlim_cur), "max",
                                                            limit_value(l.rlim_max)));
    }
    return object;
}

static json_t *groups(void)
{
    gid_t list[NGROUPS_MAX];
    int n = getgroups(NGROUPS_MAX, list);
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, json_integer(list[i]));
    return array;
}

static json_t *ignored_signals(void)
{
    json_t *array = json_array();
    for (int i = 1; i < SIGRTMIN; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            json_array_append_new(array, json_integer(i));
    }
    return array;
}

static mode_t current_umask(void)
{
    mode_t mask = umask(022);
    umask(mask);
    return mask;
}

static void add_identity(json_t *params, const struct do_spec *spec)
{
    if (spec->user) {
        json_object_set_new(params, "user", client_string(spec->user));
        json_object_set_new(params, "login", json_true());
        return;
    }
    json_object_set_new(params, "KUID", json_integer(geteuid()));
    json_object_set_new(params, "KGID", json_integer(getegid()));
    json_object_set_new(params, "groups", groups());
}

static void add_place(json_t *params, const struct do_spec *spec)
{
    char cwd[PATH_MAX];
    bool given = spec->cwd != NULL;
    /* "(unreachable)" is what getcwd(2) says of a directory outside the root. */
    const char *wd = given ? spec->cwd : getcwd(cwd, sizeof cwd) && cwd[0] == '/' ? cwd : "/";
    json_object_set_new(params, "wd", client_string(wd));
    json_object_set_new(params, "wd_optional", json_boolean(!given));
}

/* ---- the container ---- */

static const struct {
    const char *type, *at;
    const char *options[6];
} system_mounts[] = {
    {"proc", "/proc", {"nosuid", "nodev", "noexec"}},
    {"sysfs", "/sys", {"nosuid", "nodev", "noexec", "ro"}},
    {"cgroup2", "/sys/fs/cgroup", {"nosuid", "nodev", "noexec"}},
    {"tmpfs", "/dev", {"nosuid", "strictatime", "mode=755"}},
    {"devpts", "/dev/pts", {"nosuid", "noexec", "mode=620", "ptmxmode=666"}},
    {"tmpfs", "/dev/shm", {"nosuid", "nodev", "mode=1777"}},
    {"mqueue", "/dev/mqueue", {"nosuid", "nodev", "noexec"}},
};

static json_t *mounts(const struct do_spec *spec)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(system_mounts); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "type", system_mounts[i].type, "destination",
                                              system_mounts[i].at, "optional", 1, "options",
                                              client_strings((char *const *)system_mounts[i].options)));
    for (unsigned i = 0; i < spec->volume_count; i++) {
        const struct volume *v = &spec->volumes[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:{s:i}, s:[s]}", "type", "bind", "destination",
                                              client_string(v->destination), "existing", 1, "source", "fd",
                                              (int)i + 1, "options", v->read_only ? "ro" : "rw"));
    }
    return list;
}

json_t *do_create(const struct do_spec *spec)
{
    char hostname[HOST_NAME_MAX + 1] = "picket";
    gethostname(hostname, sizeof hostname - 1);
    return json_pack("{s:s, s:{s:i, s:s, s:b}, s:o, s:o, s:{s:s}}", "container_id", DO_CONTAINER, "root", "fd", 0,
                     "overlay", "memory", "exclusive", 1, "hostname",
                     client_string(spec->hostname ? spec->hostname : hostname), "mounts", mounts(spec), "namespaces",
                     "pid", "sandbox");
}

json_t *do_boot(const struct do_spec *spec)
{
    bool write = false;
    for (unsigned i = 0; i < spec->volume_count; i++)
        write = write || !spec->volumes[i].read_only;
    return json_pack("{s:s, s:b, s:b, s:b, s:s}", "lifetime", "connection", "host_write", (int)write, "strace",
                     (int)spec->strace, "debug", (int)spec->debug, "network", spec->network ? "host" : "none");
}

/* ---- the command ---- */

json_t *do_start(const struct do_spec *spec, const bool stdio_open[3])
{
    json_t *params = json_object(), *donated = json_array();
    bool terminal = false;
    for (int fd = 0; fd < 3; fd++) {
        if (stdio_open[fd])
            json_array_append_new(donated, json_integer(fd));
        terminal = terminal || (stdio_open[fd] && isatty(fd));
    }
    json_object_set_new(params, "container_id", json_string(DO_CONTAINER));
    json_object_set_new(params, "argv", client_strings(spec->argv));
    json_object_set_new(params, "envv", client_strings(spec->envv));
    json_object_set_new(params, "resolve_binary_path", json_true());
    add_place(params, spec);
    add_identity(params, spec);
    json_object_set_new(params, "umask", json_integer(current_umask()));
    json_object_set_new(params, "limits", limits());
    json_object_set_new(params, "ignored_signals", ignored_signals());
    json_object_set_new(params, "donated_fds", donated);
    json_object_set_new(params, "terminal", json_boolean(terminal));
    json_object_set_new(params, "init", json_false());
    return params;
}
