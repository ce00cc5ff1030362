// Opening FIFOs: who waits for whom, ENXIO, O_RDWR, and that the two ends meet.
#include "expect.h"
#include <poll.h>

int main(void)
{
    char buf[16];
    struct stat st;
    CHECK_EQ(mkfifo("ff", 0644), 0);
    CHECK_EQ(stat("ff", &st), 0);
    CHECK(S_ISFIFO(st.st_mode));
    CHECK_ERR(open("ff", O_WRONLY | O_NONBLOCK), ENXIO);
    int rd = open("ff", O_RDONLY | O_NONBLOCK);
    CHECK(rd >= 0);
    CHECK_EQ(read(rd, buf, 1), 0); // no writer: end of file, not EAGAIN
    struct pollfd pf = {rd, POLLIN, 0};
    CHECK_EQ(poll(&pf, 1, 0), 0); // and no hang-up before there was one
    int wr = open("ff", O_WRONLY | O_NONBLOCK);
    CHECK(wr >= 0);
    CHECK_ERR(read(rd, buf, 1), EAGAIN);
    CHECK_EQ(write(wr, "abc", 3), 3);
    CHECK_EQ(read(rd, buf, 10), 3);
    close(wr);
    CHECK_EQ(poll(&pf, 1, 0), 1);
    CHECK_EQ(pf.revents, POLLHUP);
    close(rd);
    int rw = open("ff", O_RDWR);
    CHECK(rw >= 0);
    CHECK_EQ(write(rw, "x", 1), 1);
    CHECK_EQ(read(rw, buf, 1), 1);
    close(rw);

    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(50);
        int fd = open("ff", O_WRONLY);
        _exit(fd >= 0 && write(fd, "child", 5) == 5 ? 0 : 1);
    }
    double t = check_now();
    rd = open("ff", O_RDONLY); // waits for the child
    CHECK(rd >= 0 && check_now() - t > 0.03);
    CHECK_EQ(read(rd, buf, sizeof buf), 5);
    CHECK_EQ(read(rd, buf, sizeof buf), 0);
    CHECK_EQ(check_wait(pid), 0);
    close(rd);

    pid = fork();
    if (pid == 0) {
        check_sleep_ms(50);
        int fd = open("ff", O_RDONLY);
        _exit(fd >= 0 && read(fd, buf, 1) == 1 ? 0 : 1);
    }
    wr = open("ff", O_WRONLY);
    CHECK_EQ(write(wr, "q", 1), 1);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(unlink("ff"), 0);
    return check_done();
}
