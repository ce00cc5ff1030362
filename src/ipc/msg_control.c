/* msgctl(2), and /proc/sysvipc/msg. */
#include "ipc/msg.h"
#include "kernel/cred.h"
#include "kernel/pid.h"
#include "mm/uaccess.h"
#include <linux/capability.h>

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

/* ---- what is asked ---- */

static int64_t msg_info(struct ipc_namespace *ns, bool usage, uaddr_t buf)
{
    unsigned in_use;
    int highest = ipc_highest(ns, IPC_MSG, &in_use);
    struct msginfo info = {
        .msgpool = usage ? (int)in_use : 32000 * 16384 / 1024,
        .msgmap = usage ? (int)ns->msg_count : 16384,
        .msgmax = (int)ns->msgmax,
        .msgmnb = (int)ns->msgmnb,
        .msgmni = (int)ns->msgmni,
        .msgssz = 16,
        .msgtql = usage ? (int)ns->msg_bytes : 16384,
        .msgseg = 0xffff,
    };
    return put_user(&info, buf) ? -EFAULT : MAX(highest, 0);
}

static void fill_stat(const struct msg_queue *q, struct msqid_ds *ret)
{
    *ret = (struct msqid_ds){
        .msg_stime = q->stime,
        .msg_rtime = q->rtime,
        .msg_ctime = q->ctime,
        .__msg_cbytes = q->bytes,
        .msg_qnum = q->count,
        .msg_qbytes = q->limit,
        .msg_lspid = q->sender ? pid_number(q->sender) : 0,
        .msg_lrpid = q->receiver ? pid_number(q->receiver) : 0,
    };
    ipc_fill_perm(&q->o, &ret->msg_perm);
}

static int64_t stat_queue(struct ipc_namespace *ns, int id, int cmd, uaddr_t buf)
{
    struct ipc_object *o;
    struct msqid_ds ds;
    int err = cmd == IPC_STAT ? ipc_find(ns, IPC_MSG, id, &o) : ipc_find_slot(ns, IPC_MSG, id, &o);
    if (err < 0)
        return err;
    err = cmd == MSG_STAT_ANY ? 0 : ipc_permission(o, 0444);
    if (err == 0)
        fill_stat(msg_queue_of(o), &ds);
    int shown = o->id;
    ipc_unlock(o);
    if (err < 0)
        return err;
    return put_user(&ds, buf) ? -EFAULT : cmd == IPC_STAT ? 0 : shown;
}

/* ---- what is changed ---- */

static int set_queue(struct msg_queue *q, const struct msqid_ds *ds)
{
    if (ds->msg_qbytes > q->o.ns->msgmnb && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    int err = ipc_set_perm(&q->o, &ds->msg_perm);
    if (err < 0)
        return err;
    q->limit = ds->msg_qbytes;
    q->ctime = now_realtime() / NSEC_PER_SEC;
    msg_wake_all(q);
    return 0;
}

static int64_t change_queue(struct ipc_namespace *ns, int id, int cmd, uaddr_t buf)
{
    struct ipc_object *o;
    struct msqid_ds ds;
    if (cmd == IPC_SET && get_user(&ds, buf))
        return -EFAULT;
    int err = ipc_find(ns, IPC_MSG, id, &o);
    if (err < 0)
        return err;
    err = ipc_may_control(o);
    if (err == 0 && cmd == IPC_RMID)
        msg_destroy_locked(o);
    if (err == 0 && cmd == IPC_SET)
        err = set_queue(msg_queue_of(o), &ds);
    ipc_unlock(o);
    return err;
}

int64_t do_msgctl(int id, int cmd, uaddr_t buf)
{
    struct ipc_namespace *ns = current_ipc_ns();
    if (id < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case MSG_INFO:
        return msg_info(ns, cmd == MSG_INFO, buf);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return stat_queue(ns, id, cmd, buf);
    case IPC_SET:
    case IPC_RMID:
        return change_queue(ns, id, cmd, buf);
    default:
        return -EINVAL;
    }
}

/* ---- /proc/sysvipc/msg ---- */

static void show_one(const struct msg_queue *q, struct strbuf *out)
{
    const struct ipc_object *o = &q->o;
    struct msqid_ds ds;
    fill_stat(q, &ds);
    strbuf_printf(out, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n", o->key, o->id,
                  o->mode, q->bytes, q->count, (unsigned)ds.msg_lspid, (unsigned)ds.msg_lrpid, o->uid, o->gid, o->cuid,
                  o->cgid, (long long)q->stime, (long long)q->rtime, (long long)q->ctime);
}

void msg_show(struct ipc_namespace *ns, struct strbuf *out)
{
    unsigned in_use;
    int highest = ipc_highest(ns, IPC_MSG, &in_use);
    strbuf_puts(out, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
                     "      stime      rtime      ctime\n");
    for (int slot = 0; slot <= highest; slot++) {
        struct ipc_object *o;
        if (ipc_find_slot(ns, IPC_MSG, slot, &o) < 0)
            continue;
        show_one(msg_queue_of(o), out);
        ipc_unlock(o);
    }
}
