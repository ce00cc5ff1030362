/*
 * Placing segments: the program at its linked address or a random one, the dynamic linker among the
 * mmaps, the heap after the program. All mappings are deferred orders; a new image is one hand-off.
 */
#include "kernel/limits.h"
#include "loader/image.h"
#include "mm/mm.h"
#include <string.h>
#include <sys/mman.h>

#define PIE_BASE (GUEST_END / 3 * 2) /* ELF_ET_DYN_BASE */
#define PIE_RANDOM_PAGES (1UL << 28)
#define BRK_RANDOM (1UL << 30)
#define BRK_RANDOM_EXEC (32UL << 20)

static const char zeroes[PAGE_SIZE];

static uint64_t random_below(struct mm *mm, uint64_t limit)
{
    uint64_t r;
    if (current && current->personality & 0x0040000 /* ADDR_NO_RANDOMIZE */)
        return 0;
    mm_random_bytes(&r, sizeof(r));
    return r % limit;
}

/* The part of a segment that the file fills, then whole pages of zeroes, then the rest of the page
 * between. */
static int map_segment(struct mm *mm, struct context *ctx, struct file *file, const Elf64_Phdr *ph,
                       uaddr_t bias)
{
    uaddr_t start = align_down(ph->p_vaddr + bias, PAGE_SIZE);
    uaddr_t file_end = ph->p_vaddr + bias + ph->p_filesz, end = ph->p_vaddr + bias + ph->p_memsz;
    uaddr_t file_pages = ph->p_filesz ? align_up(file_end, PAGE_SIZE) : start,
            pages = align_up(end, PAGE_SIZE);
    int prot = elf_prot(ph), err = 0;
    if (file_pages > start)
        err = mm_map_file(mm, ctx, start, file_pages - start, prot, MAP_PRIVATE, file,
                          align_down(ph->p_offset, PAGE_SIZE));
    if (err == 0 && pages > file_pages)
        err = mm_map_anon(mm, ctx, file_pages, pages - file_pages, prot, MAP_PRIVATE, NULL);
    if (err == 0 && end > file_end && file_pages > file_end && prot & PROT_WRITE && ph->p_filesz) {
        ssize_t n = platform_copy_out(ctx, file_end, zeroes, file_pages - file_end);
        err = n < 0 ? (int)n : 0; /* a page beyond the end of the file: found at the flush */
    }
    return err;
}

static int map_all(struct mm *mm, struct context *ctx, struct file *file, const struct elf *e,
                   uaddr_t bias)
{
    int err = 0;
    for (unsigned i = 0; i < e->load_count && err == 0; i++)
        err = map_segment(mm, ctx, file, &e->load[i], bias);
    return err;
}

static uaddr_t find_place(struct mm *mm, uint64_t len, uint64_t align)
{
    MUTEX_GUARD(&mm->lock);
    return mm_find_free(mm, 0, len, align);
}

/* A PIE's bias: high in the middle of the address range, or among the mmaps when it is itself a
 * dynamic linker. */
static int program_bias(struct image *image, struct mm *mm, uaddr_t *ret)
{
    const struct elf *e = &image->elf;
    if (!e->dynamic) {
        *ret = 0;
        return e->low < GUEST_BASE ? -EPERM : 0;
    }
    uaddr_t base = 0;
    if (image->interp_file) {
        base = align_down(PIE_BASE + (random_below(mm, PIE_RANDOM_PAGES) << PAGE_SHIFT), e->align);
        if (base > mm->mmap_base || e->high - e->low > mm->mmap_base - base)
            base = 0;
    }
    if (!base)
        base = find_place(mm, e->high - e->low, e->align);
    *ret = base - e->low;
    return base ? 0 : -ENOMEM;
}

static int map_interpreter(struct image *image, struct mm *mm, struct context *ctx,
                           struct placed *placed)
{
    const struct elf *e = &image->interp;
    uaddr_t base = e->dynamic ? find_place(mm, e->high - e->low, e->align) : e->low;
    if (!base)
        return -ENOMEM;
    placed->interp_base = base - e->low;
    placed->start = e->entry + placed->interp_base;
    return map_all(mm, ctx, image->interp_file, e, placed->interp_base);
}

/* start_code and the rest, for /proc/PID/stat and brk(2). */
static void note_bounds(struct mm *mm, const struct elf *e, uaddr_t bias)
{
    mm->start_code = UINT64_MAX;
    for (unsigned i = 0; i < e->load_count; i++) {
        const Elf64_Phdr *ph = &e->load[i];
        uaddr_t start = ph->p_vaddr + bias, file_end = start + ph->p_filesz;
        if (ph->p_flags & PF_X) {
            mm->start_code = MIN(mm->start_code, start);
            mm->end_code = MAX(mm->end_code, file_end);
        }
        mm->start_data = MAX(mm->start_data, start);
        mm->end_data = MAX(mm->end_data, file_end);
    }
    if (mm->start_code == UINT64_MAX)
        mm->start_code = mm->end_code = 0;
}

static void place_heap(struct mm *mm, const struct image *image, uaddr_t bias)
{
    uaddr_t end = image->elf.high + bias;
    uint64_t spread = image->elf.dynamic ? BRK_RANDOM : BRK_RANDOM_EXEC;
    if (image->elf.dynamic && !image->interp_file)
        end = PIE_BASE; /* a dynamic linker run as a program sits among the mmaps: no room for a
                           heap there */
    mm->brk_start = mm->brk =
        align_up(end, PAGE_SIZE) + align_down(random_below(mm, spread), PAGE_SIZE);
}

int image_map_segments(struct image *image, struct mm *mm, struct context *ctx, struct placed *ret)
{
    struct placed placed = {0};
    int err = program_bias(image, mm, &placed.bias);
    if (err < 0)
        return err;
    placed.entry = placed.start = image->elf.entry + placed.bias;
    err = map_all(mm, ctx, image->exe, &image->elf, placed.bias);
    if (err == 0 && image->interp_file)
        err = map_interpreter(image, mm, ctx, &placed);
    if (err < 0)
        return err;
    note_bounds(mm, &image->elf, placed.bias);
    place_heap(mm, image, placed.bias);
    *ret = placed;
    return 0;
}
