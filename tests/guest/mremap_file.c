/* mremap of file mappings shows more of the file. */
#include "mm_check.h"

int main(void)
{
    int fd = scratch_file("file", 8 * PAGE);
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    CHECK(p != MAP_FAILED && p[0] == 2 && p[PAGE] == 3);
    p = mremap(p, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
    CHECK(p != MAP_FAILED && p[0] == 2 && p[4 * PAGE] == 6);
    p[4 * PAGE] = 'x';
    char c;
    CHECK(pread(fd, &c, 1, 5 * PAGE) == 1 && c == 'x');
    char *q = mremap(p + 2 * PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q[0] == 4 && q[PAGE] == 5 && q[2 * PAGE] == 'x');
    CHECK_EXIT();
}
