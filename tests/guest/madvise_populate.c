/* MADV_POPULATE, MAP_POPULATE and mincore. */
#include "mm_check.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
int main(void)
{
    unsigned char vec[8];
    char *p = map_anon(8 * PAGE, PROT_READ | PROT_WRITE);
    p[2 * PAGE] = 1;
    CHECK(mincore(p, 8 * PAGE, vec) == 0 && (vec[2] & 1));
    CHECK(madvise(p, 8 * PAGE, MADV_POPULATE_WRITE) == 0);
    CHECK(mincore(p, 8 * PAGE, vec) == 0);
    for (int i = 0; i < 8; i++)
        CHECK(vec[i] & 1);
    CHECK_ERR(mincore(p + 1, PAGE, vec), EINVAL);
    CHECK_ERR(mincore(p, PAGE, (unsigned char *)8), EFAULT);
    CHECK_ERR(mincore(p, ~0UL - 2 * PAGE, vec), ENOMEM);
    munmap(p + PAGE, PAGE);
    CHECK_ERR(mincore(p, 3 * PAGE, vec), ENOMEM);
    CHECK_ERR(madvise(p, 3 * PAGE, MADV_POPULATE_READ), ENOMEM);
    char *q = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CHECK(q != MAP_FAILED && mincore(q, 4 * PAGE, vec) == 0 && (vec[3] & 1));
    CHECK_EXIT();
}
