/* The uio cursor over kernel memory: pieces, partial moves, direct buffers. */
#include "vfs/uio.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <stdint.h>
#include <cmocka.h> /* last: it needs the others */

static void test_put_take(void **state)
{
    char buf[16] = "", out[16] = "";
    struct uio u;
    uio_init_kernel(&u, buf, 10);
    assert_int_equal(uio_put(&u, "abcdef", 6), 6);
    assert_int_equal(u.remaining, 4);
    assert_int_equal(uio_put(&u, "123456", 6), 4);
    assert_int_equal(uio_put(&u, "x", 1), 0);
    assert_string_equal(buf, "abcdef1234");
    uio_fini(&u);
    uio_init_kernel(&u, buf, 10);
    uio_skip(&u, 2);
    assert_int_equal(uio_take(&u, out, 100), 8);
    assert_string_equal(out, "cdef1234");
    uio_fini(&u);
}

static void test_pieces(void **state)
{
    char a[4] = "", b[4] = "", c[4] = "";
    struct uio u;
    uio_init_kernel(&u, a, 3);
    u.count = 4;
    u.vec[1] = (struct uio_vec){(uintptr_t)b, 0};
    u.vec[2] = (struct uio_vec){(uintptr_t)b, 2};
    u.vec[3] = (struct uio_vec){(uintptr_t)c, 3};
    u.remaining = 8;
    assert_int_equal(uio_put(&u, "12345", 5), 5);
    assert_string_equal(a, "123");
    assert_string_equal(b, "45");
    assert_int_equal(uio_zero(&u, 1), 1);
    size_t room;
    char *p = uio_reserve(&u, 100, &room);
    assert_int_equal(room, 2);
    memcpy(p, "yz", 2);
    assert_int_equal(uio_commit(&u, 2), 2);
    assert_memory_equal(c, "\0yz", 3);
    assert_int_equal(u.remaining, 0);
    uio_fini(&u);
}

static void test_no_guest(void **state)
{
    struct uio u;
    char buf[100000];
    size_t room;
    uio_init_user(&u, 0x10000, sizeof(buf));
    assert_int_equal(uio_put(&u, buf, 10), -EFAULT);
    assert_int_equal(uio_take(&u, buf, 10), -EFAULT);
    assert_non_null(uio_reserve(&u, sizeof(buf), &room));
    assert_in_range(room, 1, sizeof(buf));
    assert_int_equal(uio_commit(&u, 1), -EFAULT);
    assert_int_equal(u.remaining, sizeof(buf));
    uio_fini(&u);
    assert_int_equal(uio_init_iovec(&u, 0x10000, UIO_MAX_IOV + 1), -EINVAL);
    assert_int_equal(uio_init_iovec(&u, 0x10000, 100), -EFAULT);
    uio_fini(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_take),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_no_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
