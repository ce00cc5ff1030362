/*
 * The format of core files, as debuggers know it from Linux: a note segment (registers and state of
 * each thread, the process, the signal, the auxiliary vector, the mapped files), then one segment a
 * memory area. Which areas' contents are in it is the process's coredump_filter's to say; of pages
 * that were never touched there is a hole.
 */
#include "base/cleanup.h"
#include "kernel/core_dump.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "vfs/file.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>

#define FP_LEGACY 512
#define FP_SOFTWARE 464

/* coredump_filter, core(5) */
#define ANON_PRIVATE 1
#define ANON_SHARED 2
#define FILE_PRIVATE 4
#define FILE_SHARED 8
#define ELF_HEADERS 16

struct writer {
    struct core *core;
    struct file *file;
    uint64_t pos, end, limit; /* end: of what has been written */
    int err;
};

struct segment {
    uaddr_t start, end;
    uint64_t size; /* of its contents in the file */
    int prot;
};

/* ---- bytes ---- */

static void put(struct writer *w, const void *data, size_t n)
{
    struct uio u;
    if (w->err)
        return;
    if (n > w->limit || w->pos > w->limit - n) {
        w->err = -EFBIG;
        return;
    }
    if (task_dying(w->core->dumper)) {
        w->err = -EINTR;
        return;
    }
    uio_init_kernel(&u, (void *)(uintptr_t)data, n);
    ssize_t done = vfs_pwrite(w->file, &u, (int64_t)w->pos);
    if (done != (ssize_t)n) {
        w->err = done < 0 ? (int)done : -ENOSPC;
        return;
    }
    w->pos += n;
    w->end = w->pos;
}

static void put_strbuf(struct writer *w, const struct strbuf *b)
{
    if (b->failed)
        w->err = -ENOMEM;
    else if (b->len)
        put(w, b->s, b->len);
}

/* ---- notes ---- */

static void add_note(struct strbuf *out, const char *name, uint32_t type, const void *data, size_t n)
{
    static const char zeroes[4];
    Elf64_Nhdr h = {.n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = (uint32_t)n, .n_type = type};
    strbuf_add(out, &h, sizeof(h));
    strbuf_add(out, name, h.n_namesz);
    strbuf_add(out, zeroes, -h.n_namesz & 3);
    strbuf_add(out, data, n);
    strbuf_add(out, zeroes, -n & 3);
}

static void add_status(struct core *c, const struct core_thread *th, struct strbuf *out)
{
    struct process *p = c->dumper->process;
    struct elf_prstatus s;
    memset(&s, 0, sizeof(s));
    _Static_assert(sizeof(s.pr_reg) == sizeof(th->regs), "the same layout");
    s.pr_info.si_signo = s.pr_cursig = (short)c->sig;
    s.pr_sigpend = th->pending;
    s.pr_sighold = th->blocked;
    s.pr_pid = th->tid;
    spin_lock(&tasklist_lock);
    struct pid_namespace *ns = c->dumper->pid->ns;
    s.pr_ppid = p->parent ? pid_number_in(p->parent->pid, ns) : 0;
    s.pr_pgrp = p->group ? pid_number_in(p->group, ns) : 0;
    s.pr_sid = p->session ? pid_number_in(p->session, ns) : 0;
    spin_unlock(&tasklist_lock);
    memcpy(&s.pr_reg, &th->regs, sizeof(s.pr_reg));
    s.pr_fpvalid = th->fp != NULL;
    add_note(out, "CORE", NT_PRSTATUS, &s, sizeof(s));
}

static void add_fp(const struct core_thread *th, struct strbuf *out)
{
    uint64_t features = platform_xsave_features();
    if (!th->fp)
        return;
    add_note(out, "CORE", NT_FPREGSET, th->fp, FP_LEGACY);
    memcpy(th->fp + FP_SOFTWARE, &features, sizeof(features));
    add_note(out, "LINUX", 0x202 /* NT_X86_XSTATE */, th->fp, platform_xsave_size());
}

static void add_process(struct core *c, struct strbuf *out)
{
    struct task *t = c->dumper;
    struct elf_prpsinfo s;
    memset(&s, 0, sizeof(s));
    s.pr_sname = 'R';
    s.pr_nice = (char)t->nice;
    s.pr_uid = t->cred->uid;
    s.pr_gid = t->cred->gid;
    s.pr_pid = pid_number_in(t->process->pid, t->pid->ns);
    spin_lock(&tasklist_lock);
    s.pr_ppid = t->process->parent ? pid_number_in(t->process->parent->pid, t->pid->ns) : 0;
    spin_unlock(&tasklist_lock);
    memcpy(s.pr_fname, t->comm, MIN(sizeof(s.pr_fname), sizeof(t->comm)));
    size_t n = MIN(t->mm->arg_end - t->mm->arg_start, sizeof(s.pr_psargs) - 1);
    ssize_t got = mm_read(t->mm, t->mm->arg_start, s.pr_psargs, n);
    for (ssize_t i = 0; i + 1 < got; i++)
        if (s.pr_psargs[i] == '\0')
            s.pr_psargs[i] = ' ';
    add_note(out, "CORE", NT_PRPSINFO, &s, sizeof(s));
}

static void add_notes(struct core *c, struct strbuf *out)
{
    struct mm *mm = c->dumper->mm;
    struct core_thread *th;
    CLEANUP_STRBUF struct strbuf files = STRBUF_INIT;
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = c->sig;
    add_status(c, &c->own, out);
    add_process(c, out);
    add_note(out, "CORE", NT_SIGINFO, c->info ? c->info : &info, sizeof(info));
    add_note(out, "CORE", NT_AUXV, mm->auxv,
             MIN((size_t)mm->auxv_len, ARRAY_SIZE(mm->auxv)) * sizeof(mm->auxv[0]));
    mm_core_files(mm, &files);
    if (files.s && !files.failed)
        add_note(out, "CORE", NT_FILE, files.s, files.len);
    add_fp(&c->own, out);
    list_for_each (th, &c->threads, link) {
        add_status(c, th, out);
        add_fp(th, out);
    }
}

/* ---- segments ---- */

/* How much of an area is in the file. */
static uint64_t contents(struct mm *mm, const struct core_area *a, unsigned filter)
{
    uint64_t all = a->end - a->start;
    char magic[SELFMAG];
    if (a->dont_dump)
        return 0;
    if (!a->is_file)
        return filter & (a->shared ? ANON_SHARED : ANON_PRIVATE) ? all : 0;
    if (filter & (a->shared ? FILE_SHARED : FILE_PRIVATE))
        return all;
    if (!a->shared && a->prot & PROT_WRITE && filter & ANON_PRIVATE) /* written to, most likely */
        return all;
    bool header = filter & ELF_HEADERS && a->offset == 0 && a->prot & PROT_READ &&
                  mm_read(mm, a->start, magic, sizeof(magic)) == sizeof(magic) &&
                  memcmp(magic, ELFMAG, SELFMAG) == 0;
    return header ? PAGE_SIZE : 0;
}

static struct segment *collect(struct mm *mm, unsigned filter, size_t *ret_count)
{
    size_t count = 0;
    struct core_area *areas = mm_core_areas(mm, &count);
    struct segment *s = areas ? calloc(count + 1, sizeof(*s)) : NULL;
    for (size_t i = 0; s && i < count; i++)
        s[i] = (struct segment){areas[i].start, areas[i].end, contents(mm, &areas[i], filter),
                                areas[i].prot};
    free(areas);
    *ret_count = count;
    return s;
}

/* Pages that have never been touched are left out: the file has a hole there. */
static void put_pages(struct writer *w, const struct segment *s)
{
    struct mm *mm = w->core->dumper->mm;
    CLEANUP_FREE char *page = malloc(PAGE_SIZE);
    uint64_t entries[512];
    ssize_t known = 0;
    for (uint64_t at = 0; page && at < s->size && !w->err; at += PAGE_SIZE) {
        size_t i = at / PAGE_SIZE % ARRAY_SIZE(entries);
        if (i == 0)
            known = mm_pagemap(mm, s->start + at, entries, ARRAY_SIZE(entries));
        bool untouched = (ssize_t)i < known && !(entries[i] >> 62);
        if (untouched || mm_read(mm, s->start + at, page, PAGE_SIZE) != (ssize_t)PAGE_SIZE)
            w->pos += PAGE_SIZE;
        else
            put(w, page, PAGE_SIZE);
    }
}

static void put_headers(struct writer *w, const struct segment *s, size_t count, size_t note_size)
{
    uint64_t headers = sizeof(Elf64_Ehdr) + (count + 1) * sizeof(Elf64_Phdr);
    uint64_t at = align_up(headers + note_size, PAGE_SIZE);
    Elf64_Ehdr e = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(e),
        .e_ehsize = sizeof(e),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)(count + 1),
    };
    Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = headers, .p_filesz = note_size, .p_align = 4};
    CLEANUP_STRBUF struct strbuf out = STRBUF_INIT;
    strbuf_add(&out, &e, sizeof(e));
    strbuf_add(&out, &note, sizeof(note));
    for (size_t i = 0; i < count; i++) {
        Elf64_Phdr p = {
            .p_type = PT_LOAD,
            .p_flags = (s[i].prot & PROT_READ ? PF_R : 0u) | (s[i].prot & PROT_WRITE ? PF_W : 0u) |
                       (s[i].prot & PROT_EXEC ? PF_X : 0u),
            .p_offset = at,
            .p_vaddr = s[i].start,
            .p_filesz = s[i].size,
            .p_memsz = s[i].end - s[i].start,
            .p_align = PAGE_SIZE,
        };
        strbuf_add(&out, &p, sizeof(p));
        at += s[i].size;
    }
    put_strbuf(w, &out);
}

int core_write(struct core *core, struct file *file, uint64_t limit)
{
    struct writer w = {.core = core, .file = file, .limit = limit};
    CLEANUP_STRBUF struct strbuf notes = STRBUF_INIT;
    size_t count;
    CLEANUP_FREE struct segment *s =
        collect(core->dumper->mm, core->dumper->process->core_filter, &count);
    if (!s || count >= PN_XNUM - 1)
        return -ENOMEM;
    add_notes(core, &notes);
    put_headers(&w, s, count, notes.len);
    put_strbuf(&w, &notes);
    w.pos = align_up(w.pos, PAGE_SIZE);
    for (size_t i = 0; i < count && !w.err; i++)
        put_pages(&w, &s[i]);
    if (!w.err && w.pos > w.end) { /* it ends with a hole */
        w.pos--;
        put(&w, "", 1);
    }
    return w.err == -EFBIG ? 0 : w.err; /* cut off at the limit: a core file none the less */
}
