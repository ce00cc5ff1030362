/* Files from bytes to megabytes: written in odd pieces, read back whole, truncated and grown. */
#include "check.h"
#include <sys/stat.h>

#define SIZE (5 << 20)
static unsigned char data[SIZE], back[SIZE];

int main(void)
{
    struct stat st;
    unsigned seed = 1;
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    for (size_t at = 0, n = 1; at < SIZE; at += n, n = n * 3 + 1) {
        if (n > SIZE - at)
            n = SIZE - at;
        CHECK(write(fd, data + at, n) == (ssize_t)n);
    }
    CHECK(fstat(fd, &st) == 0 && st.st_size == SIZE && st.st_blocks >= SIZE / 512);
    CHECK(pread(fd, back, SIZE, 0) == SIZE && !memcmp(data, back, SIZE));
    for (int i = 0; i < 2000; i++) {
        size_t at = (seed = seed * 1103515245 + 12345) % (SIZE - 5000), n = 1 + (seed >> 8) % 5000;
        memset(data + at, i, n);
        CHECK(pwrite(fd, data + at, n, (off_t)at) == (ssize_t)n);
    }
    CHECK(pread(fd, back, SIZE, 0) == SIZE && !memcmp(data, back, SIZE));
    CHECK(ftruncate(fd, 1000001) == 0 && ftruncate(fd, SIZE) == 0 &&
          pread(fd, back, SIZE, 0) == SIZE);
    memset(data + 1000001, 0, SIZE - 1000001);
    CHECK(!memcmp(data, back, SIZE) && ftruncate(fd, 10) == 0 && ftruncate(fd, 100) == 0);
    memset(data + 10, 0, 90);
    CHECK(pread(fd, back, SIZE, 0) == 100 && !memcmp(data, back, 100));
    CHECK(truncate("f", 0) == 0 && pread(fd, back, 10, 0) == 0);
    CHECK_ERR(truncate("f", -1), EINVAL);
    CHECK_ERR(truncate(".", 0), EISDIR);
    CHECK_ERR(truncate("absent", 0), ENOENT);
    return 0;
}
