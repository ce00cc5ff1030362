/*
 * Input and output on a host descriptor that must not block a worker: what hostfile.c and console.c
 * share.
 */
#pragma once
#include "base/base.h"
#include "sched/event.h"
#include "sched/mutex.h"

enum hostio_kind {
    HOSTIO_PLAIN,  /* regular files, directories, devices that never block for long */
    HOSTIO_STREAM, /* pipes, terminals, other devices */
    HOSTIO_SOCKET,
};

struct hostio {
    int fd;                  /* [I] owned */
    enum hostio_kind kind;   /* [I] */
    bool own_description;    /* [I] the description is ours alone, and non-blocking */
    _Atomic bool no_nowait;  /* the host refuses RWF_NOWAIT on it */
    struct wait_queue queue; /* woken by the host's readiness edges once `watched` */
    struct mutex watch_lock;
    _Atomic bool watched;    /* [watch_lock to change] */
    struct host_event event;
};

void hostio_init(struct hostio *io, int fd, uint32_t mode);
void hostio_fini(struct hostio *io); /* closes fd */

/* One call that does not wait for others: bytes, 0 at the end, -EAGAIN, -errno. Regular files: at
 * the shared position. */
ssize_t hostio_read(struct hostio *io, void *buf, size_t n);
ssize_t hostio_write(struct hostio *io, const void *buf, size_t n, bool append);

/* poll(2) of the host: what of `events` holds now, POLLERR and POLLHUP included. */
uint32_t hostio_poll(struct hostio *io, uint32_t events);
/* Sleeps until one of `events` holds: 0 or -ERESTARTSYS. */
NODISCARD int hostio_wait(struct hostio *io, uint32_t events);
/* Makes readiness edges wake io->queue from now on; call it before looking. */
void hostio_watch(struct hostio *io);
