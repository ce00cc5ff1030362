/* /dev/random and urandom: bytes that differ, of any length; writes are taken. */
#include "check.h"
#include <linux/random.h>
#include <sys/ioctl.h>

static void check_device(const char *path)
{
    static char a[70000], b[70000];
    void *volatile bad = (void *)8;
    int fd = open(path, O_RDWR), bits = -1, used[256] = {0}, kinds = 0;
    CHECK(fd >= 0 && read(fd, a, 1) == 1);
    CHECK(read(fd, a, sizeof(a)) == sizeof(a) && read(fd, b, sizeof(b)) == sizeof(b) && memcmp(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++)
        used[(unsigned char)a[i]]++;
    for (int i = 0; i < 256; i++)
        kinds += used[i] > 100;
    CHECK(kinds == 256);
    CHECK(write(fd, "seed", 4) == 4);
    CHECK_ERR(read(fd, bad, 100), EFAULT);
    CHECK(read(fd, a, 0) == 0);
    CHECK(ioctl(fd, RNDGETENTCNT, &bits) == 0 && bits > 0);
    close(fd);
}

int main(void)
{
    check_device("/dev/random");
    check_device("/dev/urandom");
    return 0;
}
