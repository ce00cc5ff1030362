/*
 * The start message: all that the kernel must know of what shall run, as one line of JSON. What the spec leaves open
 * is taken from the caller: ids, umask, limits, ignored signals, working directory, host name.
 */
#include "base/base64.h"
#include "base/cleanup.h"
#include "runtime/sandbox.h"
#include <grp.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A string as it is when it is UTF-8, which JSON requires; else its bytes in base64. */
static json_t *json_bytes(const char *s)
{
    json_t *text = json_string(s);
    if (text)
        return text;
    CLEANUP_FREE char *encoded = base64_encode(s, strlen(s));
    return json_pack("{s:s}", "base64", encoded ? encoded : "");
}

static json_t *json_bytes_list(char **list)
{
    json_t *array = json_array();
    for (char **s = list; *s; s++)
        json_array_append_new(array, json_bytes(*s));
    return array;
}

static json_t *volumes(const struct sandbox_spec *spec)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < spec->volume_count; i++)
        json_array_append_new(array, json_pack("{s:o, s:b}", "destination", json_bytes(spec->volumes[i].destination),
                                               "read_only", spec->volumes[i].read_only));
    return array;
}

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
            json_object_set_new(object, names[i],
                                json_pack("[o, o]", limit_value(l.rlim_cur), limit_value(l.rlim_max)));
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

static void add_identity(json_t *params, const struct sandbox_spec *spec)
{
    if (spec->user) {
        json_object_set_new(params, "user", json_bytes(spec->user));
        return;
    }
    json_object_set_new(params, "KUID", json_integer(geteuid()));
    json_object_set_new(params, "KGID", json_integer(getegid()));
    json_object_set_new(params, "groups", groups());
}

static void add_place(json_t *params, const struct sandbox_spec *spec)
{
    char cwd[PATH_MAX], hostname[HOST_NAME_MAX + 1] = "picket";
    gethostname(hostname, sizeof hostname - 1);
    json_object_set_new(params, "hostname", json_bytes(spec->hostname ? spec->hostname : hostname));
    bool given = spec->cwd != NULL;
    /* "(unreachable)" is what getcwd(2) says of a directory outside the root. */
    const char *wd = given ? spec->cwd : getcwd(cwd, sizeof cwd) && cwd[0] == '/' ? cwd : "/";
    json_object_set_new(params, "wd", json_bytes(wd));
    json_object_set_new(params, "wd_optional", json_boolean(!given));
}

char *start_message(const struct sandbox_spec *spec, const bool stdio_open[3])
{
    json_t *params = json_object();
    json_object_set_new(params, "argv", json_bytes_list(spec->argv));
    json_object_set_new(params, "envv", json_bytes_list(spec->envv));
    add_place(params, spec);
    add_identity(params, spec);
    json_object_set_new(params, "umask", json_integer(current_umask()));
    json_object_set_new(params, "limits", limits());
    json_object_set_new(params, "ignored_signals", ignored_signals());
    json_object_set_new(params, "volumes", volumes(spec));
    json_object_set_new(params, "stdio", json_pack("[b, b, b]", stdio_open[0], stdio_open[1], stdio_open[2]));
    json_object_set_new(params, "strace", json_boolean(spec->strace));
    json_object_set_new(params, "debug", json_boolean(spec->debug));

    json_t *message =
        json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method", METHOD_START, "params", params);
    CLEANUP_FREE char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    char *line = NULL;
    return text && asprintf(&line, "%s\n", text) >= 0 ? line : NULL;
}
