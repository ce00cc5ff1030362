/* The requests about containers that exist: waiting, states, signals, pausing. */
#include "base/cleanup.h"
#include "base/log.h"
#include "control/sandbox.h"
#include "fs/hostfile/hostfile.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include <signal.h>
#include <string.h>

/* ---- ends ---- */

static bool has_stopped(struct unit *u, bool *ret_gone)
{
    MUTEX_GUARD(&sandbox.lock);
    *ret_gone = list_empty(&u->link);
    return u->state == UNIT_STOPPED || *ret_gone;
}

int handle_wait(struct request *r)
{
    struct unit *u;
    bool gone = false;
    int err = request_unit(r, &u);
    if (err)
        return err;
    wait_event(&u->changed, has_stopped(u, &gone) || r->connection->dead);
    if (u->state == UNIT_STOPPED)
        r->result = json_pack("{s:i}", "exit_status", u->exit_status);
    else
        err = request_fail(r, -ENOENT, "container '%.200s' was destroyed before it ran", u->container->id);
    unit_put(u);
    return err;
}

int handle_exit_status(struct request *r)
{
    struct unit *u;
    bool gone;
    int err = request_unit(r, &u);
    if (err)
        return err;
    if (has_stopped(u, &gone) && !gone)
        r->result = json_pack("{s:i}", "exit_status", u->exit_status);
    else
        err = request_fail(r, -EAGAIN, "container '%.200s' has not exited", u->container->id);
    unit_put(u);
    return err;
}

int handle_reap(struct request *r)
{
    struct unit *u;
    bool gone;
    int err = request_unit(r, &u);
    if (err)
        return err;
    const char *id = u->container->id;
    if (!server_has_listeners(id))
        err = request_fail(r, -ENOENT, "nobody listens to the events of container '%.200s'", id);
    else if (has_stopped(u, &gone) && !gone)
        server_event(id, NOTIFY_LIFE, event_exit(id, u->exit_status));
    unit_put(u);
    return err;
}

/* ---- states ---- */

static bool is_running(struct unit *u)
{
    mutex_lock(&sandbox.lock);
    bool running = u->state == UNIT_RUNNING;
    mutex_unlock(&sandbox.lock);
    return running && container_alive(u->container);
}

int handle_is_running(struct request *r)
{
    CLEANUP_FREE char *id = NULL;
    params_string(&r->params, "container_id", &id);
    int err = request_params(r);
    if (err)
        return err;
    struct unit *u = id ? unit_find(id) : NULL;
    r->result = json_pack("{s:b}", "running", u && is_running(u));
    unit_put(u);
    return 0;
}

static const char *state_name(struct unit *u)
{
    static const char *const names[] = {
        [UNIT_CREATED] = "created",
        [UNIT_STARTING] = "created",
        [UNIT_RUNNING] = "running",
        [UNIT_STOPPED] = "stopped",
    };
    if (u->state == UNIT_RUNNING && (u->container->frozen || containers_frozen))
        return "paused";
    return names[u->state];
}

int handle_state(struct request *r)
{
    struct unit *u;
    int err = request_unit(r, &u);
    if (err)
        return err;
    mutex_lock(&sandbox.lock);
    r->result = json_pack("{s:s}", "status", state_name(u));
    if (u->state == UNIT_STOPPED)
        json_object_set_new(r->result, "exit_status", json_integer(u->exit_status));
    else if (u->first)
        json_object_set_new(r->result, "pid",
                            json_integer(pid_number_in(u->first->process->pid, container_pid_ns(u->container))));
    mutex_unlock(&sandbox.lock);
    unit_put(u);
    return 0;
}

/* ---- signals ---- */

int started_signal(struct started *s, int signo, bool foreground)
{
    siginfo_t info = {.si_signo = signo, .si_code = SI_USER}; /* from outside: nobody the sandbox knows */
    bool done = false;
    mutex_lock(&sandbox.lock);
    bool ended = s->ended;
    if (!ended && (signo == SIGWINCH || signo == SIGCONT))
        hostfile_winsize_changed(s->files);
    if (!ended && foreground)
        done = signo == SIGWINCH || hostfile_signal_foreground(s->files, signo);
    mutex_unlock(&sandbox.lock);
    if (ended)
        return -ESRCH;
    if (done)
        return 0;
    if (foreground)
        signal_send_group(s->process->group, signo, NULL);
    else if (signo)
        signal_send_process(s->process, signo, signo == SIGKILL || signo == SIGSTOP ? NULL : &info);
    return 0;
}

static int signal_unit(struct request *r, struct unit *u, int signo, bool all, bool foreground)
{
    const char *id = u->container->id;
    mutex_lock(&sandbox.lock);
    enum unit_state state = u->state;
    struct started *first = u->first;
    if (first)
        refcount_get(&first->ref);
    mutex_unlock(&sandbox.lock);
    int err = 0;
    if (state == UNIT_CREATED || state == UNIT_STARTING)
        err = request_fail(r, -EINVAL, "container '%.200s' is not started", id);
    else if (all ? container_signal_all(u->container, signo) == 0 : started_signal(first, signo, foreground) < 0)
        err = request_fail(r, -ESRCH, "container '%.200s' is not running", id);
    started_put(first);
    return err;
}

int handle_signal(struct request *r)
{
    struct unit *u;
    uint32_t signo = UINT32_MAX;
    bool all = false, foreground = false;
    params_u32(&r->params, "signo", SIGNAL_COUNT, &signo);
    params_bool(&r->params, "signalAll", &all);
    params_bool(&r->params, "foreground", &foreground);
    if (signo == UINT32_MAX)
        params_bad(&r->params, "signo", "is missing");
    int err = request_unit(r, &u);
    if (err)
        return err;
    err = signal_unit(r, u, (int)signo, all, foreground);
    unit_put(u);
    return err;
}

/* ---- pausing ---- */

static int pause_or_resume(struct request *r, bool freeze)
{
    struct unit *u;
    if (!params_has(&r->params, "container_id")) {
        int bad = request_params(r);
        if (!bad)
            containers_freeze_all(freeze);
        return bad;
    }
    int err = request_unit(r, &u);
    if (err)
        return err;
    mutex_lock(&sandbox.lock);
    bool running = u->state == UNIT_RUNNING;
    mutex_unlock(&sandbox.lock);
    if (running)
        container_freeze(u->container, freeze);
    else
        err = request_fail(r, -ESRCH, "container '%.200s' is not running", u->container->id);
    unit_put(u);
    return err;
}

int handle_pause(struct request *r)
{
    return pause_or_resume(r, true);
}

int handle_resume(struct request *r)
{
    return pause_or_resume(r, false);
}

int handle_pause_network(struct request *r)
{
    int err = request_params(r);
    if (!err)
        sandbox.network_paused = true; /* there is no interface but loopback */
    return err;
}

int handle_resume_network(struct request *r)
{
    int err = request_params(r);
    if (!err)
        sandbox.network_paused = false;
    return err;
}

/* ---- the sandbox ---- */

int handle_shutdown(struct request *r)
{
    int err = request_params(r);
    if (err)
        return err;
    mutex_lock(&sandbox.lock);
    sandbox.ending = true;
    mutex_unlock(&sandbox.lock);
    r->ends_sandbox = true;
    return 0;
}

int handle_info(struct request *r)
{
    struct unit *u;
    int err = request_params(r);
    if (err)
        return err;
    json_t *ids = json_array();
    mutex_lock(&sandbox.lock);
    list_for_each (u, &sandbox.units, link)
        json_array_append_new(ids, json_string(u->container->id));
    mutex_unlock(&sandbox.lock);
    r->result = json_pack("{s:s, s:i, s:o, s:b}", "version", PICKET_VERSION_STRING, "pid", 1, "containers", ids,
                          "paused", (int)containers_frozen);
    return 0;
}
