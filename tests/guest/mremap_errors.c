/* mremap: refused arguments; duplicating a shared mapping. */
#include "mm_check.h"

int main(void)
{
    char *p = map_anon(8 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(munmap(p + 4 * PAGE, PAGE) == 0);
    CHECK_ERR(mremap(p + 1, PAGE, PAGE, 0), EINVAL);
    CHECK_ERR(mremap(p, PAGE, 0, 0), EINVAL);
    CHECK_ERR(mremap(p, PAGE, PAGE, 64), EINVAL);
    CHECK_ERR(mremap(p + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERR(mremap(p + 3 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERR(mremap(p, 0, PAGE, MREMAP_MAYMOVE), EINVAL); /* duplicating is for shared mappings */
    char *s = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *d = mremap(s, 0, 2 * PAGE, MREMAP_MAYMOVE);
    CHECK(d != MAP_FAILED && d != s);
    if (d != MAP_FAILED) {
        d[PAGE] = 5;
        CHECK(s[PAGE] == 5);
    }
    CHECK_EXIT();
}
