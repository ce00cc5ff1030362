/*
 * Files that show a process's memory: cmdline, environ, auxv, maps, smaps, mem.
 *
 * They hold a reference to the address space only while they read. A zombie has none: its files are
 * empty, as on Linux.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "kernel/ptrace.h"
#include "mm/mm.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STRINGS_MAX (8u << 20) /* of a process's arguments or environment that are shown */
#define MEM_PIECE (64 * 1024)

/* The address space of the row's process, or NULL: it has none (any more). */
static int target_mm(struct synth_inode *i, struct mm **ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err >= 0)
        *ret = task_get_mm(t.task);
    return err;
}

/* Appends the guest's bytes [start, end); stops quietly at what cannot be read. */
static void add_range(struct mm *mm, uaddr_t start, uaddr_t end, struct strbuf *out)
{
    char piece[2048];
    if (end <= start || end - start > STRINGS_MAX)
        return;
    while (start < end) {
        ssize_t n = mm_read(mm, start, piece, MIN(end - start, sizeof(piece)));
        if (n <= 0)
            return;
        strbuf_add(out, piece, (size_t)n);
        start += (uaddr_t)n;
    }
}

/* A program may have written over its arguments (setproctitle): when the last byte is not NUL any
 * more, the title runs on into the environment up to the first NUL. */
static void add_title_rest(struct mm *mm, struct strbuf *out)
{
    if (out->len == 0 || out->s[out->len - 1] == '\0')
        return;
    size_t args = out->len;
    add_range(mm, mm->env_start, mm->env_end, out);
    if (out->failed)
        return;
    size_t end = strnlen(out->s, out->len);
    if (end < args)
        end = args;
    if (end < out->len)
        out->len = end + 1;
}

int pid_cmdline_show(struct synth_inode *i, struct strbuf *out)
{
    struct mm *mm;
    int err = target_mm(i, &mm);
    if (err < 0 || !mm)
        return err;
    add_range(mm, mm->arg_start, mm->arg_end, out);
    add_title_rest(mm, out);
    mm_put(mm);
    return 0;
}

int pid_environ_show(struct synth_inode *i, struct strbuf *out)
{
    struct mm *mm;
    int err = target_mm(i, &mm);
    if (err < 0 || !mm)
        return err;
    add_range(mm, mm->env_start, mm->env_end, out);
    mm_put(mm);
    return 0;
}

int pid_auxv_show(struct synth_inode *i, struct strbuf *out)
{
    struct mm *mm;
    int err = target_mm(i, &mm);
    if (err < 0 || !mm)
        return err;
    strbuf_add(out, mm->auxv,
               MIN((size_t)mm->auxv_len, ARRAY_SIZE(mm->auxv)) * sizeof(mm->auxv[0]));
    mm_put(mm);
    return 0;
}

int pid_maps_show(struct synth_inode *i, struct strbuf *out)
{
    struct mm *mm;
    CLEANUP_PATH_REF struct path root = {NULL, NULL};
    int err = target_mm(i, &mm);
    if (err < 0 || !mm)
        return err;
    fs_get_root(current_fs(), &root);
    mm_show_maps(mm, &root, out);
    mm_put(mm);
    return 0;
}

int pid_smaps_show(struct synth_inode *i, struct strbuf *out)
{
    struct mm *mm;
    CLEANUP_PATH_REF struct path root = {NULL, NULL};
    int err = target_mm(i, &mm);
    if (err < 0 || !mm)
        return err;
    fs_get_root(current_fs(), &root);
    mm_show_smaps(mm, &root, out);
    mm_put(mm);
    return 0;
}

int pid_smaps_rollup_show(struct synth_inode *i, struct strbuf *out)
{
    struct mm *mm;
    int err = target_mm(i, &mm);
    if (err < 0)
        return err;
    if (!mm)
        return -ESRCH;
    mm_show_smaps_rollup(mm, out);
    mm_put(mm);
    return 0;
}

/* One to five, as proc(5) has them; done by the host, to the whole space. */
int pid_clear_refs_write(struct synth_inode *i, char *text, size_t len)
{
    struct mm *mm;
    char *end;
    long what = strtol(text, &end, 10);
    if (end == text || end[strspn(end, " \t\n")] || what < 1 || what > 5)
        return -EINVAL;
    int err = target_mm(i, &mm);
    if (err < 0 || !mm)
        return err;
    err = mm_clear_refs(mm, (int)what);
    mm_put(mm);
    return err;
}

/* ---- mem ---- */

static int mem_open(struct inode *inode, struct file *file)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct synth_inode *i = synth_inode(inode);
    int err = proc_target_get(i, &t);
    if (err >= 0)
        err = trace_access(t.task, TRACE_ATTACH | TRACE_FSCREDS) < 0 ? -EACCES : 0;
    if (err < 0)
        return err;
    file->private_data = task_get_mm(t.task);
    return 0;
}

static void mem_release(struct file *file)
{
    if (file->private_data)
        mm_put(file->private_data);
}

/* What mere copying cannot reach, a tracer can, and everybody in his own memory: through pages that
 * are not readable or writable. DEVIATION: of others' running processes only what their pages
 * allow. */
static ssize_t move_by_force(struct file *file, uaddr_t at, char *piece, size_t n, bool write)
{
    struct task *t = current && current->mm == file->private_data
                         ? task_get(current)
                         : ptrace_find_stopped(file->private_data);
    if (!t)
        return -EIO;
    ssize_t done = write ? ptrace_poke(t, at, piece, n) : ptrace_peek(t, at, piece, n);
    task_put(t);
    return done;
}

static ssize_t mem_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct mm *mm = file->private_data;
    ssize_t total = 0;
    if (!mm)
        return 0;
    CLEANUP_FREE char *piece = malloc(MEM_PIECE);
    if (!piece)
        return -ENOMEM;
    while (to->remaining) {
        size_t want = MIN(to->remaining, (size_t)MEM_PIECE);
        ssize_t n = mm_read(mm, (uaddr_t)*pos, piece, want);
        if (n <= 0)
            n = move_by_force(file, (uaddr_t)*pos, piece, want, false);
        if (n > 0)
            n = uio_put(to, piece, (size_t)n);
        if (n <= 0)
            return total ? total : n == -EFAULT || n == 0 ? -EIO : n;
        total += n;
        *pos += n;
    }
    return total;
}

static ssize_t mem_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct mm *mm = file->private_data;
    ssize_t total = 0;
    if (!mm)
        return 0;
    CLEANUP_FREE char *piece = malloc(MEM_PIECE);
    if (!piece)
        return -ENOMEM;
    while (from->remaining) {
        ssize_t n = uio_take(from, piece, MIN(from->remaining, (size_t)MEM_PIECE));
        size_t taken = n > 0 ? (size_t)n : 0;
        if (n > 0)
            n = mm_write(mm, (uaddr_t)*pos, piece, taken);
        if (taken && n <= 0)
            n = move_by_force(file, (uaddr_t)*pos, piece, taken, true);
        if (n <= 0)
            return total ? total : n == -EFAULT || n == 0 ? -EIO : n;
        total += n;
        *pos += n;
    }
    return total;
}

/* Addresses are unsigned: seeking anywhere is right. */
static int64_t mem_lseek(struct file *file, int64_t offset, int whence)
{
    if (whence != SEEK_SET && whence != SEEK_CUR)
        return -EINVAL;
    file->pos = whence == SEEK_SET ? offset : (int64_t)((uint64_t)file->pos + (uint64_t)offset);
    return file->pos;
}

const struct file_ops pid_mem_ops = {
    .open = mem_open,
    .read = mem_read,
    .write = mem_write,
    .lseek = mem_lseek,
    .release = mem_release,
};

/* ---- pagemap: eight bytes a page; where in memory a page lies is nobody's business ---- */

#define PAGEMAP_FRAME ((1ULL << 55) - 1)

static ssize_t pagemap_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct mm *mm = file->private_data;
    uint64_t entries[256];
    ssize_t total = 0;
    if (*pos < 0 || *pos % 8 || to->remaining % 8)
        return -EINVAL;
    while (mm && to->remaining) {
        if ((uint64_t)*pos / 8 >= GUEST_END / PAGE_SIZE)
            break;
        ssize_t n = mm_pagemap(mm, (uaddr_t)*pos / 8 * PAGE_SIZE, entries,
                               MIN(to->remaining / 8, ARRAY_SIZE(entries)));
        for (ssize_t e = 0; e < n; e++)
            entries[e] &= ~PAGEMAP_FRAME;
        if (n > 0)
            n = uio_put(to, entries, (size_t)n * 8);
        if (n <= 0)
            return total ? total : n;
        total += n;
        *pos += n;
    }
    return total;
}

static int pagemap_open(struct inode *inode, struct file *file)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(synth_inode(inode), &t);
    if (err >= 0)
        err = proc_may_trace(t.task);
    if (err < 0)
        return err;
    file->private_data = task_get_mm(t.task);
    return 0;
}

const struct file_ops pid_pagemap_ops = {
    .open = pagemap_open,
    .read = pagemap_read,
    .lseek = mem_lseek,
    .release = mem_release,
};
