/*
 * net/inet/queue.h: what goes in comes out, in order, whatever the sizes; peeking changes nothing; nothing leaks.
 */
#include "net/inet/queue.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct spinlock lock = SPINLOCK_INIT;

static unsigned char byte_at(uint64_t position)
{
    return (unsigned char)(position * 31 + (position >> 9));
}

/* Puts n bytes in, in as many pieces as it takes. */
static void produce(struct tcp_queue *q, uint64_t *written, size_t n)
{
    while (n > 0) {
        size_t room;
        char *at = tcp_queue_space(q, &lock, n, &room);
        assert_non_null(at);
        assert_true(room > 0 && room <= n);
        for (size_t i = 0; i < room; i++)
            at[i] = (char)byte_at(*written + i);
        tcp_queue_commit(q, room);
        *written += room;
        n -= room;
    }
}

static void check_from(const struct tcp_queue *q, size_t offset, size_t most)
{
    while (offset < MIN(q->bytes, most)) {
        size_t n;
        const char *at = tcp_queue_peek(q, offset, &n);
        assert_non_null(at);
        for (size_t i = 0; i < n; i++)
            assert_int_equal((unsigned char)at[i], byte_at(q->read + offset + i));
        offset += n;
    }
}

static void test_random(void **state)
{
    struct tcp_queue q = {0};
    uint64_t written = 0;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)rand() % (round % 100 == 0 ? 200000 : 3000);
        if (q.bytes < 1000000 && n > 0)
            produce(&q, &written, n);
        assert_int_equal(q.bytes, written - q.read);
        check_from(&q, q.bytes ? (size_t)rand() % q.bytes : 0, q.bytes);
        tcp_queue_consume(&q, round % 50 == 0 ? q.bytes : MIN(q.bytes, (size_t)rand() % 4000));
    }
    tcp_queue_consume(&q, q.bytes);
    assert_int_equal(q.read, written);
    size_t n;
    assert_null(tcp_queue_peek(&q, 0, &n));
    tcp_queue_clear(&q);
}

/* A producer that has its space keeps it while the consumer empties the queue. */
static void test_consumed_while_producing(void **state)
{
    struct tcp_queue q = {0};
    uint64_t written = 0;
    for (int size = 1; size < 100000; size = size * 3 + 1) {
        size_t room;
        produce(&q, &written, (size_t)size);
        char *at = tcp_queue_space(&q, &lock, 70000, &room);
        assert_non_null(at);
        tcp_queue_consume(&q, q.bytes);
        for (size_t i = 0; i < room; i++)
            at[i] = (char)byte_at(written + i);
        tcp_queue_commit(&q, room);
        written += room;
        check_from(&q, 0, q.bytes);
        tcp_queue_consume(&q, q.bytes);
    }
    tcp_queue_clear(&q);
}

/* A send that brought nothing (a bad address) leaves the queue usable. */
static void test_nothing_committed(void **state)
{
    struct tcp_queue q = {0};
    uint64_t written = 0;
    size_t room;
    assert_non_null(tcp_queue_space(&q, &lock, 100000, &room));
    tcp_queue_commit(&q, 0);
    assert_null(tcp_queue_peek(&q, 0, &room));
    produce(&q, &written, 10);
    check_from(&q, 0, 10);
    tcp_queue_clear(&q);
    assert_int_equal(q.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_consumed_while_producing),
        cmocka_unit_test(test_nothing_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
