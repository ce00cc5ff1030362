/* Requests about single processes: those a client has started, by handle, and all of a container, as a table. */
#include "base/cleanup.h"
#include "control/sandbox.h"
#include "fs/hostfile/hostfile.h"
#include "kernel/cred.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/tty_hooks.h"
#include "mm/mm.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* ---- handles ---- */

static struct started *find_handle(struct request *r, int64_t handle)
{
    struct started *s = started_find((uint64_t)handle);
    if (!s)
        request_fail(r, -ESRCH, "there is no process with the handle %lld", (long long)handle);
    return s;
}

static bool has_ended(struct started *s, bool *ret_forgotten)
{
    MUTEX_GUARD(&sandbox.lock);
    *ret_forgotten = list_empty(&s->link);
    return s->ended || *ret_forgotten;
}

/* The answer is the handle's end, unless it is the container's first process. */
static void forget(struct started *s)
{
    mutex_lock(&sandbox.lock);
    bool listed = !s->first && !list_empty(&s->link);
    if (listed) {
        list_del(&s->link);
        s->unit->started_count--;
    }
    mutex_unlock(&sandbox.lock);
    if (listed)
        started_put(s);
}

int handle_proc_wait(struct request *r)
{
    int64_t handle = 0;
    bool forgotten;
    params_int(&r->params, "process", 1, INT64_MAX, &handle);
    int err = request_params(r);
    struct started *s = err ? NULL : find_handle(r, handle);
    if (!s)
        return err ? err : r->code;
    wait_event(&s->unit->changed, has_ended(s, &forgotten) || r->connection->dead);
    if (s->ended) {
        r->result = json_pack("{s:i}", "exit_status", s->exit_status);
        forget(s);
    } else {
        err = request_fail(r, -ESRCH, "the process with the handle %lld is gone", (long long)handle);
    }
    started_put(s);
    return err;
}

static int signal_by_pid(struct request *r, uint32_t pid, int signo)
{
    struct unit *u;
    siginfo_t info = {.si_signo = signo, .si_code = SI_USER};
    int err = request_unit(r, &u);
    if (err)
        return err;
    spin_lock(&tasklist_lock);
    struct pid *found = pid_find_locked(container_pid_ns(u->container), (int32_t)pid);
    struct process *p = found ? found->process : NULL;
    if (p && p->container == u->container && p->state == PROCESS_RUNNING)
        err = signo ? signal_send_process_locked(p, signo, signo == SIGKILL ? NULL : &info) : 0;
    else
        err = -ESRCH;
    spin_unlock(&tasklist_lock);
    if (err)
        request_fail(r, err, "container '%.200s' has no process %u", u->container->id, pid);
    unit_put(u);
    return err;
}

int handle_proc_signal(struct request *r)
{
    int64_t handle = 0;
    uint32_t pid = 0, signo = UINT32_MAX;
    bool foreground = false;
    params_u32(&r->params, "signo", SIGNAL_COUNT, &signo);
    params_bool(&r->params, "foreground", &foreground);
    params_u32(&r->params, "pid", INT32_MAX, &pid);
    params_int(&r->params, "process", 1, INT64_MAX, &handle);
    if (signo == UINT32_MAX)
        params_bad(&r->params, "signo", "is missing");
    if (!pid == !handle)
        params_bad(&r->params, "process", "or else container_id and pid must be given");
    if (pid)
        return signal_by_pid(r, pid, (int)signo);
    int err = request_params(r);
    struct started *s = err ? NULL : find_handle(r, handle);
    if (!s)
        return err ? err : r->code;
    if (started_signal(s, (int)signo, foreground) < 0)
        err = request_fail(r, -ESRCH, "the process with the handle %lld has ended", (long long)handle);
    started_put(s);
    return err;
}

/* ---- windows ---- */

static int resize(struct request *r, struct started *s, uint32_t rows, uint32_t columns)
{
    MUTEX_GUARD(&sandbox.lock);
    if (s->ended)
        return request_fail(r, -ESRCH, "the process has ended");
    if (rows && columns)
        return hostfile_set_window(s->files, rows, columns) ? 0 : request_fail(r, -ENOTTY, "it has no terminal");
    hostfile_winsize_changed(s->files);
    return 0;
}

static struct started *first_of(struct request *r)
{
    struct unit *u;
    if (request_unit(r, &u) < 0)
        return NULL;
    mutex_lock(&sandbox.lock);
    struct started *s = u->first;
    if (s)
        refcount_get(&s->ref);
    mutex_unlock(&sandbox.lock);
    if (!s)
        request_fail(r, -EINVAL, "container '%.200s' is not started", u->container->id);
    unit_put(u);
    return s;
}

int handle_resize(struct request *r)
{
    int64_t handle = 0;
    uint32_t rows = 0, columns = 0;
    params_u32(&r->params, "rows", UINT16_MAX, &rows);
    params_u32(&r->params, "columns", UINT16_MAX, &columns);
    params_int(&r->params, "process", 1, INT64_MAX, &handle);
    int err = handle ? request_params(r) : 0;
    if (err)
        return err;
    struct started *s = handle ? find_handle(r, handle) : first_of(r);
    if (!s)
        return r->code;
    err = resize(r, s, rows, columns);
    started_put(s);
    return err;
}

/* ---- the table ---- */

static char *tty_text(struct process *p)
{
    char *text = NULL;
    uint64_t rdev;
    struct pid *foreground;
    spin_lock(&tasklist_lock);
    struct tty *tty = tty_get(p->tty);
    spin_unlock(&tasklist_lock);
    if (!tty)
        return NULL;
    tty_hooks.describe(tty, &rdev, &foreground);
    if (foreground)
        pid_put(foreground);
    tty_put(tty);
    return asprintf(&text, "pts/%u", minor(rdev)) < 0 ? NULL : text;
}

#define MAX_CMDLINE 4096 /* what is longer is cut */

struct row {
    int32_t pid, ppid;
    unsigned threads;
    struct cpu_times times;
    struct task *leader; /* reference, or NULL */
    bool zombie;
};

static void read_row(struct process *p, const struct pid_namespace *ns, struct row *ret)
{
    spin_lock(&tasklist_lock);
    *ret = (struct row){
        .pid = pid_number_in(p->pid, ns),
        .ppid = p->parent ? pid_number_in(p->parent->pid, ns) : 0,
        .threads = p->task_count,
        .leader = p->leader ? task_get(p->leader) : NULL,
        .zombie = p->state != PROCESS_RUNNING,
    };
    process_cpu_times(p, &ret->times);
    spin_unlock(&tasklist_lock);
}

/* The arguments, as the container's own /proc has them; none if it has no /proc. */
static json_t *arguments(int32_t pid)
{
    char path[48], text[MAX_CMDLINE];
    struct file *file;
    json_t *list = json_array();
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    if (vfs_open_at(AT_FDCWD, path, &(struct open_how_kernel){.flags = O_RDONLY}, &file) < 0)
        return list;
    ssize_t n = vfs_read_kernel(file, text, sizeof text, 0);
    file_put(file);
    for (ssize_t at = 0; at < n;) {
        size_t len = strnlen(text + at, (size_t)(n - at));
        json_t *word = json_stringn(text + at, len);
        json_array_append_new(list, word ? word : json_string("?"));
        at += (ssize_t)len + 1;
    }
    return list;
}

static json_t *row_json(struct process *p, const struct row *row)
{
    CLEANUP_FREE char *tty = tty_text(p);
    char comm[TASK_COMM_LEN + 1] = "";
    uint32_t uid = 0;
    if (row->leader) {
        const struct cred *cred = task_get_cred(row->leader);
        uid = cred->euid;
        cred_put((struct cred *)cred);
        spin_lock(&row->leader->alloc_lock);
        memcpy(comm, row->leader->comm, TASK_COMM_LEN);
        spin_unlock(&row->leader->alloc_lock);
    }
    json_t *name = json_string(comm);
    int64_t realtime = p->start_time + (now_realtime() - now_monotonic());
    return json_pack("{s:I, s:i, s:i, s:i, s:I, s:I, s:s, s:I, s:o, s:o, s:b}", "uid", (json_int_t)uid, "pid", row->pid,
                     "ppid", row->ppid, "threads", (int)row->threads, "start", (json_int_t)p->start_time,
                     "start_realtime", (json_int_t)realtime, "tty", tty ? tty : "?", "cpu_time",
                     (json_int_t)(row->times.user + row->times.system), "command", name ? name : json_string("?"),
                     "argv", arguments(row->pid),
                     "zombie", (int)row->zombie);
}

static void add_rows(struct unit *u, struct process **list, size_t count, json_t *rows)
{
    for (size_t i = 0; i < count; i++) {
        struct row row;
        read_row(list[i], container_pid_ns(u->container), &row);
        if (row.pid)
            json_array_append_new(rows, row_json(list[i], &row));
        task_put(row.leader);
        process_put(list[i]);
    }
}

int handle_ps(struct request *r)
{
    struct unit *u;
    CLEANUP_FREE struct process **list = NULL;
    size_t count = 0;
    int err = request_unit(r, &u);
    if (err)
        return err;
    json_t *rows = json_array();
    err = container_step_in(u->container, NULL);
    if (!err) {
        err = container_list(u->container, &list, &count);
        add_rows(u, list, count, rows);
        container_step_out();
    }
    r->result = json_pack("{s:o}", "processes", rows);
    unit_put(u);
    return err;
}
