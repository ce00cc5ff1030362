// A hang-up alone wakes only those who asked to read.
#include "expect.h"
#include <sys/select.h>
#include <sys/socket.h>

int main(void)
{
    int p[2];
    fd_set set;
    CHECK_EQ(pipe(p), 0);
    close(p[1]);
    FD_ZERO(&set); FD_SET(p[0], &set);
    struct timeval tv = {0, 20000};
    CHECK_EQ(select(p[0] + 1, NULL, &set, NULL, &tv), 0); // POLLHUP is no reason to write
    FD_ZERO(&set); FD_SET(p[0], &set);
    tv = (struct timeval){0, 20000};
    CHECK_EQ(select(p[0] + 1, NULL, NULL, &set, &tv), 0);
    FD_ZERO(&set); FD_SET(p[0], &set);
    CHECK_EQ(select(p[0] + 1, &set, NULL, NULL, &tv), 1);
    return check_done();
}
