/*
 * The receiving end of a connection: from bytes and descriptors to whole objects (control/protocol.h), bounded.
 *
 *     wire_init(&w, fd)
 *     for (;;) {
 *         n = wire_receive(&w, flags);              one recvmsg(2)
 *         while (wire_next(&w, &object)) {...}      all that are whole now, before more is received
 *     }
 *     wire_fini(&w)
 *
 * Descriptors belong to the object that their bytes end in: a receive stops after a message that has some, so that is
 * the last one in the buffer. Whatever the other side sends, the wire finds the next object after a newline.
 */
#pragma once
#include "base/base.h"
#include "base/json_frame.h"
#include "control/protocol.h"

struct wire {
    int fd; /* [I] not owned */
    char *buffer;
    size_t len, room;
    size_t scanned; /* bytes of the buffer that `frame` has seen */
    struct json_frame frame;
    bool too_long; /* the object under way is: it is skipped */
    bool cut;      /* descriptors were lost: too many came */
    int fds[PROTOCOL_MAX_FDS];
    unsigned fd_count;
};

struct wire_object {
    int error;        /* 0; -EMSGSIZE: it was too long; -EBADMSG: no JSON object; -EMFILE: too many descriptors */
    const char *text; /* borrowed until the next call; empty unless error is 0 */
    size_t len;
    int *fds; /* the receiver takes what it wants (sets to -1); the rest is closed with the next call */
    unsigned fd_count;
};

void wire_init(struct wire *w, int fd);
void wire_fini(struct wire *w); /* closes what descriptors are left; not fd */

/* recvmsg(2): bytes, 0 at the end, -EAGAIN, -errno. */
NODISCARD ssize_t wire_receive(struct wire *w, int flags);
/* What recvmsg(2) would have brought, for tests: the descriptors are consumed. -ENOMEM. */
NODISCARD int wire_feed(struct wire *w, const char *bytes, size_t len, const int *fds, unsigned count);

/* The next object, or what is wrong with it: true and *ret is filled; false: more is needed. */
NODISCARD bool wire_next(struct wire *w, struct wire_object *ret);
