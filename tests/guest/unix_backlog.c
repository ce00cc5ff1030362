// A listener's backlog: connects that wait, EAGAIN, a listener that goes away, accept in threads.
#include "expect.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "sock"};

int main(void)
{
    char c;
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(l, (void *)&a, sizeof a) | listen(l, 1), 0);
    int k[4];
    for (int i = 0; i < 2; i++) {
        k[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(connect(k[i], (void *)&a, sizeof a), 0);
    }
    k[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERR(connect(k[2], (void *)&a, sizeof a), EAGAIN);
    struct pollfd p = {k[2], POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT | POLLHUP); // not connected
    pid_t pid = fork();
    if (pid == 0) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(connect(s, (void *)&a, sizeof a) != 0 || write(s, "w", 1) != 1);
    }
    check_sleep_ms(50);
    int s = accept(l, NULL, NULL), t = accept(l, NULL, NULL), u = accept(l, NULL, NULL);
    CHECK(s >= 0 && t >= 0 && u >= 0);
    CHECK_EQ(read(u, &c, 1), 1);
    CHECK_EQ(c, 'w');
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(write(k[0], "1", 1), 1);
    CHECK_EQ(read(s, &c, 1), 1);
    k[3] = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(connect(k[3], (void *)&a, sizeof a), 0);
    close(l); // never accepted
    CHECK_ERR(read(k[3], &c, 1), ECONNRESET);
    CHECK_EQ(read(k[3], &c, 1), 0);
    CHECK_ERR(connect(k[2], (void *)&a, sizeof a), ECONNREFUSED);
    return check_done();
}
