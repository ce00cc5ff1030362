/* After fork both sides keep their own view of private memory, and may map on their own. */
#include "mm_check.h"

static char *p;
static int fd;
static void child(void)
{
    CHECK(p[0] == 1 && p[PAGE] == 2);
    p[0] = 10;
    char *q = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(q != MAP_FAILED && q[3 * PAGE] == 4);
    CHECK(munmap(p + PAGE, PAGE) == 0);
    unsigned long s, e;
    char perms[5];
    CHECK(maps_line(p, &s, &e, perms, NULL) && !maps_line(p + PAGE, &s, &e, perms, NULL));
}

int main(void)
{
    fd = scratch_file("file", 4 * PAGE);
    p = map_anon(2 * PAGE, PROT_READ | PROT_WRITE);
    p[0] = 1, p[PAGE] = 2;
    for (int i = 0; i < 5; i++)
        CHECK_CHILD_OK(child);
    CHECK(p[0] == 1 && p[PAGE] == 2);
    CHECK_EXIT();
}
