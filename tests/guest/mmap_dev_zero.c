/* /dev/zero can be mapped, privately and shared. */
#include "mm_check.h"

int main(void)
{
    int fd = open("/dev/zero", O_RDWR);
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && p[0] == 0 && p[PAGE] == 0);
    p[5] = 1;
    char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(q != MAP_FAILED && q[5] == 0);
    q[0] = 1;
    pid_t pid = fork();
    if (pid == 0) {
        q[1] = (char)(q[0] + 1);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    CHECK(q[1] == 2);
    CHECK_EXIT();
}
