/*
 * Calls on a host descriptor that do not block. See hostio.h.
 */
#include "fs/hostfile/hostio.h"
#include "fs/hostfile/hostfile.h"
#include "base/log.h"
#include "kernel/signal.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define STDIO_COUNT 3
static bool reopened[STDIO_COUNT]; /* filled before the first fiber runs */

static void reopen_nonblocking(int proc_fd, int fd)
{
    char path[32];
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
        return;
    snprintf(path, sizeof(path), "self/fd/%d", fd);
    int again = openat(proc_fd, path, (flags & (O_ACCMODE | O_APPEND | O_DIRECT)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (again < 0)
        return;
    reopened[fd] = dup3(again, fd, O_CLOEXEC) == fd;
    close(again);
}

void hostfile_reopen_stdio(int proc_fd)
{
    for (int fd = 0; fd < STDIO_COUNT; fd++)
        reopen_nonblocking(proc_fd, fd);
}

void hostio_init(struct hostio *io, int fd, uint32_t mode)
{
    *io = (struct hostio){.fd = fd};
    wait_queue_init(&io->queue);
    mutex_init(&io->watch_lock);
    if (S_ISSOCK(mode)) {
        io->kind = HOSTIO_SOCKET;
    } else if (S_ISFIFO(mode) || S_ISCHR(mode)) {
        io->kind = HOSTIO_STREAM;
        io->own_description = fd < STDIO_COUNT && reopened[fd];
    }
}

void hostio_fini(struct hostio *io)
{
    if (io->watched)
        host_event_remove(&io->event);
    close(io->fd);
}

uint32_t hostio_poll(struct hostio *io, uint32_t events)
{
    struct pollfd p = {.fd = io->fd, .events = (short)events};
    int n = poll(&p, 1, 0);
    return n == 1 ? (uint32_t)(unsigned short)p.revents : 0;
}

void hostio_watch(struct hostio *io)
{
    if (io->watched || io->kind == HOSTIO_PLAIN)
        return;
    MUTEX_GUARD(&io->watch_lock);
    if (io->watched)
        return;
    int err = host_event_add(&io->event, io->fd, &io->queue);
    if (err < 0 && err != -EPERM) /* -EPERM: always ready, nobody will have to wait */
        log_warn("cannot watch host descriptor %d: error %d", io->fd, -err);
    io->watched = err == 0;
}

int hostio_wait(struct hostio *io, uint32_t events)
{
    hostio_watch(io);
    return wait_event_interruptible(&io->queue, hostio_poll(io, events) != 0);
}

/* The blocking call, for descriptions we may not change; -EAGAIN if poll(2) says that it would wait. */
static ssize_t read_when_ready(struct hostio *io, void *buf, size_t n)
{
    if (io->kind != HOSTIO_PLAIN && hostio_poll(io, POLLIN) == 0)
        return -EAGAIN;
    host_call_begin();
    ssize_t r = read(io->fd, buf, n);
    int err = errno;
    host_call_end();
    return r < 0 ? -err : r;
}

static ssize_t write_when_ready(struct hostio *io, const void *buf, size_t n)
{
    if (io->kind != HOSTIO_PLAIN) {
        if (hostio_poll(io, POLLOUT) == 0)
            return -EAGAIN;
        n = MIN(n, (size_t)PIPE_BUF); /* what a ready pipe surely takes */
    }
    host_call_begin();
    ssize_t r = write(io->fd, buf, n);
    int err = errno;
    host_call_end();
    return r < 0 ? -err : r;
}

/* True once RWF_NOWAIT turned out not to be had here. */
static bool nowait_refused(struct hostio *io, ssize_t r)
{
    if (r != -EOPNOTSUPP && r != -ENOSYS && r != -EINVAL)
        return false;
    io->no_nowait = true;
    return true;
}

ssize_t hostio_read(struct hostio *io, void *buf, size_t n)
{
    ssize_t r;
    if (io->kind == HOSTIO_PLAIN)
        return read_when_ready(io, buf, n);
    if (io->kind == HOSTIO_SOCKET) {
        r = recv(io->fd, buf, n, MSG_DONTWAIT);
        return r < 0 ? -errno : r;
    }
    if (io->own_description) {
        r = read(io->fd, buf, n);
        return r < 0 ? -errno : r;
    }
    if (!io->no_nowait) {
        struct iovec v = {buf, n};
        r = preadv2(io->fd, &v, 1, -1, RWF_NOWAIT);
        r = r < 0 ? -errno : r;
        if (!nowait_refused(io, r))
            return r;
    }
    return read_when_ready(io, buf, n);
}

static ssize_t append_plain(struct hostio *io, const void *buf, size_t n)
{
    struct iovec v = {(void *)buf, n};
    host_call_begin();
    ssize_t r = pwritev2(io->fd, &v, 1, -1, RWF_APPEND);
    int err = errno;
    host_call_end();
    return r < 0 ? -err : r;
}

ssize_t hostio_write(struct hostio *io, const void *buf, size_t n, bool append)
{
    ssize_t r;
    if (io->kind == HOSTIO_PLAIN)
        return append ? append_plain(io, buf, n) : write_when_ready(io, buf, n);
    if (io->kind == HOSTIO_SOCKET) {
        r = send(io->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        return r < 0 ? -errno : r;
    }
    if (io->own_description) {
        r = write(io->fd, buf, n);
        return r < 0 ? -errno : r;
    }
    if (!io->no_nowait) {
        struct iovec v = {(void *)buf, n};
        r = pwritev2(io->fd, &v, 1, -1, RWF_NOWAIT);
        r = r < 0 ? -errno : r;
        if (!nowait_refused(io, r))
            return r;
    }
    return write_when_ready(io, buf, n);
}
