/*
 * ELF64 headers of x86-64 programs, checked. Everything in a file is hostile until elf_read() has
 * accepted it; after that these hold, and the mapper relies on them:
 *
 *   - at least one PT_LOAD; they ascend; p_filesz <= p_memsz; vaddr and offset agree modulo the
 * page size; nothing wraps, and [low, high) spans less than the guest's address range
 *   - align is a power of two of at least a page
 *   - the interpreter's path is NUL-terminated, at most PATH_MAX
 *
 * Reading goes through struct elf_source, so that the same code is fuzzed over plain bytes.
 */
#pragma once
#include "base/base.h"
#include <elf.h>
#include <limits.h>

#define ELF_MAX_PHDRS 1170 /* 64 KiB of program headers, as Linux */

struct elf_source {
    /* Reads up to n bytes at offset: the count (short at the end of the file) or -errno. */
    ssize_t (*read)(const struct elf_source *src, void *buf, size_t n, uint64_t offset);
    const void *arg;
};

struct elf {
    bool dynamic;       /* ET_DYN: may go anywhere */
    uint64_t entry;     /* as linked */
    uint64_t low, high; /* pages spanned by the PT_LOADs, as linked */
    uint64_t align;
    uint64_t phdr_vaddr; /* of the program headers in the image, as linked; 0: not loaded */
    unsigned phnum, load_count;
    Elf64_Phdr *load; /* owned: the PT_LOADs */
    char *interp;     /* owned, or NULL */
    bool exec_stack, has_stack_flag;
};

/* -ENOEXEC: no ELF program for this machine. -EINVAL: headers that make no sense. -EIO, -ENOMEM. */
NODISCARD int elf_read(const struct elf_source *src, struct elf *ret);
void elf_fini(struct elf *e);
int elf_prot(const Elf64_Phdr *ph); /* PROT_... of a segment */
