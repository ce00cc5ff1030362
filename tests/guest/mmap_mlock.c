/* mlock and RLIMIT_MEMLOCK. */
#include "mm_check.h"

#include <sys/resource.h>
static void limited(void)
{
    struct rlimit l = {8 * PAGE, 8 * PAGE}, none = {0, 0};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &l) == 0 && (getuid() != 0 || setuid(12345) == 0));
    char *p = map_anon(32 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(mlock(p, 4 * PAGE) == 0);
    CHECK(mlock(p, 8 * PAGE) == 0); /* half of it is locked already */
    CHECK_ERR(mlock(p, 9 * PAGE), ENOMEM);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0), EAGAIN);
    CHECK(munlock(p, 4 * PAGE) == 0);
    CHECK(mlock(p + 16 * PAGE, 4 * PAGE) == 0);
    CHECK_ERR(mlockall(MCL_CURRENT), ENOMEM);
    CHECK(munlockall() == 0);
    CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
    CHECK_ERR(mlock(p, PAGE), EPERM);
}

int main(void)
{
    char *p = map_anon(4 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(mlock(p + 100, PAGE) == 0); /* any address: its pages */
    CHECK(munlock(p, 2 * PAGE) == 0);
    munmap(p + 2 * PAGE, PAGE);
    CHECK_ERR(mlock(p, 4 * PAGE), ENOMEM);
    CHECK_ERR(munlock(p, 4 * PAGE), ENOMEM);
    CHECK_ERR(mlockall(0), EINVAL);
    CHECK_ERR(mlockall(64), EINVAL);
    CHECK_ERR(syscall(SYS_mlock2, p, PAGE, 8), EINVAL);
    CHECK(syscall(SYS_mlock2, p, PAGE, 1) == 0);
    CHECK_ERR(madvise(p, PAGE, MADV_DONTNEED), EINVAL); /* locked */
    CHECK(munlockall() == 0);
    CHECK_CHILD_OK(limited);
    CHECK_EXIT();
}
