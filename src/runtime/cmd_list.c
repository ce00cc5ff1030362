/* picket list: all containers of the state directory. */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/state.h"
#include <stdio.h>
#include <string.h>

struct list_options {
    const char *format;
    bool quiet;
};

static const struct argp_option options[] = {
    {"format", 'f', "table|json", 0, "how to show them (default: table)", 0},
    SWITCH("quiet", 'q', "only the ids"),
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct list_options *o = state->input;
    switch (key) {
    case 'f':
        if (strcmp(arg, "table") != 0 && strcmp(arg, "json") != 0)
            argp_error(state, "--format is 'table' or 'json', not '%s'", arg);
        o->format = arg;
        return 0;
    case 'q':
        o->quiet = options_switch(arg, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "list takes no argument");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp list_argp = {
    .options = options, .parser = parse, .doc = "Lists the containers."};

static void show(const struct state *s, const struct list_options *o, json_t *all)
{
    enum state_status status = state_status(s);
    if (o->quiet)
        puts(s->id);
    else if (all)
        json_array_append_new(all, state_json(s, status));
    else
        printf("%-27s %-8d %-9s %-39s %s\n", s->id, status == STATE_STOPPED ? 0 : s->pid,
               state_status_name(status), s->bundle, s->created);
}

int cmd_list(int argc, char **argv)
{
    struct list_options o = {.format = "table"};
    struct error err;
    char **ids;
    options_parse(&list_argp, argc, argv, false, &o);
    if (state_list(&ids, &err) < 0)
        return error_report(&err);
    json_t *all = !o.quiet && strcmp(o.format, "json") == 0 ? json_array() : NULL;
    if (!o.quiet && !all)
        printf("%-27s %-8s %-9s %-39s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
    for (char **id = ids; *id; id++) {
        struct state s;
        if (state_open(*id, STATE_READ, &s, &err) < 0)
            continue; /* being made, being deleted, or not whole */
        show(&s, &o, all);
        state_close(&s);
    }
    state_free_ids(ids);
    CLEANUP_FREE char *text = all ? json_dumps(all, 0) : NULL;
    if (text)
        puts(text);
    json_decref(all);
    return 0;
}
