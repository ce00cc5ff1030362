/* #! lines, split as Linux splits them. */
#include "loader/script.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *text, const char *interp, const char *arg)
{
    struct script s;
    assert_int_equal(script_parse(text, strlen(text), &s), 0);
    assert_string_equal(s.interp, interp);
    assert_int_equal(s.has_arg, arg != NULL);
    if (arg)
        assert_string_equal(s.arg, arg);
}

static void refuse(const char *text, size_t n)
{
    struct script s;
    assert_int_equal(script_parse(text, n, &s), -ENOEXEC);
}

static void test_lines(void **state)
{
    expect("#!/bin/sh\n", "/bin/sh", NULL);
    expect("#!/bin/sh", "/bin/sh", NULL);
    expect("#! \t/bin/sh -e -x  \nrest", "/bin/sh", "-e -x");
    expect("#!/usr/bin/env python3\n", "/usr/bin/env", "python3");
    expect("#!/bin/sh   \n", "/bin/sh", NULL);
}

static void test_refused(void **state)
{
    refuse("", 0);
    refuse("#", 1);
    refuse("#/bin/sh\n", 9);
    refuse("#!\n", 3);
    refuse("#!    \n", 7);
    refuse("#!", 2);
    refuse("\177ELF", 4);
}

static void test_long(void **state)
{
    char buf[400];
    memset(buf, 'a', sizeof(buf));
    memcpy(buf, "#!/", 3);
    refuse(buf, sizeof(buf)); /* the name may be cut off */
    buf[100] = ' ';
    struct script s;
    assert_int_equal(script_parse(buf, sizeof(buf), &s), 0); /* a cut-off argument is taken as it is */
    assert_int_equal(strlen(s.interp), 98);
    assert_int_equal(strlen(s.arg), 255 - 101);
    memset(buf + 2, ' ', sizeof(buf) - 2);
    refuse(buf, sizeof(buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
