// Raw mode: VMIN and VTIME, switching with bytes waiting, output processing off, flushing, flow control.
#include "ptypair.h"

static void set_raw(int min, int time)
{
    struct termios t;
    tcgetattr(slave, &t);
    cfmakeraw(&t);
    t.c_cc[VMIN] = (cc_t)min;
    t.c_cc[VTIME] = (cc_t)time;
    CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
}

int main(void)
{
    char buf[100];
    int n;
    struct termios t;
    pty_make();
    CHECK_EQ(tcgetattr(slave, &t), 0);
    CHECK_EQ(t.c_lflag & (ISIG | ICANON | ECHO | IEXTEN), ISIG | ICANON | ECHO | IEXTEN);
    CHECK_EQ(t.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
    CHECK_EQ(t.c_cc[VINTR], 3);
    CHECK_EQ(cfgetospeed(&t), B38400);
    set_raw(1, 0);
    pty_type("\003\004x\r");
    CHECK_SEEN(master, "");
    CHECK_EQ(read(slave, buf, sizeof buf), 4);
    CHECK(memcmp(buf, "\003\004x\r", 4) == 0);
    CHECK_EQ(write(slave, "l\n", 2), 2);
    CHECK_SEEN(master, "l\\J");
    set_raw(0, 0);
    CHECK_EQ(read(slave, buf, 10), 0);
    set_raw(0, 1);
    double s = check_now();
    CHECK_EQ(read(slave, buf, 10), 0);
    CHECK(check_now() - s >= 0.09);
    set_raw(3, 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 3; i++) {
            check_sleep_ms(20);
            if (write(master, "k", 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    CHECK_EQ(read(slave, buf, 10), 3);
    CHECK_EQ(check_wait(pid), 0);
    struct pollfd p = {slave, POLLIN, 0};
    pty_type("12");
    CHECK_EQ(poll(&p, 1, 30), 0); // fewer than VMIN
    pty_type("3");
    CHECK_EQ(poll(&p, 1, 1000), 1);
    CHECK_EQ(read(slave, buf, 2), 2);
    CHECK_EQ(read(slave, buf, 1), 1);
    set_raw(5, 1); // between bytes only
    pty_type("ab");
    CHECK_EQ(read(slave, buf, 10), 2);
    pty_type("lost");
    check_sleep_ms(30);
    CHECK_EQ(ioctl(slave, FIONREAD, &n), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(tcflush(slave, TCIFLUSH), 0);
    CHECK_EQ(ioctl(slave, FIONREAD, &n), 0);
    CHECK_EQ(n, 0);
    CHECK_EQ(tcdrain(slave), 0);
    CHECK_EQ(tcflow(slave, TCOOFF), 0);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    CHECK_ERR(write(slave, "x", 1), EAGAIN);
    CHECK_EQ(tcflow(slave, TCOON), 0);
    CHECK_EQ(write(slave, "x", 1), 1);
    CHECK_SEEN(master, "x");
    CHECK_EQ(ioctl(slave, TIOCGETD, &n), 0);
    CHECK_EQ(n, 0);
    return check_done();
}
