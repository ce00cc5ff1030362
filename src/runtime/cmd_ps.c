/*
 * picket ps: a container's processes.
 *
 * As a table: what runs inside, by the numbers it has there. As JSON: the host processes that stand
 * for it, because who asks for that (containerd's shim) matches them against the host's own list:
 * the agents of the container and its execs.
 */
#include "base/cleanup.h"
#include "broker/broker.h"
#include "runtime/cgroup.h"
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct ps_options {
    const char *id, *format;
};

static const struct argp_option options[] = {
    {"format", 'f', "table|json", 0, "how to show them (default: table)", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct ps_options *o = state->input;
    if (key == 'f') {
        if (strcmp(arg, "table") != 0 && strcmp(arg, "json") != 0)
            argp_error(state, "--format is 'table' or 'json', not '%s'", arg);
        o->format = arg;
        return 0;
    }
    if (key == ARGP_KEY_ARG && o->id)
        return 0; /* options of ps(1), which we have no use for */
    return options_id(key, arg, state, &o->id);
}

static const struct argp ps_argp = {.options = options,
                                    .parser = parse,
                                    .args_doc = "ID",
                                    .doc = "Shows the processes of a container."};

static bool is_broker(pid_t pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool is = fscanf(f, "%31s", name) == 1 && strcmp(name, BROKER_NAME) == 0;
    fclose(f);
    return is;
}

/* Is it this program? The kernel process, its stubs and the broker are in the same cgroup. */
static bool is_agent(pid_t pid)
{
    char path[64], theirs[PATH_MAX], ours[PATH_MAX];
    if (is_broker(pid))
        return false;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t a = readlink(path, theirs, sizeof theirs),
            b = readlink("/proc/self/exe", ours, sizeof ours);
    return a > 0 && a == b && memcmp(theirs, ours, (size_t)a) == 0;
}

static int show_json(const struct state *s)
{
    pid_t *pids = NULL;
    json_t *list = json_array();
    size_t count = *s->cgroup ? cgroup_pids(s->cgroup, &pids) : 0;
    for (size_t i = 0; i < count; i++)
        if (is_agent(pids[i]))
            json_array_append_new(list, json_integer(pids[i]));
    if (json_array_size(list) == 0 && state_status(s) != STATE_STOPPED)
        json_array_append_new(list, json_integer(s->pid));
    free(pids);
    CLEANUP_FREE char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text && puts(text) >= 0 ? 0 : EXIT_FAILURE;
}

static json_int_t field(const json_t *p, const char *name)
{
    return json_integer_value(json_object_get(p, name));
}

static void show_row(const json_t *p)
{
    long long seconds = field(p, "cpu_time") / NSEC_PER_SEC;
    const char *tty = json_string_value(json_object_get(p, "tty"));
    const char *command = json_string_value(json_object_get(p, "command"));
    printf("%-8lld %7lld %7lld %-8s %02lld:%02lld:%02lld %s\n", (long long)field(p, "uid"),
           (long long)field(p, "pid"), (long long)field(p, "ppid"), tty && *tty ? tty : "?",
           seconds / 3600, seconds / 60 % 60, seconds % 60, command ? command : "");
}

static int show_table(const struct state *s, struct error *err)
{
    struct client client;
    json_t *result = NULL, *row;
    size_t i;
    if (container_connect(s, &client, err) < 0)
        return -1;
    int ok = client_call(&client, METHOD_PS, json_pack("{s:s}", "container_id", s->id), NULL, 0,
                         &result, err);
    client_free(&client);
    if (ok == 0) {
        printf("%-8s %7s %7s %-8s %8s %s\n", "UID", "PID", "PPID", "TTY", "TIME", "CMD");
        json_array_foreach(json_object_get(result, "processes"), i, row) show_row(row);
    }
    json_decref(result);
    return ok;
}

int cmd_ps(int argc, char **argv)
{
    struct ps_options o = {.format = "table"};
    struct state s;
    struct error err;
    options_parse(&ps_argp, argc, argv, true, &o);
    if (state_open(o.id, STATE_READ, &s, &err) < 0)
        return error_report(&err);
    int result = strcmp(o.format, "json") == 0 ? show_json(&s) : show_table(&s, &err);
    state_close(&s);
    return result < 0 ? error_report(&err) : result;
}
