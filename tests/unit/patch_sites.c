/* What a file's system call sites are taken for, and what their thunks and patched bytes look like.
 */
#include "base/hash.h"
#include "platform/patch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_SIZE 8192

static uint8_t text[TEXT_SIZE];
static uint64_t next_ino = 1;

/* A patch_file over a fresh file that holds `text`. */
static struct patch_file *file_of_text(void)
{
    struct patch_file *f = NULL;

    assert_int_equal(patch_file_get(1, next_ino++, 0, &f), 0);
    f->fd = memfd_create("text", 0);
    assert_int_equal(write(f->fd, text, sizeof(text)), sizeof(text));
    return f;
}

static void place(size_t at, const char *bytes, size_t n)
{
    memcpy(text + at, bytes, n);
}

static int clear_text(void **state)
{
    memset(text, 0x90, sizeof(text));
    return 0;
}

static bool prepare(struct patch_file *f, size_t at)
{
    struct site *s = patch_file_site(f, at);

    return patch_file_prepare(f, s, 0, TEXT_SIZE);
}

static void test_load_site(void **state)
{
    place(100, "\xb8\x27\x00\x00\x00\x0f\x05", 7); /* mov $39, %eax; syscall */
    struct patch_file *f = file_of_text();
    assert_true(prepare(f, 105));
    struct site *s = patch_file_find(f, 105);
    assert_int_equal(s->shape, SITE_LOAD);
    assert_int_equal(s->offset, 100);
    const uint8_t *code = (const uint8_t *)&s->new_code;
    assert_memory_equal(code, "\xff\x24\x25", 3);
    assert_true(code[5] == 0x06 || code[5] == 0x07); /* invalid opcodes where the syscall was */
    assert_int_equal(code[7], 0x90);                 /* the byte behind stays */
    assert_memory_equal(&s->old_code, text + 100, 8);
}

static void test_prefixed_load_is_none(void **state)
{
    place(100, "\x41\xb8\x27\x00\x00\x00\x0f\x05", 8); /* mov $39, %r8d; syscall */
    place(200, "\xb8\x27\x00\x01\x00\x0f\x05", 7);     /* no system call's number */
    struct patch_file *f = file_of_text();
    assert_false(prepare(f, 106));
    assert_false(prepare(f, 205));
}

static void test_compare_site(void **state)
{
    place(300, "\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8); /* syscall; cmp $-4095, %rax */
    struct patch_file *f = file_of_text();
    assert_true(prepare(f, 300));
    struct site *s = patch_file_find(f, 300);
    assert_int_equal(s->shape, SITE_COMPARE);
    assert_int_equal(s->offset, 300);
    assert_int_equal(((const uint8_t *)&s->new_code)[7], 0x90);
}

/* A direct jump to the compare, near or far, forbids it. */
static void test_compare_that_is_jumped_to(void **state)
{
    place(300, "\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8);
    place(270, "\xeb\x1e", 2); /* jmp 302 */
    place(500, "\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8);
    place(600, "\x7f\x9c", 2); /* jg 502 */
    place(900, "\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8);
    int32_t distance = 902 - 7005;
    place(7000, "\xe9", 1);
    memcpy(text + 7001, &distance, 4);
    struct patch_file *f = file_of_text();
    assert_false(prepare(f, 300));
    assert_false(prepare(f, 500));
    assert_false(prepare(f, 900));
}

static void test_not_an_instruction(void **state)
{
    struct patch_file *f = file_of_text();

    assert_false(prepare(f, 400));
    assert_false(prepare(f, 2));
    assert_false(prepare(f, TEXT_SIZE - 2));
}

static void test_sites_are_sorted(void **state)
{
    struct patch_file *f = file_of_text();

    for (unsigned i = 0; i < 500; i++)
        assert_non_null(patch_file_site(f, 1 + i * 7919 % 500));
    assert_int_equal(f->site_count, 500);
    for (unsigned i = 1; i < f->site_count; i++)
        assert_true(f->sites[i - 1].instruction < f->sites[i].instruction);
    assert_null(patch_file_find(f, 100000));
}

static void test_copy(void **state)
{
    uint8_t copied[TEXT_SIZE];

    place(100, "\xb8\x27\x00\x00\x00\x0f\x05", 7);
    place(4200, "\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8);
    struct patch_file *f = file_of_text();
    patch_file_site(f, 105);
    patch_file_site(f, 4200);
    patch_file_site(f, 5000);
    f->mappings = 1;
    assert_int_equal(patch_file_copy(f, 0, TEXT_SIZE), -1); /* does not pay yet */
    f->mappings = 10;
    int fd = patch_file_copy(f, 0, TEXT_SIZE);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, copied, sizeof(copied), 0), sizeof(copied));
    assert_memory_equal(copied + 100, "\xff\x24\x25", 3);
    assert_memory_equal(copied + 4200, "\xff\x24\x25", 3);
    memcpy(copied + 100, text + 100, 8);
    memcpy(copied + 4200, text + 4200, 8);
    assert_memory_equal(copied, text, sizeof(text));
    assert_true(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED); /* sealed */
}

static int init(void **state)
{
    hash_init(1);
    return patch_table_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_load_site, clear_text),
        cmocka_unit_test_setup(test_prefixed_load_is_none, clear_text),
        cmocka_unit_test_setup(test_compare_site, clear_text),
        cmocka_unit_test_setup(test_compare_that_is_jumped_to, clear_text),
        cmocka_unit_test_setup(test_not_an_instruction, clear_text),
        cmocka_unit_test_setup(test_sites_are_sorted, clear_text),
        cmocka_unit_test_setup(test_copy, clear_text),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
