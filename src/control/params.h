/*
 * Reading a request's parameters: every type and bound is checked, and whatever is wrong is named by its place
 * ("mounts[2].options").
 *
 *     struct params p;
 *     params_init(&p, object);
 *     params_string(&p, "wd", &wd);              absent: wd stays as it is
 *     params_u32(&p, "umask", 0777, &mask);
 *     params_finish(&p)                          0, or -EINVAL and p.problem says what; unknown ones are a problem
 *
 * After the first problem all others do nothing, so a sequence needs one check at its end. Outputs are only valid then;
 * what was allocated stays the caller's to free.
 */
#pragma once
#include "base/base.h"
#include <jansson.h>

#define PARAMS_MAX 48 /* different names in one object */

struct params {
    const json_t *object;
    struct params *parent; /* whose `problem` is used, or NULL */
    char place[96];        /* "mounts[2]" */
    const char *seen[PARAMS_MAX];
    unsigned seen_count;
    char problem[256]; /* "" while there is none */
};

void params_init(struct params *p, const json_t *object);
/* An object inside; its problems are its parent's. */
void params_init_inner(struct params *p, struct params *parent, const json_t *object, const char *name, int index);
NODISCARD int params_finish(struct params *p);
void params_bad(struct params *p, const char *name, const char *what);
bool params_ok(const struct params *p);

bool params_has(struct params *p, const char *name);
/* The value, or NULL: absent (or null). */
const json_t *params_value(struct params *p, const char *name);
const json_t *params_array(struct params *p, const char *name, size_t max);
const json_t *params_object(struct params *p, const char *name);

/* Fresh memory in *ret, if it is there (what was in it is freed). Without NUL bytes. */
void params_string(struct params *p, const char *name, char **ret);
void params_path(struct params *p, const char *name, char **ret); /* absolute, shorter than PATH_MAX */
void params_strings(struct params *p, const char *name, char ***ret); /* NULL-terminated; absent: NULL */
void params_bytes(struct params *p, const char *name, size_t max, char **ret, size_t *ret_len); /* a base64 string */
void params_bool(struct params *p, const char *name, bool *ret);
void params_u32(struct params *p, const char *name, uint32_t max, uint32_t *ret);
void params_int(struct params *p, const char *name, int64_t min, int64_t max, int64_t *ret);
/* One of a NULL-terminated list of words; its index. */
void params_word(struct params *p, const char *name, const char *const *words, unsigned *ret);

void free_strings(char **list); /* NULL is fine */
