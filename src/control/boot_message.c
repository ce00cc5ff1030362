/* Sandbox.Boot: received on the one thread there is, before anything else works. */
#include "base/cleanup.h"
#include "control/params.h"
#include "control/protocol.h"
#include "control/server.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void send_line(int fd, json_t *object)
{
    CLEANUP_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    CLEANUP_FREE char *line = NULL;
    json_decref(object);
    /* A socket that is full this early, or gone, belongs to somebody who does not listen. */
    if (text && asprintf(&line, "%s\n", text) >= 0 && send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        return;
}

void boot_answer(int fd, const json_t *id, int error, const char *message)
{
    json_t *the_id = id ? json_incref((json_t *)id) : json_null();
    if (!error)
        send_line(fd, json_pack("{s:s, s:o, s:{}}", "jsonrpc", "2.0", "id", the_id, "result"));
    else
        send_line(fd, json_pack("{s:s, s:o, s:{s:i, s:s, s:{s:i}}}", "jsonrpc", "2.0", "id", the_id, "error", "code",
                                error, "message", message, "data", "exit_status", EXIT_PICKET));
}

static int parse(const json_t *object, struct boot_request *ret, char *problem, size_t size)
{
    static const char *const lifetimes[] = {"connection", "containers", NULL};
    static const char *const networks[] = {"none", "host", NULL};
    const char *method = json_string_value(json_object_get(object, "method"));
    struct params p;
    unsigned lifetime = 0, network = 0;
    int64_t memory = 0;
    if (!method || strcmp(method, METHOD_BOOT) != 0) {
        snprintf(problem, size, "the first request is not %s", METHOD_BOOT);
        return PROTOCOL_INVALID_REQUEST;
    }
    params_init(&p, json_object_get(object, "params"));
    params_word(&p, "lifetime", lifetimes, &lifetime);
    params_bool(&p, "host_write", &ret->host_write);
    params_bool(&p, "strace", &ret->strace);
    params_bool(&p, "debug", &ret->debug);
    params_u32(&p, "owner", UINT32_MAX - 1, &ret->owner);
    params_word(&p, "network", networks, &network);
    params_u32(&p, "cpus", 1024, &ret->cpus);
    params_int(&p, "memory", 0, INT64_MAX, &memory);
    ret->host_network = network == 1;
    ret->ends_with_boot = lifetime == 0;
    ret->memory = (uint64_t)memory;
    if (params_finish(&p) == 0)
        return 0;
    snprintf(problem, size, "%s: %s", METHOD_BOOT, p.problem);
    return PROTOCOL_INVALID_PARAMS;
}

/* True when it is the boot message; everything else is answered. */
static bool look_at(int fd, const struct wire_object *o, struct boot_request *ret)
{
    char problem[300] = "not a JSON object";
    json_t *object = o->error ? NULL : json_loadb(o->text, o->len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *id = json_object_get(object, "id");
    *ret = (struct boot_request){0};
    int err = object ? parse(object, ret, problem, sizeof problem) : PROTOCOL_PARSE_ERROR;
    if (err)
        boot_answer(fd, id, err, problem);
    else
        ret->id = json_incref((json_t *)id);
    json_decref(object);
    return !err;
}

int boot_receive(struct wire *w, struct boot_request *ret)
{
    struct wire_object object;
    for (;;) {
        while (wire_next(w, &object))
            if (look_at(w->fd, &object, ret))
                return 0;
        ssize_t n = wire_receive(w, 0);
        if (n <= 0 && n != -EINTR)
            return n < 0 ? (int)n : -EPIPE;
    }
}
