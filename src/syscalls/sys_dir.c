/* Directories and where a task stands: getdents64, getcwd, chdir, chroot, umask. */
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <limits.h>
#include <linux/capability.h>
#include <string.h>

/* ---- getdents ---- */

#define DENTS_MAX (64u * 1024) /* bytes of entries a call gives at most */

/* The two layouts differ in where d_type stands: behind d_reclen, or in the entry's last byte. */
struct dirent_layout {
    size_t name_offset;
    bool type_first;
};
static const struct dirent_layout layout64 = {19, true}, layout_old = {18, false};

struct dents_buffer {
    struct dir_emitter emitter;
    const struct dirent_layout *layout;
    char *buf;
    size_t size, used;
    bool too_small; /* an entry did not fit an empty buffer */
};

static bool emit_dirent(struct dir_emitter *e, const char *name, size_t len, uint64_t ino,
                        unsigned char type, int64_t next)
{
    struct dents_buffer *b = container_of(e, struct dents_buffer, emitter);
    size_t at = b->layout->name_offset, tail = b->layout->type_first ? 1 : 2;
    uint16_t reclen = (uint16_t)align_up(at + len + tail, 8);
    if (b->used + reclen > b->size) {
        b->too_small = !b->used;
        return false;
    }
    char *p = b->buf + b->used;
    memset(p + reclen - 8, 0, 8);
    memcpy(p, &ino, 8);
    memcpy(p + 8, &next, 8);
    memcpy(p + 16, &reclen, 2);
    p[b->layout->type_first ? 18 : reclen - 1] = (char)type;
    memcpy(p + at, name, len);
    p[at + len] = '\0';
    b->used += reclen;
    return true;
}

static int64_t do_getdents(int fd, uaddr_t to, unsigned count, const struct dirent_layout *layout)
{
    CLEANUP_FILE struct file *f = NULL;
    CLEANUP_FREE char *buf = NULL;
    int err = fd_file(fd, &f);
    if (err)
        return err;
    struct dents_buffer b = {
        .emitter = {emit_dirent}, .layout = layout, .size = MIN(count, DENTS_MAX)};
    b.buf = buf = malloc(b.size ? b.size : 1);
    if (!buf)
        return -ENOMEM;
    err = vfs_readdir(f, &b.emitter);
    if (err)
        return err;
    if (b.too_small)
        return -EINVAL;
    err = copy_to_user(to, buf, b.used);
    return err ? err : (int64_t)b.used;
}

int64_t sys_getdents64(const uint64_t *a)
{
    return do_getdents((int)a[0], a[1], (unsigned)a[2], &layout64);
}

int64_t sys_getdents(const uint64_t *a)
{
    return do_getdents((int)a[0], a[1], (unsigned)a[2], &layout_old);
}

/* ---- where a task stands ---- */

int64_t sys_getcwd(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path cwd = {0}, root = {0};
    CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
    fs_get_cwd(current_fs(), &cwd);
    fs_get_root(current_fs(), &root);
    if (cwd.dentry->deleted)
        return -ENOENT;
    int err = path_string(&cwd, &root, &text);
    if (err)
        return err;
    if (text.len + 1 > a[1])
        return -ERANGE;
    err = copy_to_user(a[0], text.s, text.len + 1);
    return err ? err : (int64_t)text.len + 1;
}

static int64_t walk_and(uint64_t path_addr, int (*verb)(const struct path *p))
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_PATH_REF struct path p = {0};
    int err = user_path(path_addr, &path);
    if (!err)
        err = path_lookup(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);
    return err ? err : verb(&p);
}

int64_t sys_chdir(const uint64_t *a)
{
    return walk_and(a[0], vfs_chdir);
}

int64_t sys_chroot(const uint64_t *a)
{
    return walk_and(a[0], vfs_chroot);
}

int64_t sys_fchdir(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file_any((int)a[0], &f);
    return err ? err : vfs_chdir(&f->path);
}

int64_t sys_umask(const uint64_t *a)
{
    struct fs_context *fs = current_fs();
    spin_lock(&fs->lock);
    uint32_t old = fs->umask;
    fs->umask = (uint32_t)a[0] & 0777;
    spin_unlock(&fs->lock);
    return old;
}
