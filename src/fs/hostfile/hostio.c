/*
 * Calls on a host descriptor that do not block. See hostio.h.
 */
#include "fs/hostfile/hostio.h"
#include "fs/hostfile/hostfile.h"
#include "base/log.h"
#include "kernel/signal.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int proc = -1; /* the directory of this process's descriptors */

void hostfile_set_proc(int proc_fd)
{
    proc = proc_fd;
}

/* The same pipe or terminal as a description of our own, non-blocking: -1 if there is no /proc or
 * no right. */
static int reopen_nonblocking(int fd)
{
    char path[32];
    int flags = fcntl(fd, F_GETFL);
    if (proc < 0 || flags < 0)
        return -1;
    struct open_how how = {
        .flags = (uint64_t)((flags & (O_ACCMODE | O_APPEND | O_DIRECT)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    snprintf(path, sizeof(path), "%d", fd);
    return (int)syscall(SYS_openat2, proc, path, &how, sizeof(how));
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
        int again = reopen_nonblocking(fd);
        if (again >= 0) {
            close(fd);
            io->fd = again;
            io->own_description = true;
        }
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

/* The blocking call, for descriptions we may not change; -EAGAIN if poll(2) says that it would
 * wait. */
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
