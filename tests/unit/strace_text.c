/* --strace: values as text. */
#include "syscalls/strace.h"
#include "kernel/signal.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

static void expect(struct strbuf *b, const char *want)
{
    assert_string_equal(b->s ? b->s : "", want);
    strbuf_free(b);
}

static void test_flags(void **state)
{
    struct strbuf b = STRBUF_INIT;
    strace_put_flags(&b, STRACE_OPEN, O_RDONLY);
    expect(&b, "O_RDONLY");
    strace_put_flags(&b, STRACE_OPEN, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
    expect(&b, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC");
    strace_put_flags(&b, STRACE_OPEN, O_RDWR | O_TMPFILE);
    expect(&b, "O_RDWR|O_TMPFILE");
    strace_put_flags(&b, STRACE_OPEN, O_RDONLY | 1u << 31);
    expect(&b, "O_RDONLY|0x80000000");
    strace_put_flags(&b, STRACE_PROT, PROT_NONE);
    expect(&b, "PROT_NONE");
    strace_put_flags(&b, STRACE_PROT, PROT_READ | PROT_EXEC);
    expect(&b, "PROT_READ|PROT_EXEC");
    strace_put_flags(&b, STRACE_MAP, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
    expect(&b, "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS");
}

static void test_strings(void **state)
{
    struct strbuf b = STRBUF_INIT;
    strace_put_string(&b, "a\n\"\\\t", 5, false);
    expect(&b, "\"a\\n\\\"\\\\\\t\"");
    strace_put_string(&b, "\0\0001\377", 4, true);
    expect(&b, "\"\\0\\0001\\377\"...");
    strace_put_string(&b, "", 0, false);
    expect(&b, "\"\"");
}

static void test_small(void **state)
{
    struct strbuf b = STRBUF_INIT;
    strace_put_mode(&b, 0644);
    expect(&b, "0644");
    strace_put_mode(&b, 0);
    expect(&b, "000");
    strace_put_file_mode(&b, S_IFREG | 0755);
    expect(&b, "S_IFREG|0755");
    strace_put_signal(&b, SIGINT);
    expect(&b, "SIGINT");
    strace_put_signal(&b, 34);
    expect(&b, "SIGRT_2");
    strace_put_signal(&b, 0);
    expect(&b, "0");
    strace_put_whence(&b, 1);
    expect(&b, "SEEK_CUR");
    strace_put_whence(&b, 77);
    expect(&b, "77");
}

static void test_results(void **state)
{
    struct strbuf b = STRBUF_INIT;
    strace_put_result(&b, 'd', 0);
    expect(&b, "0");
    strace_put_result(&b, 'p', 0x1000);
    expect(&b, "0x1000");
    strace_put_result(&b, 'f', -ENOENT);
    expect(&b, "-1 ENOENT (No such file or directory)");
    strace_put_result(&b, 'z', -ERESTARTSYS);
    expect(&b, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
    strace_put_result(&b, 'l', -4096);
    expect(&b, "-4096");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
