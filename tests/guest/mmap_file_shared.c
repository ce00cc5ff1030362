/* Shared file mappings are coherent with read and write, and between processes. */
#include "mm_check.h"

static char *p;
static void child(void)
{
    p[PAGE] = 'C';
}

int main(void)
{
    int fd = scratch_file("file", 2 * PAGE);
    p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    p[10] = 'A';
    char buf[16];
    CHECK(pread(fd, buf, 16, 0) == 16 && buf[10] == 'A' && buf[11] == 1);
    CHECK(pwrite(fd, "BB", 2, 20) == 2);
    CHECK(p[20] == 'B' && p[21] == 'B');
    CHECK_CHILD_OK(child);
    CHECK(p[PAGE] == 'C');
    CHECK(msync(p, 2 * PAGE, MS_SYNC) == 0);
    int fd2 = open("file", O_RDONLY);
    CHECK(pread(fd2, buf, 1, PAGE) == 1 && buf[0] == 'C');
    char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd2, 0);
    p[11] = 'Z';
    CHECK(q != MAP_FAILED && q[11] == 'Z');
    CHECK(munmap(p, 2 * PAGE) == 0);
    CHECK(q[11] == 'Z');
    CHECK_EXIT();
}
