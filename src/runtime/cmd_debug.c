/* picket stacks, strace, metrics, debug: looking into a running sandbox. */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"
#include <stdio.h>
#include <string.h>

/* ID, and one more word for some. */
struct debug_arguments {
    const char *id, *word;
    bool takes_word;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct debug_arguments *a = state->input;
    if (key == ARGP_KEY_ARG && a->id && a->takes_word && !a->word) {
        a->word = arg;
        return 0;
    }
    return options_id(key, arg, state, &a->id);
}

static int call(const char *id, const char *method, json_t *params, json_t **ret, struct error *err)
{
    struct state s;
    struct client client;
    if (state_open(id, STATE_READ, &s, err) < 0) {
        json_decref(params);
        return -1;
    }
    int result = container_connect(&s, &client, err);
    if (result == 0) {
        result = client_call(&client, method, params, NULL, 0, ret, err);
        client_free(&client);
    } else {
        json_decref(params);
    }
    state_close(&s);
    return result;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static long long number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

int cmd_stacks(int argc, char **argv)
{
    static const struct argp stacks_argp = {.parser = parse,
                                            .args_doc = "ID",
                                            .doc = "Shows each task of the container's sandbox: in "
                                                   "which call it is blocked, and for how long."};
    struct debug_arguments a = {0};
    struct error err;
    json_t *result, *task;
    size_t i;
    options_parse(&stacks_argp, argc, argv, false, &a);
    if (call(a.id, METHOD_STACKS, NULL, &result, &err) < 0)
        return error_report(&err);
    printf("%-20s %7s %7s %-16s %-20s %s\n", "CONTAINER", "PID", "TID", "COMMAND", "BLOCKED IN",
           "FOR");
    json_array_foreach(json_object_get(result, "tasks"), i, task)
        printf("%-20s %7lld %7lld %-16s %-20s %lld ms\n", text_of(task, "container_id"),
               number_of(task, "pid"), number_of(task, "tid"), text_of(task, "command"),
               text_of(task, "blocked_in"), number_of(task, "blocked_for") / NSEC_PER_MSEC);
    json_decref(result);
    return 0;
}

int cmd_strace(int argc, char **argv)
{
    static const struct argp strace_argp = {
        .parser = parse,
        .args_doc = "ID on|off",
        .doc =
            "Switches the log of system calls of the container's sandbox. It goes to --debug-log."};
    struct debug_arguments a = {.takes_word = true};
    struct error err;
    options_parse(&strace_argp, argc, argv, false, &a);
    bool on = a.word && strcmp(a.word, "on") == 0;
    if (!a.word || (!on && strcmp(a.word, "off") != 0))
        (void)!error_set(&err, EXIT_FAILURE, "strace needs 'on' or 'off'");
    else if (call(a.id, METHOD_STRACE, json_pack("{s:b}", "on", on), NULL, &err) == 0)
        return 0;
    return error_report(&err);
}

int cmd_metrics(int argc, char **argv)
{
    static const struct argp metrics_argp = {
        .parser = parse,
        .args_doc = "ID",
        .doc = "Shows the metrics of the container's sandbox, in Prometheus's format."};
    struct debug_arguments a = {0};
    struct error err;
    json_t *result;
    options_parse(&metrics_argp, argc, argv, false, &a);
    if (call(a.id, METHOD_METRICS, NULL, &result, &err) < 0)
        return error_report(&err);
    fputs(text_of(result, "text"), stdout);
    json_decref(result);
    return 0;
}

int cmd_debug(int argc, char **argv)
{
    static const struct argp debug_argp = {
        .parser = parse,
        .args_doc = "ID [error|warn|info|debug]",
        .doc = "Shows what the container's sandbox is, or sets how much its kernel logs."};
    struct debug_arguments a = {.takes_word = true};
    struct error err;
    json_t *result = NULL;
    options_parse(&debug_argp, argc, argv, false, &a);
    int ok = a.word ? call(a.id, METHOD_LOGGING, json_pack("{s:s}", "level", a.word), NULL, &err)
                    : call(a.id, METHOD_INFO, NULL, &result, &err);
    if (ok < 0)
        return error_report(&err);
    CLEANUP_FREE char *text = result ? json_dumps(result, JSON_INDENT(2)) : NULL;
    if (text)
        puts(text);
    json_decref(result);
    return 0;
}
