/* execve: arguments and environment arrive as given, E2BIG, ENOENT, EACCES, ENOEXEC. */
#include "check.h"

static int check_vectors(int argc, char **argv)
{
    extern char **environ;
    CHECK(argc == 4 && strcmp(argv[2], "") == 0 && strlen(argv[3]) == 100000 && argv[3][99999] == 'x');
    CHECK(strcmp(environ[0], "A=1") == 0 && strcmp(environ[1], "EMPTY=") == 0 && environ[2] == NULL);
    return 0;
}

static char big[140000];

int main(int argc, char **argv)
{
    if (argc > 1)
        return check_vectors(argc, argv);
    char *env[] = {"A=1", "EMPTY=", NULL};
    memset(big, 'x', 100000);
    char *args[] = {argv[0], "child", "", big, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execve("/proc/self/exe", args, env);
        _exit(99);
    }
    exits_with(pid, 0);

    memset(big, 'y', sizeof(big) - 1); /* a single string over 128 KiB */
    CHECK_ERR(execve("/proc/self/exe", args, env), E2BIG);
    big[0] = 0;
    CHECK_ERR(execve("/no/such/file", args, env), ENOENT);
    CHECK_ERR(execve("", args, env), ENOENT);
    CHECK_ERR(execve("/", args, env), EACCES);
    CHECK_ERR(execve("/etc/passwd", args, env), EACCES);
    CHECK_ERR(execve("/etc/passwd/x", args, env), ENOTDIR);
    char *volatile bad = (char *)8;
    CHECK_ERR(execve(bad, args, env), EFAULT);
    CHECK_ERR(execve("/proc/self/exe", (char **)bad, env), EFAULT);

    int fd = open("garbage", O_CREAT | O_WRONLY | O_TRUNC, 0755);
    CHECK(fd >= 0 && write(fd, "\177garbage", 8) == 8 && close(fd) == 0);
    CHECK_ERR(execve("./garbage", args, env), ENOEXEC);
    CHECK(unlink("garbage") == 0);
    return 0;
}
