/* The intrusive list: order, removal, splicing. */
#include "base/list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

struct item {
    struct list link;
    int n;
};

static void test_order(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[3] = {{.n = 0}, {.n = 1}, {.n = 2}};
    assert_true(list_empty(&head));
    assert_null(list_first(&head, struct item, link));
    list_add_tail(&head, &items[1].link);
    list_add_tail(&head, &items[2].link);
    list_add(&head, &items[0].link);
    int want = 0;
    struct item *it, *tmp;
    list_for_each(it, &head, link) assert_int_equal(it->n, want++);
    assert_int_equal(want, 3);
    assert_int_equal(list_last(&head, struct item, link)->n, 2);
    list_for_each_safe(it, tmp, &head, link) list_del(&it->link);
    assert_true(list_empty(&head));
    list_del(&items[0].link); /* a second removal is harmless */
}

static void test_splice(void **state)
{
    struct list a = LIST_INIT(a), b = LIST_INIT(b);
    struct item one = {.n = 1}, two = {.n = 2};
    list_splice_tail(&a, &b);
    assert_true(list_empty(&a));
    list_add(&a, &one.link);
    list_add(&b, &two.link);
    list_splice_tail(&a, &b);
    assert_true(list_empty(&b));
    assert_int_equal(list_first(&a, struct item, link)->n, 1);
    assert_int_equal(list_last(&a, struct item, link)->n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_splice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
