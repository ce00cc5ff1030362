/* /proc/PID/task: one directory a thread; threads' own stat; /proc/TID is there but not listed. */
#include "synth.h"
#include <dirent.h>
#include <pthread.h>

static pid_t tid;
static int go[2], done[2];

static void *thread(void *arg)
{
    char c;
    tid = (pid_t)syscall(SYS_gettid);
    CHECK(write(done[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
    return NULL;
}

static int listed(const char *dir, int n, int *ret_count)
{
    DIR *d = opendir(dir);
    int found = 0;
    CHECK(d);
    *ret_count = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9') {
            ++*ret_count;
            found += atoi(e->d_name) == n;
            CHECK(e->d_type == DT_DIR);
        }
    closedir(d);
    return found;
}

int main(void)
{
    pthread_t t;
    char c, path[64];
    int count;
    CHECK(pipe(go) == 0 && pipe(done) == 0 && pthread_create(&t, NULL, thread, NULL) == 0 && read(done[0], &c, 1) == 1);
    CHECK(listed("/proc/self/task", tid, &count) == 1 && count == 2);
    CHECK(listed("/proc/self/task", getpid(), &count) == 1);
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
    char *text = slurp(path);
    CHECK(number(text, "Pid:\t") == (unsigned)tid && number(text, "Tgid:\t") == (unsigned)getpid());
    CHECK(number(text, "Threads:\t") == 2);
    snprintf(path, sizeof(path), "/proc/%d/stat", tid);
    CHECK(access(path, R_OK) == 0 && listed("/proc", tid, &count) == 0 && listed("/proc", getpid(), &count) == 1);
    snprintf(path, sizeof(path), "/proc/self/task/%d", getppid());
    CHECK_ERR(access(path, F_OK), ENOENT);
    CHECK(write(go[1], "x", 1) == 1 && pthread_join(t, NULL) == 0);
    snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
    for (int i = 0; i < 200 && access(path, F_OK) == 0; i++)
        sleep_ms(5);
    CHECK_ERR(access(path, F_OK), ENOENT);
    return 0;
}
