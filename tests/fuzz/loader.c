/*
 * Fuzz target: the loader's parsers of executable files. The input is a whole file: first a #!
 * line, then an ELF image. What elf.h promises of an accepted image is checked. Run by
 * tests/fuzz/run (libFuzzer), and over the corpus by every test run.
 */
#include "loader/elf.h"
#include "loader/script.h"
#include "platform/platform.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static ssize_t read_input(const struct elf_source *src, void *buf, size_t n, uint64_t offset)
{
    const struct input *in = src->arg;
    if (offset >= in->size)
        return 0;
    n = MIN(n, in->size - offset);
    memcpy(buf, in->data + offset, n);
    return (ssize_t)n;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_segment(const struct elf *e, const Elf64_Phdr *ph)
{
    require(ph->p_filesz <= ph->p_memsz && ph->p_memsz > 0);
    require(((ph->p_vaddr - ph->p_offset) & ~PAGE_MASK) == 0);
    require(ph->p_vaddr >= e->low && ph->p_memsz <= e->high - ph->p_vaddr);
    require(ph->p_offset + ph->p_filesz <= INT64_MAX);
}

static void check_image(const struct elf *e)
{
    require(e->load_count > 0 && e->load_count <= e->phnum && e->phnum <= ELF_MAX_PHDRS);
    require(e->low < e->high && e->high - e->low < GUEST_END && !((e->low | e->high) & ~PAGE_MASK));
    require(e->align >= PAGE_SIZE && !(e->align & (e->align - 1)));
    require(!e->interp || strlen(e->interp) < PATH_MAX);
    for (unsigned i = 0; i < e->load_count; i++) {
        check_segment(e, &e->load[i]);
        require(i == 0 || e->load[i].p_vaddr >= e->load[i - 1].p_vaddr);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script;
    if (script_parse((const char *)data, size, &script) == 0)
        require(script.interp[0] && strlen(script.interp) < SCRIPT_HEAD &&
                strlen(script.arg) < SCRIPT_HEAD);
    struct input in = {data, size};
    struct elf_source src = {read_input, &in};
    struct elf e;
    if (elf_read(&src, &e) == 0) {
        check_image(&e);
        elf_fini(&e);
    }
    return 0;
}
