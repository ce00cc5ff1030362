/* The red-black tree against its own laws: order, equal black heights, no red below red, right links. */
#include "base/rbtree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

struct item {
    struct rb_node node;
    int key;
    bool in;
};

static void insert(struct rb_root *root, struct item *item)
{
    struct rb_node *parent = NULL, **link = &root->node;
    while (*link) {
        parent = *link;
        link = item->key < rb_entry(parent, struct item, node)->key ? &parent->left : &parent->right;
    }
    rb_insert(root, &item->node, parent, link);
    item->in = true;
}

static int check(const struct rb_node *n, const struct rb_node *parent)
{
    if (!n)
        return 1;
    assert_ptr_equal(n->parent, parent);
    if (n->red)
        assert_false(parent && parent->red);
    int left = check(n->left, n), right = check(n->right, n);
    assert_int_equal(left, right);
    return left + !n->red;
}

static void check_order(const struct rb_root *root, int count)
{
    check(root->node, NULL);
    int seen = 0, last = -1;
    for (struct rb_node *n = rb_first(root); n; n = rb_next(n), seen++) {
        assert_true(rb_entry(n, struct item, node)->key >= last);
        last = rb_entry(n, struct item, node)->key;
    }
    assert_int_equal(seen, count);
    for (struct rb_node *n = rb_last(root); n; n = rb_prev(n))
        seen--;
    assert_int_equal(seen, 0);
}

static void test_random(void **state)
{
    enum { N = 300 };
    static struct item items[N];
    struct rb_root root = {0};
    int count = 0;
    srand(7);
    for (int i = 0; i < N; i++)
        items[i].key = rand() % 200;
    for (int step = 0; step < 20000; step++) {
        struct item *it = &items[rand() % N];
        if (it->in) {
            rb_erase(&root, &it->node);
            it->in = false;
            count--;
        } else {
            insert(&root, it);
            count++;
        }
        if (step % 16 == 0)
            check_order(&root, count);
    }
    for (int i = 0; i < N; i++) {
        if (items[i].in)
            rb_erase(&root, &items[i].node);
        check(root.node, NULL);
    }
    assert_null(root.node);
    assert_null(rb_first(&root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
