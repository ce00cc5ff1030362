/* What a mapping needs of its file. */
#include "mm_check.h"

int main(void)
{
    close(scratch_file("file", PAGE));
    int ro = open("file", O_RDONLY), wo = open("file", O_WRONLY), rw = open("file", O_RDWR);
    int path = open("file", O_PATH), dir = open(".", O_RDONLY), pipes[2];
    CHECK(pipe(pipes) == 0);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0), EACCES);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
    CHECK_ERR(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, wo, 0), EACCES);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0), EBADF);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pipes[0], 0), ENODEV);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, 0, rw, 0), EINVAL);
    CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x400000, rw, 0), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, rw, 0x7ffffffffffff000), EOVERFLOW);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
    CHECK(p != MAP_FAILED && (p[0] = 5) == 5);
    CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, rw, 0) != MAP_FAILED);
    CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE, rw, 0) != MAP_FAILED);
    /* A mapping beyond the end may be made; touching it is what fails. */
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 64 * PAGE) != MAP_FAILED);
    CHECK_EXIT();
}
