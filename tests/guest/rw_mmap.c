/* A shared mapping and read/write see the same bytes, in both directions, and across growth. */
#include "check.h"
#include <sys/mman.h>
#include <sys/stat.h>

int main(void)
{
    char buf[16];
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    CHECK(write(fd, "hello", 5) == 5);
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED && !memcmp(p, "hello", 5) && p[5] == 0);
    p[0] = 'J';
    CHECK(pread(fd, buf, 5, 0) == 5 && !memcmp(buf, "Jello", 5));
    CHECK(pwrite(fd, "y", 1, 4) == 1 && p[4] == 'y');
    CHECK(ftruncate(fd, 1 << 20) == 0);
    p[900000] = 'z';
    CHECK(pread(fd, buf, 1, 900000) == 1 && buf[0] == 'z');
    CHECK(pwrite(fd, "Q", 1, 500000) == 1 && p[500000] == 'Q');
    int ro = open("f", O_RDONLY);
    char *q = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, ro, 0);
    CHECK(q != MAP_FAILED && q[0] == 'J');
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED &&
          errno == EACCES);
    char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
    CHECK(w != MAP_FAILED && (w[0] = 'P') && pread(fd, buf, 1, 0) == 1 && buf[0] == 'J');
    CHECK(unlink("f") == 0 && close(fd) == 0 && close(ro) == 0);
    p[1] = '!';
    CHECK(p[1] == '!' && munmap(p, 1 << 20) == 0);
    int dir = open(".", O_RDONLY);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, dir, 0) == MAP_FAILED && errno == ENODEV);
    return 0;
}
