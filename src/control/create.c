/* Lifecycle.CreateContainer and DestroyContainer. */
#include "control/create.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "fs/hostfile/hostfile.h"
#include "kernel/user_namespace.h"
#include <linux/filter.h>
#include <string.h>

#define MAX_UNITS 4096

static int unit_new(const struct create_spec *s, struct unit **ret)
{
    struct unit *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    int err = container_new(s->id, &u->container);
    if (err) {
        free(u);
        return err;
    }
    refcount_init(&u->ref);
    list_init(&u->started);
    list_init(&u->link);
    wait_queue_init(&u->changed);
    *ret = u;
    return 0;
}

static void take_filter(struct create_spec *s, struct container *c)
{
    if (!s->filter_size)
        return;
    c->filter_len = s->filter_size / sizeof(struct sock_filter);
    c->filter = (struct sock_filter *)TAKE_PTR(s->filter);
}

static int refuse_existing(struct request *r, const char *id)
{
    return request_fail(r, -EEXIST, "container '%.200s' exists already", id);
}

static int add_unit(struct request *r, struct unit *u)
{
    unsigned count = 0;
    struct unit *other;
    MUTEX_GUARD(&sandbox.lock);
    list_for_each (other, &sandbox.units, link)
        count++;
    if (unit_find_locked(u->container->id))
        return refuse_existing(r, u->container->id);
    if (count >= MAX_UNITS || sandbox.ending)
        return request_fail(r, -EAGAIN, "too many containers, or the sandbox ends");
    list_add_tail(&sandbox.units, &unit_get(u)->link);
    return 0;
}

static bool id_is_taken(const char *id)
{
    struct unit *u = unit_find(id);
    unit_put(u);
    return u != NULL;
}

static int create(struct request *r, struct create_spec *s)
{
    struct unit *u;
    if (id_is_taken(s->id))
        return refuse_existing(r, s->id);
    int err = unit_new(s, &u);
    if (err)
        return err;
    take_filter(s, u->container);
    err = create_cgroup(r, s, u);
    if (!err)
        err = create_namespaces(r, s, u->container);
    if (!err)
        err = create_mounts(r, s, u->container);
    if (!err)
        err = add_unit(r, u);
    if (!err)
        log_info("control: container '%s' is created", s->id);
    else
        remove_cgroup(u);
    unit_put(u);
    return err;
}

int handle_create(struct request *r)
{
    struct create_spec s;
    int err = create_params(r, &s);
    if (!err)
        err = create(r, &s);
    create_spec_free(&s);
    return err;
}

/* ---- the end ---- */

/* A sandbox that lives for its containers ends with the last one: after the answer. */
static void end_if_empty(struct request *r)
{
    MUTEX_GUARD(&sandbox.lock);
    if (!sandbox.ends_with_boot && list_empty(&sandbox.units))
        r->ends_sandbox = sandbox.ending = true;
}

int handle_destroy(struct request *r)
{
    struct unit *u;
    int err = request_unit(r, &u);
    if (err)
        return err;
    mutex_lock(&sandbox.lock);
    bool mine = !u->destroying;
    u->destroying = true;
    mutex_unlock(&sandbox.lock);
    if (mine)
        unit_destroy(u);
    else
        wait_event(&u->changed, list_empty(&u->link));
    unit_put(u);
    end_if_empty(r);
    return 0;
}
