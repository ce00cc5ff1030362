/* mprotect cannot give a shared mapping more than its descriptor had. */
#include "mm_check.h"

int main(void)
{
    close(scratch_file("file", 2 * PAGE));
    int ro = open("file", O_RDONLY), rw = open("file", O_RDWR);
    char *s = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, ro, 0);
    CHECK(s != MAP_FAILED);
    CHECK_ERR(mprotect(s, 2 * PAGE, PROT_READ | PROT_WRITE), EACCES);
    char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
    CHECK(mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    p[0] = 'p';
    char *w = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, rw, 0);
    CHECK(close(rw) == 0 && close(ro) == 0);
    CHECK(mprotect(w + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    w[PAGE] = 'w';
    CHECK(s[PAGE] == 'w' && s[0] == 1);
    CHECK_EXIT();
}
