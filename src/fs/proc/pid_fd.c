/*
 * /proc/PID/fd and fdinfo: one entry a descriptor.
 *
 * A link in fd leads to the open file's place; opening it opens the file anew. The descriptor's
 * number is the inode's arg.
 */
#include "fs/proc/private.h"
#include "kernel/fdtable.h"
#include <dirent.h>
#include <stdio.h>

static int target_files(struct synth_inode *i, struct fdtable **ret)
{
    struct pid *pid = i->object;
    struct task *task = NULL;
    spin_lock(&tasklist_lock);
    if (pid->task)
        task = task_get(pid->task);
    spin_unlock(&tasklist_lock);
    if (!task)
        return -ENOENT;
    *ret = task_get_files(task);
    task_put(task);
    return *ret ? 0 : -ENOENT;
}

static int target_file(struct synth_inode *i, struct file **ret, bool *ret_cloexec)
{
    struct fdtable *files;
    int err = target_files(i, &files);
    if (err < 0)
        return err;
    err = fdtable_file(files, (int)i->arg, ret, ret_cloexec);
    fdtable_put(files);
    return err < 0 ? -ENOENT : 0;
}

static int fd_get_link(struct synth_inode *i, struct path *ret)
{
    struct file *file;
    int err = target_file(i, &file, NULL);
    if (err < 0)
        return err;
    *ret = file->path;
    path_get(ret);
    file_put(file);
    return 0;
}

static int fd_readlink(struct synth_inode *i, char **ret)
{
    CLEANUP_PATH_REF struct path place = {NULL, NULL};
    int err = fd_get_link(i, &place);
    return err < 0 ? err : proc_path_text(&place, ret);
}

/* The permissions of the link tell how the file is open. */
void fd_getattr(struct synth_inode *i)
{
    struct file *file;
    if (target_file(i, &file, NULL) < 0)
        return;
    i->inode.attr.mode =
        S_IFLNK | 0100 | (file_readable(file) ? 0400 : 0) | (file_writable(file) ? 0200 : 0);
    i->inode.attr.size = 64;
    file_put(file);
}

static int fdinfo_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_FILE struct file *file = NULL;
    bool cloexec;
    int err = target_file(i, &file, &cloexec);
    if (err < 0)
        return err;
    uint32_t flags = file->flags | (cloexec ? O_CLOEXEC : 0);
    strbuf_printf(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n", (long long)file->pos,
                  flags, file->path.mount ? file->path.mount->id : 0,
                  (unsigned long long)file->inode->attr.ino);
    if (file->ops->show_fdinfo)
        file->ops->show_fdinfo(file, out);
    return 0;
}

const struct synth_entry fd_row =
    LNK("fd", .readlink = fd_readlink, .get_link = fd_get_link, .flags = PROC_PTRACE);
static const struct synth_entry fdinfo_row = REG("fdinfo", 0444, fdinfo_show, .flags = PROC_PTRACE);

static int lookup_fd(struct synth_inode *dir, const struct name *name,
                     const struct synth_entry *row, struct inode **ret)
{
    struct fdtable *files;
    struct file *file;
    int32_t fd = synth_name_number(name);
    int err = fd < 0 ? -ENOENT : target_files(dir, &files);
    if (err < 0)
        return err;
    err = fdtable_file(files, fd, &file, NULL);
    fdtable_put(files);
    if (err < 0)
        return -ENOENT;
    file_put(file);
    uint64_t number = dir->inode.attr.ino << 20 | (uint64_t)fd;
    return synth_inode_new(dir->inode.sb, row, pid_get(dir->object), (uint64_t)fd, number, ret);
}

int fd_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    return lookup_fd(dir, name, &fd_row, ret);
}

int fdinfo_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    return lookup_fd(dir, name, &fdinfo_row, ret);
}

bool fd_is_dir(const struct synth_inode *i)
{
    return i->entry->iterate == fd_iterate;
}

int fd_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    struct fdtable *files;
    bool links = dir->entry->lookup == fd_lookup;
    int err = target_files(dir, &files);
    if (err < 0)
        return err;
    for (;;) {
        int64_t start = *pos - SYNTH_FIRST_DYNAMIC;
        int fd = start > FD_MAX ? -1 : fdtable_next(files, (int)start);
        if (fd < 0)
            break;
        char name[12];
        int len = snprintf(name, sizeof(name), "%d", fd);
        int64_t at = SYNTH_FIRST_DYNAMIC + (int64_t)fd;
        uint64_t ino =
            synth_ino(links ? &fd_row : &fdinfo_row, dir->inode.attr.ino << 20 | (uint64_t)fd);
        if (!e->emit(e, name, (size_t)len, ino, links ? DT_LNK : DT_REG, at + 1))
            break;
        *pos = at + 1;
    }
    fdtable_put(files);
    return 0;
}
