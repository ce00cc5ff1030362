/* io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2). */
#include "each.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#define io_setup(n, c) syscall(SYS_io_setup, n, c)
#define io_destroy(c) syscall(SYS_io_destroy, c)
#define io_submit(c, n, p) syscall(SYS_io_submit, c, n, p)
#define io_getevents(c, m, n, e, t) syscall(SYS_io_getevents, c, m, n, e, t)
#define io_pgetevents(c, m, n, e, t, s) syscall(SYS_io_pgetevents, c, m, n, e, t, s)
#define io_cancel(c, i, e) syscall(SYS_io_cancel, c, i, e)

static struct iocb request(int op, int fd, const void *buf, size_t n, long offset)
{
    static unsigned long next = 1;
    return (struct iocb){.aio_data = next++,
                         .aio_lio_opcode = (uint16_t)op,
                         .aio_fildes = (uint32_t)fd,
                         .aio_buf = (uint64_t)buf,
                         .aio_nbytes = n,
                         .aio_offset = offset};
}

static long submit1(aio_context_t c, struct iocb *io)
{
    return io_submit(c, 1, &io);
}

static long result(aio_context_t c, struct iocb *io)
{
    struct io_event e;
    if (submit1(c, io) != 1)
        return -1000 - errno;
    if (io_getevents(c, 1, 1, &e, NULL) != 1 || e.data != io->aio_data || e.obj != (uint64_t)io || e.res2)
        return -2000;
    return (long)e.res;
}

static void setup(void)
{
    aio_context_t c = 0, d = 0, bad = 1;
    struct io_event e;
    struct timespec now = {0};
    FAILS(io_setup(0, &c), EINVAL);
    FAILS(io_setup(1, &bad), EINVAL);
    FAILS(io_setup(1, 8), EFAULT);
    FAILS(io_setup(-1, &c), EINVAL);
    FAILS(io_setup(1000000, &c), EAGAIN);
    IS(io_setup(8, &c), 0);
    HOLDS(c != 0);
    IS(io_setup(8, &d), 0);
    HOLDS(c != d);
    IS(io_destroy(d), 0);
    FAILS(io_destroy(d), EINVAL);
    FAILS(io_destroy(0), EINVAL);
    FAILS(io_submit(d, 0, NULL), EINVAL);
    FAILS(io_submit(c, -1L, NULL), EINVAL);
    IS(io_submit(c, 0, NULL), 0);
    FAILS(io_submit(c, 1, NULL), EFAULT);
    FAILS(submit1(c, (void *)8), EFAULT);
    FAILS(io_getevents(d, 0, 1, &e, NULL), EINVAL);
    FAILS(io_getevents(c, 2, 1, &e, NULL), EINVAL);
    FAILS(io_getevents(c, -1L, 1, &e, NULL), EINVAL);
    FAILS(io_getevents(c, 0, 1, &e, (void *)8), EFAULT);
    IS(io_getevents(c, 0, 1, &e, &now), 0);
    IS(io_getevents(c, 1, 1, &e, &now), 0);
    IS(io_getevents(c, 0, 0, &e, NULL), 0);
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    struct timespec ts = {0, 50000000};
    IS(io_getevents(c, 1, 1, &e, &ts), 0);
    HOLDS(clock_ms(CLOCK_MONOTONIC) - start >= 49);
    pid_t pid = fork();
    if (pid == 0) {
        FAILS(io_destroy(c), EINVAL); /* not the child's */
        _exit(each_failed());
    }
    exits_with(pid, 0);
    IS(io_destroy(c), 0);
}

static void files(void)
{
    char name[] = "aio.XXXXXX", buf[64] = "";
    int fd = mkstemp(name), ro = open(name, O_RDONLY), p[2], dir = open(".", O_RDONLY);
    aio_context_t c = 0;
    struct iovec iov[2] = {{buf, 3}, {buf + 10, 3}};
    CHECK(pipe(p) == 0);
    IS(io_setup(16, &c), 0);
    struct iocb io = request(IOCB_CMD_PWRITE, fd, "hello world", 11, 0);
    IS(result(c, &io), 11);
    io = request(IOCB_CMD_PREAD, fd, buf, 64, 6);
    IS(result(c, &io), 5);
    IS(memcmp(buf, "world", 5), 0);
    io = request(IOCB_CMD_PREADV, fd, iov, 2, 0);
    IS(result(c, &io), 6);
    IS(memcmp(buf, "hel", 3) | memcmp(buf + 10, "lo ", 3), 0);
    io = request(IOCB_CMD_PWRITEV, fd, iov, 2, 100);
    IS(result(c, &io), 6);
    io = request(IOCB_CMD_PREAD, fd, (void *)8, 64, 0);
    IS(result(c, &io), -EFAULT);
    io = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
    IS(result(c, &io), 0);
    io = request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
    IS(result(c, &io), 0);
    io = request(IOCB_CMD_PREAD, fd, buf, 64, 1000);
    IS(result(c, &io), 0);
    IS(lseek(fd, 0, SEEK_CUR), 0);
    io = request(IOCB_CMD_PREAD, -1, buf, 64, 0);
    FAILS(submit1(c, &io), EBADF);
    io = request(IOCB_CMD_PWRITE, ro, buf, 64, 0);
    FAILS(submit1(c, &io), EBADF);
    io = request(IOCB_CMD_PREAD, p[1], buf, 64, 0);
    FAILS(submit1(c, &io), EBADF);
    io = request(IOCB_CMD_PREAD, dir, buf, 64, 0);
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_PREAD, fd, buf, 64, -1);
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_PREADV, fd, (void *)8, 2, 0);
    FAILS(submit1(c, &io), EFAULT);
    io = request(IOCB_CMD_PREADV, fd, iov, 1025, 0);
    FAILS(submit1(c, &io), EINVAL);
    io = request(99, fd, buf, 64, 0);
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_NOOP, fd, buf, 64, 0);
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_FSYNC, fd, buf, 0, 0);
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_FSYNC, p[0], NULL, 0, 0);
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_PREAD, fd, buf, 64, 0);
    io.aio_reserved2 = 1;
    FAILS(submit1(c, &io), EINVAL);
    io = request(IOCB_CMD_PREAD, fd, buf, 64, 0);
    io.aio_rw_flags = 0x40000000;
    FAILS(submit1(c, &io), EOPNOTSUPP);
    io = request(IOCB_CMD_PWRITE, p[1], "pipe", 4, 0);
    IS(result(c, &io), 4);
    io = request(IOCB_CMD_PREAD, p[0], buf, 64, 0);
    IS(result(c, &io), 4);
    /* Several at once; the first that is wrong ends the call. */
    struct iocb a = request(IOCB_CMD_PREAD, fd, buf, 5, 0), b = request(IOCB_CMD_PREAD, fd, buf + 5, 6, 5),
                wrong = request(IOCB_CMD_PREAD, -1, buf, 1, 0);
    struct iocb *list[] = {&a, &b, &wrong, &a};
    struct io_event e[8];
    IS(io_submit(c, 4, list), 2);
    FAILS(io_getevents(c, 1, 2, (void *)8, NULL), EFAULT);
    IS(io_getevents(c, 1, 8, e, NULL), 2);
    IS(e[0].data, a.aio_data);
    IS(e[1].data, b.aio_data);
    IS(e[1].res, 6);
    IS(memcmp(buf, "hello world", 11), 0);
    unlink(name);
    IS(io_destroy(c), 0);
}

static void notification(void)
{
    char buf[16];
    aio_context_t c = 0;
    uint64_t n = 0;
    int fd = open("/dev/zero", O_RDONLY), efd = eventfd(0, EFD_NONBLOCK);
    IS(io_setup(4, &c), 0);
    struct iocb io = request(IOCB_CMD_PREAD, fd, buf, 16, 0);
    io.aio_flags = IOCB_FLAG_RESFD;
    io.aio_resfd = (uint32_t)efd;
    IS(submit1(c, &io), 1);
    IS(submit1(c, &io), 1);
    IS(read(efd, &n, 8), 8);
    IS(n, 2);
    io.aio_resfd = (uint32_t)fd;
    FAILS(submit1(c, &io), EINVAL);
    io.aio_resfd = (uint32_t)-1;
    FAILS(submit1(c, &io), EBADF);
    IS(io_destroy(c), 0);
}

static volatile int caught;

static void on_signal(int sig)
{
    caught++;
}

static void polling(void)
{
    int p[2];
    aio_context_t c = 0;
    struct io_event e;
    struct timespec now = {0};
    CHECK(pipe(p) == 0);
    IS(io_setup(4, &c), 0);
    struct iocb io = request(5, p[0], (void *)POLLIN, 0, 0);
    IS(submit1(c, &io), 1);
    IS(io_getevents(c, 0, 1, &e, &now), 0);
    CHECK(write(p[1], "x", 1) == 1);
    IS(io_getevents(c, 1, 1, &e, NULL), 1);
    IS(e.res & POLLIN, POLLIN);
    IS(result(c, &io), POLLIN); /* ready already */
    char x;
    CHECK(read(p[0], &x, 1) == 1);
    IS(submit1(c, &io), 1);
    FAILS(io_cancel(c, 8, &e), EFAULT);
    FAILS(io_cancel(c, &e, &e), EINVAL);
    FAILS(io_cancel(c, &io, &e), EINPROGRESS);
    IS(io_getevents(c, 1, 1, &e, NULL), 1);
    FAILS(io_cancel(c, &io, &e), EINVAL);
    struct iocb bad = request(5, p[0], (void *)0x10000, 0, 0);
    FAILS(submit1(c, &bad), EINVAL);
    /* A signal ends the waiting. */
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGALRM, &sa, NULL);
    IS(submit1(c, &io), 1);
    alarm(1);
    FAILS(io_getevents(c, 1, 1, &e, NULL), EINTR);
    IS(caught, 1);
    sigset_t all;
    sigfillset(&all);
    struct {
        void *set;
        size_t size;
    } masked = {&all, 8}, wrong = {&all, 4};
    struct timespec ts = {1, 500000000};
    alarm(1);
    IS(io_pgetevents(c, 1, 1, &e, &ts, &masked), 0);
    FAILS(io_pgetevents(c, 1, 1, &e, &ts, &wrong), EINVAL);
    IS(caught, 2); /* once the mask is back */
    IS(io_destroy(c), 0); /* with a poll under way */
}

int main(void)
{
    setup();
    files();
    notification();
    polling();
    return each_failed();
}
