/* mprotect: reading, writing, faulting, splitting, holes. */
#include "mm_check.h"

int main(void)
{
    faults_init();
    char *p = map_anon(6 * PAGE, PROT_READ | PROT_WRITE);
    p[0] = 5;
    CHECK(mprotect(p, PAGE, PROT_READ) == 0);
    CHECK(!read_faults(p) && write_faults(p) == SIGSEGV && faults_code == SEGV_ACCERR && !write_faults(p + PAGE));
    CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
    CHECK(read_faults(p) == SIGSEGV && faults_code == SEGV_ACCERR);
    CHECK(mprotect(p, 6 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(p[0] == 5 && !write_faults(p));
    CHECK(mprotect(p, 1, PROT_READ) == 0 && write_faults(p) && !write_faults(p + PAGE));
    CHECK_ERR(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
    CHECK(mprotect(p, 0, PROT_READ) == 0);
    CHECK_ERR(mprotect(p, PAGE, 0x100), EINVAL);
    CHECK_ERR(mprotect(p, ~0UL - PAGE, PROT_READ), ENOMEM);
    CHECK_ERR(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
    CHECK_ERR(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL);
    CHECK(munmap(p + 3 * PAGE, PAGE) == 0);
    CHECK_ERR(mprotect(p, 6 * PAGE, PROT_READ), ENOMEM); /* but what comes before the hole is changed */
    CHECK(write_faults(p + 2 * PAGE) && !write_faults(p + 4 * PAGE));
    CHECK_ERR(mprotect(p + 3 * PAGE, PAGE, PROT_READ), ENOMEM);
    CHECK_EXIT();
}
