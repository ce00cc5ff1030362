/* #! scripts: the interpreter's argument, the script's name, a script that is another script's
 * interpreter, its limits. */
#include "check.h"
#include <sys/stat.h>

static char self[4096];

static void script(const char *name, const char *fmt)
{
    char text[8192];
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    int n = snprintf(text, sizeof(text), fmt, self);
    CHECK(fd >= 0 && write(fd, text, (size_t)n) == n && close(fd) == 0);
}

static int as_interpreter(int argc, char **argv)
{
    CHECK(strcmp(argv[1], "one two") == 0);
    CHECK(strcmp(argv[2], "./script") == 0);
    CHECK(argc == 4 && strcmp(argv[3], "arg") == 0);
    return 17;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return as_interpreter(argc, argv);
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    CHECK(n > 0);
    char *args[] = {"ignored", "arg", NULL}, *env[] = {NULL};

    script("script", "#! %s one two  \nnonsense\n");
    pid_t pid = fork();
    if (pid == 0) {
        execve("./script", args, env);
        _exit(99);
    }
    exits_with(pid, 17);

    script("missing", "#!/no/such/interpreter\n%s");
    CHECK_ERR(execve("./missing", args, env), ENOENT);
    script("loop", "#!./loop\n%s");
    CHECK_ERR(execve("./loop", args, env), ELOOP);
    script("sh", "#!/bin/sh\nexit 23\n%s");
    pid = fork();
    if (pid == 0) {
        execve("./sh", args, env);
        _exit(99);
    }
    exits_with(pid, 23);
    CHECK(chmod("sh", 0644) == 0);
    CHECK_ERR(execve("./sh", args, env), EACCES);
    unlink("script"), unlink("missing"), unlink("loop"), unlink("sh");
    return 0;
}
