// A FIFO keeps working after its name is gone; two FIFOs are two pipes; what was unread goes with the last close.
#include "expect.h"

int main(void)
{
    char c;
    CHECK_EQ(mknod("a", S_IFIFO | 0600, 0) | mkfifo("b", 0600), 0);
    int a = open("a", O_RDWR | O_NONBLOCK), b = open("b", O_RDWR | O_NONBLOCK);
    CHECK(a >= 0 && b >= 0);
    CHECK_EQ(write(a, "1", 1), 1);
    CHECK_ERR(read(b, &c, 1), EAGAIN);
    CHECK_EQ(unlink("a"), 0);
    CHECK_EQ(read(a, &c, 1), 1);
    CHECK_EQ(write(b, "2", 1), 1);
    close(b);
    b = open("b", O_RDWR | O_NONBLOCK);
    CHECK_ERR(read(b, &c, 1), EAGAIN);
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", a);
    int again = open(path, O_WRONLY);
    CHECK(again >= 0);
    CHECK_EQ(write(again, "3", 1), 1);
    CHECK_EQ(read(a, &c, 1), 1);
    CHECK_EQ(c, '3');
    return check_done();
}
