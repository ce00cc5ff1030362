/*
 * /proc/PID/maps: one line an area, as proc(5) has it.
 */
#include "base/strbuf.h"
#include "mm/area.h"
#include "vfs/dentry.h"
#include "vfs/file.h"
#include <elf.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define NAME_COLUMN 72

/* A newline in a name would break the line: \012, as Linux shows it. */
static void show_file_name(const struct area *a, const struct path *root, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf name = STRBUF_INIT;
    if (path_string(&a->file->path, root, &name) < 0)
        return;
    for (size_t i = 0; i < name.len; i++) {
        if (name.s[i] == '\n')
            strbuf_puts(out, "\\012");
        else
            strbuf_putc(out, name.s[i]);
    }
}

void mm_show_area(const struct area *a, const struct path *root, struct strbuf *out)
{
    size_t line = out->len;
    uint64_t dev = 0, ino = 0;
    if (a->file) {
        dev = a->file->inode->attr.dev;
        ino = a->file->inode->attr.ino;
    }
    strbuf_printf(out, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
                  (unsigned long long)a->start, (unsigned long long)a->end,
                  a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
                  a->prot & PROT_EXEC ? 'x' : '-', area_is_private(a) ? 'p' : 's',
                  (unsigned long long)(a->file ? a->offset : 0), major(dev), minor(dev),
                  (unsigned long long)ino);
    bool shared_anonymous = !a->file && !area_is_private(a);
    if (a->file || a->name || shared_anonymous) {
        while (!out->failed && out->len - line < NAME_COLUMN)
            strbuf_putc(out, ' ');
        strbuf_putc(out, ' ');
    }
    if (a->file)
        show_file_name(a, root, out);
    else if (a->name)
        strbuf_puts(out, a->name);
    else if (shared_anonymous)
        strbuf_puts(out, "/dev/zero (deleted)");
    strbuf_putc(out, '\n');
}

const void *mm_vdso(uaddr_t *ret_start, size_t *ret_size)
{
    const Elf64_Ehdr *eh = (const void *)getauxval(AT_SYSINFO_EHDR);
    *ret_start = platform_vdso();
    if (!*ret_start || !eh)
        return NULL;
    *ret_size = align_up(eh->e_shoff + (uint64_t)eh->e_shnum * eh->e_shentsize, PAGE_SIZE);
    return eh;
}

static void show_vdso(struct strbuf *out)
{
    uaddr_t vdso;
    size_t size;
    if (!mm_vdso(&vdso, &size))
        return;
    struct area a = {.start = vdso,
                     .end = vdso + size,
                     .prot = PROT_READ | PROT_EXEC,
                     .flags = MAP_PRIVATE,
                     .name = "[vdso]"};
    mm_show_area(&a, NULL, out);
}

void mm_show_maps(struct mm *mm, const struct path *root, struct strbuf *out)
{
    MUTEX_GUARD(&mm->lock);
    for (struct area *a = mm_first_area(mm, 0); a; a = area_next(a))
        mm_show_area(a, root, out);
    if (mm->area_count)
        show_vdso(out);
}

void mm_show_numa_maps(struct mm *mm, const struct path *root, struct strbuf *out)
{
    MUTEX_GUARD(&mm->lock);
    for (struct area *a = mm_first_area(mm, 0); a; a = area_next(a)) {
        strbuf_printf(out, "%08llx default", (unsigned long long)a->start);
        if (a->file) {
            strbuf_puts(out, " file=");
            show_file_name(a, root, out);
        } else if (a->name && (a->name[1] == 'h' || a->name[1] == 's')) {
            strbuf_puts(out, a->name[1] == 'h' ? " heap" : " stack");
        }
        strbuf_putc(out, '\n');
    }
}

int mm_file_at(struct mm *mm, uaddr_t start, uaddr_t end, struct path *ret)
{
    MUTEX_GUARD(&mm->lock);
    struct area *a = start < GUEST_END ? mm_find_area(mm, start) : NULL;
    if (!a || !a->file || a->start != start || (end && a->end != end))
        return -ENOENT;
    *ret = a->file->path;
    path_get(ret);
    return 0;
}

/* ---- core files ---- */

struct core_area *mm_core_areas(struct mm *mm, size_t *ret_count)
{
    MUTEX_GUARD(&mm->lock);
    struct core_area *list = calloc(mm->area_count + 1, sizeof(*list));
    size_t n = 0;
    for (struct area *a = mm_first_area(mm, 0); list && a; a = area_next(a))
        list[n++] = (struct core_area){.start = a->start,
                                       .end = a->end,
                                       .offset = a->offset,
                                       .prot = a->prot,
                                       .is_file = a->file,
                                       .shared = !area_is_private(a),
                                       .dont_dump = a->flags & AREA_DONTDUMP};
    *ret_count = n;
    return list;
}

/* Three words for each mapping (start, end, offset in pages), then the names; before them how many
 * there are, and the size of a page. */
void mm_core_files(struct mm *mm, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf names = STRBUF_INIT;
    CLEANUP_STRBUF struct strbuf words = STRBUF_INIT;
    uint64_t head[2] = {0, PAGE_SIZE};
    MUTEX_GUARD(&mm->lock);
    for (struct area *a = mm_first_area(mm, 0); a; a = area_next(a)) {
        uint64_t w[3] = {a->start, a->end, a->offset / PAGE_SIZE};
        CLEANUP_STRBUF struct strbuf name = STRBUF_INIT;
        if (!a->file || path_string(&a->file->path, NULL, &name) < 0)
            continue;
        head[0]++;
        strbuf_add(&words, w, sizeof(w));
        strbuf_add(&names, name.s, name.len + 1);
    }
    strbuf_add(out, head, sizeof(head));
    strbuf_add(out, words.s, words.len);
    strbuf_add(out, names.s, names.len);
    out->failed |= names.failed || words.failed;
}
