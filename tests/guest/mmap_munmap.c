/* munmap: holes, splitting, refused arguments, unmapping nothing. */
#include "mm_check.h"

int main(void)
{
    faults_init();
    char *p = map_anon(10 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 3, 10 * PAGE);
    CHECK(munmap(p + 4 * PAGE, 2 * PAGE) == 0);
    CHECK(!read_faults(p + 3 * PAGE) && read_faults(p + 4 * PAGE) && read_faults(p + 5 * PAGE));
    CHECK(!read_faults(p + 6 * PAGE) && p[4 * PAGE - 1] == 3 && p[6 * PAGE] == 3);
    CHECK(munmap(p + 4 * PAGE, 2 * PAGE) == 0); /* nothing there: fine */
    CHECK(munmap(p, 1) == 0);                   /* rounded up to a page */
    CHECK(read_faults(p) && !read_faults(p + PAGE));
    CHECK(munmap(p, 10 * PAGE) == 0); /* over holes */
    CHECK(read_faults(p + PAGE) && read_faults(p + 9 * PAGE));
    CHECK_ERR(munmap(p + 1, PAGE), EINVAL);
    CHECK_ERR(munmap(p, 0), EINVAL);
    CHECK_ERR(munmap((void *)(1UL << 47), PAGE), EINVAL);
    CHECK_ERR(munmap(p, ~0UL - 2 * PAGE), EINVAL);
    CHECK_EXIT();
}
