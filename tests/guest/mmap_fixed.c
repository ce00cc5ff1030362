/* MAP_FIXED replaces, MAP_FIXED_NOREPLACE refuses, hints are followed when free. */
#include "mm_check.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void)
{
    char *p = map_anon(8 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 1, 8 * PAGE);
    char *q = mmap(p + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
    CHECK(q == p + 2 * PAGE);
    CHECK(p[2 * PAGE - 1] == 1 && p[2 * PAGE] == 0 && p[4 * PAGE - 1] == 0 && p[4 * PAGE] == 1);
    CHECK_ERR(mmap(p + 1, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERR(mmap(p + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK(p[PAGE] == 1);
    CHECK(munmap(p + PAGE, PAGE) == 0);
    CHECK(mmap(p + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
    CHECK(munmap(p + 5 * PAGE, PAGE) == 0);
    CHECK(mmap(p + 5 * PAGE, PAGE, PROT_READ, ANON, -1, 0) == p + 5 * PAGE);
    char *r = mmap(p, PAGE, PROT_READ, ANON, -1, 0); /* taken: elsewhere */
    CHECK(r != MAP_FAILED && (r >= p + 8 * PAGE || r < p));
    CHECK_ERR(mmap((void *)(1UL << 47), PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), ENOMEM);
    q = mmap((void *)0x200000000, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
    CHECK(q == (void *)0x200000000);
    *q = 1;
    q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_32BIT, -1, 0);
    CHECK(q != MAP_FAILED && (uintptr_t)q < 1UL << 31);
    CHECK_EXIT();
}
