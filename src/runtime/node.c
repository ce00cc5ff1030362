/* Checked reading of JSON, and the arena that holds what was read. */
#include "runtime/node.h"
#include "runtime/logfile.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATH_TEXT 256
#define MAX_EXACT 9e15 /* a double is exact up to here */

/* ---- arena ---- */

struct arena_block {
    struct arena_block *next;
    _Alignas(16) char data[];
};

void *arena_alloc(struct arena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct arena_block), &bytes))
        return NULL;
    struct arena_block *block = calloc(1, bytes);
    if (!block)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1, 1);
    if (!s)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(s, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return s;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

/* ---- nodes ---- */

struct node node_root(json_t *value, struct reader *reader)
{
    return (struct node){.value = value, .reader = reader};
}

struct node node_member(const struct node *up, const char *key)
{
    json_t *value = json_object_get(up->value, key);
    return (struct node){
        .value = json_is_null(value) ? NULL : value, .up = up, .key = key, .reader = up->reader};
}

struct node node_element(const struct node *up, size_t index)
{
    return (struct node){
        .value = json_array_get(up->value, index), .up = up, .index = index, .reader = up->reader};
}

bool node_present(const struct node *n)
{
    return n->value != NULL;
}

size_t node_count(const struct node *n)
{
    return json_array_size(n->value);
}

/* Appends to a text of bounded length. */
static void append(char text[static MAX_PATH_TEXT], const char *fmt, ...) PRINTF(2, 3);
static void append(char text[static MAX_PATH_TEXT], const char *fmt, ...)
{
    size_t len = strlen(text);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + len, MAX_PATH_TEXT - len, fmt, ap);
    va_end(ap);
}

static void path_text(const struct node *n, char text[static MAX_PATH_TEXT])
{
    if (!n->up)
        return;
    path_text(n->up, text);
    if (n->key)
        append(text, "%s%.64s", text[0] ? "." : "", n->key);
    else
        append(text, "[%zu]", n->index);
}

static void complaint(const struct node *n, char *text, size_t size, const char *fmt, va_list ap)
    PRINTF(4, 0);
static void complaint(const struct node *n, char *text, size_t size, const char *fmt, va_list ap)
{
    char path[MAX_PATH_TEXT] = "", message[512];
    path_text(n, path);
    vsnprintf(message, sizeof message, fmt, ap);
    snprintf(text, size, "%s: %s%s%s", n->reader->file, path, path[0] ? ": " : "", message);
}

int node_error(const struct node *n, const char *fmt, ...)
{
    char text[900];
    va_list ap;
    va_start(ap, fmt);
    complaint(n, text, sizeof text, fmt, ap);
    va_end(ap);
    return error_set(n->reader->err, EXIT_FAILURE, "%s", text);
}

void node_warn(const struct node *n, const char *fmt, ...)
{
    char text[900];
    va_list ap;
    va_start(ap, fmt);
    complaint(n, text, sizeof text, fmt, ap);
    va_end(ap);
    logfile_warning("%s", text);
}

/* ---- values ---- */

static int wrong_type(const struct node *n, const char *wanted)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",    [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null"};
    return node_error(n, "must be %s, not %s", wanted, names[json_typeof(n->value)]);
}

int node_required(const struct node *n)
{
    return n->value ? 0 : node_error(n, "is required");
}

int node_object(const struct node *n)
{
    if (!n->value)
        return 0;
    if (!json_is_object(n->value))
        return wrong_type(n, "an object");
    if (json_object_size(n->value) > NODE_MAX_ITEMS)
        return node_error(n, "has more than %d members", NODE_MAX_ITEMS);
    return 0;
}

int node_list(const struct node *n)
{
    if (!n->value)
        return 0;
    if (!json_is_array(n->value))
        return wrong_type(n, "a list");
    if (json_array_size(n->value) > NODE_MAX_ITEMS)
        return node_error(n, "has more than %d elements", NODE_MAX_ITEMS);
    return 0;
}

int node_string(const struct node *n, const char **ret)
{
    if (!n->value)
        return 0;
    if (!json_is_string(n->value))
        return wrong_type(n, "a string");
    *ret = json_string_value(n->value);
    return 0;
}

int node_path(const struct node *n, const char **ret)
{
    const char *path = NULL;
    if (node_string(n, &path) < 0)
        return -1;
    if (!path)
        return 0;
    if (path[0] != '/')
        return node_error(n, "must be an absolute path, not \"%.200s\"", path);
    if (strlen(path) >= PATH_MAX)
        return node_error(n, "is longer than a path can be");
    *ret = path;
    return 0;
}

int node_strings(const struct node *n, char ***ret)
{
    if (!n->value)
        return 0;
    if (node_list(n) < 0)
        return -1;
    size_t count = node_count(n);
    char **list = arena_alloc(n->reader->arena, count + 1, sizeof *list);
    if (!list)
        return node_error(n, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct node e = node_element(n, i);
        if (!json_is_string(e.value))
            return wrong_type(&e, "a string");
        list[i] = (char *)json_string_value(e.value);
    }
    *ret = list;
    return 0;
}

int node_bool(const struct node *n, bool *ret)
{
    if (!n->value)
        return 0;
    if (!json_is_boolean(n->value))
        return wrong_type(n, "true or false");
    *ret = json_is_true(n->value);
    return 0;
}

int node_integer(const struct node *n, int64_t min, int64_t max, int64_t *ret)
{
    if (!n->value)
        return 0;
    int64_t value;
    double real = json_real_value(n->value);
    if (json_is_integer(n->value))
        value = json_integer_value(n->value);
    else if (json_is_real(n->value) && real >= -MAX_EXACT && real <= MAX_EXACT && (double)(int64_t)real == real)
        value = (int64_t)real; /* some writers have only one kind of number */
    else
        return wrong_type(n, "a whole number");
    if (value < min || value > max)
        return node_error(n, "must be from %lld to %lld, not %lld", (long long)min, (long long)max,
                          (long long)value);
    *ret = value;
    return 0;
}

int node_u32(const struct node *n, uint32_t *ret)
{
    int64_t value = *ret;
    if (node_integer(n, 0, UINT32_MAX, &value) < 0)
        return -1;
    *ret = (uint32_t)value;
    return 0;
}

int node_u64(const struct node *n, uint64_t *ret)
{
    int64_t value;
    if (!n->value)
        return 0;
    /* Above INT64_MAX jansson has only an approximation, and such a number means "no limit" anyway.
     */
    if (json_is_real(n->value) && json_real_value(n->value) > MAX_EXACT) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (node_integer(n, -1, INT64_MAX, &value) < 0)
        return -1;
    *ret = (uint64_t)value;
    return 0;
}

int node_choice(const struct node *n, const char *what, const char *const *names, unsigned *ret)
{
    const char *s = NULL;
    if (node_string(n, &s) < 0)
        return -1;
    if (!s)
        return 0;
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], s) == 0) {
            *ret = i;
            return 0;
        }
    return node_error(n, "unknown %s \"%.100s\"", what, s);
}

void node_warn_unknown(const struct node *n, const char *const *names)
{
    const char *key;
    json_t *value;
    json_object_foreach(n->value, key, value)
    {
        bool known = false;
        for (size_t i = 0; names[i] && !known; i++)
            known = strcmp(names[i], key) == 0;
        if (known)
            continue;
        struct node member = node_member(n, key);
        node_warn(&member, "is not known and ignored");
    }
}
