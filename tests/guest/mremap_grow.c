/* mremap: growing in place and by moving keeps the contents. */
#include "mm_check.h"

int main(void)
{
    unsigned long s, e;
    char perms[5];
    char *p = map_anon(16 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(munmap(p + 4 * PAGE, 8 * PAGE) == 0);
    memset(p, 7, 4 * PAGE);
    CHECK(mremap(p, 4 * PAGE, 6 * PAGE, 0) == p); /* room behind it */
    CHECK(p[4 * PAGE - 1] == 7 && p[4 * PAGE] == 0 && p[6 * PAGE - 1] == 0);
    p[6 * PAGE - 1] = 8;
    CHECK_ERR(mremap(p, 6 * PAGE, 20 * PAGE, 0), ENOMEM);
    char *q = mremap(p, 6 * PAGE, 20 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p && q[0] == 7 && q[6 * PAGE - 1] == 8 && q[20 * PAGE - 1] == 0);
    CHECK(!maps_line(p, &s, &e, perms, NULL));
    CHECK(maps_line(q, &s, &e, perms, NULL) && s <= (unsigned long)q && e >= (unsigned long)q + 20 * PAGE);
    CHECK(mremap(q, 20 * PAGE, 5 * PAGE, 0) == q);
    CHECK(q[0] == 7);
    CHECK(mremap(q, 5 * PAGE, 5 * PAGE, 0) == q);
    /* Part of an area is moved out of its middle. */
    char *m = map_anon(8 * PAGE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 8; i++)
        m[(size_t)i * PAGE] = (char)i;
    char *n = mremap(m + 2 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    CHECK(n != MAP_FAILED && n[0] == 2 && n[PAGE] == 3 && n[2 * PAGE] == 0);
    CHECK(m[PAGE] == 1 && m[4 * PAGE] == 4 && !maps_line(m + 2 * PAGE, &s, &e, perms, NULL));
    CHECK_EXIT();
}
