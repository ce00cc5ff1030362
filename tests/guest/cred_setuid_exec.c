/* Set-user-ID and set-group-ID programs, and no_new_privs. Needs root to make one. */
#include "check.h"
#include <grp.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int run_as_user(const char *program, int no_new_privs)
{
    pid_t pid = fork();
    if (pid == 0) {
        char *args[] = {"prog", "report", NULL}, *env[] = {NULL};
        CHECK(setgroups(0, NULL) == 0 && setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        if (no_new_privs)
            CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        execve(program, args, env);
        _exit(99);
    }
    int status = wait_for(pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void copy_self(const char *to)
{
    char buf[65536];
    ssize_t n;
    int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    CHECK(in >= 0 && out >= 0);
    while ((n = read(in, buf, sizeof(buf))) > 0)
        CHECK(write(out, buf, (size_t)n) == n);
    CHECK(n == 0 && close(in) == 0 && close(out) == 0);
}

/* uid * 1 + euid 0 -> bits: 1 euid is 0, 2 uid is 1000, 4 egid is 50, 8 AT_SECURE */
static int report(void)
{
    return (geteuid() == 0) | (getuid() == 1000) << 1 | (getegid() == 50) << 2 | !!getauxval(AT_SECURE) << 3;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return report();
    if (getuid() != 0)
        return 0;
    char dir[] = "/tmp/setuid-XXXXXX", prog[100];
    CHECK(mkdtemp(dir) && chmod(dir, 0755) == 0);
    snprintf(prog, sizeof(prog), "%s/prog", dir);
    copy_self(prog);
    CHECK(run_as_user(prog, 0) == 2);
    CHECK(chmod(prog, 04755) == 0);
    CHECK(run_as_user(prog, 0) == (1 | 2 | 8));
    CHECK(run_as_user(prog, 1) == 2);
    CHECK(chown(prog, 0, 50) == 0 && chmod(prog, 02755) == 0);
    CHECK(run_as_user(prog, 0) == (2 | 4 | 8));
    CHECK(unlink(prog) == 0 && rmdir(dir) == 0);
    return 0;
}
