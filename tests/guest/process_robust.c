/* Robust mutexes: an owner that dies without unlocking, as a thread and as a process. */
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>

static pthread_mutex_t *mutex;

static void *dies(void *arg)
{
    pthread_mutex_lock(mutex);
    return arg;
}

static void check_recover(void)
{
    CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(mutex) == 0);
    CHECK(pthread_mutex_unlock(mutex) == 0);
    CHECK(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
}

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_t t;
    mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mutex != MAP_FAILED);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_mutex_init(mutex, &attr) == 0);
    CHECK(pthread_create(&t, NULL, dies, NULL) == 0 && pthread_join(t, NULL) == 0);
    check_recover();

    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(mutex);
        sleep_ms(50);
        kill(getpid(), SIGKILL);
    }
    sleep_ms(20);
    check_recover(); /* waits, and is woken by the death */
    dies_by(pid, SIGKILL);
    CHECK(syscall(SYS_set_robust_list, 0, 23) == -1 && errno == EINVAL);
    return 0;
}
