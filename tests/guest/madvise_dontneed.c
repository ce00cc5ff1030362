/* MADV_DONTNEED and MADV_FREE: memory is zero again, file pages are what the file holds. */
#include "mm_check.h"

int main(void)
{
    char *p = map_anon(4 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 5, 4 * PAGE);
    CHECK(madvise(p + PAGE, PAGE, MADV_DONTNEED) == 0);
    CHECK(p[0] == 5 && p[PAGE] == 0 && p[2 * PAGE] == 5);
    p[PAGE] = 6;
    CHECK(p[PAGE] == 6);
    CHECK(madvise(p, 4 * PAGE, MADV_FREE) == 0);
    CHECK(p[0] == 5 || p[0] == 0);
    int fd = scratch_file("file", 2 * PAGE);
    char *f = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    f[0] = 'x';
    CHECK(madvise(f, PAGE, MADV_DONTNEED) == 0 && f[0] == 1);
    CHECK_ERR(madvise(f, PAGE, MADV_FREE), EINVAL);
    CHECK_EXIT();
}
