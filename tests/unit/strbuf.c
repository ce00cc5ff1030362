/* The growing string, and the byte hash. */
#include "base/hash.h"
#include "base/strbuf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_build(void **state)
{
    CLEANUP_STRBUF struct strbuf b = STRBUF_INIT;
    strbuf_puts(&b, "a");
    for (int i = 0; i < 100; i++)
        strbuf_printf(&b, "%d,", i);
    strbuf_putc(&b, '!');
    assert_false(b.failed);
    assert_int_equal(strlen(b.s), b.len);
    assert_int_equal(b.len, 1 + 10 * 2 + 90 * 3 + 1);
    assert_memory_equal(b.s, "a0,1,2,", 7);
    strbuf_reset(&b);
    assert_string_equal(b.s, "");
    strbuf_add(&b, "x\0y", 3);
    assert_int_equal(b.len, 3);
}

static void test_take(void **state)
{
    struct strbuf b = STRBUF_INIT;
    char *s = strbuf_take(&b);
    assert_string_equal(s, "");
    free(s);
    char long_text[5000];
    memset(long_text, 'q', sizeof(long_text));
    long_text[4999] = '\0';
    strbuf_printf(&b, "%s", long_text);
    s = strbuf_take(&b);
    assert_string_equal(s, long_text);
    assert_null(b.s);
    free(s);
}

static void test_failed(void **state)
{
    struct strbuf b = STRBUF_INIT;
    strbuf_puts(&b, "abc");
    b.failed = true;
    strbuf_printf(&b, "%d", 1);
    strbuf_puts(&b, "def");
    assert_string_equal(b.s, "abc");
    assert_null(strbuf_take(&b));
}

static void test_hash(void **state)
{
    hash_init(1234);
    assert_int_not_equal(hash_bytes("", 0), hash_bytes("\0", 1));
    assert_int_not_equal(hash_bytes("abcdefgh", 8), hash_bytes("abcdefgi", 8));
    assert_int_equal(hash_bytes("abcdefghi", 9), hash_bytes("abcdefghi", 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_build), cmocka_unit_test(test_take),
                                       cmocka_unit_test(test_failed), cmocka_unit_test(test_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
