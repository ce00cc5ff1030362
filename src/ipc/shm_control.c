/* shmctl(2), and /proc/sysvipc/shm. */
#include "ipc/shm.h"
#include "kernel/limits.h"
#include "kernel/pid.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <sys/shm.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

/* ---- what is asked ---- */

static int64_t limits_info(struct ipc_namespace *ns, uaddr_t buf)
{
    unsigned in_use;
    struct shminfo info = {.shmmax = ns->shmmax,
                           .shmmin = 1,
                           .shmmni = ns->shmmni,
                           .shmseg = ns->shmmni,
                           .shmall = ns->shmall};
    int highest = ipc_highest(ns, IPC_SHM, &in_use);
    return put_user(&info, buf) ? -EFAULT : MAX(highest, 0);
}

static int64_t usage_info(struct ipc_namespace *ns, uaddr_t buf)
{
    unsigned in_use;
    int highest = ipc_highest(ns, IPC_SHM, &in_use);
    struct shm_info info = {.used_ids = (int)in_use, .shm_tot = ns->shm_pages};
    for (int slot = 0; slot <= highest; slot++) {
        struct ipc_object *o;
        if (ipc_find_slot(ns, IPC_SHM, slot, &o) < 0)
            continue;
        info.shm_rss += shm_resident(shm_of(o));
        ipc_unlock(o);
    }
    return put_user(&info, buf) ? -EFAULT : MAX(highest, 0);
}

static void fill_stat(const struct shm *s, struct shmid_ds *ret)
{
    *ret = (struct shmid_ds){
        .shm_segsz = s->size,
        .shm_atime = s->atime,
        .shm_dtime = s->dtime,
        .shm_ctime = s->ctime,
        .shm_cpid = s->creator ? pid_number(s->creator) : 0,
        .shm_lpid = s->last ? pid_number(s->last) : 0,
        .shm_nattch = s->attaches,
    };
    ipc_fill_perm(&s->o, &ret->shm_perm);
}

static int64_t stat_segment(struct ipc_namespace *ns, int id, int cmd, uaddr_t buf)
{
    struct ipc_object *o;
    struct shmid_ds ds;
    int err = cmd == IPC_STAT ? ipc_find(ns, IPC_SHM, id, &o) : ipc_find_slot(ns, IPC_SHM, id, &o);
    if (err < 0)
        return err;
    err = cmd == SHM_STAT_ANY ? 0 : ipc_permission(o, 0444);
    if (err == 0)
        fill_stat(shm_of(o), &ds);
    int shown = o->id;
    ipc_unlock(o);
    if (err < 0)
        return err;
    return put_user(&ds, buf) ? -EFAULT : cmd == IPC_STAT ? 0 : shown;
}

/* ---- what is changed ---- */

static int set_segment(struct shm *s, const struct shmid_ds *ds)
{
    int err = ipc_set_perm(&s->o, &ds->shm_perm);
    if (err == 0)
        s->ctime = now_realtime() / NSEC_PER_SEC;
    return err;
}

static int remove_segment(struct shm *s)
{
    if (s->attaches == 0) {
        shm_destroy_locked(&s->o);
        return 0;
    }
    s->o.mode |= SHM_DEST;
    s->o.key = IPC_PRIVATE; /* not to be found any more */
    return 0;
}

static int lock_segment(struct shm *s, bool lock)
{
    uint32_t euid = current_cred()->euid;
    uint64_t limit = current_limit(RLIMIT_MEMLOCK);
    if (!capable(CAP_IPC_LOCK)) {
        if (euid != s->o.uid && euid != s->o.cuid)
            return -EPERM;
        if (lock && limit == 0)
            return -EPERM;
        if (lock && limit != RLIM_INFINITY && shm_pages(s) > limit / PAGE_SIZE)
            return -ENOMEM;
    }
    s->o.mode = lock ? s->o.mode | SHM_LOCKED : s->o.mode & ~(unsigned)SHM_LOCKED;
    return 0;
}

static int64_t change_segment(struct ipc_namespace *ns, int id, int cmd, uaddr_t buf)
{
    struct ipc_object *o;
    struct shmid_ds ds;
    if (cmd == IPC_SET && get_user(&ds, buf))
        return -EFAULT;
    int err = ipc_find(ns, IPC_SHM, id, &o);
    if (err < 0)
        return err;
    struct shm *s = shm_of(o);
    if (cmd == SHM_LOCK || cmd == SHM_UNLOCK)
        err = lock_segment(s, cmd == SHM_LOCK);
    else
        err = ipc_may_control(o);
    if (err == 0 && cmd == IPC_SET)
        err = set_segment(s, &ds);
    if (err == 0 && cmd == IPC_RMID)
        err = remove_segment(s);
    ipc_unlock(o);
    return err;
}

int64_t do_shmctl(int id, int cmd, uaddr_t buf)
{
    struct ipc_namespace *ns = current_ipc_ns();
    if (cmd < 0 || id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
        return limits_info(ns, buf);
    case SHM_INFO:
        return usage_info(ns, buf);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return stat_segment(ns, id, cmd, buf);
    case IPC_SET:
    case IPC_RMID:
    case SHM_LOCK:
    case SHM_UNLOCK:
        return change_segment(ns, id, cmd, buf);
    default:
        return -EINVAL;
    }
}

/* ---- /proc/sysvipc/shm ---- */

static void show_one(const struct shm *s, struct strbuf *out)
{
    struct shmid_ds ds;
    fill_stat(s, &ds);
    strbuf_printf(out, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u ", s->o.key, s->o.id, s->o.mode, s->size,
                  (unsigned)ds.shm_cpid, (unsigned)ds.shm_lpid, ds.shm_nattch, s->o.uid, s->o.gid, s->o.cuid,
                  s->o.cgid);
    strbuf_printf(out, "%10lld %10lld %10lld %21lu %21lu\n", (long long)s->atime, (long long)s->dtime,
                  (long long)s->ctime, shm_resident(s) * PAGE_SIZE, 0UL);
}

void shm_show(struct ipc_namespace *ns, struct strbuf *out)
{
    unsigned in_use;
    int highest = ipc_highest(ns, IPC_SHM, &in_use);
    strbuf_puts(out, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
                     "  cgid      atime      dtime      ctime                   rss                  swap\n");
    for (int slot = 0; slot <= highest; slot++) {
        struct ipc_object *o;
        if (ipc_find_slot(ns, IPC_SHM, slot, &o) < 0)
            continue;
        show_one(shm_of(o), out);
        ipc_unlock(o);
    }
}
