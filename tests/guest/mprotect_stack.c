/* The stack can be made executable, as old programs ask for it. */
#include "mm_check.h"

int main(void)
{
    char local[64];
    char *page = (char *)((uintptr_t)local & ~(PAGE - 1));
    unsigned long s, e;
    char perms[5];
    CHECK(mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN) == 0);
    CHECK(maps_line(local, &s, &e, perms, NULL) && !strcmp(perms, "rwxp"));
    CHECK_EXIT();
}
