/* Names of AF_UNIX sockets, and connecting: every odd errno of unix(7), bind(2), connect(2). */
#include "expect.h"
#include <poll.h>
#include <stddef.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PREFIX offsetof(struct sockaddr_un, sun_path)

static struct sockaddr_un name_of(const char *path)
{
    struct sockaddr_un n = {.sun_family = AF_UNIX};
    strcpy(n.sun_path, path);
    return n;
}

static int do_bind(int s, const char *path)
{
    struct sockaddr_un n = name_of(path);
    return bind(s, (struct sockaddr *)&n, sizeof(n));
}

static int do_connect(int s, const char *path)
{
    struct sockaddr_un n = name_of(path);
    return connect(s, (struct sockaddr *)&n, sizeof(n));
}

static void test_create(void)
{
    int fds[2];
    CHECK_ERR(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, 77, 0), EINVAL);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM | 0x10, 0), EINVAL);
    CHECK_ERR(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERR(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL), EFAULT);
    int s = socket(AF_UNIX, SOCK_RAW, AF_UNIX);
    int type;
    socklen_t len = sizeof(type);
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, &type, &len), 0);
    CHECK_EQ(type, SOCK_DGRAM);
    close(s);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fds[1], F_GETFL), O_RDWR | O_NONBLOCK);
    close(fds[0]);
    close(fds[1]);
}

static void test_bind(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un n = name_of("sock"), got;
    struct stat st;
    socklen_t len = sizeof(got);
    umask(022);
    CHECK_ERR(bind(s, (struct sockaddr *)&n, 1), EINVAL);
    CHECK_ERR(bind(s, (struct sockaddr *)&n, sizeof(n) + 1), EINVAL);
    n.sun_family = AF_INET;
    CHECK_ERR(bind(s, (struct sockaddr *)&n, sizeof(n)), EINVAL);
    CHECK_ERR(bind(s, (struct sockaddr *)8, sizeof(n)), EFAULT);
    CHECK_ERR(do_bind(s, "none/sock"), ENOENT);
    CHECK_EQ(close(creat("plain", 0600)), 0);
    CHECK_ERR(do_bind(s, "plain"), EADDRINUSE);
    CHECK_ERR(do_bind(s, "plain/sock"), ENOTDIR);
    CHECK_EQ(do_bind(s, "sock"), 0);
    CHECK_EQ(stat("sock", &st), 0);
    CHECK_EQ(st.st_mode, S_IFSOCK | 0755);
    CHECK_ERR(do_bind(t, "sock"), EADDRINUSE);
    CHECK_ERR(do_bind(s, "other"), EINVAL);
    CHECK_EQ(getsockname(s, (struct sockaddr *)&got, &len), 0);
    CHECK_EQ(len, PREFIX + 5);
    CHECK_ERR(open("sock", O_RDONLY), ENXIO);
    /* without its NUL */
    n = name_of("abcdef");
    CHECK_EQ(bind(t, (struct sockaddr *)&n, PREFIX + 3), 0);
    CHECK_EQ(access("abc", F_OK), 0);
    len = sizeof(got);
    CHECK_EQ(getsockname(t, (struct sockaddr *)&got, &len), 0);
    CHECK_EQ(len, PREFIX + 4);
    len = 4;
    CHECK_EQ(getsockname(t, (struct sockaddr *)&got, &len), 0);
    CHECK_EQ(len, PREFIX + 4);
    len = (socklen_t)-1;
    CHECK_ERR(getsockname(t, (struct sockaddr *)&got, &len), EINVAL);
    CHECK_ERR(getsockname(t, (struct sockaddr *)&got, NULL), EFAULT);
    len = sizeof(got);
    CHECK_ERR(getpeername(t, (struct sockaddr *)&got, &len), ENOTCONN);
    close(s);
    close(t);
    CHECK_EQ(access("sock", F_OK), 0); /* the name stays */
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERR(do_connect(s, "sock"), ECONNREFUSED);
    CHECK_ERR(do_bind(s, "sock"), EADDRINUSE);
    CHECK_EQ(unlink("sock"), 0);
    CHECK_ERR(do_connect(s, "sock"), ENOENT);
    close(s);
}

static void test_abstract(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un n = {.sun_family = AF_UNIX, .sun_path = "\0abs\0x"}, got;
    socklen_t len = sizeof(got);
    CHECK_EQ(bind(s, (struct sockaddr *)&n, PREFIX + 6), 0);
    CHECK_EQ(getsockname(s, (struct sockaddr *)&got, &len), 0);
    CHECK_EQ(len, PREFIX + 6);
    CHECK(memcmp(&n, &got, len) == 0);
    CHECK_EQ(bind(t, (struct sockaddr *)&n, PREFIX + 5), 0); /* another */
    close(t);
    t = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(t, (struct sockaddr *)&n, PREFIX + 6), 0); /* names are a type's own */
    CHECK_ERR(connect(t, (struct sockaddr *)&n, PREFIX + 7), ECONNREFUSED);
    close(t);
    t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERR(bind(t, (struct sockaddr *)&n, PREFIX + 6), EADDRINUSE);
    CHECK_ERR(connect(t, (struct sockaddr *)&n, PREFIX + 6), ECONNREFUSED); /* does not listen */
    close(t);
    t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(t, (struct sockaddr *)&n, sizeof(sa_family_t)), 0);
    len = sizeof(got);
    CHECK_EQ(getsockname(t, (struct sockaddr *)&got, &len), 0);
    CHECK_EQ(len, PREFIX + 6);
    CHECK(got.sun_path[0] == 0 && strspn(got.sun_path + 1, "0123456789abcdef") >= 5);
    CHECK_ERR(bind(t, (struct sockaddr *)&n, PREFIX + 3), EINVAL);
    CHECK_EQ(bind(t, (struct sockaddr *)&n, sizeof(sa_family_t)), 0); /* it has one */
    close(t);
    /* another network namespace has its own */
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(unshare(CLONE_NEWNET), 0);
        t = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERR(connect(t, (struct sockaddr *)&n, PREFIX + 6), ECONNREFUSED);
        CHECK_EQ(bind(t, (struct sockaddr *)&n, PREFIX + 6), 0);
        fflush(stdout);
        _exit(check_done());
    }
    CHECK_EQ(check_wait(pid), 0);
    close(s);
}

static void test_connect(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un n = name_of("server"), got;
    socklen_t len = sizeof(got);
    char buf[8];
    CHECK_ERR(listen(s, 1), EINVAL);
    CHECK_ERR(accept(s, NULL, NULL), EINVAL);
    CHECK_EQ(do_bind(s, "server"), 0);
    CHECK_ERR(do_connect(c, "server"), ECONNREFUSED);
    CHECK_EQ(listen(s, 1), 0);
    CHECK_EQ(listen(s, 5), 0);
    CHECK_ERR(connect(c, (struct sockaddr *)&n, 1), EINVAL);
    CHECK_ERR(connect(c, (struct sockaddr *)&n, 0), EINVAL);
    CHECK_ERR(do_connect(d, "server"), EPROTOTYPE);
    CHECK_ERR(do_connect(c, "plain"), ECONNREFUSED);
    CHECK_ERR(do_connect(c, ""), ECONNREFUSED);
    CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    CHECK_ERR(recv(c, buf, 1, 0), EINVAL);
    CHECK_ERR(shutdown(c, SHUT_RD) ? -1 : (errno = 0, -1), 0);
    close(c);
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(do_connect(c, "server"), 0);
    CHECK_ERR(do_connect(c, "server"), EISCONN);
    n.sun_family = AF_UNSPEC;
    CHECK_ERR(connect(c, (struct sockaddr *)&n, sizeof(n)), EINVAL);
    CHECK_ERR(listen(c, 1), EINVAL);
    CHECK_ERR(accept(c, NULL, NULL), EINVAL);
    CHECK_ERR(accept(d, NULL, NULL), EOPNOTSUPP);
    CHECK_ERR(listen(d, 1), EOPNOTSUPP);
    CHECK_ERR(do_connect(s, "server"), EINVAL);
    CHECK_ERR(recv(s, buf, 1, 0), EINVAL);
    CHECK_ERR(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    CHECK_ERR(accept4(s, NULL, NULL, 0x40), EINVAL);
    int p = accept4(s, (struct sockaddr *)&got, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(p >= 0);
    CHECK_EQ(len, sizeof(sa_family_t));
    CHECK_EQ(fcntl(p, F_GETFL), O_RDWR | O_NONBLOCK);
    len = sizeof(got);
    CHECK_EQ(getsockname(p, (struct sockaddr *)&got, &len), 0);
    CHECK(strcmp(got.sun_path, "server") == 0);
    len = sizeof(got);
    CHECK_EQ(getpeername(c, (struct sockaddr *)&got, &len), 0);
    CHECK(strcmp(got.sun_path, "server") == 0);
    CHECK_ERR(sendto(c, "x", 1, 0, (struct sockaddr *)&got, len), EISCONN);
    CHECK_EQ(send(p, "x", 1, 0), 1);
    close(c); /* with something unread */
    CHECK_ERR(recv(p, buf, 1, 0), ECONNRESET);
    CHECK_EQ(recv(p, buf, 1, 0), 0);
    CHECK_ERR(send(p, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(p);
    /* permissions of the node count */
    CHECK_EQ(chmod("server", 0500), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setuid(1234), 0);
        c = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERR(do_connect(c, "server"), EACCES);
        fflush(stdout);
        _exit(check_done());
    }
    CHECK_EQ(check_wait(pid), 0);
    /* a renamed node is the same socket; so is a link */
    CHECK_EQ(rename("server", "moved"), 0);
    CHECK_EQ(link("moved", "linked"), 0);
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(do_connect(c, "linked"), 0);
    close(c);
    close(s);
    unlink("moved");
    unlink("linked");
    close(d);
}

static void test_backlog(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c[4];
    CHECK_EQ(do_bind(s, "queue"), 0);
    CHECK_EQ(listen(s, 1), 0);
    for (int n = 0; n < 4; n++)
        c[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(do_connect(c[0], "queue"), 0);
    CHECK_EQ(do_connect(c[1], "queue"), 0);
    CHECK_ERR(do_connect(c[2], "queue"), EAGAIN);
    struct pollfd p = {.fd = c[2], .events = POLLOUT | POLLIN};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT | POLLHUP);
    p = (struct pollfd){.fd = s, .events = POLLIN | POLLOUT};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN);
    close(accept(s, NULL, NULL));
    CHECK_EQ(do_connect(c[2], "queue"), 0);
    CHECK_EQ(send(c[2], "hi", 2, 0), 2); /* before it is accepted */
    struct timeval tv = {0, 50000};
    c[3] = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(setsockopt(c[3], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
    CHECK_ERR(do_connect(c[3], "queue"), EAGAIN);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
    close(accept(s, NULL, NULL));
    close(accept(s, NULL, NULL));
    CHECK_ERR(accept(s, NULL, NULL), EAGAIN);
    CHECK_EQ(shutdown(s, SHUT_RD), 0);
    CHECK_ERR(accept(s, NULL, NULL), EINVAL);
    CHECK_ERR(do_connect(c[3], "queue"), ECONNREFUSED);
    for (int n = 0; n < 4; n++)
        close(c[n]);
    close(s);
    unlink("queue");
}

static void test_dgram(void)
{
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0), u = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un n = name_of("dgram"), got;
    struct sockaddr unspec = {.sa_family = AF_UNSPEC};
    socklen_t len = sizeof(got);
    char buf[8];
    CHECK_EQ(do_bind(s, "dgram"), 0);
    CHECK_ERR(send(t, "x", 1, 0), ENOTCONN);
    CHECK_EQ(sendto(t, "x", 1, 0, (struct sockaddr *)&n, sizeof(n)), 1);
    CHECK_EQ(recvfrom(s, buf, 8, 0, (struct sockaddr *)&got, &len), 1);
    CHECK_EQ(len, 0);
    CHECK_EQ(do_connect(t, "dgram"), 0);
    CHECK_EQ(send(t, "y", 1, 0), 1);
    CHECK_EQ(connect(t, &unspec, sizeof(unspec)), 0);
    CHECK_ERR(send(t, "x", 1, 0), ENOTCONN);
    CHECK_EQ(do_connect(t, "dgram"), 0);
    CHECK_EQ(do_bind(t, "client"), 0);
    CHECK_EQ(do_connect(s, "client"), 0);
    CHECK_ERR(sendto(u, "x", 1, 0, (struct sockaddr *)&n, sizeof(n)), EPERM); /* s listens to t alone */
    CHECK_ERR(do_connect(u, "dgram"), EPERM);
    CHECK_EQ(send(t, "z", 1, 0), 1);
    len = sizeof(got);
    CHECK_EQ(recv(s, buf, 8, 0), 1);
    CHECK_EQ(recvfrom(s, buf, 8, 0, (struct sockaddr *)&got, &len), 1);
    CHECK_EQ(len, PREFIX + 7);
    n = name_of("gone");
    CHECK_ERR(sendto(u, "x", 1, 0, (struct sockaddr *)&n, sizeof(n)), ENOENT);
    CHECK_ERR(sendto(u, "x", 1, 0, (struct sockaddr *)&n, 1), EINVAL);
    n.sun_family = AF_INET;
    CHECK_ERR(sendto(u, "x", 1, 0, (struct sockaddr *)&n, sizeof(n)), EINVAL);
    close(s);
    CHECK_ERR(send(t, "x", 1, 0), ECONNREFUSED);
    close(t);
    close(u);
}

int main(void)
{
    CHECK_EQ(chmod(".", 0777), 0);
    test_create();
    test_bind();
    test_abstract();
    test_connect();
    test_backlog();
    test_dgram();
    return check_done();
}
