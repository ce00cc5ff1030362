/*
 * What is resident of an address space, area by area: /proc/PID/smaps.
 *
 * The host's smaps of the stub process says it for the host's own mappings, whose borders are not
 * those of our areas (neighbours that we keep apart may be one mapping, an area several). Each
 * number is shared out over the areas that a mapping overlaps, by bytes.
 */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "mm/area.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char *const names[] = {
    "Rss",           "Pss",          "Pss_Dirty",      "Shared_Clean",   "Shared_Dirty",
    "Private_Clean", "Private_Dirty", "Referenced",     "Anonymous",      "KSM",
    "LazyFree",      "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped",  "Shared_Hugetlb",
    "Private_Hugetlb", "Swap",        "SwapPss",        "Locked",
};
#define FIELDS ARRAY_SIZE(names)

struct numbers {
    uint64_t kib[FIELDS];
};

/* ---- the host's text ---- */

struct host_area {
    uaddr_t start, end;
    struct numbers n;
};

struct host_areas {
    struct host_area *list;
    size_t count, cap;
};

static struct host_area *add_host_area(struct host_areas *h, uaddr_t start, uaddr_t end)
{
    if (h->count == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 64;
        struct host_area *grown = realloc(h->list, cap * sizeof(*grown));
        if (!grown)
            return NULL;
        h->list = grown;
        h->cap = cap;
    }
    h->list[h->count] = (struct host_area){.start = start, .end = end};
    return &h->list[h->count++];
}

static void add_number(struct host_area *a, const char *line)
{
    size_t len = strcspn(line, ":");
    for (size_t i = 0; i < FIELDS; i++)
        if (strlen(names[i]) == len && memcmp(names[i], line, len) == 0)
            a->n.kib[i] = strtoull(line + len + 1, NULL, 10);
}

static void parse(char *text, struct host_areas *ret)
{
    struct host_area *now = NULL;
    char *save, *line = strtok_r(text, "\n", &save);
    for (; line; line = strtok_r(NULL, "\n", &save)) {
        unsigned long long start, end;
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2)
            now = add_host_area(ret, start, end);
        else if (now)
            add_number(now, line);
    }
}

/* lock held. Empty when the host does not tell. */
static void load(struct mm *mm, struct host_areas *ret)
{
    CLEANUP_FREE char *text = NULL;
    size_t len;
    if (mm->as && platform_proc_text(mm->as, "smaps", &text, &len) == 0)
        parse(text, ret);
}

/* ---- shared out ---- */

static void sum_up(const struct host_areas *h, uaddr_t start, uaddr_t end, struct numbers *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < h->count; i++) {
        const struct host_area *a = &h->list[i];
        if (a->start >= end || a->end <= start)
            continue;
        uint64_t common = MIN(end, a->end) - MAX(start, a->start), all = a->end - a->start;
        for (size_t f = 0; f < FIELDS; f++)
            ret->kib[f] += common == all ? a->n.kib[f] : a->n.kib[f] * (common >> 12) / (all >> 12);
    }
}

static void show_numbers(const struct numbers *n, struct strbuf *out)
{
    for (size_t f = 0; f < FIELDS; f++)
        strbuf_printf(out, "%s:%*s%8llu kB\n", names[f], (int)(15 - strlen(names[f])), "",
                      (unsigned long long)n->kib[f]);
}

static void show_flags(const struct area *a, struct strbuf *out)
{
    const struct {
        bool set;
        const char *word;
    } words[] = {
        {a->prot & PROT_READ, "rd"},
        {a->prot & PROT_WRITE, "wr"},
        {a->prot & PROT_EXEC, "ex"},
        {!area_is_private(a), "sh"},
        {true, "mr"},
        {!(a->flags & AREA_NO_WRITE), "mw"},
        {!(a->flags & AREA_NO_EXEC), "me"},
        {!area_is_private(a), "ms"},
        {a->flags & MAP_GROWSDOWN, "gd"},
        {a->flags & MAP_LOCKED, "lo"},
        {area_is_private(a) && a->prot & PROT_WRITE, "ac"},
        {a->flags & MAP_NORESERVE, "nr"},
        {a->flags & AREA_DONTFORK, "dc"},
        {a->flags & AREA_DONTDUMP, "dd"},
        {a->flags & AREA_WIPEONFORK, "wf"},
        {true, "sd"},
    };
    strbuf_puts(out, "THPeligible:           0\nVmFlags: ");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (words[i].set)
            strbuf_printf(out, "%s ", words[i].word);
    strbuf_putc(out, '\n');
}

void mm_show_smaps(struct mm *mm, const struct path *root, struct strbuf *out)
{
    struct host_areas h = {NULL, 0, 0};
    struct numbers n;
    MUTEX_GUARD(&mm->lock);
    load(mm, &h);
    for (struct area *a = mm_first_area(mm, 0); a; a = area_next(a)) {
        mm_show_area(a, root, out);
        sum_up(&h, a->start, a->end, &n);
        strbuf_printf(out, "Size:           %8llu kB\nKernelPageSize:        4 kB\n"
                           "MMUPageSize:           4 kB\n",
                      (unsigned long long)(a->end - a->start) / 1024);
        show_numbers(&n, out);
        show_flags(a, out);
    }
    free(h.list);
}

void mm_show_smaps_rollup(struct mm *mm, struct strbuf *out)
{
    struct host_areas h = {NULL, 0, 0};
    struct numbers n;
    MUTEX_GUARD(&mm->lock);
    load(mm, &h);
    struct area *first = mm_first_area(mm, 0);
    sum_up(&h, 0, GUEST_END, &n);
    strbuf_printf(out, "%08llx-7ffffffff000 ---p 00000000 00:00 0                          "
                       "[rollup]\n",
                  (unsigned long long)(first ? first->start : 0));
    show_numbers(&n, out);
    free(h.list);
}

/* ---- the whole ---- */

bool mm_usage(struct mm *mm, struct memory_usage *ret)
{
    MUTEX_GUARD(&mm->lock);
    *ret = (struct memory_usage){0};
    return mm->as && platform_measure(mm->as, ret) == 0;
}

uint64_t mm_rss(struct mm *mm)
{
    struct memory_usage u;
    return mm_usage(mm, &u) ? (u.anonymous + u.file + u.shared) / (PAGE_SIZE / 1024) : 0;
}

ssize_t mm_pagemap(struct mm *mm, uaddr_t addr, uint64_t *entries, size_t count)
{
    MUTEX_GUARD(&mm->lock);
    if (addr >= GUEST_END)
        return 0;
    count = MIN(count, (GUEST_END - addr) / PAGE_SIZE);
    return mm->as ? platform_pagemap(mm->as, addr, entries, count) : 0;
}

int mm_clear_refs(struct mm *mm, int what)
{
    MUTEX_GUARD(&mm->lock);
    return mm->as ? platform_clear_refs(mm->as, what) : -ESRCH;
}

void mm_set_oom(struct mm *mm, int adj)
{
    MUTEX_GUARD(&mm->lock);
    if (mm->as)
        platform_set_oom(mm->as, adj);
}
