/*
 * The sysctls of IPC namespaces: /proc/sys/kernel/{shm*,sem,msg*} and /proc/sys/fs/mqueue. They are the reader's own
 * namespace's, and can be set.
 */
#include "fs/proc/private.h"
#include "ipc/namespace.h"
#include <stdlib.h>

#define WIDE IPC_SYSCTL_WIDE
#define AS_32_BITS(field) offsetof(struct ipc_namespace, field)

struct range {
    uint64_t min, max;
};

static uint64_t read_field(const struct ipc_namespace *ns, uint64_t where)
{
    const char *at = (const char *)ns + (where & ~WIDE);
    return where & WIDE ? *(const _Atomic uint64_t *)at : *(const _Atomic unsigned *)at;
}

static void write_field(struct ipc_namespace *ns, uint64_t where, uint64_t value)
{
    char *at = (char *)ns + (where & ~WIDE);
    if (where & WIDE)
        *(_Atomic uint64_t *)at = value;
    else
        *(_Atomic unsigned *)at = (unsigned)value;
}

static struct range range_of(uint64_t where)
{
    switch (where) {
    case AS_32_BITS(shmmni):
    case AS_32_BITS(msgmni):
        return (struct range){0, IPC_SLOTS};
    case AS_32_BITS(msgmax):
    case AS_32_BITS(msgmnb):
        return (struct range){0, INT32_MAX};
    case AS_32_BITS(mq_queues_max):
        return (struct range){0, INT32_MAX};
    case AS_32_BITS(mq_msg_max):
    case AS_32_BITS(mq_msg_default):
        return (struct range){1, 65536};
    case AS_32_BITS(mq_msgsize_max):
    case AS_32_BITS(mq_msgsize_default):
        return (struct range){128, 16 << 20};
    default:
        return (struct range){0, UINT64_MAX};
    }
}

/* One number of a text: -EINVAL unless it is in the range. */
static int parse_number(char **text, struct range allowed, uint64_t *ret)
{
    char *end;
    while (**text == ' ' || **text == '\t')
        ++*text;
    if (**text < '0' || **text > '9')
        return -EINVAL;
    errno = 0;
    uint64_t value = strtoull(*text, &end, 0);
    if (value < allowed.min || value > allowed.max || (*end && *end != '\n' && *end != ' ' && *end != '\t'))
        return -EINVAL;
    *text = end;
    *ret = value;
    return 0;
}

int ipc_sysctl_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_printf(out, "%llu\n", (unsigned long long)read_field(current_ipc_ns(), i->arg));
    return 0;
}

int ipc_sysctl_write(struct synth_inode *i, char *text, size_t len)
{
    uint64_t value;
    int err = parse_number(&text, range_of(i->arg), &value);
    if (err == 0)
        write_field(current_ipc_ns(), i->arg, value);
    return err;
}

int sem_sysctl_show(struct synth_inode *i, struct strbuf *out)
{
    const struct ipc_namespace *ns = current_ipc_ns();
    strbuf_printf(out, "%u\t%u\t%u\t%u\n", ns->semmsl, ns->semmns, ns->semopm, ns->semmni);
    return 0;
}

/* As many of the four as are given. */
int sem_sysctl_write(struct synth_inode *i, char *text, size_t len)
{
    struct ipc_namespace *ns = current_ipc_ns();
    _Atomic unsigned *const fields[] = {&ns->semmsl, &ns->semmns, &ns->semopm, &ns->semmni};
    for (size_t n = 0; n < ARRAY_SIZE(fields); n++) {
        uint64_t value;
        int err = parse_number(&text, (struct range){0, n == 3 ? IPC_SLOTS : INT32_MAX}, &value);
        if (err < 0)
            return n > 0 && !*text ? 0 : err;
        *fields[n] = (unsigned)value;
    }
    return 0;
}

#define NUMBER(name_, where) REG(name_, 0644, ipc_sysctl_show, .write = ipc_sysctl_write, .arg = where)

const struct synth_entry proc_sys_mqueue_entries[] = {
    NUMBER("msg_default", AS_32_BITS(mq_msg_default)),
    NUMBER("msg_max", AS_32_BITS(mq_msg_max)),
    NUMBER("msgsize_default", AS_32_BITS(mq_msgsize_default)),
    NUMBER("msgsize_max", AS_32_BITS(mq_msgsize_max)),
    NUMBER("queues_max", AS_32_BITS(mq_queues_max)),
    {0},
};
