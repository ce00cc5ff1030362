/* execve: too large arguments are E2BIG, bad pointers EFAULT. */
#include "mm_check.h"

static char exe[400];
static void find_exe(void)
{
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = 0;
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return argc == 1001 && strlen(argv[1000]) == 1 ? 55 : 1;
    find_exe();
    static char long_arg[131073];
    memset(long_arg, 'a', 131072);
    char *too_long[] = {exe, long_arg, NULL};
    CHECK_ERR(execve(exe, too_long, environ), E2BIG);
    CHECK_ERR(execve(exe, argv, too_long), E2BIG);
    CHECK_ERR(execve(exe, (char **)8, environ), EFAULT);
    CHECK_ERR(execve(exe, (char *[]){exe, (char *)8, NULL}, environ), EFAULT);
    CHECK_ERR(execve((char *)8, argv, environ), EFAULT);
    long_arg[131071] = 0;
    char **many = malloc(1002 * sizeof(char *));
    for (int i = 0; i < 1001; i++)
        many[i] = long_arg;
    many[1001] = NULL;
    CHECK_ERR(execve(exe, many, environ), E2BIG);
    for (int i = 0; i < 1001; i++)
        many[i] = "x";
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execve(exe, many, environ);
        _exit(2);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 55);
    CHECK_EXIT();
}
