/*
 * Reading and checking ELF headers: see elf.h for what holds afterwards.
 */
#include "loader/elf.h"
#include "platform/platform.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_ALIGN (1UL << 30)

static int read_all(const struct elf_source *src, void *buf, size_t n, uint64_t offset,
                    int short_error)
{
    ssize_t got = src->read(src, buf, n, offset);
    if (got < 0)
        return (int)got;
    return (size_t)got == n ? 0 : short_error;
}

static int check_header(const Elf64_Ehdr *eh)
{
    if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 || eh->e_ident[EI_CLASS] != ELFCLASS64 ||
        eh->e_ident[EI_DATA] != ELFDATA2LSB)
        return -ENOEXEC;
    if ((eh->e_type != ET_EXEC && eh->e_type != ET_DYN) || eh->e_machine != EM_X86_64)
        return -ENOEXEC;
    if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 || eh->e_phnum > ELF_MAX_PHDRS)
        return -ENOEXEC;
    return 0;
}

int elf_prot(const Elf64_Phdr *ph)
{
    return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
           (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

/* DEVIATION: Linux finds such segments when it maps them and kills the process; here execve() says
 * EINVAL before. */
static int check_load(const Elf64_Phdr *ph)
{
    uint64_t end, file_end;
    if (ph->p_filesz > ph->p_memsz || (ph->p_vaddr - ph->p_offset) & ~PAGE_MASK)
        return -EINVAL;
    if (__builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end) || end > GUEST_END ||
        __builtin_add_overflow(ph->p_offset, ph->p_filesz, &file_end) ||
        file_end > INT64_MAX - PAGE_SIZE)
        return -EINVAL;
    return 0;
}

static int add_load(struct elf *e, const Elf64_Phdr *ph)
{
    int err = check_load(ph);
    if (err < 0)
        return err;
    if (ph->p_memsz == 0)
        return 0;
    uint64_t start = align_down(ph->p_vaddr, PAGE_SIZE),
             end = align_up(ph->p_vaddr + ph->p_memsz, PAGE_SIZE);
    if (e->load_count == 0)
        e->low = start;
    else if (ph->p_vaddr < e->load[e->load_count - 1].p_vaddr)
        return -EINVAL; /* not ascending */
    e->high = MAX(e->high, end);
    if (ph->p_align > e->align && ph->p_align <= MAX_ALIGN && !(ph->p_align & (ph->p_align - 1)))
        e->align = ph->p_align;
    e->load[e->load_count++] = *ph;
    return 0;
}

static int read_interp(const struct elf_source *src, struct elf *e, const Elf64_Phdr *ph)
{
    if (e->interp)
        return 0; /* the first one counts */
    if (ph->p_filesz < 2 || ph->p_filesz > PATH_MAX)
        return -ENOEXEC;
    e->interp = malloc(ph->p_filesz);
    if (!e->interp)
        return -ENOMEM;
    int err = read_all(src, e->interp, ph->p_filesz, ph->p_offset, -EIO);
    if (err < 0)
        return err;
    return e->interp[ph->p_filesz - 1] ? -ENOEXEC : 0;
}

static int take_phdr(const struct elf_source *src, struct elf *e, const Elf64_Phdr *ph)
{
    switch (ph->p_type) {
    case PT_LOAD:
        return add_load(e, ph);
    case PT_INTERP:
        return read_interp(src, e, ph);
    case PT_GNU_STACK:
        e->has_stack_flag = true;
        e->exec_stack = ph->p_flags & PF_X;
        return 0;
    default:
        return 0;
    }
}

/* AT_PHDR: where the headers are once the segment that holds them is mapped. */
static uint64_t find_phdr_vaddr(const struct elf *e, const Elf64_Ehdr *eh)
{
    uint64_t size = (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr);
    for (unsigned i = 0; i < e->load_count; i++) {
        const Elf64_Phdr *ph = &e->load[i];
        if (eh->e_phoff >= ph->p_offset && size <= ph->p_filesz &&
            eh->e_phoff - ph->p_offset <= ph->p_filesz - size)
            return eh->e_phoff - ph->p_offset + ph->p_vaddr;
    }
    return 0;
}

static int read_phdrs(const struct elf_source *src, struct elf *e, const Elf64_Ehdr *eh,
                      Elf64_Phdr *ph)
{
    int err = read_all(src, ph, eh->e_phnum * sizeof(*ph), eh->e_phoff, -ENOEXEC);
    for (unsigned i = 0; i < eh->e_phnum && err == 0; i++)
        err = take_phdr(src, e, &ph[i]);
    if (err == 0 && (e->load_count == 0 || e->high - e->low >= GUEST_END))
        err = -EINVAL;
    if (err == 0)
        e->phdr_vaddr = find_phdr_vaddr(e, eh);
    return err;
}

int elf_read(const struct elf_source *src, struct elf *ret)
{
    Elf64_Ehdr eh;
    int err = read_all(src, &eh, sizeof(eh), 0, -ENOEXEC);
    if (err == 0)
        err = check_header(&eh);
    if (err < 0)
        return err;
    struct elf e = {.dynamic = eh.e_type == ET_DYN,
                    .entry = eh.e_entry,
                    .phnum = eh.e_phnum,
                    .align = PAGE_SIZE};
    e.load = malloc(eh.e_phnum * sizeof(*e.load));
    Elf64_Phdr *ph = malloc(eh.e_phnum * sizeof(*ph));
    err = e.load && ph ? read_phdrs(src, &e, &eh, ph) : -ENOMEM;
    free(ph);
    if (err < 0)
        elf_fini(&e);
    else
        *ret = e;
    return err;
}

void elf_fini(struct elf *e)
{
    free(e->load);
    free(e->interp);
    *e = (struct elf){0};
}
