/* /proc/sys/kernel, what concerns tracing. */
#include "fs/proc/private.h"
#include "kernel/core_dump.h"
#include <limits.h>
#include <linux/capability.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

int core_pattern_show(struct synth_inode *i, struct strbuf *out)
{
    char pattern[CORE_PATTERN_MAX];
    core_pattern_get(pattern);
    strbuf_printf(out, "%s\n", pattern);
    return 0;
}

int core_pattern_write(struct synth_inode *i, char *text, size_t len)
{
    return capable(CAP_SYS_ADMIN) ? core_pattern_set(text) : -EPERM;
}

int core_uses_pid_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_printf(out, "%d\n", atomic_load(&core_uses_pid));
    return 0;
}

int core_uses_pid_write(struct synth_inode *i, char *text, size_t len)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || end[strspn(end, " \t\n")] || value < INT_MIN || value > INT_MAX)
        return -EINVAL;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    atomic_store(&core_uses_pid, (int)value);
    return 0;
}

static int yama_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_printf(out, "%d\n", yama_scope());
    return 0;
}

static int yama_write(struct synth_inode *i, char *text, size_t len)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || end[strspn(end, " \t\n")])
        return -EINVAL;
    if (!capable(CAP_SYS_PTRACE))
        return -EPERM;
    return value < INT_MIN || value > INT_MAX ? -EINVAL : yama_set_scope((int)value);
}

const struct synth_entry proc_yama_entries[] = {
    REG("ptrace_scope", 0644, yama_show, .write = yama_write),
    {0},
};
