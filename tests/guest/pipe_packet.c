// O_DIRECT pipes keep the borders of writes.
#include "expect.h"

int main(void)
{
    int p[2];
    char buf[8192] = {0};
    CHECK_EQ(pipe2(p, O_DIRECT | O_NONBLOCK), 0);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_DIRECT | O_NONBLOCK);
    CHECK_EQ(write(p[1], "one", 3), 3);
    CHECK_EQ(write(p[1], "two!", 4), 4);
    CHECK_EQ(write(p[1], "three", 5), 5);
    CHECK_EQ(read(p[0], buf, sizeof buf), 3);
    CHECK_EQ(read(p[0], buf, 2), 2); // the rest of the packet is dropped
    CHECK(memcmp(buf, "tw", 2) == 0);
    CHECK_EQ(read(p[0], buf, sizeof buf), 5);
    CHECK_EQ(write(p[1], buf, 5000), 5000); // two packets
    CHECK_EQ(read(p[0], buf, sizeof buf), 4096);
    CHECK_EQ(read(p[0], buf, sizeof buf), 904);
    CHECK_ERR(read(p[0], buf, 1), EAGAIN);
    return check_done();
}
