/* vfork: shared memory, the parent stands still until the child has exited or execed. */
#include "check.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        sleep_ms(100);
        return 5;
    }
    volatile int value = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        value = 42;
        _exit(3);
    }
    CHECK(pid > 0 && value == 42);
    exits_with(pid, 3);

    /* The parent goes on at the exec, not at the exit. */
    char *args[] = {"self", "child", NULL}, *env[] = {NULL};
    pid = vfork();
    if (pid == 0) {
        execve("/proc/self/exe", args, env);
        _exit(99);
    }
    int status;
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    exits_with(pid, 5);
    return 0;
}
