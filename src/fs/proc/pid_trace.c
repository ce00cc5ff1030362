/*
 * Files of a process for who debugs it: syscall, stack, timers, map_files, numa_maps.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "kernel/posix_timers.h"
#include "mm/mm.h"
#include <dirent.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int attach_target(struct synth_inode *i, struct proc_target *t)
{
    int err = proc_target_get(i, t);
    if (err < 0)
        return err;
    return trace_access(t->task, TRACE_ATTACH | TRACE_FSCREDS);
}

/* "running", or the call it sleeps in: number, arguments, stack pointer, position. */
int pid_syscall_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    uint64_t args[6], sp = 0, ip = 0;
    int err = attach_target(i, &t);
    if (err < 0)
        return err;
    int nr = t.task->syscall_nr;
    spin_lock(&t.task->platform_lock);
    if (t.task->ctx)
        context_peek_call(t.task->ctx, args, &sp, &ip);
    bool gone = !t.task->ctx;
    spin_unlock(&t.task->platform_lock);
    if (gone || (nr < 0 && t.task != current)) {
        strbuf_puts(out, gone ? "" : "running\n");
        return gone ? -ESRCH : 0;
    }
    strbuf_printf(out, "%d", nr);
    for (int a = 0; a < 6; a++)
        strbuf_printf(out, " 0x%llx", (unsigned long long)args[a]);
    strbuf_printf(out, " 0x%llx 0x%llx\n", (unsigned long long)sp, (unsigned long long)ip);
    return 0;
}

/* The kernel's own stack: Picket's means nothing to a reader, and is not told. */
int pid_stack_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = attach_target(i, &t);
    return err < 0 ? err : capable(CAP_SYS_ADMIN) ? 0 : -EACCES;
}

int pid_timers_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    posix_timers_show(t.process, proc_ns(i), out);
    return 0;
}

int pid_numa_maps_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    CLEANUP_PATH_REF struct path root = {NULL, NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    struct mm *mm = task_get_mm(t.task);
    if (!mm)
        return 0;
    fs_get_root(current_fs(), &root);
    mm_show_numa_maps(mm, &root, out);
    mm_put(mm);
    return 0;
}

/* ---- map_files: one link a mapped file, named by its addresses ---- */

static int map_mm(struct synth_inode *dir, struct mm **ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    if (proc_target_get(dir, &t) < 0)
        return -ENOENT;
    *ret = task_get_mm(t.task);
    return *ret ? 0 : -ENOENT;
}

static int map_get_link(struct synth_inode *i, struct path *ret)
{
    struct mm *mm;
    if (!capable(CAP_SYS_ADMIN) && !capable(40 /* CAP_CHECKPOINT_RESTORE */))
        return -EPERM;
    int err = map_mm(i, &mm);
    if (err < 0)
        return err;
    err = mm_file_at(mm, i->arg, 0, ret);
    mm_put(mm);
    return err;
}

static int map_readlink(struct synth_inode *i, char **ret)
{
    CLEANUP_PATH_REF struct path place = {NULL, NULL};
    struct mm *mm;
    int err = map_mm(i, &mm);
    if (err < 0)
        return err;
    err = mm_file_at(mm, i->arg, 0, &place);
    mm_put(mm);
    return err < 0 ? err : proc_path_text(&place, ret);
}

static const struct synth_entry map_row =
    LNK("map", .readlink = map_readlink, .get_link = map_get_link, .flags = PROC_PTRACE);

/* "START-END" in hexadecimal, without leading zeros. */
static bool parse_name(const struct name *name, uaddr_t *ret_start, uaddr_t *ret_end)
{
    char text[40], again[40];
    if (name->len >= sizeof(text))
        return false;
    memcpy(text, name->s, name->len);
    text[name->len] = '\0';
    if (sscanf(text, "%lx-%lx", ret_start, ret_end) != 2)
        return false;
    snprintf(again, sizeof(again), "%lx-%lx", *ret_start, *ret_end);
    return strcmp(text, again) == 0;
}

int map_files_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    CLEANUP_PATH_REF struct path place = {NULL, NULL};
    uaddr_t start, end;
    struct mm *mm;
    if (!parse_name(name, &start, &end))
        return -ENOENT;
    int err = map_mm(dir, &mm);
    if (err < 0)
        return err;
    err = mm_file_at(mm, start, end, &place);
    mm_put(mm);
    if (err < 0)
        return err;
    return synth_inode_new(dir->inode.sb, &map_row, pid_get(dir->object), start,
                           dir->inode.attr.ino << 20 ^ start >> 12, ret);
}

int map_files_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    struct mm *mm;
    size_t count = 0, n = 0;
    int err = map_mm(dir, &mm);
    if (err < 0)
        return err;
    CLEANUP_FREE struct core_area *areas = mm_core_areas(mm, &count);
    mm_put(mm);
    if (!areas)
        return -ENOMEM;
    for (size_t a = 0; a < count; a++) {
        char name[40];
        int64_t at = SYNTH_FIRST_DYNAMIC + (int64_t)n;
        if (!areas[a].is_file || (int64_t)n++ < *pos - SYNTH_FIRST_DYNAMIC)
            continue;
        int len = snprintf(name, sizeof(name), "%lx-%lx", areas[a].start, areas[a].end);
        uint64_t ino = synth_ino(&map_row, dir->inode.attr.ino << 20 ^ areas[a].start >> 12);
        if (!e->emit(e, name, (size_t)len, ino, DT_LNK, at + 1))
            break;
        *pos = at + 1;
    }
    return 0;
}
