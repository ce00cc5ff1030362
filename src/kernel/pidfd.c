/* pidfds: see pidfd.h. */
#include "kernel/pidfd.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/trace_access.h"
#include "vfs/file.h"
#include "vfs/poll.h"

static const struct file_ops pidfd_ops;

int pidfd_new(struct pid *pid, uint32_t flags, struct file **ret)
{
    int err = file_new_anon("anon_inode:[pidfd]", 0700, &pidfd_ops, pid, flags, ret);
    if (!err)
        pid_get(pid);
    return err;
}

int pidfd_pid_flags(int fd, struct pid **ret, uint32_t *ret_flags)
{
    CLEANUP_FILE struct file *file = NULL;
    int err = fd_file(fd, &file);
    if (err)
        return err;
    if (file->ops != &pidfd_ops)
        return -EBADF;
    *ret = pid_get(file->private_data);
    *ret_flags = file->flags;
    return 0;
}

int pidfd_pid(int fd, struct pid **ret)
{
    uint32_t flags;
    return pidfd_pid_flags(fd, ret, &flags);
}

int pidfd_get_file(struct pid *pid, int fd, struct file **ret)
{
    spin_lock(&tasklist_lock);
    struct task *t = pid->task ? task_get(pid->task) : NULL;
    spin_unlock(&tasklist_lock);
    if (!t)
        return -ESRCH;
    int err = trace_access(t, TRACE_ATTACH | TRACE_REALCREDS);
    struct fdtable *files = err ? NULL : task_get_files(t);
    if (!err)
        err = files ? fdtable_file(files, fd, ret, NULL) : -ESRCH;
    fdtable_put(files);
    task_put(t);
    return err;
}

static bool has_exited(struct pid *pid)
{
    spin_lock(&tasklist_lock);
    bool exited = !pid->process || pid->process->state != PROCESS_RUNNING;
    spin_unlock(&tasklist_lock);
    return exited;
}

static uint32_t pidfd_poll(struct file *file, struct poll_table *table)
{
    struct pid *pid = file->private_data;
    poll_wait(table, &pid->exit_queue);
    return has_exited(pid) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void pidfd_release(struct file *file)
{
    pid_put(file->private_data);
}

static void pidfd_show_fdinfo(struct file *file, struct strbuf *out)
{
    struct pid *pid = file->private_data;
    spin_lock(&tasklist_lock);
    int32_t number = pid->process ? pid_number_in(pid, &root_pid_ns) : -1;
    spin_unlock(&tasklist_lock);
    strbuf_printf(out, "Pid:\t%d\nNSpid:\t%d\n", number, number);
}

static const struct file_ops pidfd_ops = {
    .poll = pidfd_poll,
    .release = pidfd_release,
    .show_fdinfo = pidfd_show_fdinfo,
    .stream = true,
};
