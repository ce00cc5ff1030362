/* MADV_DONTFORK and MADV_WIPEONFORK decide what a child gets. */
#include "mm_check.h"

static char *gone, *wiped, *kept;
static void child(void)
{
    unsigned long s, e;
    char perms[5];
    CHECK(!maps_line(gone, &s, &e, perms, NULL));
    CHECK(wiped[0] == 0 && kept[0] == 3);
    CHECK(mmap(gone, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == gone);
}
static void touch_gone(void)
{
    (void)((volatile char *)gone)[0];
}

int main(void)
{
    char *all = map_anon(5 * PAGE, PROT_READ | PROT_WRITE);
    gone = all, wiped = all + 2 * PAGE, kept = all + 4 * PAGE;
    gone[0] = 1, wiped[0] = 2, kept[0] = 3;
    CHECK(madvise(gone, PAGE, MADV_DONTFORK) == 0);
    CHECK(madvise(wiped, PAGE, MADV_WIPEONFORK) == 0);
    CHECK_CHILD_OK(child);
    CHECK_CHILD_DIES(touch_gone, SIGSEGV);
    CHECK(gone[0] == 1 && wiped[0] == 2);
    CHECK(madvise(gone, PAGE, MADV_DOFORK) == 0);
    CHECK(check_child(touch_gone) == 0);
    CHECK_EXIT();
}
