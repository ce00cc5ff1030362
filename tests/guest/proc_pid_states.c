/* The state letter: sleeping, stopped, zombie. */
#include "synth.h"

static char state_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    return strrchr(slurp(path), ')')[2];
}

static void reaches(pid_t pid, char state)
{
    for (int i = 0; i < 500 && state_of(pid) != state; i++)
        sleep_ms(5);
    CHECK(state_of(pid) == state);
}

int main(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    reaches(pid, 'S');
    kill(pid, SIGSTOP);
    reaches(pid, 'T');
    kill(pid, SIGCONT);
    reaches(pid, 'S');
    kill(pid, SIGKILL);
    reaches(pid, 'Z');
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    CHECK(slurp(path)[0] == 0);
    dies_by(pid, SIGKILL);
    CHECK_ERR(access(path, F_OK), ENOENT);
    return 0;
}
