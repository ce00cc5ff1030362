/* A program started without arguments has an empty argv[0] all the same. */
#include "mm_check.h"

int main(int argc, char **argv)
{
    if (getenv("SECOND"))
        return argc == 1 && argv[0][0] == 0 && !argv[1] ? 33 : 1;
    char *env[] = {"SECOND=1", NULL};
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execve, "/proc/self/exe", NULL, env);
        _exit(2);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 33);
    CHECK_EXIT();
}
