/*
 * Credentials: making, copying, sharing. Published credentials are immutable, so readers need no
 * lock; who changes them (kernel/ids.c, exec.c) edits a copy and publishes that with
 * task_set_cred().
 */
#include "kernel/cred.h"
#include "base/cleanup.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <string.h>

#define CAP_LAST 40
#define ALL_CAPS ((1ULL << (CAP_LAST + 1)) - 1)

/* Not const: its count changes. */
static struct cred kernel_cred = {
    .ref = REFCOUNT_INIT,
    .cap_permitted = ALL_CAPS,
    .cap_effective = ALL_CAPS,
    .cap_bounding = ALL_CAPS,
    .user_ns = &root_user_ns,
};

static struct cred *cred_alloc(void)
{
    struct cred *c = calloc(1, sizeof(*c));
    if (c) {
        refcount_init(&c->ref);
        c->cap_bounding = ALL_CAPS;
        c->user_ns = user_namespace_get(&root_user_ns);
    }
    return c;
}

int cred_new_user(uint32_t uid, uint32_t gid, struct cred **ret)
{
    struct cred *c = cred_alloc();
    if (!c)
        return -ENOMEM;
    c->uid = c->euid = c->suid = c->fsuid = uid;
    c->gid = c->egid = c->sgid = c->fsgid = gid;
    if (uid == 0)
        c->cap_permitted = c->cap_effective = ALL_CAPS;
    *ret = c;
    return 0;
}

int cred_new_root(struct cred **ret)
{
    return cred_new_user(0, 0, ret);
}

int cred_copy(const struct cred *from, struct cred **ret)
{
    struct cred *c = malloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    memcpy(c, from, sizeof(*c));
    refcount_init(&c->ref);
    user_namespace_get(c->user_ns);
    c->groups = NULL;
    c->group_count = 0;
    int err = cred_set_groups(c, from->groups, from->group_count);
    if (err) {
        user_namespace_put(c->user_ns);
        free(c);
        return err;
    }
    *ret = c;
    return 0;
}

struct cred *cred_get(const struct cred *c)
{
    struct cred *held = (struct cred *)c; /* only the count changes */
    refcount_get(&held->ref);
    return held;
}

void cred_put(struct cred *c)
{
    if (c && refcount_put(&c->ref)) {
        user_namespace_put(c->user_ns);
        free(c->groups);
        free(c);
    }
}

static int compare_groups(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int cred_set_groups(struct cred *c, const uint32_t *groups, unsigned n)
{
    assert(n <= MAX_GROUPS);
    uint32_t *copy = NULL;
    if (n) {
        copy = malloc(n * sizeof(*copy));
        if (!copy)
            return -ENOMEM;
        memcpy(copy, groups, n * sizeof(*copy));
        qsort(copy, n, sizeof(*copy), compare_groups);
    }
    free(c->groups);
    c->groups = copy;
    c->group_count = n;
    return 0;
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
    if (c->fsgid == gid)
        return true;
    return c->group_count && bsearch(&gid, c->groups, c->group_count, sizeof(gid), compare_groups);
}

const struct cred *current_cred(void)
{
    struct task *t = current;
    return t ? t->cred : &kernel_cred;
}
