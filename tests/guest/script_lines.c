/* #! scripts: the interpreter, its one argument, nesting, and bad lines. */
#include "mm_check.h"

static char exe[400];
static void find_exe(void)
{
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = 0;
}
static void script(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
static int run(const char *name)
{
    char *argv[] = {"zero", "one", NULL};
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execve(name, argv, environ);
        _exit(errno);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    char line[1000];
    if (argc == 3) /* interpreter script one */
        return strcmp(argv[1], "./plain") == 0 && strcmp(argv[2], "one") == 0 ? 101 : 1;
    if (argc == 4) /* interpreter argument script one */
        return strcmp(argv[1], "-a b  c") == 0 && strcmp(argv[2], "./arg") == 0 ? 102 : 1;
    if (argc == 5) /* interpreter argument inner outer one */
        return strcmp(argv[2], "./arg2") == 0 && strcmp(argv[3], "./outer") == 0 ? 103 : 1;
    find_exe();
    snprintf(line, sizeof(line), "#!%s", exe);
    script("plain", line);
    CHECK(run("./plain") == 101);
    snprintf(line, sizeof(line), "#! \t%s \t-a b  c \t\nrest", exe);
    script("arg", line);
    CHECK(run("./arg") == 102);
    snprintf(line, sizeof(line), "#!%s x\n", exe);
    script("arg2", line);
    script("outer", "#!./arg2\n");
    CHECK(run("./outer") == 103);
    script("none", "#!\n");
    script("missing", "#!/no/such/file\n");
    script("loop", "#!./loop\n");
    script("dir", "#!/\n");
    CHECK(run("./none") == ENOEXEC);
    CHECK(run("./missing") == ENOENT);
    CHECK(run("./loop") == ELOOP);
    CHECK(run("./dir") == EACCES);
    memset(line, 'x', sizeof(line));
    memcpy(line, "#!/", 3);
    line[400] = 0;
    script("long", line);
    CHECK(run("./long") == ENOEXEC);
    CHECK_EXIT();
}
