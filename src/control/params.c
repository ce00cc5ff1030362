/* See params.h. */
#include "control/params.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "control/protocol.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void params_init(struct params *p, const json_t *object)
{
    p->object = object;
    p->parent = NULL;
    p->place[0] = p->problem[0] = '\0';
    p->seen_count = 0;
}

void params_init_inner(struct params *p, struct params *parent, const json_t *object, const char *name, int index)
{
    params_init(p, object);
    p->parent = parent;
    if (index >= 0)
        snprintf(p->place, sizeof p->place, "%.40s%s%.32s[%d]", parent->place, *parent->place ? "." : "", name, index);
    else
        snprintf(p->place, sizeof p->place, "%.40s%s%.40s", parent->place, *parent->place ? "." : "", name);
    if (!json_is_object(object))
        params_bad(p, "", "is not an object");
}

static struct params *outermost(const struct params *p)
{
    while (p->parent)
        p = p->parent;
    return (struct params *)p;
}

bool params_ok(const struct params *p)
{
    return !outermost(p)->problem[0];
}

void params_bad(struct params *p, const char *name, const char *what)
{
    struct params *top = outermost(p);
    if (!top->problem[0])
        snprintf(top->problem, sizeof top->problem, "params%s%s%s%.60s %s", *p->place ? "." : "", p->place,
                 *name ? "." : "", name, what);
}

int params_finish(struct params *p)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)p->object, name, value)
    {
        bool known = false;
        for (unsigned i = 0; i < p->seen_count; i++)
            known = known || strcmp(p->seen[i], name) == 0;
        if (!known)
            params_bad(p, name, "is unknown");
    }
    return params_ok(p) ? 0 : -EINVAL;
}

/* ---- values ---- */

const json_t *params_value(struct params *p, const char *name)
{
    assert_always(p->seen_count < PARAMS_MAX);
    p->seen[p->seen_count++] = name;
    const json_t *value = json_object_get(p->object, name);
    return json_is_null(value) ? NULL : value;
}

bool params_has(struct params *p, const char *name)
{
    const json_t *value = json_object_get(p->object, name);
    return value && !json_is_null(value);
}

const json_t *params_array(struct params *p, const char *name, size_t max)
{
    const json_t *value = params_value(p, name);
    if (value && (!json_is_array(value) || json_array_size(value) > max)) {
        params_bad(p, name, "is not a list, or too long");
        return NULL;
    }
    return value;
}

const json_t *params_object(struct params *p, const char *name)
{
    const json_t *value = params_value(p, name);
    if (value && !json_is_object(value)) {
        params_bad(p, name, "is not an object");
        return NULL;
    }
    return value;
}

/* A string, or {"base64": ...}: fresh memory, or NULL after a problem. */
static char *take_string(struct params *p, const char *name, const json_t *value)
{
    CLEANUP_FREE char *s = NULL;
    size_t len = 0;
    const char *encoded = json_string_value(json_object_get(value, "base64"));
    if (encoded) {
        if (base64_decode(encoded, &s, &len) < 0)
            params_bad(p, name, "is malformed base64");
    } else if (json_is_string(value)) {
        len = json_string_length(value);
        s = malloc(len + 1);
        if (s)
            memcpy(s, json_string_value(value), len + 1);
        else
            params_bad(p, name, "does not fit into memory");
    } else {
        params_bad(p, name, "is not a string");
    }
    if (!s)
        return NULL;
    if (strlen(s) != len) {
        params_bad(p, name, "contains a NUL");
        return NULL;
    }
    return TAKE_PTR(s);
}

void params_string(struct params *p, const char *name, char **ret)
{
    const json_t *value = params_value(p, name);
    char *s = value && params_ok(p) ? take_string(p, name, value) : NULL;
    if (!s)
        return;
    free(*ret);
    *ret = s;
}

void params_path(struct params *p, const char *name, char **ret)
{
    params_string(p, name, ret);
    if (params_ok(p) && params_has(p, name) && ((*ret)[0] != '/' || strlen(*ret) >= PATH_MAX))
        params_bad(p, name, "is not an absolute path, or too long");
}

void params_strings(struct params *p, const char *name, char ***ret)
{
    const json_t *value = params_array(p, name, PROTOCOL_MAX_STRINGS);
    size_t n = json_array_size(value);
    char **list = value && params_ok(p) ? calloc(n + 1, sizeof *list) : NULL;
    if (!list)
        return;
    for (size_t i = 0; i < n && params_ok(p); i++) {
        char place[64];
        snprintf(place, sizeof place, "%.40s[%zu]", name, i);
        list[i] = take_string(p, place, json_array_get(value, i));
    }
    free_strings(*ret);
    *ret = list;
}

void params_bytes(struct params *p, const char *name, size_t max, char **ret, size_t *ret_len)
{
    const json_t *value = params_value(p, name);
    const char *encoded = json_string_value(value);
    if (!value || !params_ok(p))
        return;
    if (!encoded || base64_decode(encoded, ret, ret_len) < 0)
        params_bad(p, name, "is not base64");
    else if (*ret_len > max)
        params_bad(p, name, "is too long");
}

void params_bool(struct params *p, const char *name, bool *ret)
{
    const json_t *value = params_value(p, name);
    if (value && !json_is_boolean(value))
        params_bad(p, name, "is not true or false");
    else if (value)
        *ret = json_is_true(value);
}

void params_int(struct params *p, const char *name, int64_t min, int64_t max, int64_t *ret)
{
    const json_t *value = params_value(p, name);
    if (!value)
        return;
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
        params_bad(p, name, "is no number, or out of range");
    else
        *ret = json_integer_value(value);
}

void params_u32(struct params *p, const char *name, uint32_t max, uint32_t *ret)
{
    int64_t n = *ret;
    params_int(p, name, 0, max, &n);
    *ret = (uint32_t)n;
}

void params_word(struct params *p, const char *name, const char *const *words, unsigned *ret)
{
    const json_t *value = params_value(p, name);
    if (!value)
        return;
    for (unsigned i = 0; words[i]; i++) {
        if (json_is_string(value) && strcmp(words[i], json_string_value(value)) == 0) {
            *ret = i;
            return;
        }
    }
    params_bad(p, name, "is none of the known words");
}

void free_strings(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}
