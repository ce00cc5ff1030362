/* seccomp_unotify(2): a listener that decides about another process's calls. */
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static int listen_to(int nr)
{
    struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                              BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
                              BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                              BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog prog = {4, f};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

static void send_fd(int sock, int fd)
{
    char byte = 0, space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    CHECK(sendmsg(sock, &m, 0) == 1);
}

static int receive_fd(int sock)
{
    char byte, space[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    int fd;
    CHECK(recvmsg(sock, &m, 0) == 1 && CMSG_FIRSTHDR(&m));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
    return fd;
}

/* A child that makes nr's calls under a filter; its listener is ours. */
static pid_t start(int (*calls)(void), int nr, int *ret_listener)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = listen_to(nr);
        CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        send_fd(pair[0], fd);
        close(fd);
        close(pair[0]);
        close(pair[1]);
        _exit(calls());
    }
    *ret_listener = receive_fd(pair[1]);
    close(pair[0]);
    close(pair[1]);
    return pid;
}

static int calls(void)
{
    CHECK(syscall(SYS_dup, 100) == 0x1234);
    CHECK_ERR(syscall(SYS_dup, 101), ENOTBLK);
    CHECK_ERR(syscall(SYS_dup, 1000), EBADF); /* goes on */
    int fd = (int)syscall(SYS_dup, 102);      /* a descriptor, and then its number */
    CHECK(fd == 60 && fcntl(60, F_GETFD) == FD_CLOEXEC);
    CHECK(write(60, "x", 1) == 1);
    fd = (int)syscall(SYS_dup, 103); /* at once */
    CHECK(fd >= 0 && fd != 60 && write(fd, "y", 1) == 1);
    return 0;
}

static void receive(int fd, struct seccomp_notif *n, pid_t pid, uint64_t arg)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
    memset(n, 0, sizeof(*n));
    CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, n) == 0);
    CHECK((pid_t)n->pid == pid && n->data.nr == SYS_dup && n->data.args[0] == arg && n->flags == 0);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) == 0);
}

static void answer(int fd, uint64_t id, int64_t val, int error, unsigned flags)
{
    struct seccomp_notif_resp r = {.id = id, .val = val, .error = error, .flags = flags};
    CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r) == 0);
}

static void errors(int fd, uint64_t id)
{
    struct seccomp_notif n = {.id = 1};
    struct seccomp_notif_resp r = {.id = id + 100};
    uint64_t bad = id + 100;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n), EINVAL);
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r), ENOENT);
    r.id = id, r.flags = 8;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r), EINVAL);
    r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE, r.error = -1;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r), EINVAL);
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &bad), ENOENT);
    CHECK_ERR(ioctl(fd, 0x1234, 0), EINVAL);
    struct seccomp_notif_addfd add = {.id = bad, .srcfd = 1};
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), ENOENT);
    add.id = id, add.srcfd = 999;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EBADF);
    add.srcfd = 1, add.newfd = 5;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
    add.newfd = 0, add.flags = 64;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
    add.flags = 0, add.newfd_flags = O_NONBLOCK;
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
}

static void conversation(void)
{
    struct seccomp_notif n;
    int fd, pipe_fds[2];
    char bytes[2];
    pid_t pid = start(calls, SYS_dup, &fd);
    CHECK(pipe(pipe_fds) == 0);
    receive(fd, &n, pid, 100);
    errors(fd, n.id);
    answer(fd, n.id, 0x1234, 0, 0);
    struct seccomp_notif_resp again = {.id = n.id};
    CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &again) == -1 && (errno == ENOENT || errno == EINPROGRESS));
    receive(fd, &n, pid, 101);
    answer(fd, n.id, 0, -ENOTBLK, 0);
    receive(fd, &n, pid, 1000);
    answer(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    receive(fd, &n, pid, 102);
    struct seccomp_notif_addfd add = {.id = n.id, .srcfd = (unsigned)pipe_fds[1], .newfd = 60,
                                      .flags = SECCOMP_ADDFD_FLAG_SETFD, .newfd_flags = O_CLOEXEC};
    CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) == 60);
    answer(fd, n.id, 60, 0, 0);
    CHECK(read(pipe_fds[0], bytes, 1) == 1 && bytes[0] == 'x');
    receive(fd, &n, pid, 103);
    add = (struct seccomp_notif_addfd){.id = n.id, .srcfd = (unsigned)pipe_fds[1], .flags = 2 /* SEND */};
    CHECK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0);
    CHECK(read(pipe_fds[0], bytes, 1) == 1 && bytes[0] == 'y');
    exits_with(pid, 0);
    struct pollfd p = {fd, POLLIN, 0};
    CHECK(poll(&p, 1, 1000) == 1 && p.revents == POLLHUP);
    memset(&n, 0, sizeof(n));
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n), ENOENT);
    close(fd);
}

static int one_call(void)
{
    CHECK_ERR(syscall(SYS_dup, 5), ENOSYS);
    CHECK_ERR(syscall(SYS_dup, 5), ENOSYS); /* nobody listens any more */
    return 0;
}

static void close_answers(void)
{
    struct seccomp_notif n;
    int fd;
    pid_t pid = start(one_call, SYS_dup, &fd);
    receive(fd, &n, pid, 5);
    close(fd);
    exits_with(pid, 0);
}

static void killed_while_asking(void)
{
    struct seccomp_notif n;
    int fd;
    pid_t pid = start(one_call, SYS_dup, &fd);
    receive(fd, &n, pid, 5);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
    CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), ENOENT);
    close(fd);
}

static int second_listener(void)
{
    CHECK(listen_to(SYS_dup) >= 0);
    CHECK_ERR(listen_to(SYS_dup2), EBUSY);
    return 0;
}

int main(void)
{
    conversation();
    close_answers();
    killed_while_asking();
    exits_with(child(second_listener), 0);
    return 0;
}
