/* Core files: when, which threads, under what name. See core_dump.h. */
#include "kernel/core_dump.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "vfs/file.h"
#include "vfs/walk.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PARK_TIME (2 * NSEC_PER_SEC)
#define MIN_LIMIT 4096 /* a smaller file could not even hold the headers */

/* ---- the sysctls ---- */

static struct {
    struct spinlock lock;
    char text[CORE_PATTERN_MAX];
} pattern = {SPINLOCK_INIT, "core"};
_Atomic int core_uses_pid;

void core_pattern_get(char ret[CORE_PATTERN_MAX])
{
    spin_lock(&pattern.lock);
    memcpy(ret, pattern.text, CORE_PATTERN_MAX);
    spin_unlock(&pattern.lock);
}

int core_pattern_set(const char *text)
{
    size_t len = strcspn(text, "\n");
    if (len >= CORE_PATTERN_MAX)
        return -EINVAL;
    spin_lock(&pattern.lock);
    memcpy(pattern.text, text, len);
    pattern.text[len] = '\0';
    spin_unlock(&pattern.lock);
    return 0;
}

/* ---- the name ---- */

/* Slashes would lead elsewhere. */
static void add_plain(struct strbuf *name, const char *text)
{
    for (; *text; text++)
        strbuf_putc(name, *text == '/' ? '!' : *text);
}

static void add_host_name(struct task *t, struct strbuf *name)
{
    char text[UTS_NAME_LEN + 1];
    spin_lock(&t->ns.uts->lock);
    strcpy(text, t->ns.uts->nodename);
    spin_unlock(&t->ns.uts->lock);
    add_plain(name, text);
}

static void add_exe(struct task *t, struct strbuf *name)
{
    CLEANUP_STRBUF struct strbuf path = STRBUF_INIT;
    if (t->process->exe && path_string(&t->process->exe->path, NULL, &path) >= 0 && path.s)
        add_plain(name, path.s);
    else
        add_plain(name, t->comm);
}

/* One %X. True if it was the process's number. */
static bool add_specifier(struct task *t, char what, int sig, struct strbuf *name)
{
    struct process *p = t->process;
    switch (what) {
    case 'p':
        strbuf_printf(name, "%d", pid_number_in(p->pid, t->pid->ns));
        return true;
    case 'P':
        strbuf_printf(name, "%d", pid_number_in(p->pid, &root_pid_ns));
        return false;
    case 'i':
        strbuf_printf(name, "%d", pid_number_in(t->pid, t->pid->ns));
        return false;
    case 'I':
        strbuf_printf(name, "%d", pid_number_in(t->pid, &root_pid_ns));
        return false;
    case 'u':
        strbuf_printf(name, "%u", t->cred->uid);
        return false;
    case 'g':
        strbuf_printf(name, "%u", t->cred->gid);
        return false;
    case 'd':
        strbuf_printf(name, "%d", p->dumpable);
        return false;
    case 's':
        strbuf_printf(name, "%d", sig);
        return false;
    case 't':
        strbuf_printf(name, "%lld", (long long)time(NULL));
        return false;
    case 'c':
        strbuf_printf(name, "%llu", (unsigned long long)p->limits.v[RLIMIT_CORE].cur);
        return false;
    case 'h':
        add_host_name(t, name);
        return false;
    case 'e':
        add_plain(name, t->comm);
        return false;
    case 'E':
        add_exe(t, name);
        return false;
    case '%':
        strbuf_putc(name, '%');
        return false;
    default: /* what is not known is left out */
        return false;
    }
}

/* False: the pattern does not name a file. */
static bool make_name(struct task *t, int sig, struct strbuf *name)
{
    char text[CORE_PATTERN_MAX];
    bool numbered = false;
    core_pattern_get(text);
    if (text[0] == '|' || text[0] == '\0' || text[0] == '@')
        return false;
    for (const char *s = text; *s; s++) {
        if (*s != '%')
            strbuf_putc(name, *s);
        else if (s[1])
            numbered |= add_specifier(t, *++s, sig, name);
    }
    if (!numbered && atomic_load(&core_uses_pid))
        strbuf_printf(name, ".%d", pid_number_in(t->process->pid, t->pid->ns));
    return !name->failed && name->s;
}

/* A fresh or an own regular file: never through a link, never somebody else's. */
static int open_core(const char *name, struct file **ret)
{
    const struct open_how_kernel how = {
        .flags = O_CREAT | O_WRONLY | O_NOFOLLOW | O_LARGEFILE | O_NONBLOCK, .mode = 0600};
    struct file *file;
    int err = vfs_open_at(AT_FDCWD, name, &how, &file);
    if (err)
        return err;
    const struct inode *inode = file->inode;
    if (!S_ISREG(inode->attr.mode) || inode->attr.nlink != 1 ||
        inode->attr.uid != current_cred()->fsuid)
        err = -EACCES;
    file_put(file);
    const struct open_how_kernel again = {
        .flags = O_WRONLY | O_NOFOLLOW | O_LARGEFILE | O_NONBLOCK | O_TRUNC};
    return err ? err : vfs_open_at(AT_FDCWD, name, &again, ret);
}

/* ---- the threads ---- */

static void record(struct task *t, struct core_thread *ret)
{
    ret->task = t;
    ret->tid = pid_number_in(t->pid, t->pid->ns);
    ret->blocked = task_sigmask(t);
    ret->pending = t->sig.own.set;
    (void)context_save_bases(t->ctx);
    ret->regs = *context_regs(t->ctx);
    ret->fp = calloc(1, platform_xsave_size());
    if (ret->fp && context_get_fp(t->ctx, ret->fp)) {
        free(ret->fp);
        ret->fp = NULL;
    }
}

bool core_wants(const struct task *t)
{
    const struct core *c = __atomic_load_n(&t->process->sig.core, __ATOMIC_RELAXED);
    return c && __atomic_load_n(&t->process->sig.core_dumper, __ATOMIC_RELAXED) != t;
}

void core_park(struct task *t)
{
    struct process *p = t->process;
    struct core_thread own = {.task = t};
    list_init(&own.link);
    record(t, &own);
    spin_lock(&p->sig.lock);
    struct core *c = p->sig.core;
    if (c && !c->closed) {
        list_add_tail(&c->threads, &own.link);
        c->parked++;
        wake_all(&c->queue);
    }
    spin_unlock(&p->sig.lock);
    /* Not killable: the dumper reads what lies here. It ends soon after it has been killed itself. */
    wait_event(&p->sig.core_queue, !__atomic_load_n(&p->sig.core, __ATOMIC_ACQUIRE));
    free(own.fp);
}

/* Everybody else is parked, or has ended. */
static bool all_parked(struct core *c, struct process *p)
{
    spin_lock(&p->sig.lock);
    bool all = c->parked + 1 >= __atomic_load_n(&p->task_count, __ATOMIC_ACQUIRE);
    spin_unlock(&p->sig.lock);
    return all;
}

static bool begin(struct task *t, struct core *c)
{
    struct process *p = t->process;
    struct task *other;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    bool first = !p->exiting && !p->sig.core && !p->exec_task;
    if (first) {
        __atomic_store_n(&p->sig.core_dumper, t, __ATOMIC_RELAXED);
        __atomic_store_n(&p->sig.core, c, __ATOMIC_RELEASE);
        list_for_each (other, &p->tasks, thread_link)
            if (other != t && !other->exited)
                task_kick(other);
        wake_all(&p->sig.stop_queue);
    }
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
    return first;
}

static void end(struct task *t)
{
    struct process *p = t->process;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    signal_kill_other_tasks_locked(t); /* what they wake up to */
    __atomic_store_n(&p->sig.core, NULL, __ATOMIC_RELEASE);
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
    wake_all(&p->sig.core_queue);
}

/* ---- the verb ---- */

bool core_is_wanted(const struct task *t, int sig)
{
    const struct process *p = t->process;
    return SIGBIT(sig) & CORE_SIGNALS && p->dumpable && p->limits.v[RLIMIT_CORE].cur >= MIN_LIMIT;
}

static int dump(struct task *t, struct core *c)
{
    CLEANUP_STRBUF struct strbuf name = STRBUF_INIT;
    CLEANUP_FILE struct file *file = NULL;
    if (!make_name(t, c->sig, &name))
        return -ENOENT;
    int err = open_core(name.s, &file);
    if (err)
        return err;
    record(t, &c->own);
    err = core_write(c, file, t->process->limits.v[RLIMIT_CORE].cur);
    free(c->own.fp);
    return err;
}

int core_dump(struct task *t, int sig, const siginfo_t *info)
{
    struct core c = {.dumper = t, .sig = sig, .info = info};
    if (!core_is_wanted(t, sig) || !t->ctx)
        return 0;
    list_init(&c.threads);
    wait_queue_init(&c.queue);
    if (!begin(t, &c)) {
        if (core_wants(t))
            core_park(t);
        return 0;
    }
    /* Threads that cannot be interrupted just now (a vfork, a tracer's stop) are left out. */
    (void)wait_event_full(&c.queue, all_parked(&c, t->process), now_monotonic() + PARK_TIME, false);
    spin_lock(&t->process->sig.lock);
    c.closed = true;
    spin_unlock(&t->process->sig.lock);
    int err = dump(t, &c);
    if (err)
        log_debug("%s: no core file: %d", t->comm, err);
    end(t);
    return err ? 0 : 0x80;
}
