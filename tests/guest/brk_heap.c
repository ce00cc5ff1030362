/* The heap grows, shrinks, comes back zeroed, and stops at what is in its way. */
#include "mm_check.h"

int main(void)
{
    char *start = sbrk(0);
    CHECK(brk(start + 10 * PAGE) == 0);
    CHECK(sbrk(0) == start + 10 * PAGE);
    memset(start, 5, 10 * PAGE);
    CHECK(brk(start + 3 * PAGE + 100) == 0);
    CHECK(sbrk(0) == start + 3 * PAGE + 100);
    CHECK(start[3 * PAGE] == 5);
    CHECK(brk(start + 10 * PAGE) == 0);
    CHECK(start[9 * PAGE] == 0 && start[2 * PAGE] == 5);
    CHECK(syscall(SYS_brk, 0) == (long)(start + 10 * PAGE));
    CHECK(syscall(SYS_brk, 1) == (long)(start + 10 * PAGE)); /* below the start: no change */
    CHECK(syscall(SYS_brk, -1L) == (long)(start + 10 * PAGE));
    char *top = (char *)(((uintptr_t)sbrk(0) + PAGE - 1) & ~(PAGE - 1));
    CHECK(mmap(top + 16 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == top + 16 * PAGE);
    CHECK_ERR(brk(top + 20 * PAGE), ENOMEM);
    CHECK(brk(top + 8 * PAGE) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        start[0] = 1;
        _exit(sbrk(0) != top + 8 * PAGE || brk(top + 9 * PAGE) != 0);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(status == 0 && start[0] == 5 && sbrk(0) == top + 8 * PAGE);
    CHECK_EXIT();
}
