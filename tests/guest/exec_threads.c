/* execve by a thread that is not the leader: the others are gone, the pid is the leader's, and it
 * is the only thread. */
#include "check.h"
#include <dirent.h>
#include <pthread.h>

static char *self;

static void *sleeper(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static void *execer(void *arg)
{
    char pid[20];
    snprintf(pid, sizeof(pid), "%d", getpid());
    char *args[] = {self, pid, NULL}, *env[] = {NULL};
    execve("/proc/self/exe", args, env);
    _exit(99);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        CHECK(atoi(argv[1]) == getpid() && syscall(SYS_gettid) == getpid());
        return 6;
    }
    self = argv[0];
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        for (int i = 0; i < 4; i++)
            CHECK(pthread_create(&t, NULL, sleeper, NULL) == 0);
        CHECK(pthread_create(&t, NULL, execer, NULL) == 0);
        pause();
        for (;;)
            pause();
    }
    exits_with(pid, 6);
    return 0;
}
