/* The layout is another one in each run, and fixed when personality asks for that. */
#include <sys/personality.h>
#include "mm_check.h"

static void run(char *out, int fixed)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (fixed)
            personality(ADDR_NO_RANDOMIZE);
        dup2(fds[1], 1);
        execl("/proc/self/exe", "me", "show", NULL);
        _exit(1);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], out, 199);
    out[n > 0 ? n : 0] = 0;
    close(fds[0]);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    char a[200], b[200];
    if (argc > 1) {
        printf("%p %p %p\n", (void *)&a, sbrk(0), (void *)map_anon(PAGE, PROT_READ));
        return 0;
    }
    run(a, 0);
    run(b, 0);
    CHECK(a[0] && strcmp(a, b) != 0);
    run(a, 1);
    run(b, 1);
    CHECK(a[0] && strcmp(a, b) == 0);
    CHECK_EXIT();
}
