/* ELF headers: what is accepted, and that hostile ones are not. */
#include "loader/elf.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct bytes {
    const char *data;
    size_t len;
};

static ssize_t read_bytes(const struct elf_source *src, void *buf, size_t n, uint64_t offset)
{
    const struct bytes *b = src->arg;
    if (offset >= b->len)
        return 0;
    n = MIN(n, b->len - offset);
    memcpy(buf, b->data + offset, n);
    return (ssize_t)n;
}

struct sample {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[4];
    char interp[16];
};

/* A small dynamic program: two segments, an interpreter, a stack flag. */
static struct sample make_sample(void)
{
    struct sample s = {.eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                              .e_type = ET_DYN, .e_machine = EM_X86_64, .e_entry = 0x1000,
                              .e_phoff = offsetof(struct sample, ph), .e_phentsize = sizeof(Elf64_Phdr),
                              .e_phnum = 4}};
    s.ph[0] = (Elf64_Phdr){PT_INTERP, PF_R, offsetof(struct sample, interp), 0, 0, 16, 16, 1};
    s.ph[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, 0, 0, 0x2000, 0x2000, 0x1000};
    s.ph[2] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x2100, 0x4100, 0x4100, 0x100, 0x3000, 0x1000};
    s.ph[3] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
    memcpy(s.interp, "/lib/ld-test.so", 16);
    return s;
}

static int parse(const struct sample *s, size_t len)
{
    struct bytes b = {(const char *)s, len};
    struct elf_source src = {read_bytes, &b};
    struct elf e;
    int err = elf_read(&src, &e);
    if (err == 0)
        elf_fini(&e);
    return err;
}

static void test_good(void **state)
{
    struct sample s = make_sample();
    struct bytes b = {(const char *)&s, sizeof(s)};
    struct elf_source src = {read_bytes, &b};
    struct elf e;
    assert_int_equal(elf_read(&src, &e), 0);
    assert_true(e.dynamic);
    assert_int_equal(e.load_count, 2);
    assert_int_equal(e.low, 0);
    assert_int_equal(e.high, 0x8000);
    assert_string_equal(e.interp, "/lib/ld-test.so");
    assert_int_equal(e.phdr_vaddr, offsetof(struct sample, ph));
    assert_true(e.has_stack_flag && !e.exec_stack);
    elf_fini(&e);
}

#define REFUSED(change, want)                                \
    do {                                                     \
        struct sample s = make_sample();                     \
        change;                                              \
        assert_int_equal(parse(&s, sizeof(s)), want);        \
    } while (0)

static void test_bad(void **state)
{
    REFUSED(s.eh.e_ident[0] = 0, -ENOEXEC);
    REFUSED(s.eh.e_ident[EI_CLASS] = ELFCLASS32, -ENOEXEC);
    REFUSED(s.eh.e_machine = EM_386, -ENOEXEC);
    REFUSED(s.eh.e_type = ET_REL, -ENOEXEC);
    REFUSED(s.eh.e_phentsize = 1, -ENOEXEC);
    REFUSED(s.eh.e_phnum = 0, -ENOEXEC);
    REFUSED(s.eh.e_phnum = 65535, -ENOEXEC);
    REFUSED(s.eh.e_phoff = UINT64_MAX - 8, -ENOEXEC);
    REFUSED(s.ph[0].p_filesz = 1, -ENOEXEC);
    REFUSED(s.ph[0].p_filesz = UINT64_MAX, -ENOEXEC);
    REFUSED(s.interp[15] = 'x', -ENOEXEC);
    REFUSED(s.ph[0].p_offset = 1 << 20, -EIO);
    REFUSED(s.ph[1].p_filesz = 0x3000, -EINVAL);
    REFUSED(s.ph[1].p_offset = 1, -EINVAL);
    REFUSED(s.ph[2].p_memsz = UINT64_MAX, -EINVAL);
    REFUSED(s.ph[2].p_vaddr = UINT64_MAX - 0xeff, -EINVAL);
    REFUSED(s.ph[2].p_vaddr = 0x7fff00000100, -EINVAL);
    REFUSED(s.ph[2].p_offset = INT64_MAX - 0xeff, -EINVAL);
    REFUSED((s.ph[1].p_vaddr = s.ph[1].p_offset = 0x8000), -EINVAL);
    REFUSED((s.ph[1].p_type = s.ph[2].p_type = PT_NULL), -EINVAL);
}

static void test_cut(void **state)
{
    struct sample s = make_sample();
    for (size_t n = 0; n < offsetof(struct sample, ph) + sizeof(s.ph); n++)
        assert_int_equal(parse(&s, n), -ENOEXEC);
    assert_int_equal(parse(&s, sizeof(s) - 1), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
