/* Requests that look at the sandbox from outside: usage, metrics, where tasks are blocked, what is logged. */
#include "base/cleanup.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "control/sandbox.h"
#include "kernel/pid.h"
#include "syscalls/dispatch.h"
#include <string.h>

/* ---- usage ---- */

struct usage {
    uint64_t processes, threads;
    int64_t cpu_time;
};

static void add_usage(struct process *p, struct usage *u)
{
    struct cpu_times times;
    process_cpu_times(p, &times);
    u->processes++;
    u->threads += p->task_count;
    u->cpu_time += times.user + times.system;
}

static struct usage usage_of(struct container *c)
{
    struct usage u = {0};
    struct process *p;
    int32_t at = 0;
    spin_lock(&tasklist_lock);
    if (c) {
        list_for_each (p, &c->processes, container_link)
            add_usage(p, &u);
    } else {
        while ((p = process_next_locked(&root_pid_ns, at, &at)))
            add_usage(p, &u);
    }
    spin_unlock(&tasklist_lock);
    return u;
}

int handle_usage(struct request *r)
{
    struct unit *u = NULL;
    int err = params_has(&r->params, "container_id") ? request_unit(r, &u) : request_params(r);
    if (err)
        return err;
    struct usage usage = usage_of(u ? u->container : NULL);
    r->result = json_pack("{s:I, s:I, s:I}", "processes", (json_int_t)usage.processes, "threads",
                          (json_int_t)usage.threads, "cpu_time", (json_int_t)usage.cpu_time);
    unit_put(u);
    return 0;
}

/* ---- metrics ---- */

static void metric(struct strbuf *out, const char *name, const char *type, const char *help, double value)
{
    strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, value);
}

int handle_metrics(struct request *r)
{
    struct strbuf out = STRBUF_INIT;
    struct unit *u;
    unsigned units = 0, running = 0;
    int err = request_params(r);
    if (err)
        return err;
    mutex_lock(&sandbox.lock);
    list_for_each (u, &sandbox.units, link) {
        units++;
        running += u->state == UNIT_RUNNING;
    }
    mutex_unlock(&sandbox.lock);
    struct usage usage = usage_of(NULL);
    metric(&out, "picket_containers", "gauge", "Containers that exist.", units);
    metric(&out, "picket_containers_running", "gauge", "Containers whose first process runs.", running);
    metric(&out, "picket_processes", "gauge", "Processes in the sandbox.", (double)usage.processes);
    metric(&out, "picket_threads", "gauge", "Threads in the sandbox.", (double)usage.threads);
    metric(&out, "picket_cpu_seconds_total", "counter", "CPU time of the processes there are.",
           (double)usage.cpu_time / 1e9);
    r->result = json_pack("{s:s}", "text", out.s ? out.s : "");
    strbuf_free(&out);
    return 0;
}

/* ---- where tasks are ---- */

#define MAX_STACKS 4096

struct stack_row {
    int32_t pid, tid;
    char comm[TASK_COMM_LEN + 1];
    char *container; /* borrowed from its process, which is referenced */
    struct process *process;
    int nr;        /* the system call it is in, or -1 */
    int64_t since; /* monotonic; 0: it is not blocked */
};

static size_t collect_stacks(struct stack_row *rows)
{
    struct process *p;
    struct task *t;
    size_t n = 0;
    int32_t at = 0;
    spin_lock(&tasklist_lock);
    while ((p = process_next_locked(&root_pid_ns, at, &at)))
        list_for_each (t, &p->tasks, thread_link) {
            if (n == MAX_STACKS || t->exited)
                continue;
            struct stack_row *row = &rows[n++];
            row->pid = pid_number_in(p->pid, p->pid->ns);
            row->tid = pid_number_in(t->pid, p->pid->ns);
            memcpy(row->comm, t->comm, TASK_COMM_LEN);
            row->process = process_get(p);
            row->container = p->container ? p->container->id : NULL;
            row->nr = __atomic_load_n(&t->syscall_nr, __ATOMIC_RELAXED);
            spin_lock(&t->platform_lock);
            row->since = t->fiber ? fiber_blocked_since(t->fiber) : 0;
            spin_unlock(&t->platform_lock);
        }
    spin_unlock(&tasklist_lock);
    return n;
}

static json_t *stack_json(const struct stack_row *row)
{
    json_t *comm = json_string(row->comm);
    int64_t now = now_monotonic();
    bool known = row->since && row->nr >= 0 && (unsigned)row->nr < syscall_table_size && syscall_table[row->nr].name;
    return json_pack("{s:s, s:i, s:i, s:o, s:s, s:I, s:I}", "container_id", row->container ? row->container : "",
                     "pid", row->pid, "tid", row->tid, "command", comm ? comm : json_string("?"), "blocked_in",
                     known ? syscall_table[row->nr].name : "", "since",
                     (json_int_t)(row->since ? now_realtime() - now + row->since : 0), "blocked_for",
                     (json_int_t)(row->since ? now - row->since : 0));
}

int handle_stacks(struct request *r)
{
    int err = request_params(r);
    CLEANUP_FREE struct stack_row *rows = calloc(MAX_STACKS, sizeof *rows);
    if (err || !rows)
        return err ? err : -ENOMEM;
    size_t n = collect_stacks(rows);
    json_t *tasks = json_array();
    for (size_t i = 0; i < n; i++) {
        struct stack_row *row = &rows[i];
        json_array_append_new(tasks, stack_json(row));
        process_put(row->process);
    }
    r->result = json_pack("{s:o}", "tasks", tasks);
    return 0;
}

/* ---- the log ---- */

int handle_strace(struct request *r)
{
    bool on = true;
    params_bool(&r->params, "on", &on);
    int err = request_params(r);
    if (err)
        return err;
    return on == syscalls_traced() ? 0
                                   : request_fail(r, -EOPNOTSUPP, "tracing is chosen at Sandbox.Boot: what the stub "
                                                                  "answers by itself would be missed");
}

int handle_logging(struct request *r)
{
    static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
    unsigned level = UINT32_MAX;
    params_word(&r->params, "level", levels, &level);
    if (level == UINT32_MAX)
        params_bad(&r->params, "level", "is missing");
    int err = request_params(r);
    if (!err)
        log_open(DONATED_LOG, (enum log_level)level);
    return err;
}
