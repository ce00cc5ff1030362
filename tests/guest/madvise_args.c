/* madvise: advice that is taken, and refused arguments. */
#include "mm_check.h"

int main(void)
{
    char *p = map_anon(6 * PAGE, PROT_READ | PROT_WRITE);
    static const int good[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTDUMP, MADV_DODUMP,
                               MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CHECK(madvise(p, 6 * PAGE, good[i]) == 0);
    CHECK_ERR(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
    CHECK_ERR(madvise(p, PAGE, 12345), EINVAL);
    CHECK_ERR(madvise(p, PAGE, -1), EINVAL);
    CHECK(madvise(p, 0, MADV_DONTNEED) == 0);
    CHECK_ERR(madvise(p, ~0UL - 100, MADV_NORMAL), EINVAL);
    CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
    p[3 * PAGE] = 1;
    CHECK_ERR(madvise(p, 6 * PAGE, MADV_DONTNEED), ENOMEM); /* done around the hole all the same */
    CHECK(p[3 * PAGE] == 0);
    char *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_ERR(madvise(s, PAGE, MADV_WIPEONFORK), EINVAL);
    CHECK_ERR(madvise(p, PAGE, MADV_REMOVE), EINVAL);
    CHECK_EXIT();
}
