/* The control files of control groups: finding and checking them, the values' text forms, and the
 * files that every cgroup has whatever its controllers. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/cgroup_private.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <ctype.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

const char *const cgroup_controller_names[CG_CONTROLLERS] = {
    [CG_CPUSET] = "cpuset", [CG_CPU] = "cpu", [CG_IO] = "io", [CG_MEMORY] = "memory", [CG_PIDS] = "pids"};

/* ---- finding ---- */

const struct cgroup_file *cgroup_file_at(unsigned index)
{
    const struct cgroup_file *const tables[] = {cgroup_core_files, cgroup_controller_files, cgroup_v1_files};
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (const struct cgroup_file *f = tables[t]; f->name; f++)
            if (!index--)
                return f;
    return NULL;
}

const struct cgroup_file *cgroup_file_named(const char *name)
{
    const struct cgroup_file *f;
    for (unsigned i = 0; (f = cgroup_file_at(i)); i++)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

bool cgroup_list_has(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += len)
        if ((at == list || at[-1] == ',') && (!at[len] || at[len] == ','))
            return true;
    return false;
}

/* v1: "cpu,cpuacct". A row says "cpu". */
bool cgroup_has_file(const struct cgroup *cg, const struct cgroup_file *f, const char *v1)
{
    if (!cg->parent && !(f->flags & CG_FILE_ROOT))
        return false;
    if (v1)
        return f->flags & CG_FILE_V1 && (!f->v1 || cgroup_list_has(v1, f->v1));
    return f->flags & CG_FILE_V2 && (f->controller == CG_FILE_CORE || cgroup_controllers(cg) & CG_BIT(f->controller));
}

bool cgroup_exists(const char *controller, const char *path)
{
    static const char *const v1_only[] = {"cpuacct", "freezer", "devices", "systemd", "blkio", "net_cls", "net_prio",
                                          "perf_event", "hugetlb", "rdma", "misc"};
    struct cgroup *cg;
    bool known = !controller || !*controller;
    for (size_t i = 0; !known && i < CG_CONTROLLERS; i++)
        known = !strcmp(controller, cgroup_controller_names[i]);
    for (size_t i = 0; !known && i < ARRAY_SIZE(v1_only); i++)
        known = !strcmp(controller, v1_only[i]);
    if (!known || cgroup_find(path, &cg))
        return false;
    cgroup_put(cg);
    return true;
}

int cgroup_file_write_row(struct cgroup *cg, const struct cgroup_file *f, char *text)
{
    size_t len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    text += strspn(text, " \t");
    if (!f->write)
        return -EINVAL;
    MUTEX_GUARD(&cgroup_mutex);
    return cg->dead ? -ENODEV : f->write(cg, text, f->arg);
}

int cgroup_file_write(struct cgroup *cg, const char *file, const char *text)
{
    const struct cgroup_file *f = cgroup_file_named(file);
    CLEANUP_FREE char *copy = strdup(text);
    if (!f)
        return -ENOENT;
    return copy ? cgroup_file_write_row(cg, f, copy) : -ENOMEM;
}

int cgroup_file_read(struct cgroup *cg, const char *file, struct strbuf *out)
{
    const struct cgroup_file *f = cgroup_file_named(file);
    if (!f)
        return -ENOENT;
    if (!f->show)
        return -EINVAL;
    MUTEX_GUARD(&cgroup_mutex);
    return f->show(cg, out);
}

void cgroup_show_limits(struct cgroup *cg)
{
    cg->memory_visible = true;
}

/* ---- values ---- */

int cgroup_parse_number(const char *text, uint64_t *ret)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return -EINVAL;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (*end || errno)
        return -EINVAL;
    *ret = n;
    return 0;
}

int cgroup_parse_max(const char *text, uint64_t *ret)
{
    if (strcmp(text, "max"))
        return cgroup_parse_number(text, ret);
    *ret = CGROUP_MAX;
    return 0;
}

int cgroup_parse_bytes(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGTPE";
    char *end;
    if (!strcmp(text, "max")) {
        *ret = CGROUP_MAX;
        return 0;
    }
    if (!isdigit((unsigned char)*text))
        return -EINVAL;
    uint64_t n = strtoull(text, &end, 0);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (*end && (!unit || end[1]))
        return -EINVAL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    *ret = n > UINT64_MAX >> shift ? CGROUP_MAX : (n << shift) & ~(uint64_t)(PAGE_SIZE - 1);
    return 0;
}

void cgroup_show_max(uint64_t value, struct strbuf *out)
{
    if (value == CGROUP_MAX)
        strbuf_puts(out, "max\n");
    else
        strbuf_printf(out, "%llu\n", (unsigned long long)value);
}

/* ---- cgroup.procs, cgroup.threads ---- */

/* Numbers as the reader's pid namespace has them; each process once, unless threads are asked for. */
static int show_tasks(struct cgroup *cg, bool threads, struct strbuf *out)
{
    size_t n = 0, max = task_total() + 64;
    CLEANUP_FREE int32_t *numbers = calloc(max, sizeof(*numbers));
    struct pid_namespace *ns = current_pid_ns();
    struct process *last = NULL;
    if (!numbers)
        return -ENOMEM;
    spin_lock(&tasklist_lock);
    for (struct task *t = NULL; n < max && (t = cgroup_next_task_locked(cg, false, t)); last = t->process)
        if (threads || t->process != last)
            numbers[n++] = pid_number_in(threads ? t->pid : t->process->pid, ns);
    spin_unlock(&tasklist_lock);
    for (size_t i = 0; i < n; i++)
        strbuf_printf(out, "%d\n", numbers[i]);
    return 0;
}

static int procs_show(struct cgroup *cg, struct strbuf *out)
{
    return show_tasks(cg, false, out);
}

static int threads_show(struct cgroup *cg, struct strbuf *out)
{
    return show_tasks(cg, true, out);
}

static int parse_pid(const char *text, struct task **ret)
{
    uint64_t number;
    int err = cgroup_parse_number(text, &number);
    if (err || number > INT32_MAX)
        return -EINVAL;
    *ret = number ? task_find((int32_t)number) : task_get(current);
    return *ret ? 0 : -ESRCH;
}

/* Both ends must be in the writer's view. */
static int check_view(const struct cgroup *cg, struct task *t)
{
    const struct cgroup *top = current_cgroup_root();
    spin_lock(&tasklist_lock);
    bool seen = t->cgroup && cgroup_within(t->cgroup, top) && cgroup_within(cg, top);
    spin_unlock(&tasklist_lock);
    return seen ? 0 : -ENOENT;
}

static int procs_write(struct cgroup *cg, char *text, uint64_t arg)
{
    struct task *t;
    int err = parse_pid(text, &t);
    if (err)
        return err;
    err = check_view(cg, t);
    if (!err)
        err = cgroup_move(cg, t->process);
    task_put(t);
    return err;
}

/* There are no threaded cgroups: a thread is where its process is. */
static int threads_write(struct cgroup *cg, char *text, uint64_t arg)
{
    struct task *t;
    int err = parse_pid(text, &t);
    if (err)
        return err;
    spin_lock(&tasklist_lock);
    err = t->cgroup == cg ? 0 : t->process->task_count == 1 && arg ? 1 : -EOPNOTSUPP;
    spin_unlock(&tasklist_lock);
    if (err == 1)
        err = cgroup_move(cg, t->process);
    task_put(t);
    return err;
}

/* ---- controllers ---- */

static void show_bits(unsigned bits, struct strbuf *out)
{
    const char *blank = "";
    for (unsigned c = 0; c < CG_CONTROLLERS; c++) {
        if (!(bits & CG_BIT(c)))
            continue;
        strbuf_printf(out, "%s%s", blank, cgroup_controller_names[c]);
        blank = " ";
    }
    strbuf_putc(out, '\n');
}

static int controllers_show(struct cgroup *cg, struct strbuf *out)
{
    show_bits(cgroup_controllers(cg), out);
    return 0;
}

static int subtree_show(struct cgroup *cg, struct strbuf *out)
{
    show_bits(cg->subtree_control, out);
    return 0;
}

static int parse_bits(char *text, unsigned *ret_on, unsigned *ret_off)
{
    char *save = NULL;
    *ret_on = *ret_off = 0;
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        unsigned c = 0;
        while (c < CG_CONTROLLERS && strcmp(word + 1, cgroup_controller_names[c]))
            c++;
        if (c == CG_CONTROLLERS || (*word != '+' && *word != '-'))
            return -EINVAL;
        *(*word == '+' ? ret_on : ret_off) |= CG_BIT(c);
        *(*word == '+' ? ret_off : ret_on) &= ~CG_BIT(c);
    }
    return 0;
}

static int subtree_write(struct cgroup *cg, char *text, uint64_t arg)
{
    struct cgroup *child;
    unsigned on, off;
    int err = parse_bits(text, &on, &off);
    if (err)
        return err;
    if (on & ~cgroup_controllers(cg))
        return -ENOENT;
    list_for_each (child, &cg->children, sibling)
        if (child->subtree_control & off)
            return -EBUSY;
    if (on & ~cg->subtree_control && cg->parent && cg->own_live)
        return -EBUSY; /* processes are in leaves only */
    cg->subtree_control = (cg->subtree_control | on) & ~off;
    return 0;
}

/* ---- the rest ---- */

static int events_show(struct cgroup *cg, struct strbuf *out)
{
    spin_lock(&tasklist_lock);
    bool populated = cg->live;
    const struct cgroup *at = cg;
    while (at && !at->freeze)
        at = at->parent;
    bool frozen = at && cg->frozen == cg->live;
    spin_unlock(&tasklist_lock);
    strbuf_printf(out, "populated %d\nfrozen %d\n", populated, frozen);
    return 0;
}

static int type_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "domain\n");
    return 0;
}

static int type_write(struct cgroup *cg, char *text, uint64_t arg)
{
    return strcmp(text, "threaded") ? -EINVAL : -EOPNOTSUPP;
}

static int depth_show(struct cgroup *cg, struct strbuf *out)
{
    cgroup_show_max(cg->max_depth, out);
    return 0;
}

static int descendants_show(struct cgroup *cg, struct strbuf *out)
{
    cgroup_show_max(cg->max_descendants, out);
    return 0;
}

/* A number, but not one that any of these takes. */
static bool is_negative(const char *text)
{
    uint64_t n;
    return *text == '-' && cgroup_parse_number(text + 1, &n) == 0;
}

static int bound_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t n;
    int err = is_negative(text) ? -ERANGE : cgroup_parse_max(text, &n);
    if (err || (n > INT32_MAX && n != CGROUP_MAX))
        return err ? err : -ERANGE;
    *(arg ? &cg->max_descendants : &cg->max_depth) = n;
    return 0;
}

static int stat_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "nr_descendants %u\nnr_dying_descendants %u\n", cg->descendants, cg->dying);
    return 0;
}

static int freeze_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "%d\n", cg->freeze);
    return 0;
}

static int freeze_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t on;
    int err = is_negative(text) ? -ERANGE : cgroup_parse_number(text, &on);
    if (err || on > 1)
        return err ? err : -ERANGE;
    cgroup_freeze(cg, on);
    return 0;
}

static int kill_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t one;
    int err = is_negative(text) ? -ERANGE : cgroup_parse_number(text, &one);
    if (err || one != 1)
        return err ? err : -ERANGE;
    cgroup_kill(cg);
    return 0;
}

#define V2 CG_FILE_V2
#define ROOT (CG_FILE_V2 | CG_FILE_ROOT)

const struct cgroup_file cgroup_core_files[] = {
    {"cgroup.procs", CG_FILE_CORE, ROOT | CG_FILE_V1, NULL, procs_show, procs_write, 0},
    {"cgroup.threads", CG_FILE_CORE, ROOT, NULL, threads_show, threads_write, 0},
    {"cgroup.controllers", CG_FILE_CORE, ROOT, NULL, controllers_show, NULL, 0},
    {"cgroup.subtree_control", CG_FILE_CORE, ROOT, NULL, subtree_show, subtree_write, 0},
    {"cgroup.events", CG_FILE_CORE, V2 | CG_FILE_EVENTS, NULL, events_show, NULL, 0},
    {"cgroup.type", CG_FILE_CORE, V2, NULL, type_show, type_write, 0},
    {"cgroup.max.depth", CG_FILE_CORE, ROOT, NULL, depth_show, bound_write, 0},
    {"cgroup.max.descendants", CG_FILE_CORE, ROOT, NULL, descendants_show, bound_write, 1},
    {"cgroup.stat", CG_FILE_CORE, ROOT, NULL, stat_show, NULL, 0},
    {"cgroup.freeze", CG_FILE_CORE, V2, NULL, freeze_show, freeze_write, 0},
    {"cgroup.kill", CG_FILE_CORE, V2, NULL, NULL, kill_write, 0},
    {"tasks", CG_FILE_CORE, CG_FILE_V1 | CG_FILE_ROOT, NULL, threads_show, threads_write, 1},
    {0},
};
