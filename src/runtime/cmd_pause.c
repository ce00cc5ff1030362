/* picket pause, resume: every process of a container stands still, and goes on. */
#include "runtime/command.h"
#include "runtime/container.h"
#include "runtime/options.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    return options_id(key, arg, state, state->input);
}

static const struct argp pause_argp = {
    .parser = parse, .args_doc = "ID", .doc = "Suspends all processes of a container."};
static const struct argp resume_argp = {
    .parser = parse, .args_doc = "ID", .doc = "Resumes a paused container."};

static int change(const char *id, const char *method, enum state_status from, enum state_status to,
                  struct error *err)
{
    struct state s;
    struct client client;
    if (state_open(id, STATE_LOCK, &s, err) < 0)
        return -1;
    enum state_status status = state_status(&s);
    int result = status == from ? container_connect(&s, &client, err)
                                : error_set(err, EXIT_FAILURE, "container '%s' is %s, not %s", id,
                                            state_status_name(status), state_status_name(from));
    if (result == 0) {
        json_t *params = json_pack("{s:s}", "container_id", id);
        result = client_call(&client, method, params, NULL, 0, NULL, err);
        client_free(&client);
    }
    if (result == 0) {
        s.status = to;
        result = state_write(&s, err);
    }
    state_close(&s);
    return result;
}

int cmd_pause(int argc, char **argv)
{
    const char *id = NULL;
    struct error err;
    options_parse(&pause_argp, argc, argv, false, &id);
    return change(id, METHOD_PAUSE, STATE_RUNNING, STATE_PAUSED, &err) < 0 ? error_report(&err) : 0;
}

int cmd_resume(int argc, char **argv)
{
    const char *id = NULL;
    struct error err;
    options_parse(&resume_argp, argc, argv, false, &id);
    return change(id, METHOD_RESUME, STATE_PAUSED, STATE_RUNNING, &err) < 0 ? error_report(&err)
                                                                            : 0;
}
