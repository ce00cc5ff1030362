/*
 * uid_map, gid_map, projid_map and setgroups of a process: the text forms of its user namespace's
 * maps (kernel/id_map.c). The namespace is the one the process had at open; who opened the file
 * counts for what may be written.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "kernel/user_namespace.h"
#include "vfs/file.h"
#include <linux/capability.h>
#include <string.h>

static const char *const names[] = {[ID_UID] = "uid_map", [ID_GID] = "gid_map", [ID_PROJID] = "projid_map"};

/* ID_KINDS: setgroups. */
static enum id_kind kind_of(const struct file *file)
{
    const char *name = synth_inode(file->inode)->entry->name;
    int kind = 0;
    while (kind < ID_KINDS && strcmp(names[kind], name))
        kind++;
    return (enum id_kind)kind;
}

static int ids_open(struct inode *inode, struct file *file)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(synth_inode(inode), &t);
    if (err < 0)
        return err;
    const struct cred *cred = task_get_cred(t.task);
    struct user_namespace *ns = user_namespace_get(cred->user_ns);
    cred_put((struct cred *)cred);
    if (kind_of(file) == ID_KINDS && file_writable(file) && !ns_capable(ns, CAP_SYS_ADMIN)) {
        user_namespace_put(ns);
        return -EACCES;
    }
    file->private_data = ns;
    return 0;
}

static void ids_release(struct file *file)
{
    user_namespace_put(file->private_data);
}

static ssize_t ids_read(struct file *file, struct uio *to, int64_t *pos)
{
    CLEANUP_STRBUF struct strbuf out = STRBUF_INIT;
    struct user_namespace *ns = file->private_data;
    enum id_kind kind = kind_of(file);
    if (kind == ID_KINDS)
        strbuf_puts(&out, ns->setgroups_denied ? "deny\n" : "allow\n");
    else
        id_map_show(ns, kind, file->cred->user_ns, &out);
    if (out.failed)
        return -ENOMEM;
    if (*pos < 0 || (uint64_t)*pos >= out.len)
        return 0;
    ssize_t n = uio_put(to, out.s + *pos, MIN(to->remaining, out.len - (size_t)*pos));
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t ids_write(struct file *file, struct uio *from, int64_t *pos)
{
    char text[PAGE_SIZE];
    size_t len = from->remaining;
    enum id_kind kind = kind_of(file);
    if (*pos != 0 || len >= sizeof(text) || (kind == ID_KINDS && len > 7))
        return -EINVAL;
    ssize_t n = uio_take(from, text, len);
    if (n < 0 || (size_t)n < len)
        return n < 0 ? n : -EFAULT;
    text[len] = '\0';
    int err = kind == ID_KINDS ? setgroups_write(file->private_data, text, len)
                               : id_map_write(file->private_data, kind, file->cred, text);
    if (err)
        return err;
    *pos += n;
    return n;
}

const struct file_ops pid_id_file_ops = {
    .open = ids_open,
    .read = ids_read,
    .write = ids_write,
    .lseek = generic_lseek,
    .release = ids_release,
};
