/*
 * Fuzz target: what a client of the control interface sends, up to where it is carried out: framing, JSON, and the
 * parameters of the requests with the most of them. Run by tests/fuzz/run (libFuzzer), and over the corpus by every
 * test run.
 *
 * The input's first byte says in how large pieces the rest arrives.
 */
#include "control/create.h"
#include "control/start.h"
#include "control/wire.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void try_create(json_t *params)
{
    struct request r = {.method = METHOD_CREATE};
    struct create_spec s;
    params_init(&r.params, params);
    int err = create_params(&r, &s);
    require(err ? r.message[0] && r.code : s.id && *s.id && strlen(s.id) <= PROTOCOL_MAX_ID);
    for (unsigned i = 0; !err && i < s.mount_count; i++)
        require(s.mounts[i].destination[0] == '/' && s.mounts[i].type);
    create_spec_free(&s);
}

static void try_start(json_t *params, bool exec)
{
    struct request r = {.method = METHOD_START};
    struct start_spec s;
    params_init(&r.params, params);
    int err = start_params(&r, exec, &s);
    require(err ? r.message[0] && r.code : s.id != NULL);
    char *text = err ? NULL : start_describe(METHOD_START, &s);
    for (char **secret = err ? NULL : s.secret_envv; secret && *secret; secret++)
        require(strlen(*secret) < 8 || !strstr(text, *secret) || s.envv || s.argv || s.wd || s.user || s.filename ||
                strstr(s.id, *secret));
    free(text);
    start_spec_free(&s);
}

static void try_object(const struct wire_object *o)
{
    require(o->len <= PROTOCOL_MAX_MESSAGE);
    json_t *object = json_loadb(o->text, o->len, JSON_REJECT_DUPLICATES, NULL);
    json_t *params = json_object_get(object, "params");
    if (json_is_object(params)) {
        try_create(params);
        try_start(params, false);
        try_start(params, true);
    }
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire w;
    struct wire_object o;
    size_t step = size ? 1 + data[0] : 1;
    wire_init(&w, -1);
    for (size_t at = 1; at < size; at += step) {
        require(wire_feed(&w, (const char *)data + at, MIN(step, size - at), NULL, 0) == 0);
        while (wire_next(&w, &o))
            if (!o.error)
                try_object(&o);
    }
    wire_fini(&w);
    return 0;
}
