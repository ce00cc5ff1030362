/* /proc/PID/comm: read, written (cut to 15 bytes), per thread. */
#include "synth.h"
#include <pthread.h>
#include <sys/prctl.h>

static void *thread(void *arg)
{
    char path[64], name[16];
    CHECK(prctl(PR_SET_NAME, "second") == 0);
    CHECK(strcmp(slurp("/proc/thread-self/comm"), "second\n") == 0);
    CHECK(strcmp(slurp("/proc/self/comm"), "0123456789abcde\n") == 0);
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, "first", 5) == 5);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "second") == 0);
    return NULL;
}

int main(void)
{
    char name[16];
    int fd = open("/proc/self/comm", O_RDWR);
    CHECK(fd >= 0 && write(fd, "0123456789abcdefghij", 20) == 20);
    CHECK(strcmp(slurp("/proc/self/comm"), "0123456789abcde\n") == 0);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread, NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "first") == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/comm", getppid());
        fd = open(path, O_WRONLY);
        CHECK(fd < 0 || (write(fd, "x", 1) == -1 && errno == EINVAL));
        _exit(0);
    }
    exits_with(pid, 0);
    return 0;
}
