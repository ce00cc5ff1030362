/* The system as a whole: its name, its memory, limits, random numbers, and what concerns no other
 * file. */
#include "kernel/cgroup.h"
#include "kernel/cpu_limit.h"
#include "kernel/limits.h"
#include "kernel/membarrier.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/prctl.h"
#include "kernel/task.h"
#include "kernel/usage.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* ---- names ---- */

#define PER_UNAME26 0x0020000

int64_t sys_uname(const uint64_t *a)
{
    struct uts_namespace *ns = current->ns.uts;
    struct utsname u;
    memset(&u, 0, sizeof(u));
    strcpy(u.sysname, "Linux");
    strcpy(u.release, current->personality & PER_UNAME26 ? "2.6.72-picket" : PICKET_RELEASE);
    strcpy(u.version, PICKET_VERSION);
    strcpy(u.machine, "x86_64");
    spin_lock(&ns->lock);
    strcpy(u.nodename, ns->nodename);
    strcpy(u.domainname, ns->domainname);
    spin_unlock(&ns->lock);
    return put_user(&u, a[0]);
}

static int64_t set_name(char *name, uaddr_t from, int len)
{
    struct uts_namespace *ns = current->ns.uts;
    char fresh[UTS_NAME_LEN + 1] = {0};
    if (!ns_capable(ns->common.owner, CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len > UTS_NAME_LEN)
        return -EINVAL;
    if (copy_from_user(fresh, from, (size_t)len))
        return -EFAULT;
    spin_lock(&ns->lock);
    memcpy(name, fresh, sizeof(fresh));
    spin_unlock(&ns->lock);
    return 0;
}

int64_t sys_sethostname(const uint64_t *a)
{
    return set_name(current->ns.uts->nodename, a[0], (int)a[1]);
}

int64_t sys_setdomainname(const uint64_t *a)
{
    return set_name(current->ns.uts->domainname, a[0], (int)a[1]);
}

/* ---- the machine ---- */

int64_t sys_sysinfo(const uint64_t *a)
{
    struct sysinfo host, s;
    memset(&s, 0, sizeof(s));
    if (sysinfo(&host))
        return -EIO;
    s.uptime = now_monotonic() / NSEC_PER_SEC;
    uint64_t unit = host.mem_unit ? host.mem_unit : 1, all = host.totalram * unit, used;
    uint64_t total = cgroup_memory_total(all, &used);
    s.totalram = total / unit;
    s.freeram = total < all ? (total - used) / unit : host.freeram;
    s.bufferram = total < all ? 0 : host.bufferram;
    s.mem_unit = host.mem_unit;
    s.procs = (unsigned short)MIN(task_total(), 65535u);
    return put_user(&s, a[0]);
}

int64_t sys_getrandom(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    size_t want = MIN(a[1], (uint64_t)INT32_MAX), done = 0;
    if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | 4u) || (flags & GRND_RANDOM && flags & 4u))
        return -EINVAL;
    while (done < want) {
        char buf[256]; /* what the host gives without ever being interrupted */
        size_t n = MIN(want - done, sizeof(buf));
        if (getrandom(buf, n, 0) != (ssize_t)n)
            return done ? (int64_t)done : -EIO;
        size_t copied = copy_to_user_partial(a[0] + done, buf, n);
        done += copied;
        if (copied < n)
            return done ? (int64_t)done : -EFAULT;
        if (done % 4096 == 0 && fiber_interrupted(fiber_self()))
            return (int64_t)done;
    }
    return (int64_t)done;
}

int64_t sys_membarrier(const uint64_t *a)
{
    return do_membarrier((int)a[0], (unsigned)a[1]);
}

int64_t sys_rseq(const uint64_t *a)
{
    return do_rseq(a[0], (uint32_t)a[1], (int)a[2], (uint32_t)a[3]);
}

int64_t sys_personality(const uint64_t *a)
{
    struct task *t = current;
    unsigned long old = t->personality;
    if ((uint32_t)a[0] != 0xffffffff)
        t->personality = (uint32_t)a[0];
    return (int64_t)old;
}

/* An empty ring: the sandbox's kernel log is not the guest's to read. */
int64_t sys_syslog(const uint64_t *a)
{
    int type = (int)a[0];
    if (type != 3 && type != 10 && !capable(CAP_SYSLOG))
        return -EPERM;
    switch (type) {
    case 0: /* close, open */
    case 1:
        return 0;
    case 2: /* read, read all, read and clear */
    case 3:
    case 4:
        return a[1] && (int)a[2] >= 0 ? 0 : -EINVAL;
    case 5: /* clear, console off, console on */
    case 6:
    case 7:
        return 0;
    case 8: /* console level */
        return (int)a[2] >= 1 && (int)a[2] <= 8 ? 0 : -EINVAL;
    case 9: /* unread bytes */
        return 0;
    case 10: /* size of the ring */
        return 1 << 17;
    default:
        return -EINVAL;
    }
}

int64_t sys_reboot(const uint64_t *a)
{
    return -EPERM; /* as in any container without CAP_SYS_BOOT */
}

/* ---- limits ---- */

struct guest_rlimit {
    uint64_t cur, max;
};

static int set_limit(struct process *p, unsigned resource, const struct guest_rlimit *fresh)
{
    int err = limits_set(&p->limits, resource, fresh->cur, fresh->max, capable(CAP_SYS_RESOURCE));
    if (!err && resource == RLIMIT_CPU)
        cpu_limit_update(p);
    return err;
}

int64_t sys_getrlimit(const uint64_t *a)
{
    struct limits *l = &current->process->limits;
    unsigned resource = (unsigned)a[0];
    if (resource >= LIMIT_COUNT)
        return -EINVAL;
    struct guest_rlimit out = {.cur = l->v[resource].cur, .max = l->v[resource].max};
    return put_user(&out, a[1]);
}

int64_t sys_setrlimit(const uint64_t *a)
{
    struct guest_rlimit fresh;
    if (get_user(&fresh, a[1]))
        return -EFAULT;
    return set_limit(current->process, (unsigned)a[0], &fresh);
}

/* May the caller see or change another process's limits? The same user all over, or
 * CAP_SYS_RESOURCE. */
static int may_limit(struct task *t)
{
    const struct cred *own = current->cred, *his = task_get_cred(t);
    bool same = own->uid == his->euid && own->uid == his->suid && own->uid == his->uid &&
                own->gid == his->egid && own->gid == his->sgid && own->gid == his->gid;
    bool privileged = ns_capable(his->user_ns, CAP_SYS_RESOURCE);
    cred_put((struct cred *)his);
    return same || t->process == current->process || privileged ? 0 : -EPERM;
}

static int64_t prlimit_of(struct task *t, unsigned resource, const struct guest_rlimit *fresh, uaddr_t to)
{
    struct guest_rlimit old;
    struct limits *l = &t->process->limits;
    int err = may_limit(t);
    if (err)
        return err;
    if (resource >= LIMIT_COUNT)
        return -EINVAL;
    old = (struct guest_rlimit){.cur = l->v[resource].cur, .max = l->v[resource].max};
    if (fresh)
        err = set_limit(t->process, resource, fresh);
    return err || !to ? err : put_user(&old, to);
}

int64_t sys_prlimit64(const uint64_t *a)
{
    struct guest_rlimit fresh;
    if (a[2] && get_user(&fresh, a[2]))
        return -EFAULT;
    struct task *t = (int32_t)a[0] ? task_find((int32_t)a[0]) : task_get(current);
    if (!t)
        return -ESRCH;
    int64_t result = prlimit_of(t, (unsigned)a[1], a[2] ? &fresh : NULL, a[3]);
    task_put(t);
    return result;
}

int64_t sys_getrusage(const uint64_t *a)
{
    struct rusage usage;
    int err = usage_of_current((int)a[0], &usage);
    return err ? err : put_user(&usage, a[1]);
}

/* ---- attributes of the caller ---- */

int64_t sys_prctl(const uint64_t *a)
{
    return do_prctl((int)a[0], a[1], a[2], a[3], a[4]);
}

int64_t sys_arch_prctl(const uint64_t *a)
{
    return do_arch_prctl((int)a[0], a[1]);
}
