/*
 * Reading JSON from outside: every access is checked, and every complaint names the JSON path of
 * what is wrong
 * ("process.rlimits[2].type: unknown limit \"RLIMIT_FOO\"").
 *
 * A node is a value together with the way to it. Nodes live on the C stack, each pointing at its
 * parent's:
 *
 *     struct node root = node_root(document, &reader);
 *     struct node process = node_member(&root, "process");
 *     if (node_present(&process) && node_string(&cwd, &ret) < 0) return -1;
 *
 * Readers return 0, or -1 with reader->err filled. An absent value leaves *ret as it is, unless the
 * node went through node_required(). JSON null counts as absent. Strings point into the document,
 * which must outlive them.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include <jansson.h>

#define NODE_MAX_ITEMS 65536 /* of any list or object */

/* Memory that lives as long as the parsed result. */
struct arena {
    struct arena_block *blocks;
};

void *arena_alloc(struct arena *arena, size_t n, size_t size); /* zeroed; NULL when out of memory */
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);
void arena_free(struct arena *arena);

struct reader {
    struct arena *arena;
    const char *file; /* for messages: "config.json" */
    struct error *err;
};

struct node {
    json_t *value; /* NULL: absent */
    const struct node *up;
    const char *key; /* member name, or NULL: element `index` */
    size_t index;
    struct reader *reader;
};

struct node node_root(json_t *value, struct reader *reader);
struct node node_member(const struct node *up, const char *key);
struct node node_element(const struct node *up, size_t index);
bool node_present(const struct node *n);
size_t node_count(const struct node *n); /* elements of a list; 0 if absent */

/* Fills reader->err with "FILE: PATH: message" and returns -1. */
int node_error(const struct node *n, const char *fmt, ...) PRINTF(2, 3);
/* Logs "FILE: PATH: message" as a warning. */
void node_warn(const struct node *n, const char *fmt, ...) PRINTF(2, 3);

NODISCARD int node_required(const struct node *n);
NODISCARD int node_object(const struct node *n); /* absent, or an object */
NODISCARD int node_list(const struct node *n);   /* absent, or a list of bounded length */
NODISCARD int node_string(const struct node *n, const char **ret);
NODISCARD int node_path(const struct node *n,
                        const char **ret);                     /* absolute, shorter than PATH_MAX */
NODISCARD int node_strings(const struct node *n, char ***ret); /* NULL-terminated, in the arena */
NODISCARD int node_bool(const struct node *n, bool *ret);
NODISCARD int node_integer(const struct node *n, int64_t min, int64_t max, int64_t *ret);
NODISCARD int node_u32(const struct node *n, uint32_t *ret);
NODISCARD int node_u64(const struct node *n,
                       uint64_t *ret); /* -1 too, as engines write "unlimited" */
/* The position of the string in `names` (which ends with NULL); `what` is for the message. */
NODISCARD int node_choice(const struct node *n, const char *what, const char *const *names,
                          unsigned *ret);
/* Warns of each member that `names` does not list. */
void node_warn_unknown(const struct node *n, const char *const *names);
