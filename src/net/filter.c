/*
 * Filters on sockets. See filter.h.
 *
 * A program that is replaced may be running; it stays until the socket goes.
 */
#include "net/filter.h"
#include "base/cbpf.h"
#include "mm/uaccess.h"
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#define REPLACED_MAX 64 /* programs that one socket may have had: -ENOBUFS beyond */

struct socket_filter {
    struct socket_filter *before; /* replaced */
    unsigned depth;
    bool removed;
    unsigned len;
    struct sock_filter program[];
};

static struct socket_filter *active(struct socket *s)
{
    struct socket_filter *f = s->filter;
    return f && !f->removed ? f : NULL;
}

static int push(struct socket *s, struct socket_filter *f)
{
    f->before = s->filter;
    f->depth = f->before ? f->before->depth + 1 : 0;
    if (f->depth > REPLACED_MAX) {
        free(f);
        return -ENOBUFS;
    }
    s->filter = f;
    return 0;
}

int socket_filter_attach(struct socket *s, const void *fprog, socklen_t len)
{
    struct sock_fprog prog;
    if (len != sizeof(prog))
        return -EINVAL;
    memcpy(&prog, fprog, sizeof(prog));
    if (s->filter_locked)
        return -EPERM;
    if (prog.len == 0 || prog.len > CBPF_MAX_INSNS)
        return -EINVAL;
    size_t size = prog.len * sizeof(struct sock_filter);
    struct socket_filter *f = calloc(1, sizeof(*f) + size);
    if (!f)
        return -ENOMEM;
    f->len = prog.len;
    int err = copy_from_user(f->program, (uaddr_t)(uintptr_t)prog.filter, size);
    if (err == 0)
        err = cbpf_check(f->program, f->len, CBPF_PACKET);
    if (err < 0) {
        free(f);
        return err;
    }
    return push(s, f);
}

int socket_filter_detach(struct socket *s)
{
    struct socket_filter *f = active(s);
    if (s->filter_locked)
        return -EPERM;
    if (!f)
        return -ENOENT;
    f->removed = true;
    return 0;
}

size_t socket_filter_run(struct socket *s, const void *data, size_t len)
{
    struct socket_filter *f = active(s);
    struct cbpf_packet packet = {.data = data, .len = len, .protocol = ETH_P_IP};
    return f ? MIN((size_t)cbpf_run_packet(f->program, &packet), len) : len;
}

void socket_filter_free(struct socket *s)
{
    struct socket_filter *f = s->filter;
    while (f) {
        struct socket_filter *before = f->before;
        free(f);
        f = before;
    }
    s->filter = NULL;
}
