/* execveat: by descriptor, by descriptor and path, and what the script sees. */
#include "mm_check.h"

static char exe[400];
static void find_exe(void)
{
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = 0;
}
static int run(int fd, const char *path, int flags)
{
    char *argv[] = {"me", "arg", NULL};
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, fd, path, argv, environ, flags);
        _exit(errno);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    static const char text[] = "#!/bin/sh\ntest \"$0\" = /dev/fd/200 && test $1 = arg && exit 46\n";
    if (argc > 1)
        return strcmp(argv[0], "me") == 0 ? 44 : 45;
    find_exe();
    int fd = open(exe, O_RDONLY | O_CLOEXEC), path = open(exe, O_PATH), here = open(".", O_RDONLY);
    CHECK(run(fd, "", AT_EMPTY_PATH) == 44);
    CHECK(run(path, "", AT_EMPTY_PATH) == 44);
    CHECK(run(fd, "", 0) == ENOENT);
    CHECK(run(here, exe, 0) == 44);
    CHECK(run(999, "x", 0) == EBADF);
    CHECK(run(fd, "x", 0) == ENOTDIR);
    CHECK(run(here, "x", 0x40000000) == EINVAL);
    CHECK(symlink(exe, "link") == 0);
    CHECK(run(here, "link", 0) == 44);
    CHECK(run(here, "link", AT_SYMLINK_NOFOLLOW) == ELOOP);
    int script = open("script", O_RDWR | O_CREAT, 0755);
    CHECK(write(script, text, sizeof(text) - 1) == sizeof(text) - 1);
    close(script);
    script = open("script", O_RDONLY);
    dup2(script, 200);
    CHECK(run(200, "", AT_EMPTY_PATH) == 46);
    fcntl(200, F_SETFD, FD_CLOEXEC);
    CHECK(run(200, "", AT_EMPTY_PATH) == ENOENT);
    CHECK_EXIT();
}
