/* msync: refused arguments, holes, and what it is for. */
#include "mm_check.h"

int main(void)
{
    int fd = scratch_file("file", 3 * PAGE);
    char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p[0] = 9;
    CHECK(msync(p, 3 * PAGE, MS_ASYNC) == 0 && msync(p, 3 * PAGE, MS_SYNC | MS_INVALIDATE) == 0);
    CHECK(msync(p, 0, MS_SYNC) == 0);
    CHECK_ERR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
    CHECK_ERR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERR(msync(p, PAGE, 1024), EINVAL);
    munmap(p + PAGE, PAGE);
    CHECK_ERR(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
    CHECK_ERR(msync(p + PAGE, PAGE, MS_SYNC), ENOMEM);
    CHECK_EXIT();
}
