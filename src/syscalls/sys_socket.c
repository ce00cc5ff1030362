/*
 * Sockets: addresses, messages and options in and out of guest memory; the verbs are
 * net/socket.h's.
 */
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "net/socket.h"
#include "syscalls/prototypes.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)
#define TYPE_MASK 0xf
#define OPTION_MAX 4096

/* ---- descriptors ---- */

/* The socket behind fd; *ret_file keeps it. -EBADF, -ENOTSOCK. */
static int get_socket(uint64_t fd, struct file **ret_file, struct socket **ret)
{
    int err = fd_file((int)fd, ret_file);
    if (err < 0)
        return err;
    *ret = socket_of(*ret_file);
    return *ret ? 0 : -ENOTSOCK;
}

/* A descriptor for s, whose reference it consumes. */
static int64_t install_socket(struct socket *s, int flags)
{
    struct file *file;
    int err = socket_file(s, flags, &file);
    if (err < 0) {
        s->ops->release(s);
        socket_put(s);
        return err;
    }
    int fd = fd_install(file, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0);
    if (fd < 0)
        file_put(file);
    return fd;
}

/* ---- addresses ---- */

static int name_in(uaddr_t addr, uint64_t len, struct socket_name *ret)
{
    if ((int)len < 0 || (unsigned)len > sizeof(ret->storage))
        return -EINVAL;
    memset(ret, 0, sizeof(*ret));
    ret->len = (socklen_t)len;
    return len ? copy_from_user(ret->bytes, addr, (unsigned)len) : 0;
}

/* As much as there is room for; the length the whole has. */
static int name_out(const struct socket_name *name, uaddr_t addr, uaddr_t len_addr)
{
    int room;
    int err = get_user(&room, len_addr);
    if (err < 0)
        return err;
    if (room < 0)
        return -EINVAL;
    if (room > 0 && name->len > 0)
        err = copy_to_user(addr, name->bytes, MIN((size_t)room, (size_t)name->len));
    return err < 0 ? err : put_user(&name->len, len_addr);
}

/* ---- life ---- */

int64_t sys_socket(const uint64_t *a)
{
    int type = (int)a[1], flags = type & ~TYPE_MASK;
    struct socket *s = NULL;
    if (flags & ~SOCKET_FLAGS)
        return -EINVAL;
    int err = socket_create((int)a[0], type & TYPE_MASK, (int)a[2], &s);
    return err < 0 ? err : install_socket(s, flags);
}

static int make_pair(int domain, int type, int protocol, struct socket **ret_a, struct socket **ret_b)
{
    struct socket *a, *b;
    int err = socket_create(domain, type, protocol, &a);
    if (err < 0)
        return err;
    err = socket_create(domain, type, protocol, &b);
    if (err == 0) {
        err = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
        if (err < 0)
            socket_put(b);
    }
    if (err < 0) {
        socket_put(a);
        return err;
    }
    *ret_a = a;
    *ret_b = b;
    return 0;
}

int64_t sys_socketpair(const uint64_t *a)
{
    int type = (int)a[1], flags = type & ~TYPE_MASK, fds[2];
    struct socket *s[2];
    if (flags & ~SOCKET_FLAGS)
        return -EINVAL;
    int64_t err = make_pair((int)a[0], type & TYPE_MASK, (int)a[2], &s[0], &s[1]);
    if (err < 0)
        return err;
    int64_t first = install_socket(s[0], flags);
    int64_t second = install_socket(s[1], flags);
    fds[0] = (int)first;
    fds[1] = (int)second;
    err = first < 0 ? first : second < 0 ? second : copy_to_user(a[3], fds, sizeof(fds));
    if (err < 0) {
        if (first >= 0)
            (void)!fd_close((int)first);
        if (second >= 0)
            (void)!fd_close((int)second);
    }
    return err;
}

int64_t sys_bind(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    struct socket_name name;
    int err = get_socket(a[0], &file, &s);
    if (err == 0)
        err = name_in(a[1], a[2], &name);
    return err < 0 ? err : s->ops->bind(s, &name);
}

int64_t sys_connect(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    struct socket_name name;
    int err = get_socket(a[0], &file, &s);
    if (err == 0)
        err = name_in(a[1], a[2], &name);
    if (err == 0 && name.len < sizeof(sa_family_t))
        err = -EINVAL;
    return err < 0 ? err : s->ops->connect(s, &name, file_nonblock(file));
}

int64_t sys_listen(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int err = get_socket(a[0], &file, &s);
    return err < 0 ? err : s->ops->listen(s, (int)a[1]);
}

static int64_t do_accept(uint64_t fd, uaddr_t addr, uaddr_t len_addr, int flags)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s, *accepted;
    struct socket_name name = {0};
    if (flags & ~SOCKET_FLAGS)
        return -EINVAL;
    int err = get_socket(fd, &file, &s);
    if (err == 0)
        err = s->ops->accept(s, file_nonblock(file), &accepted);
    if (err < 0)
        return err;
    if (addr && accepted->ops->name(accepted, true, &name) < 0)
        name.len = 0;
    int64_t new_fd = install_socket(accepted, flags);
    if (new_fd >= 0 && addr) {
        err = name_out(&name, addr, len_addr);
        if (err < 0) {
            (void)!fd_close((int)new_fd);
            return err;
        }
    }
    return new_fd;
}

int64_t sys_accept(const uint64_t *a)
{
    return do_accept(a[0], a[1], a[2], 0);
}

int64_t sys_accept4(const uint64_t *a)
{
    return do_accept(a[0], a[1], a[2], (int)a[3]);
}

static int64_t get_name(const uint64_t *a, bool peer)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    struct socket_name name;
    int err = get_socket(a[0], &file, &s);
    if (err == 0)
        err = s->ops->name(s, peer, &name);
    return err < 0 ? err : name_out(&name, a[1], a[2]);
}

int64_t sys_getsockname(const uint64_t *a)
{
    return get_name(a, false);
}

int64_t sys_getpeername(const uint64_t *a)
{
    return get_name(a, true);
}

int64_t sys_shutdown(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int how = (int)a[1];
    int err = get_socket(a[0], &file, &s);
    if (err < 0)
        return err;
    return how < SHUT_RD || how > SHUT_RDWR ? -EINVAL : s->ops->shutdown(s, how);
}

/* ---- options ---- */

int64_t sys_setsockopt(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int len = (int)a[4];
    if (len < 0)
        return -EINVAL;
    int err = get_socket(a[0], &file, &s);
    if (err < 0)
        return err;
    len = MIN(len, OPTION_MAX);
    CLEANUP_FREE void *value = malloc((size_t)len + 1);
    if (!value)
        return -ENOMEM;
    err = copy_from_user(value, a[3], (size_t)len);
    return err < 0 ? err : socket_set_option(s, (int)a[1], (int)a[2], value, (socklen_t)len);
}

int64_t sys_getsockopt(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int room;
    int err = get_user(&room, a[4]);
    if (err == 0 && room < 0)
        err = -EINVAL;
    if (err == 0)
        err = get_socket(a[0], &file, &s);
    if (err < 0)
        return err;
    socklen_t len = (socklen_t)MIN(room, OPTION_MAX);
    CLEANUP_FREE void *value = calloc(1, len + sizeof(uint64_t));
    if (!value)
        return -ENOMEM;
    err = socket_get_option(s, (int)a[1], (int)a[2], value, &len);
    if (err == 0)
        err = copy_to_user(a[3], value, MIN(len, (socklen_t)room)); /* len may say what it would have taken */
    if (err == -ERANGE && put_user(&len, a[4]) < 0)
        err = -EFAULT;
    return err < 0 ? err : put_user(&len, a[4]);
}

/* ---- one message ---- */

/* The guest's struct msghdr. */
struct guest_msghdr {
    uint64_t name;
    uint32_t name_len, pad1;
    uint64_t iov, iov_count, control, control_len;
    uint32_t flags, pad2;
};

static int call_flags(const struct file *file, uint64_t flags)
{
    return (int)(unsigned)flags | (file_nonblock(file) ? MSG_DONTWAIT : 0);
}

static int control_in(const struct guest_msghdr *h, char **ret)
{
    if (h->control_len > SOCKET_CONTROL_MAX)
        return -ENOBUFS;
    *ret = malloc(h->control_len + 1);
    return *ret ? copy_from_user(*ret, h->control, h->control_len) : -ENOMEM;
}

static int64_t send_message(struct file *file, struct socket *s, uaddr_t addr, int flags)
{
    struct guest_msghdr h;
    struct socket_name name;
    CLEANUP_FREE char *control = NULL;
    CLEANUP_UIO struct uio data = {.vec = data.inline_vec};
    struct socket_message m = {.data = &data, .flags = flags};
    int err = get_user(&h, addr);
    if (err == 0 && h.name && (int)h.name_len < 0)
        err = -EINVAL;
    if (err == 0 && h.name) {
        err = name_in(h.name, MIN(h.name_len, (uint32_t)sizeof(name.storage)), &name);
        m.name = &name;
    }
    if (err == 0 && h.iov_count > UIO_MAX_IOV)
        err = -EMSGSIZE;
    if (err == 0)
        err = uio_init_iovec(&data, h.iov, h.iov_count);
    if (err == 0 && h.control_len > 0) {
        err = control_in(&h, &control);
        m.control = control;
        m.control_len = h.control_len;
    }
    return err < 0 ? err : s->ops->send(s, &m);
}

/* What the call brought beside the bytes goes back into the guest's msghdr. */
static int message_out(const struct guest_msghdr *h, uaddr_t addr, const struct socket_message *m)
{
    uint64_t control_len = m->control_used;
    uint32_t flags = (uint32_t)(m->ret_flags | (m->flags & MSG_CMSG_CLOEXEC));
    int err = 0;
    if (m->name) {
        err = copy_to_user(h->name, m->name->bytes, MIN((size_t)h->name_len, (size_t)m->name->len));
        if (err == 0)
            err = put_user(&m->name->len, addr + offsetof(struct guest_msghdr, name_len));
    }
    if (err == 0 && control_len > 0)
        err = copy_to_user(h->control, m->control_out, control_len);
    if (err == 0)
        err = put_user(&control_len, addr + offsetof(struct guest_msghdr, control_len));
    return err < 0 ? err : put_user(&flags, addr + offsetof(struct guest_msghdr, flags));
}

static int64_t receive_message(struct file *file, struct socket *s, uaddr_t addr, int flags)
{
    struct guest_msghdr h;
    struct socket_name name = {0};
    CLEANUP_FREE char *control = NULL;
    CLEANUP_UIO struct uio data = {.vec = data.inline_vec};
    struct socket_message m = {.data = &data, .flags = flags};
    int err = get_user(&h, addr);
    if (err == 0 && (int)h.name_len < 0 && h.name)
        err = -EINVAL;
    if (err == 0 && h.iov_count > UIO_MAX_IOV)
        err = -EMSGSIZE;
    if (err == 0)
        err = uio_init_iovec(&data, h.iov, h.iov_count);
    if (err < 0)
        return err;
    if (h.name)
        m.name = &name;
    if (h.control && h.control_len > 0) {
        m.control_room = MIN(h.control_len, (uint64_t)SOCKET_CONTROL_MAX);
        m.control_out = control = malloc(m.control_room);
        if (!control)
            return -ENOMEM;
    }
    int64_t result = s->ops->receive(s, &m);
    if (result >= 0) {
        err = message_out(&h, addr, &m);
        if (err < 0)
            return err;
    }
    return result;
}

int64_t sys_sendmsg(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int err = get_socket(a[0], &file, &s);
    return err < 0 ? err : send_message(file, s, a[1], call_flags(file, a[2]));
}

int64_t sys_recvmsg(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int err = get_socket(a[0], &file, &s);
    return err < 0 ? err : receive_message(file, s, a[1], call_flags(file, a[2]));
}

int64_t sys_sendto(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    struct socket_name name;
    struct uio data;
    if (!access_ok(a[1], MIN(a[2], UIO_MAX_BYTES)))
        return -EFAULT;
    int err = get_socket(a[0], &file, &s);
    if (err == 0 && a[4])
        err = name_in(a[4], a[5], &name);
    if (err < 0)
        return err;
    uio_init_user(&data, a[1], a[2]);
    struct socket_message m = {.data = &data, .flags = call_flags(file, a[3]), .name = a[4] ? &name : NULL};
    return s->ops->send(s, &m);
}

int64_t sys_recvfrom(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    struct socket_name name = {0};
    CLEANUP_UIO struct uio data = {.vec = data.inline_vec};
    if (!access_ok(a[1], MIN(a[2], UIO_MAX_BYTES)))
        return -EFAULT;
    int err = get_socket(a[0], &file, &s);
    if (err < 0)
        return err;
    uio_init_user(&data, a[1], a[2]);
    struct socket_message m = {.data = &data, .flags = call_flags(file, a[3]), .name = a[4] ? &name : NULL};
    int64_t result = s->ops->receive(s, &m);
    if (result >= 0 && a[4]) {
        err = name_out(&name, a[4], a[5]);
        if (err < 0)
            return err;
    }
    return result;
}

/* ---- many messages ---- */

#define MMSG_SIZE (sizeof(struct guest_msghdr) + 8) /* struct mmsghdr: msg_len and padding follow */
#define MMSG_MAX 1024

static int64_t put_length(uaddr_t message, int64_t n)
{
    uint32_t len = (uint32_t)n;
    return put_user(&len, message + sizeof(struct guest_msghdr));
}

int64_t sys_sendmmsg(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int64_t err = get_socket(a[0], &file, &s);
    unsigned count = MIN((unsigned)a[2], (unsigned)MMSG_MAX), done = 0;
    while (err == 0 && done < count) {
        uaddr_t message = a[1] + done * MMSG_SIZE;
        int64_t n = send_message(file, s, message, call_flags(file, a[3]));
        err = n < 0 ? n : put_length(message, n);
        done += err == 0;
    }
    return done > 0 ? done : err;
}

static int64_t receive_deadline(uaddr_t addr, int64_t *ret)
{
    struct timespec ts;
    *ret = NO_DEADLINE;
    if (!addr)
        return 0;
    int64_t err = get_user(&ts, addr);
    if (err < 0)
        return err;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    int64_t ns;
    if (!__builtin_mul_overflow(ts.tv_sec, NSEC_PER_SEC, &ns) && !__builtin_add_overflow(ns, ts.tv_nsec, &ns) &&
        !__builtin_add_overflow(ns, now_monotonic(), &ns))
        *ret = ns;
    return 0;
}

/* The time limit is looked at after each message only, as on Linux: recvmmsg(2), BUGS. */
int64_t sys_recvmmsg(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct socket *s = NULL;
    int64_t deadline, err = receive_deadline(a[4], &deadline);
    if (err == 0)
        err = get_socket(a[0], &file, &s);
    unsigned count = MIN((unsigned)a[2], (unsigned)MMSG_MAX), done = 0;
    int flags = err == 0 ? call_flags(file, a[3] & ~(uint64_t)MSG_WAITFORONE) : 0;
    while (err == 0 && done < count) {
        uaddr_t message = a[1] + done * MMSG_SIZE;
        int64_t n = receive_message(file, s, message, flags);
        err = n < 0 ? n : put_length(message, n);
        done += err == 0;
        if (a[3] & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (now_monotonic() >= deadline)
            break;
    }
    return done > 0 ? done : err;
}
