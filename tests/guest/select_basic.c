// select and pselect: sets in, sets out, counts, the time that is left.
#include "expect.h"
#include <sys/select.h>
#include <sys/syscall.h>

static volatile int got;

static void on_signal(int sig)
{
    got = sig;
}

int main(void)
{
    int p[2], q[2];
    fd_set r, w, e;
    CHECK_EQ(pipe(p) | pipe(q), 0);
    CHECK_EQ(write(q[1], "x", 1), 1);
    FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&e);
    FD_SET(p[0], &r); FD_SET(q[0], &r); FD_SET(p[1], &w); FD_SET(p[0], &e);
    struct timeval tv = {1, 500000};
    CHECK_EQ(select(q[1] + 1, &r, &w, &e, &tv), 2);
    CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(q[0], &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &e));
    CHECK(tv.tv_sec == 1);
    FD_ZERO(&r); FD_SET(p[0], &r);
    tv = (struct timeval){0, 50000};
    double t = check_now();
    CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, &tv), 0);
    CHECK(check_now() - t >= 0.049);
    CHECK(!FD_ISSET(p[0], &r));
    CHECK_EQ(tv.tv_sec + tv.tv_usec, 0);
    FD_ZERO(&r); FD_SET(p[0], &r);
    close(p[1]);
    CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, NULL), 1); // end of file is readable
    FD_ZERO(&r); FD_SET(p[1], &r);
    CHECK_ERR(select(p[1] + 1, &r, NULL, NULL, &tv), EBADF);
    CHECK_ERR(select(-1, &r, NULL, NULL, &tv), EINVAL);
    tv = (struct timeval){-1, 0};
    CHECK_ERR(select(0, NULL, NULL, NULL, &tv), EINVAL);
    tv = (struct timeval){0, 1000};
    CHECK_EQ(select(0, NULL, NULL, NULL, &tv), 0);
    FD_ZERO(&w); FD_SET(q[1], &w);
    CHECK_EQ(select(q[1] + 1, NULL, &w, NULL, NULL), 1);
    close(q[0]);
    CHECK_EQ(select(q[1] + 1, NULL, &w, NULL, NULL), 1); // an error makes it writable

    signal(SIGUSR1, on_signal);
    sigset_t block, old;
    sigemptyset(&block), sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &old);
    raise(SIGUSR1);
    struct timespec ts = {5, 0};
    CHECK_ERR(pselect(0, NULL, NULL, NULL, &ts, &old), EINTR);
    CHECK_EQ(got, SIGUSR1);
    ts = (struct timespec){3, 0};
    CHECK_EQ(syscall(SYS_pselect6, q[1] + 1, NULL, &w, NULL, &ts, NULL), 1);
    CHECK(ts.tv_sec == 2);
    CHECK_ERR(syscall(SYS_select, q[1] + 1, 8, NULL, NULL, NULL), EFAULT);
    return check_done();
}
