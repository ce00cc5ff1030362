// splice between pipes and files, tee, vmsplice: bytes, offsets, errors.
#include "expect.h"
#include <sys/uio.h>

int main(void)
{
    int p[2], q[2];
    char buf[100] = {0};
    static char big[20000], back[20000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7);
    CHECK_EQ(pipe(p) | pipe(q), 0);
    int f = open("f", O_CREAT | O_RDWR, 0600), g = open("g", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(f, big, sizeof big), sizeof big);
    CHECK_EQ(lseek(f, 0, SEEK_SET), 0);
    CHECK_EQ(splice(f, NULL, p[1], NULL, 5000, 0), 5000);
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 5000);
    loff_t off = 5000;
    CHECK_EQ(splice(f, &off, p[1], NULL, 15000, 0), 15000);
    CHECK_EQ(off, 20000);
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 5000);
    CHECK_EQ(splice(f, &off, p[1], NULL, 10, 0), 0);
    CHECK_EQ(tee(p[0], q[1], 20000, 0), 20000);
    long got = 0;
    while (got < 20000) {
        ssize_t n = splice(p[0], NULL, g, NULL, 20000 - (size_t)got, 0);
        CHECK(n > 0);
        if (n <= 0)
            break;
        got += n;
    }
    CHECK_EQ(pread(g, back, sizeof back, 0), 20000);
    CHECK(memcmp(big, back, sizeof big) == 0);
    memset(back, 0, sizeof back);
    for (got = 0; got < 20000;) {
        ssize_t n = read(q[0], back + got, sizeof back - (size_t)got);
        if (n <= 0)
            break;
        got += n;
    }
    CHECK(memcmp(big, back, sizeof big) == 0);
    CHECK_EQ(write(p[1], "hello world", 11), 11);
    CHECK_EQ(splice(p[0], NULL, q[1], NULL, 5, 0), 5);
    CHECK_EQ(read(q[0], buf, sizeof buf), 5);
    CHECK(memcmp(buf, "hello", 5) == 0);
    off = 3;
    CHECK_EQ(splice(p[0], NULL, g, &off, 100, 0), 6);
    CHECK_EQ(off, 9);
    CHECK_EQ(pread(g, buf, 6, 3), 6);
    CHECK(memcmp(buf, " world", 6) == 0);
    CHECK_ERR(splice(p[0], NULL, g, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERR(splice(f, NULL, g, NULL, 10, 0), EINVAL);
    CHECK_ERR(splice(p[0], &off, g, NULL, 10, 0), ESPIPE);
    CHECK_ERR(splice(p[0], NULL, p[1], NULL, 10, 0), EINVAL);
    CHECK_ERR(splice(p[1], NULL, g, NULL, 10, 0), EBADF);
    CHECK_ERR(splice(p[0], NULL, g, NULL, 10, 256), EINVAL);
    CHECK_ERR(tee(f, p[1], 10, 0), EINVAL);
    int a = open("a", O_CREAT | O_WRONLY | O_APPEND, 0600);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(splice(p[0], NULL, a, NULL, 1, 0), EINVAL);
    CHECK_EQ(read(p[0], buf, 1), 1);
    struct iovec v[2] = {{"abc", 3}, {"def", 3}};
    CHECK_EQ(vmsplice(p[1], v, 2, 0), 6);
    CHECK_EQ(read(p[0], buf, sizeof buf), 6);
    CHECK(memcmp(buf, "abcdef", 6) == 0);
    CHECK_EQ(write(p[1], "12345", 5), 5);
    struct iovec in = {buf, 5};
    CHECK_EQ(vmsplice(p[0], &in, 1, 0), 5);
    CHECK(memcmp(buf, "12345", 5) == 0);
    CHECK_ERR(vmsplice(f, v, 2, 0), EBADF);
    close(p[1]);
    CHECK_EQ(splice(p[0], NULL, g, NULL, 10, 0), 0);
    return check_done();
}
