/* A tree of processes: each makes two more, to a depth of four; everybody waits for its own. */
#include "check.h"

static int grow(int depth)
{
    if (depth == 0)
        return 1;
    pid_t kids[2];
    for (int i = 0; i < 2; i++) {
        kids[i] = fork();
        if (kids[i] < 0)
            return 255;
        if (kids[i] == 0)
            _exit(grow(depth - 1));
    }
    int sum = 1;
    for (int i = 0; i < 2; i++) {
        int status;
        if (waitpid(kids[i], &status, 0) != kids[i] || !WIFEXITED(status))
            return 255;
        sum += WEXITSTATUS(status);
    }
    return sum;
}

int main(void)
{
    CHECK(grow(4) == 31);
    return 0;
}
