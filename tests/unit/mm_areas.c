/* The tree of areas against a plain array of pages: random mapping, unmapping and changing of
 * ranges. */
#include "mm/area.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <stdint.h>
#include <cmocka.h> /* last: it needs the others */

#define PAGES 200
#define BASE 0x10000000UL
#define ROUNDS 20000

/* Per page: 0 unmapped, else 1 + prot; and whether it is locked. */
struct page {
    unsigned char prot1, locked;
};

static struct mm *mm;
static struct page model[PAGES];

static uaddr_t address(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static void random_range(unsigned *from, unsigned *to)
{
    *from = (unsigned)rand() % PAGES;
    *to = *from + 1 + (unsigned)rand() % (unsigned)MIN(PAGES - *from, 20u);
}

static void map_range(unsigned from, unsigned to, int prot)
{
    struct area like = {.prot = prot, .flags = MAP_PRIVATE};
    struct area *a = area_new(address(from), address(to), &like);
    assert_non_null(a);
    assert_int_equal(area_prepare(mm, address(from), address(to)), 0);
    area_erase(mm, address(from), address(to));
    area_insert(mm, a);
    for (unsigned i = from; i < to; i++)
        model[i] = (struct page){(unsigned char)(prot + 1), 0};
}

static void unmap_range(unsigned from, unsigned to)
{
    assert_int_equal(area_prepare(mm, address(from), address(to)), 0);
    area_erase(mm, address(from), address(to));
    memset(model + from, 0, (to - from) * sizeof(*model));
}

static void change_range(unsigned from, unsigned to, int prot, bool lock)
{
    assert_int_equal(area_prepare(mm, address(from), address(to)), 0);
    for (struct area *a = mm_first_area(mm, address(from)); a && a->start < address(to);
         a = area_next(a))
        area_change(mm, a, prot, lock ? a->flags | MAP_LOCKED : a->flags & ~MAP_LOCKED);
    area_merge(mm, address(from), address(to));
    for (unsigned i = from; i < to; i++)
        if (model[i].prot1)
            model[i] = (struct page){(unsigned char)(prot + 1), lock};
}

static void compare(void)
{
    uint64_t total = 0, locked = 0, data = 0;
    unsigned areas = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        struct area *a = mm_find_area(mm, address(i));
        assert_int_equal(a != NULL, model[i].prot1 != 0);
        if (!a)
            continue;
        assert_int_equal(a->prot, model[i].prot1 - 1);
        assert_int_equal((a->flags & MAP_LOCKED) != 0, model[i].locked);
        areas += i == 0 || model[i].prot1 != model[i - 1].prot1 ||
                 model[i].locked != model[i - 1].locked;
        total++;
        locked += model[i].locked;
        data += (a->prot & PROT_WRITE) != 0;
    }
    assert_int_equal(mm->area_count, areas); /* alike neighbours are merged */
    assert_int_equal(mm->total_vm, total);
    assert_int_equal(mm->locked_vm, locked);
    assert_int_equal(mm->data_vm, data);
}

static void check_free_search(void)
{
    uint64_t len = (1 + (unsigned)rand() % 30) * PAGE_SIZE;
    uaddr_t found = mm_find_free(mm, 0, len, PAGE_SIZE);
    assert_true(found && found + len <= mm->mmap_base && area_range_free(mm, found, found + len));
}

static void test_random(void **state)
{
    assert_int_equal(mm_new(NULL, &mm), 0);
    mm->mmap_base = address(PAGES);
    mutex_lock(&mm->lock);
    srand(1);
    for (int i = 0; i < ROUNDS; i++) {
        unsigned from, to;
        random_range(&from, &to);
        int prot = rand() % 8;
        switch (rand() % 4) {
        case 0:
            map_range(from, to, prot);
            break;
        case 1:
            unmap_range(from, to);
            break;
        case 2:
            change_range(from, to, prot, rand() % 2);
            break;
        default:
            check_free_search();
            break;
        }
        compare();
    }
    unmap_range(0, PAGES);
    compare();
    mutex_unlock(&mm->lock);
    mm_put(mm);
}

static void test_gaps(void **state)
{
    assert_int_equal(mm_new(NULL, &mm), 0);
    mm->mmap_base = address(PAGES);
    mutex_lock(&mm->lock);
    memset(model, 0, sizeof(model));
    assert_int_equal(mm_find_free(mm, 0, PAGE_SIZE, PAGE_SIZE), address(PAGES - 1));
    map_range(PAGES - 10, PAGES - 1, PROT_READ);
    assert_int_equal(mm_find_free(mm, 0, PAGE_SIZE, PAGE_SIZE), address(PAGES - 1));
    assert_int_equal(mm_find_free(mm, 0, 2 * PAGE_SIZE, PAGE_SIZE), address(PAGES - 12));
    assert_int_equal(mm_find_free(mm, address(50), PAGE_SIZE, PAGE_SIZE), address(49));
    assert_int_equal(area_find_gap(mm, address(10), address(20), 10 * PAGE_SIZE, PAGE_SIZE),
                     address(10));
    assert_int_equal(area_find_gap(mm, address(10), address(20), 11 * PAGE_SIZE, PAGE_SIZE), 0);
    assert_int_equal(mm_find_free(mm, 0, PAGE_SIZE, 64 * PAGE_SIZE) % (64 * PAGE_SIZE), 0);
    assert_false(area_range_free(mm, GUEST_RESERVED_START, GUEST_RESERVED_START + PAGE_SIZE));
    mutex_unlock(&mm->lock);
    mm_put(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_gaps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
