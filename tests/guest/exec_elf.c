/* execve: what the new image gets, and which files are refused. */
#include <elf.h>
#include "mm_check.h"

static char exe[400];
static void find_exe(void)
{
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = 0;
}
static void write_file(const char *name, const void *data, size_t n, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(write(fd, data, n) == (ssize_t)n);
    fchmod(fd, mode);
    close(fd);
}
static void expect_exec(const char *name, int err)
{
    char *argv[] = {(char *)name, NULL};
    CHECK_ERR(execve(name, argv, environ), err);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        int ok = argc == 4 && !strcmp(argv[1], "one") && !strcmp(argv[2], "") && strlen(argv[3]) == 5000;
        return ok && getenv("ONLY") && !environ[1] && fcntl(100, F_GETFD) == -1 && fcntl(101, F_GETFD) == 0 ? 77 : 1;
    }
    find_exe();
    Elf64_Ehdr eh = {.e_ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .e_type = ET_EXEC, .e_machine = EM_X86_64,
                     .e_phentsize = 56, .e_phnum = 0, .e_phoff = 64};
    write_file("empty", "", 0, 0755);
    write_file("text", "hello\n", 6, 0755);
    write_file("noexec", &eh, sizeof(eh), 0644);
    write_file("nophdr", &eh, sizeof(eh), 0755);
    eh.e_phnum = 5;
    write_file("cut", &eh, sizeof(eh), 0755);
    eh.e_machine = EM_AARCH64;
    write_file("arm", &eh, sizeof(eh), 0755);
    mkdir("dir", 0755);
    expect_exec("empty", ENOEXEC);
    expect_exec("text", ENOEXEC);
    expect_exec("noexec", EACCES);
    expect_exec("nophdr", ENOEXEC);
    expect_exec("arm", ENOEXEC);
    expect_exec("dir", EACCES);
    expect_exec("absent", ENOENT);
    expect_exec("text/x", ENOTDIR);
    expect_exec("", ENOENT);
    char big[5001];
    memset(big, 'b', 5000);
    big[5000] = 0;
    dup2(0, 100);
    dup2(0, 101);
    fcntl(100, F_SETFD, FD_CLOEXEC);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *args[] = {"prog", "one", "", big, NULL}, *env[] = {"ONLY=1", NULL};
        execve(exe, args, env);
        _exit(2);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
    CHECK_EXIT();
}
