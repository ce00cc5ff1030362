/* mremap to a chosen address, and leaving the old range mapped. */
#include "mm_check.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
int main(void)
{
    char *area = map_anon(32 * PAGE, PROT_READ), *p = map_anon(4 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 9, 4 * PAGE);
    char *to = area + 8 * PAGE;
    CHECK(mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to); /* replaces what was there */
    CHECK(to[0] == 9 && to[4 * PAGE - 1] == 9 && area[7 * PAGE] == 0 && area[12 * PAGE] == 0);
    to[0] = 1;
    char *smaller = area + 20 * PAGE;
    CHECK(mremap(to, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, smaller) == smaller);
    CHECK(smaller[0] == 1 && smaller[PAGE] == 9);
    unsigned long s, e;
    char perms[5];
    CHECK(!maps_line(to + 3 * PAGE, &s, &e, perms, NULL));
    CHECK_ERR(mremap(smaller, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, smaller + PAGE), EINVAL);
    CHECK_ERR(mremap(smaller, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 1), EINVAL);
    CHECK_ERR(mremap(smaller, 2 * PAGE, 2 * PAGE, MREMAP_FIXED, area), EINVAL);
    char *gap = map_anon(4 * PAGE, PROT_READ | PROT_WRITE);
    memcpy(gap, smaller, 2 * PAGE);
    smaller = gap;
    char *copy = mremap(smaller, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    CHECK(copy != MAP_FAILED && copy != smaller && copy[0] == 1 && copy[PAGE] == 9);
    CHECK(smaller[0] == 0 && smaller[PAGE] == 0); /* still mapped, empty */
    CHECK_ERR(mremap(smaller, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), EINVAL);
    CHECK_EXIT();
}
