/* Anonymous mappings: zeroed, private, writable; refused arguments. */
#include "mm_check.h"

static char *p;
static void child(void)
{
    CHECK(p[1] == 'q');
    p[0] = 'c';
}

int main(void)
{
    p = map_anon(3 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(((uintptr_t)p & (PAGE - 1)) == 0);
    for (size_t i = 0; i < 3 * PAGE; i += 511)
        CHECK(p[i] == 0);
    memset(p, 7, 3 * PAGE);
    p[1] = 'q';
    CHECK_CHILD_OK(child);
    CHECK(p[0] == 7);
    CHECK(munmap(p, 3 * PAGE) == 0);
    CHECK_ERR(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERR(mmap(NULL, ~0UL - PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERR(mmap(NULL, 1UL << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERR(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), EINVAL);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0), EINVAL);
    CHECK_EXIT();
}
