/* Beyond the end of a mapped file lies SIGBUS, even when the file shrinks later. */
#include "mm_check.h"

int main(void)
{
    faults_init();
    int fd = scratch_file("file", PAGE);
    char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p[0] == 1);
    CHECK(read_faults(p + 2 * PAGE) == SIGBUS && faults_code == BUS_ADRERR && faults_addr == p + 2 * PAGE);
    CHECK(ftruncate(fd, 2 * PAGE) == 0);
    CHECK(p[PAGE] == 0);
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(read_faults(p) == SIGBUS);
    munmap(p, PAGE);
    CHECK(read_faults(p) == SIGSEGV && faults_code == SEGV_MAPERR && faults_addr == p);
    CHECK_EXIT();
}
