/* Large sparse mappings and reservations cost nothing. */
#include "mm_check.h"

int main(void)
{
    size_t big = 64UL << 30;
    char *p = mmap(NULL, big, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK(mprotect(p + (1UL << 30), 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    p[(1UL << 30) + PAGE] = 5;
    CHECK(munmap(p, big) == 0);
    p = mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    for (size_t at = 0; at < 1UL << 30; at += 64UL << 20)
        p[at] = 1;
    CHECK(munmap(p, 1UL << 30) == 0);
    CHECK_EXIT();
}
