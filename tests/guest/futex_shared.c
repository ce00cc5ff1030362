/* futex between processes, on shared anonymous memory and on a mapped file. */
#include <linux/futex.h>
#include "mm_check.h"

#define ROUNDS 200
static int *word;
static void wait_until(int *p, int value)
{
    int v;
    while ((v = __atomic_load_n(p, __ATOMIC_SEQ_CST)) != value)
        syscall(SYS_futex, p, FUTEX_WAIT, v, NULL, NULL, 0);
}
static void set(int *p, int value)
{
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0);
}
static void ping_pong(void)
{
    pid_t pid = fork();
    for (int i = 1; i <= ROUNDS; i++) {
        if (pid == 0) {
            wait_until(&word[0], i);
            set(&word[1], i);
        } else {
            set(&word[0], i);
            wait_until(&word[1], i);
        }
    }
    if (pid == 0)
        _exit(0);
    int status;
    waitpid(pid, &status, 0);
    CHECK(status == 0);
}

int main(void)
{
    word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ping_pong();
    int fd = scratch_file("file", 0);
    CHECK(ftruncate(fd, PAGE) == 0);
    word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ping_pong();
    CHECK_EXIT();
}
