// Controlling terminals: who gets one, /dev/tty, signals from keys, background reading and writing, hang-up.
#include "ptypair.h"

static volatile int got[65];

static void note(int sig)
{
    got[sig]++;
}

static int start(int (*body)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        check_failures = 0;
        int r = body();
        fflush(stdout);
        _exit(r || check_failures);
    }
    return pid;
}

static int take_terminal(void)
{
    CHECK(setsid() > 0);
    CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
    CHECK_ERR(tcgetpgrp(slave), ENOTTY);
    int fd = open(ptsname(master), O_RDWR); // a leader without a terminal: this becomes it
    CHECK(fd >= 0);
    CHECK_EQ(tcgetpgrp(fd), getpid());
    CHECK_EQ(tcgetsid(fd), getpid());
    int t = open("/dev/tty", O_RDWR);
    CHECK(t >= 0);
    CHECK_EQ(write(t, "via tty", 7), 7);
    CHECK_SEEN(master, "via tty");
    CHECK_EQ(ioctl(fd, TIOCSCTTY, 0), 0);
    CHECK_ERR(tcsetpgrp(fd, 1), EPERM);
    CHECK_ERR(tcsetpgrp(fd, 99999), ESRCH);

    // Keys make signals for the foreground group
    signal(SIGINT, note), signal(SIGQUIT, note), signal(SIGTSTP, note);
    pty_type("abc\003\034\032");
    check_sleep_ms(20);
    CHECK(got[SIGINT] == 1 && got[SIGQUIT] == 1 && got[SIGTSTP] == 1);
    CHECK_SEEN(master, "^Z"); // each signal flushes what was not yet read
    struct pollfd p = {fd, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 0), 0); // flushed
    pid_t other = fork();
    if (other == 0) { // in the background
        char c;
        setpgid(0, 0);
        signal(SIGTTIN, note), signal(SIGTTOU, SIG_IGN);
        struct sigaction sa = {.sa_handler = note};
        sigaction(SIGTTIN, &sa, NULL);
        CHECK_ERR(read(fd, &c, 1), EINTR);
        CHECK_EQ(got[SIGTTIN], 1);
        signal(SIGTTIN, SIG_IGN);
        CHECK_ERR(read(fd, &c, 1), EIO);
        CHECK_EQ(write(fd, "bg", 2), 2); // no TOSTOP
        pty_flags(0, TOSTOP); // allowed as SIGTTOU is ignored
        sa.sa_handler = note;
        sigaction(SIGTTOU, &sa, NULL);
        CHECK_ERR(write(fd, "no", 2), EINTR);
        CHECK_EQ(got[SIGTTOU], 1);
        CHECK_ERR(tcsetpgrp(fd, getpid()), EINTR);
        signal(SIGTTOU, SIG_IGN);
        CHECK_EQ(tcsetpgrp(fd, getpid()), 0);
        CHECK_EQ(write(fd, "yes", 3), 3);
        fflush(stdout);
        _exit(check_failures);
    }
    CHECK_EQ(check_wait(other), 0);
    CHECK_SEEN(master, "bgyes");
    CHECK_EQ(ioctl(fd, TIOCNOTTY), 0);
    CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
    return 0;
}

static int hung_up(void)
{
    char c;
    setsid();
    signal(SIGHUP, note), signal(SIGCONT, note);
    CHECK_EQ(ioctl(slave, TIOCSCTTY, 0), 0);
    int keeper = fork();
    if (keeper == 0) {
        close(slave);
        check_sleep_ms(50);
        _exit(0); // the last holder of the master
    }
    close(master);
    for (int i = 0; i < 100 && !got[SIGHUP]; i++)
        check_sleep_ms(10);
    CHECK(got[SIGHUP] >= 1 && got[SIGCONT] >= 1);
    CHECK_EQ(read(slave, &c, 1), 0);
    CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
    return 0;
}

static int leader_dies(void)
{
    setsid();
    CHECK_EQ(ioctl(slave, TIOCSCTTY, 0), 0);
    int pipe_fd[2];
    CHECK_EQ(pipe(pipe_fd), 0);
    if (fork() == 0) {
        signal(SIGHUP, note);
        CHECK_EQ(write(pipe_fd[1], "x", 1), 1);
        for (int i = 0; i < 100 && !got[SIGHUP]; i++)
            check_sleep_ms(10);
        _exit(write(master, got[SIGHUP] ? "+\n" : "-\n", 2) != 2);
    }
    char c;
    return read(pipe_fd[0], &c, 1) != 1;
}

int main(void)
{
    pty_make();
    CHECK_EQ(check_wait(start(take_terminal)), 0);
    pty_make();
    pid_t pid = start(hung_up);
    close(master);
    CHECK_EQ(check_wait(pid), 0);
    pty_make();
    pty_flags(ECHO, 0);
    CHECK_EQ(check_wait(start(leader_dies)), 0);
    char c;
    CHECK_EQ(read(slave, &c, 1), 1); // a pseudo-terminal outlives the session
    CHECK_EQ(c, '+');
    return check_done();
}
