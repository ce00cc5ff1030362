/* Threads that make, rename, stat and remove the same names never see anything but right answers.
 */
#include "check.h"
#include <pthread.h>
#include <sys/stat.h>

static int stop;
static void *churn(void *arg)
{
    for (int i = 0; i < 3000; i++) {
        int fd = open("d/a", O_CREAT | O_RDWR, 0644);
        CHECK(fd >= 0 && close(fd) == 0);
        CHECK(rename("d/a", "d/b") == 0 || errno == ENOENT);
        CHECK(unlink("d/b") == 0 || errno == ENOENT);
        CHECK(mkdir("d/sub", 0755) == 0 || errno == EEXIST);
        CHECK(rmdir("d/sub") == 0 || errno == ENOENT || errno == ENOTEMPTY);
    }
    __atomic_fetch_add(&stop, 1, __ATOMIC_SEQ_CST);
    return arg;
}

static void *look(void *arg)
{
    struct stat st;
    while (__atomic_load_n(&stop, __ATOMIC_SEQ_CST) < 2) {
        CHECK(stat("d/a", &st) == 0 ? S_ISREG(st.st_mode) : errno == ENOENT);
        CHECK(stat("d/b", &st) == 0 ? S_ISREG(st.st_mode) : errno == ENOENT);
        CHECK(stat("d/sub/..", &st) == 0 ? S_ISDIR(st.st_mode) : errno == ENOENT);
        int fd = open("d/sub/x", O_CREAT | O_WRONLY, 0644);
        CHECK(fd >= 0 || errno == ENOENT);
        if (fd >= 0) {
            CHECK(close(fd) == 0);
            CHECK(unlink("d/sub/x") == 0 || errno == ENOENT);
        }
    }
    return arg;
}

int main(void)
{
    pthread_t t[4];
    CHECK(mkdir("d", 0755) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, i < 2 ? churn : look, NULL) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    return 0;
}
