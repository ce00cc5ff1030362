/* Framing: see wire.h. */
#include "control/wire.h"
#include "base/cleanup.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP 16384
#define SHRINK_ABOVE (4 * STEP) /* an idle connection is to stay small */

void wire_init(struct wire *w, int fd)
{
    *w = (struct wire){.fd = fd};
}

static void close_fds(struct wire *w)
{
    for (unsigned i = 0; i < w->fd_count; i++)
        if (w->fds[i] >= 0)
            close(w->fds[i]);
    w->fd_count = 0;
    w->cut = false;
}

void wire_fini(struct wire *w)
{
    close_fds(w);
    free(w->buffer);
    w->buffer = NULL;
}

/* ---- receiving ---- */

static int make_room(struct wire *w, size_t more)
{
    if (w->room - w->len >= more)
        return 0;
    size_t room = MAX(w->len + more, w->room + w->room / 2);
    char *grown = realloc(w->buffer, room);
    if (!grown)
        return -ENOMEM;
    w->buffer = grown;
    w->room = room;
    return 0;
}

static void add_fds(struct wire *w, const int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (w->fd_count < PROTOCOL_MAX_FDS) {
            w->fds[w->fd_count++] = fds[i];
        } else {
            close(fds[i]);
            w->cut = true;
        }
    }
}

static void take_control(struct wire *w, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int fds[PROTOCOL_MAX_FDS];
        size_t len = c->cmsg_len - CMSG_LEN(0);
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || len > sizeof fds)
            continue;
        memcpy(fds, CMSG_DATA(c), len);
        add_fds(w, fds, (unsigned)(len / sizeof *fds));
    }
    w->cut |= m->msg_flags & MSG_CTRUNC;
}

ssize_t wire_receive(struct wire *w, int flags)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int) * PROTOCOL_MAX_FDS)];
    } control;
    if (make_room(w, STEP) < 0)
        return -ENOMEM;
    struct iovec v = {w->buffer + w->len, w->room - w->len};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(w->fd, &m, flags | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return -errno;
    take_control(w, &m);
    w->len += (size_t)n;
    return n;
}

int wire_feed(struct wire *w, const char *bytes, size_t len, const int *fds, unsigned count)
{
    add_fds(w, fds, count);
    if (make_room(w, len) < 0)
        return -ENOMEM;
    memcpy(w->buffer + w->len, bytes, len);
    w->len += len;
    return 0;
}

/* ---- objects ---- */

/* What the last call handed out is done with. */
static void drop_taken(struct wire *w, size_t taken)
{
    memmove(w->buffer, w->buffer + taken, w->len - taken);
    w->len -= taken;
    w->scanned -= taken;
    if (w->len == 0 && w->room > SHRINK_ABOVE) {
        free(TAKE_PTR(w->buffer));
        w->room = 0;
    }
}

static bool only_space_follows(const struct wire *w, size_t at)
{
    while (at < w->len && json_frame_is_space(w->buffer[at]))
        at++;
    return at == w->len;
}

static void fill(struct wire *w, size_t end, int error, struct wire_object *ret)
{
    *ret = (struct wire_object){.error = w->too_long ? -EMSGSIZE : error, .text = ""};
    if (only_space_follows(w, end)) {
        ret->fds = w->fds;
        ret->fd_count = w->fd_count;
        if (w->cut && !ret->error)
            ret->error = -EMFILE;
    }
    if (!ret->error) {
        ret->text = w->buffer;
        ret->len = end;
    }
    w->too_long = false;
}

/* An object that will be too long is forgotten as it comes; its end is still waited for. */
static void skip_too_long(struct wire *w)
{
    if (w->scanned < PROTOCOL_MAX_MESSAGE && !w->too_long)
        return;
    w->too_long = true;
    drop_taken(w, w->scanned);
}

bool wire_next(struct wire *w, struct wire_object *ret)
{
    if (w->frame.depth == 0 && !w->frame.bad && w->scanned) {
        bool last = only_space_follows(w, w->scanned);
        drop_taken(w, w->scanned);
        if (last)
            close_fds(w);
    }
    while (w->scanned < w->len) {
        enum frame_step step = json_frame_step(&w->frame, w->buffer[w->scanned++]);
        if (step == FRAME_MORE)
            continue;
        if (w->scanned > PROTOCOL_MAX_MESSAGE)
            w->too_long = true;
        fill(w, w->scanned, step == FRAME_BAD ? -EBADMSG : 0, ret);
        return true;
    }
    skip_too_long(w);
    return false;
}
