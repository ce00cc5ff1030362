// readv and writev on a pipe, and bad memory in the middle.
#include "expect.h"
#include <sys/mman.h>
#include <sys/uio.h>

int main(void)
{
    int p[2];
    char a[10], b[10], c[5000];
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    struct iovec out[3] = {{"abc", 3}, {"", 0}, {"defgh", 5}};
    CHECK_EQ(writev(p[1], out, 3), 8);
    struct iovec in[2] = {{a, 2}, {b, 10}};
    CHECK_EQ(readv(p[0], in, 2), 8);
    CHECK(memcmp(a, "ab", 2) == 0 && memcmp(b, "cdefgh", 6) == 0);
    CHECK_ERR(write(p[1], (void *)16, 4), EFAULT);
    CHECK_ERR(read(p[0], a, 1), EAGAIN);
    memset(c, 'q', sizeof c);
    CHECK_EQ(write(p[1], c, sizeof c), sizeof c);
    struct iovec in3[3] = {{c, 1000}, {c + 1000, 3000}, {c + 4000, 1000}};
    CHECK_EQ(readv(p[0], in3, 3), 5000);
    CHECK_ERR(writev(p[1], out, -1), EINVAL);
    CHECK_ERR(writev(p[1], out, 2000), EINVAL);
    struct iovec bad = {a, (size_t)-1};
    CHECK_ERR(writev(p[1], &bad, 1), EINVAL);
    return check_done();
}
