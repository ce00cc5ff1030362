/* Private file mappings: contents, copy on write, the zeroed end of the last page. */
#include "mm_check.h"

int main(void)
{
    int fd = scratch_file("file", 3 * PAGE + 100);
    CHECK(unlink("file") == 0);
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK(p[0] == 1 && p[PAGE] == 2 && p[3 * PAGE] == 4 && p[3 * PAGE + 99] == 4 && p[3 * PAGE + 100] == 0);
    p[0] = 99;
    char c;
    CHECK(pread(fd, &c, 1, 0) == 1 && c == 1);
    CHECK(pwrite(fd, "x", 1, PAGE) == 1);
    CHECK(p[PAGE] == 'x'); /* not yet copied: coherent */
    char *q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE);
    CHECK(q != MAP_FAILED && q[0] == 3);
    CHECK(close(fd) == 0);
    CHECK(p[2 * PAGE] == 3 && q[5] == 3);
    CHECK(munmap(p, 4 * PAGE) == 0 && munmap(q, PAGE) == 0);
    CHECK_EXIT();
}
