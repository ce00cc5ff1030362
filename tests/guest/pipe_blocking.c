// Who sleeps and who wakes: a reader, a writer of more than fits, several readers, a signal.
#include "expect.h"

static char big[300000];

static void on_alarm(int sig)
{
    (void)sig;
}

static void big_write(void)
{
    int p[2];
    char buf[1000];
    long total = 0;
    ssize_t n;
    CHECK_EQ(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(p[0]);
        _exit(write(p[1], big, sizeof big) == (ssize_t)sizeof big ? 0 : 1);
    }
    close(p[1]);
    while ((n = read(p[0], buf, sizeof buf)) > 0)
        total += n;
    CHECK_EQ(total, sizeof big);
    CHECK_EQ(check_wait(pid), 0);
    close(p[0]);
}

static void ping_pong(void)
{
    int a[2], b[2];
    char c = 0;
    CHECK_EQ(pipe(a) | pipe(b), 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 200; i++)
            if (read(a[0], &c, 1) != 1 || write(b[1], &c, 1) != 1)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < 200; i++) {
        c = (char)i;
        CHECK_EQ(write(a[1], &c, 1), 1);
        CHECK_EQ(read(b[0], &c, 1), 1);
        CHECK_EQ(c, (char)i);
    }
    CHECK_EQ(check_wait(pid), 0);
}

static void interrupted(void)
{
    int p[2];
    char c;
    struct sigaction sa = {.sa_handler = on_alarm};
    CHECK_EQ(pipe(p), 0);
    sigaction(SIGALRM, &sa, NULL);
    struct timespec t0;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(50);
        kill(getppid(), SIGALRM);
        _exit(0);
    }
    CHECK_ERR(read(p[0], &c, 1), EINTR);
    check_wait(pid);
    sa.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &sa, NULL);
    pid = fork();
    if (pid == 0) {
        check_sleep_ms(50);
        kill(getppid(), SIGALRM);
        check_sleep_ms(50);
        _exit(write(p[1], "z", 1) == 1 ? 0 : 1);
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(c, 'z');
    CHECK_EQ(check_wait(pid), 0);
}

static void many_readers(void)
{
    int p[2], done[2];
    char c;
    CHECK_EQ(pipe(p) | pipe(done), 0);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            int n = 0;
            close(p[1]);
            while (read(p[0], &c, 1) == 1)
                n++;
            _exit(write(done[1], &n, sizeof n) != sizeof n);
        }
    close(p[0]);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(write(p[1], "x", 1), 1);
    close(p[1]);
    int sum = 0, n;
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(read(done[0], &n, sizeof n), sizeof n);
        sum += n;
    }
    CHECK_EQ(sum, 1000);
    while (wait(NULL) > 0)
        ;
}

int main(void)
{
    big_write();
    ping_pong();
    interrupted();
    many_readers();
    return check_done();
}
