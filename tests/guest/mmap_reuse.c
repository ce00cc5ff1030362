/* Addresses: freed ranges are used again, and many mappings do not collide. */
#include "mm_check.h"

#define N 2000
int main(void)
{
    static char *p[N];
    for (int i = 0; i < N; i++) {
        p[i] = map_anon(2 * PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
        if (i & 1)
            *(int *)p[i] = i;
    }
    for (int i = 1; i < N; i += 2)
        CHECK(*(int *)p[i] == i);
    for (int i = 0; i < N; i += 4)
        CHECK(munmap(p[i], 2 * PAGE) == 0);
    for (int i = 0; i < N; i += 4) {
        p[i] = map_anon(2 * PAGE, PROT_READ | PROT_WRITE);
        *(int *)p[i] = i;
    }
    for (int i = 1; i < N; i += 2)
        CHECK(*(int *)p[i] == i);
    for (int i = 0; i < N; i += 4)
        CHECK(*(int *)p[i] == i);
    char *a = map_anon(PAGE, PROT_READ);
    munmap(a, PAGE);
    CHECK(map_anon(PAGE, PROT_READ) == a);
    CHECK_EXIT();
}
