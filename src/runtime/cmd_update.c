/* picket update: new limits for a container. */
#include "base/cleanup.h"
#include "runtime/cgroup.h"
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/logfile.h"
#include "runtime/options.h"
#include "runtime/request.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct update_options {
    const char *id, *file;
    struct spec_resources r;
};

/* One option for each number; the key is its place in the table. */
static const struct {
    const char *name, *doc;
    size_t offset;
    bool is_size;
} numbers[] = {
    {"memory", "limit of memory, in bytes", offsetof(struct spec_resources, memory_limit), true},
    {"memory-reservation", "memory to be left to it",
     offsetof(struct spec_resources, memory_reservation), true},
    {"memory-swap", "limit of memory and swap together",
     offsetof(struct spec_resources, memory_swap), true},
    {"kernel-memory", "accepted", offsetof(struct spec_resources, memory_kernel), true},
    {"cpu-share", "share of the CPUs, relative to others",
     offsetof(struct spec_resources, cpu_shares), false},
    {"cpu-quota", "microseconds of CPU in a period", offsetof(struct spec_resources, cpu_quota),
     false},
    {"cpu-period", "microseconds", offsetof(struct spec_resources, cpu_period), false},
    {"cpu-burst", "microseconds", offsetof(struct spec_resources, cpu_burst), false},
    {"cpu-idle", "0 or 1", offsetof(struct spec_resources, cpu_idle), false},
    {"cpu-rt-runtime", "accepted", offsetof(struct spec_resources, cpu_rt_runtime), false},
    {"cpu-rt-period", "accepted", offsetof(struct spec_resources, cpu_rt_period), false},
    {"blkio-weight", "weight of its I/O", offsetof(struct spec_resources, io_weight), false},
    {"pids-limit", "limit of processes", offsetof(struct spec_resources, pids_limit), false},
};

#define FIRST_KEY 1000
enum { OPTION_CPUS = 256, OPTION_MEMS, OPTION_IGNORED };

static struct argp_option options[ARRAY_SIZE(numbers) + 8];

static void fill_options(void)
{
    static const struct argp_option others[] = {
        {"resources", 'r', "FILE", 0, "linux.resources as JSON; '-': standard input", 0},
        {"cpuset-cpus", OPTION_CPUS, "LIST", 0, "the CPUs it may use", 0},
        {"cpuset-mems", OPTION_MEMS, "LIST", 0, "the memory nodes it may use", 0},
        {"l3-cache-schema", OPTION_IGNORED, "SCHEMA", OPTION_HIDDEN, NULL, 0},
        {"mem-bw-schema", OPTION_IGNORED, "SCHEMA", OPTION_HIDDEN, NULL, 0},
    };
    memcpy(options, others, sizeof others);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        options[ARRAY_SIZE(others) + i] =
            (struct argp_option){numbers[i].name, FIRST_KEY + (int)i, "N", 0, numbers[i].doc, 0};
}

/* With a suffix for sizes: k, m, g. */
static uint64_t parse_number(const char *arg, bool is_size, struct argp_state *state)
{
    char *end;
    long long value = strtoll(arg, &end, 10);
    unsigned shift = 0;
    if (is_size && *end)
        shift = strchr("kK", *end) ? 10 : strchr("mM", *end) ? 20 : strchr("gG", *end) ? 30 : 0;
    if (!*arg || (*end && !shift) || value < -1 || value > INT64_MAX >> shift)
        argp_error(state, "'%s' is not a number", arg);
    return value < 0 ? INT64_MAX : (uint64_t)value << shift;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct update_options *o = state->input;
    if (key >= FIRST_KEY && key < FIRST_KEY + (int)ARRAY_SIZE(numbers)) {
        uint64_t value = parse_number(arg, numbers[key - FIRST_KEY].is_size, state);
        memcpy((char *)&o->r + numbers[key - FIRST_KEY].offset, &value, sizeof value);
        return 0;
    }
    switch (key) {
    case 'r':
        o->file = arg;
        return 0;
    case OPTION_CPUS:
        o->r.cpus = arg;
        return 0;
    case OPTION_MEMS:
        o->r.mems = arg;
        return 0;
    case OPTION_IGNORED:
        argp_error(state, "cache and memory bandwidth are not supported");
        return 0;
    default:
        return options_id(key, arg, state, &o->id);
    }
}

/* The view inside changes along. */
static int update_inside(const struct state *s, const struct spec_resources *r, struct error *err)
{
    struct client client;
    const char *name;
    json_t *text, *files = request_cgroup_files(r);
    int result = 0;
    if (json_object_size(files) && (result = container_connect(s, &client, err)) == 0) {
        json_object_foreach (files, name, text) {
            json_t *params = json_pack("{s:o, s:s, s:O}", "cgroup", json_sprintf("/%s", s->id), "file", name, "text",
                                       text);
            if (client_call(&client, METHOD_CGROUP_WRITE, params, NULL, 0, NULL, err) < 0)
                result = -1;
        }
        client_free(&client);
    }
    json_decref(files);
    return result;
}

static int update(const struct update_options *o, const struct spec_resources *r, struct error *err)
{
    struct state s;
    struct error inside;
    if (state_open(o->id, STATE_LOCK, &s, err) < 0)
        return -1;
    int result = 0;
    if (state_status(&s) == STATE_STOPPED)
        result = error_set(err, EXIT_FAILURE, "container not running");
    if (result == 0) {
        cgroup_limit(s.cgroup, r);
        if (update_inside(&s, r, &inside) < 0)
            logfile_warning("the container does not see its new limits: %s", inside.message);
    }
    state_close(&s);
    return result;
}

int cmd_update(int argc, char **argv)
{
    static const struct argp update_argp = {.options = options,
                                            .parser = parse,
                                            .args_doc = "ID",
                                            .doc = "Changes the limits of a running container."};
    struct update_options o = {0};
    struct error err;
    struct spec spec;
    CLEANUP_FREE char *text = NULL;
    size_t len;
    spec_resources_init(&o.r);
    fill_options();
    options_parse(&update_argp, argc, argv, false, &o);
    if (!o.file)
        return update(&o, &o.r, &err) < 0 ? error_report(&err) : 0;
    if (spec_read_file(o.file, &text, &len, &err) < 0 ||
        spec_parse_resources(text, len, &spec, &err) < 0)
        return error_report(&err);
    int result = update(&o, &spec.resources, &err);
    spec_free(&spec);
    return result < 0 ? error_report(&err) : 0;
}
