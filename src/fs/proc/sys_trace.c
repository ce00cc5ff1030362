/* /proc/sys/kernel, what concerns tracing. */
#include "fs/proc/private.h"
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

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
