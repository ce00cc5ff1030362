/* Containers and started processes as objects, and what happens at their ends: see sandbox.h. */
#include "control/sandbox.h"
#include "base/log.h"
#include "control/create.h"
#include "fs/hostfile/hostfile.h"
#include "kernel/pid.h"
#include <string.h>

struct sandbox sandbox = {
    .lock = MUTEX_INIT(sandbox.lock),
    .units = LIST_INIT(sandbox.units),
    .connections = LIST_INIT(sandbox.connections),
};

/* ---- references ---- */

struct unit *unit_get(struct unit *u)
{
    refcount_get(&u->ref);
    return u;
}

void unit_put(struct unit *u)
{
    if (!u || !refcount_put(&u->ref))
        return;
    assert_always(list_empty(&u->started));
    container_put(u->container);
    free(u->cgroup_made);
    free(u);
}

void started_put(struct started *s)
{
    if (!s || !refcount_put(&s->ref))
        return;
    hostfile_set_free(s->files);
    process_put(s->process);
    unit_put(s->unit);
    free(s);
}

/* ---- look-ups ---- */

struct unit *unit_find_locked(const char *id)
{
    struct unit *u;
    list_for_each (u, &sandbox.units, link)
        if (strcmp(u->container->id, id) == 0)
            return u;
    return NULL;
}

struct unit *unit_find(const char *id)
{
    MUTEX_GUARD(&sandbox.lock);
    struct unit *u = unit_find_locked(id);
    return u ? unit_get(u) : NULL;
}

struct started *started_find(uint64_t handle)
{
    struct unit *u;
    struct started *s;
    MUTEX_GUARD(&sandbox.lock);
    list_for_each (u, &sandbox.units, link)
        list_for_each (s, &u->started, link)
            if (s->handle == handle) {
                refcount_get(&s->ref);
                return s;
            }
    return NULL;
}

/* ---- ties ---- */

static struct started *find_tied(const struct connection *connection)
{
    struct unit *u;
    struct started *s;
    MUTEX_GUARD(&sandbox.lock);
    list_for_each (u, &sandbox.units, link)
        list_for_each (s, &u->started, link)
            if (s->tied == connection) {
                s->tied = NULL;
                refcount_get(&s->ref);
                return s;
            }
    return NULL;
}

void started_untie(const struct connection *connection)
{
    struct started *s;
    while ((s = find_tied(connection))) {
        if (s->first)
            container_signal_all(s->unit->container, SIGKILL);
        else
            (void)!started_signal(s, SIGKILL, false);
        started_put(s);
    }
}

/* ---- ends ---- */

/* On the fiber of the process's last task. */
void started_exited(void *arg, int wait_status)
{
    struct started *s = arg;
    struct unit *u = s->unit;
    wait_event(&u->changed, s->announced);
    hostfile_drain(s->files);
    mutex_lock(&sandbox.lock);
    struct hostfile_set *files = TAKE_PTR(s->files);
    s->ended = true;
    s->exit_status = wait_status;
    if (s->first) {
        u->state = UNIT_STOPPED;
        u->exit_status = wait_status;
    }
    mutex_unlock(&sandbox.lock);
    hostfile_set_free(files);
    if (s->first) {
        log_info("control: container '%s' has stopped, wait status %d", u->container->id, wait_status);
        server_event(u->container->id, NOTIFY_LIFE, event_exit(u->container->id, wait_status));
    }
    wake_all(&u->changed);
    started_put(s);
}

void started_stopped(void *arg, int signo)
{
    struct started *s = arg;
    if (!s->first)
        return;
    const char *id = s->unit->container->id;
    json_t *event = json_pack("{s:s, s:s, s:{s:s, s:i}}", "jsonrpc", "2.0", "method", EVENT_STOPPED, "params",
                              "container_id", id, "signo", signo);
    server_event(id, NOTIFY_STOP, event);
}

static void forget_started(struct unit *u)
{
    for (;;) {
        mutex_lock(&sandbox.lock);
        struct started *s = list_first(&u->started, struct started, link);
        struct started *first = s ? NULL : TAKE_PTR(u->first);
        if (s) {
            list_del(&s->link);
            u->started_count--;
        }
        mutex_unlock(&sandbox.lock);
        started_put(first);
        if (!s)
            return;
        started_put(s);
    }
}

/* Ends the process lists' bookkeeping: every end that is to come has been told. */
static bool all_ended(struct unit *u)
{
    struct started *s;
    MUTEX_GUARD(&sandbox.lock);
    list_for_each (s, &u->started, link)
        if (!s->ended)
            return false;
    return u->starting == 0 && (!u->first || u->first->ended);
}

void unit_destroy(struct unit *u)
{
    struct container *c = u->container;
    container_close(c);
    wait_event(&u->changed, u->starting == 0);
    container_close(c); /* what was started meanwhile */
    wait_event(&c->changed, !container_alive(c));
    wait_event(&u->changed, all_ended(u));
    container_forget(c);
    forget_started(u);
    remove_cgroup(u);
    mutex_lock(&sandbox.lock);
    list_del(&u->link);
    mutex_unlock(&sandbox.lock);
    wake_all(&u->changed);
    unit_put(u); /* the list's */
}
