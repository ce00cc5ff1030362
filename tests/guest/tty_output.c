// Output processing: columns, tabs, carriage returns; window sizes; a full line.
#include "ptypair.h"

static void oflag(tcflag_t flags)
{
    struct termios t;
    tcgetattr(slave, &t);
    t.c_oflag = flags;
    CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
}

static void put(const char *s)
{
    CHECK_EQ(write(slave, s, strlen(s)), strlen(s));
}

static volatile int resized;

static void on_winch(int sig)
{
    (void)sig;
    resized++;
}

int main(void)
{
    struct winsize w = {0};
    pty_make();
    oflag(OPOST | ONLCR | XTABS);
    put("ab\tc\n");
    CHECK_SEEN(master, "ab      c\\M\\J");
    oflag(OPOST | OCRNL);
    put("x\ry");
    CHECK_SEEN(master, "x\\Jy");
    oflag(OPOST | ONOCR);
    put("\n");
    oflag(OPOST | ONOCR | ONLRET);
    put("\n\rz\r");
    CHECK_SEEN(master, "\\J\\Jz\\M");
    oflag(OPOST | OLCUC);
    put("loud");
    CHECK_SEEN(master, "LOUD");
    oflag(0);
    put("plain\n");
    CHECK_SEEN(master, "plain\\J");
    CHECK_EQ(ioctl(slave, TIOCGWINSZ, &w), 0);
    CHECK(w.ws_row == 0 && w.ws_col == 0);
    w = (struct winsize){24, 80, 1, 2};
    CHECK_EQ(ioctl(master, TIOCSWINSZ, &w), 0);
    memset(&w, 0, sizeof w);
    CHECK_EQ(ioctl(slave, TIOCGWINSZ, &w), 0);
    CHECK(w.ws_row == 24 && w.ws_col == 80 && w.ws_xpixel == 1 && w.ws_ypixel == 2);
    static char big[100000];
    memset(big, 'q', sizeof big);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    ssize_t n = write(slave, big, sizeof big);
    CHECK(n > 1000 && n < (ssize_t)sizeof big);
    struct pollfd p = {slave, POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    ssize_t total = 0, k;
    while (total < n && (k = read(master, big, sizeof big)) > 0)
        total += k;
    CHECK_EQ(total, n);
    CHECK_EQ(poll(&p, 1, 1000), 1);

    signal(SIGWINCH, on_winch);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        CHECK_EQ(ioctl(slave, TIOCSCTTY, 0), 0);
        w.ws_col = 90;
        CHECK_EQ(ioctl(slave, TIOCSWINSZ, &w), 0);
        CHECK_EQ(resized, 1);
        CHECK_EQ(ioctl(slave, TIOCSWINSZ, &w), 0);
        CHECK_EQ(resized, 1); // the same size
        fflush(stdout);
        _exit(check_failures);
    }
    CHECK_EQ(check_wait(pid), 0);
    return check_done();
}
