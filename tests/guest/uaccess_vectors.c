/* readv and writev over many small pieces and large buffers. */
#include <sys/uio.h>
#include "mm_check.h"

#define BIG (3UL << 20)
int main(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    unsigned char *a = malloc(BIG), *b = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        a[i] = (unsigned char)(i * 7 + i / 251);
    CHECK(write(fd, a, BIG) == (ssize_t)BIG);
    CHECK(pread(fd, b, BIG, 0) == (ssize_t)BIG && memcmp(a, b, BIG) == 0);
    memset(b, 0, BIG);
    struct iovec v[600];
    size_t at = 0;
    for (int i = 0; i < 600; i++) {
        v[i] = (struct iovec){b + at, (size_t)(i * 13 % 701)};
        at += v[i].iov_len;
    }
    lseek(fd, 0, SEEK_SET);
    CHECK(readv(fd, v, 600) == (ssize_t)at && memcmp(a, b, at) == 0 && b[at] == 0);
    CHECK(pwritev(fd, v, 600, 100) == (ssize_t)at);
    CHECK(pread(fd, b, at, 100) == (ssize_t)at && memcmp(a, b, at) == 0);
    size_t sizes[] = {1, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 1000003};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        memset(b, 0xee, BIG);
        CHECK(pread(fd, b + 3, sizes[i], 500000) == (ssize_t)sizes[i]);
        CHECK(memcmp(b + 3, a + 500000, sizes[i]) == 0 && b[2] == 0xee && b[sizes[i] + 3] == 0xee);
    }
    CHECK_EXIT();
}
