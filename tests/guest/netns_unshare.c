/* Network namespaces are told apart, inherited and made by unshare(2) and clone(2). */
#include "expect.h"
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void net_id(char ret[64])
{
    ssize_t n = readlink("/proc/self/ns/net", ret, 63);
    CHECK(n > 0);
    ret[n > 0 ? n : 0] = 0;
}

int main(void)
{
    char before[64], after[64], child[64];
    int p[2], status;
    net_id(before);
    CHECK(strncmp(before, "net:[", 5) == 0);
    CHECK(pipe(p) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        net_id(child);
        CHECK(strcmp(before, child) == 0);
        CHECK(unshare(CLONE_NEWNET) == 0);
        net_id(after);
        CHECK(strcmp(before, after) != 0);
        if (fork() == 0) {
            net_id(child);
            CHECK(strcmp(after, child) == 0);
            return check_done();
        }
        wait(&status);
        CHECK(status == 0);
        return check_done();
    }
    waitpid(pid, &status, 0);
    CHECK(status == 0);
    net_id(after);
    CHECK(strcmp(before, after) == 0);
    return check_done();
}
