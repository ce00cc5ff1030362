/*
 * Files that show a process's memory: cmdline, environ, auxv, maps, smaps, mem.
 *
 * They hold a reference to the address space only while they read. A zombie has none: its files are
 * empty, as on Linux.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "mm/mm.h"
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

/* DEVIATION: what is resident is known to the host for the whole space only, so every area shows
 * zeros. */
static void add_smaps_numbers(uint64_t size_kb, uint64_t rss_kb, bool header, struct strbuf *out)
{
    static const char *const names[] = {
        "Shared_Clean",    "Shared_Dirty",   "Private_Clean", "Private_Dirty",
        "Referenced",      "Anonymous",      "KSM",           "LazyFree",
        "AnonHugePages",   "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb",
        "Private_Hugetlb", "Swap",           "SwapPss",       "Locked"};
    if (header)
        strbuf_printf(
            out,
            "Size:           %8llu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
            (unsigned long long)size_kb);
    strbuf_printf(
        out, "Rss:            %8llu kB\nPss:            %8llu kB\nPss_Dirty:      %8llu kB\n",
        (unsigned long long)rss_kb, (unsigned long long)rss_kb, (unsigned long long)rss_kb);
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        bool dirty = strcmp(names[n], "Private_Dirty") == 0 || strcmp(names[n], "Anonymous") == 0;
        strbuf_printf(out, "%s:%*s%8llu kB\n", names[n], (int)(15 - strlen(names[n])), "",
                      dirty ? (unsigned long long)rss_kb : 0ULL);
    }
}

static void add_smaps_entry(const char *line, size_t len, struct strbuf *out)
{
    unsigned long long start = 0, end = 0;
    char *next;
    strbuf_add(out, line, len);
    start = strtoull(line, &next, 16);
    if (*next == '-')
        end = strtoull(next + 1, &next, 16);
    add_smaps_numbers((end - start) / 1024, 0, true, out);
    strbuf_puts(out, "THPeligible:           0\nVmFlags: ");
    static const char letters[] = "rwx";
    static const char *const words[] = {"rd ", "wr ", "ex "};
    for (int b = 0; b < 3; b++)
        if (next[0] == ' ' && next[1 + b] == letters[b])
            strbuf_puts(out, words[b]);
    strbuf_puts(out, "mr mw me ac sd \n");
}

int pid_smaps_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf maps = STRBUF_INIT;
    int err = pid_maps_show(i, &maps);
    if (err < 0 || maps.failed || !maps.s)
        return err;
    for (const char *line = maps.s; line < maps.s + maps.len;) {
        const char *end = memchr(line, '\n', (size_t)(maps.s + maps.len - line));
        if (!end)
            break;
        add_smaps_entry(line, (size_t)(end + 1 - line), out);
        line = end + 1;
    }
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
    uint64_t rss_kb = mm_rss(mm) * (PAGE_SIZE / 1024);
    mutex_lock(&mm->lock);
    struct area *first = mm_first_area(mm, 0);
    unsigned long long start = first ? first->start : 0;
    mutex_unlock(&mm->lock);
    mm_put(mm);
    strbuf_printf(out,
                  "%08llx-7ffffffff000 ---p 00000000 00:00 0                          [rollup]\n",
                  start);
    add_smaps_numbers(0, rss_kb, false, out);
    return 0;
}

/* ---- mem ---- */

static int mem_open(struct inode *inode, struct file *file)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct synth_inode *i = synth_inode(inode);
    int err = proc_target_get(i, &t);
    if (err >= 0)
        err = proc_may_trace(t.process, t.task);
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
        ssize_t n = mm_read(mm, (uaddr_t)*pos, piece, MIN(to->remaining, (size_t)MEM_PIECE));
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
        if (n > 0)
            n = mm_write(mm, (uaddr_t)*pos, piece, (size_t)n);
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
