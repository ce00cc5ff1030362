/* Shared anonymous memory: seen by parent and child. */
#include "mm_check.h"

int main(void)
{
    volatile int *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        p[0] = 42;
        while (p[1] == 0)
            usleep(1000);
        p[2] = p[1] + 1;
        _exit(0);
    }
    while (p[0] != 42)
        usleep(1000);
    p[1] = 10;
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(p[2] == 11);
    CHECK_EXIT();
}
