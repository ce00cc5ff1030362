/* Buffers of which only a part is mapped: what fits is moved and counted, nothing is lost. */
#include "each.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char *edge; /* the last mapped byte is edge[-1] */

static void pipe_bytes_stay(void)
{
    int p[2];
    char buf[16];
    CHECK(pipe(p) == 0);
    IS(write(p[1], "abcdef", 6), 6);
    FAILS(read(p[0], edge, 6), EFAULT);
    IS(read(p[0], buf, 16), 6);
    IS(memcmp(buf, "abcdef", 6), 0);
    FAILS(write(p[1], edge, 6), EFAULT);
    CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
    FAILS(read(p[0], buf, 16), EAGAIN);
}

static void files(void)
{
    char name[] = "partial.XXXXXX", buf[16];
    int fd = mkstemp(name);
    IS(write(fd, "abcdefgh", 8), 8);
    IS(pread(fd, edge - 2, 8, 0), 2);
    IS(memcmp(edge - 2, "ab", 2), 0);
    IS(lseek(fd, 0, SEEK_SET), 0);
    IS(read(fd, edge - 3, 8), 3);
    IS(lseek(fd, 0, SEEK_CUR), 3);
    FAILS(read(fd, edge, 8), EFAULT);
    IS(lseek(fd, 0, SEEK_CUR), 3);
    struct iovec iov[2] = {{buf, 2}, {edge - 1, 8}};
    IS(readv(fd, iov, 2), 3);
    IS(lseek(fd, 0, SEEK_CUR), 6);
    memcpy(edge - 2, "xy", 2);
    IS(pwrite(fd, edge - 2, 8, 0), 2);
    FAILS(pwrite(fd, edge, 8, 0), EFAULT);
    IS(pread(fd, buf, 16, 0), 8);
    IS(memcmp(buf, "xycdefgh", 8), 0);
    IS(pread(fd, edge - 2, 0, 0), 0);
    unlink(name);
}

static void sockets(void)
{
    int s[2];
    char buf[16];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    IS(write(s[1], "abcdef", 6), 6);
    FAILS(read(s[0], edge, 6), EFAULT);
    IS(read(s[0], buf, 16), 6);
    IS(memcmp(buf, "abcdef", 6), 0);
    FAILS(write(s[1], edge, 6), EFAULT);
}

static void read_only(void)
{
    int fd = open("/dev/zero", O_RDONLY);
    CHECK(mprotect(edge - 4096, 4096, PROT_READ) == 0);
    FAILS(read(fd, edge - 8, 8), EFAULT);
    CHECK(mprotect(edge - 4096, 4096, PROT_READ | PROT_WRITE) == 0);
    IS(read(fd, edge - 8, 8), 8);
    IS(read(fd, edge - 8, 16), 8);
}

int main(void)
{
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(munmap(p + 2 * 4096, 4096) == 0);
    edge = p + 2 * 4096;
    pipe_bytes_stay();
    files();
    sockets();
    read_only();
    return each_failed();
}
