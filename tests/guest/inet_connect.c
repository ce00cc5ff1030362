// connect(2): refused, non-blocking, again, backlog, AF_UNSPEC, addresses that cannot be reached.
#include "inet.h"

static int tcp(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

/* A port that nobody has. */
static int free_port(void)
{
    int s = tcp();
    CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
    int port = port_of(s);
    close(s);
    return port;
}

static void refused(void)
{
    int s = tcp(), port = free_port();
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port), ECONNREFUSED);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), 0);
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port), ECONNREFUSED);
    int l = listener4(1);
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(l)), 0); /* the socket is still good */
    close(l);
    close(s);
    s = tcp();
    fcntl(s, F_SETFL, O_NONBLOCK);
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port), EINPROGRESS);
    CHECK_EQ(poll_for(s, POLLOUT), POLLOUT | POLLERR | POLLHUP);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), 0);
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port), ECONNABORTED);
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port), EINPROGRESS);
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port), ECONNREFUSED);
    close(s);
}

static void nonblocking(void)
{
    int l = listener4(5), s = tcp();
    fcntl(s, F_SETFL, O_NONBLOCK);
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port_of(l)), EINPROGRESS);
    CHECK_EQ(poll_for(s, POLLOUT), POLLOUT);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(l)), 0); /* the second call tells how it went */
    CHECK_ERR(connect4(s, INADDR_LOOPBACK, port_of(l)), EISCONN);
    fcntl(l, F_SETFL, O_NONBLOCK);
    int a = accept(l, NULL, NULL);
    CHECK(a >= 0);
    CHECK_EQ(fcntl(a, F_GETFL) & O_NONBLOCK, 0);
    CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
    close(a);
    close(s);
    s = tcp();
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(l)), 0);
    a = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fcntl(a, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(accept4(l, NULL, NULL, 0x40000000), EINVAL);
    close(a);
    close(s);
    close(l);
}

static void backlog(void)
{
    int l = listener4(0), a = tcp(), b = tcp();
    CHECK_EQ(connect4(a, INADDR_LOOPBACK, port_of(l)), 0);
    fcntl(b, F_SETFL, O_NONBLOCK);
    CHECK_ERR(connect4(b, INADDR_LOOPBACK, port_of(l)), EINPROGRESS);
    CHECK_EQ(poll_now(b, ALL_EVENTS), 0); /* there is room for one */
    CHECK_ERR(connect4(b, INADDR_LOOPBACK, port_of(l)), EALREADY);
    CHECK_ERR(send(b, "x", 1, MSG_NOSIGNAL), EAGAIN);
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    CHECK_ERR(getpeername(b, (struct sockaddr *)&addr, &len), ENOTCONN);
    CHECK_EQ(tcp_state(b), TCP_SYN_SENT);
    int s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    struct pollfd p = {.fd = b, .events = POLLOUT};
    CHECK_EQ(poll(&p, 1, 5000), 1); /* now it gets its turn */
    CHECK_EQ(p.revents, POLLOUT);
    CHECK_EQ(connect4(b, INADDR_LOOPBACK, port_of(l)), 0);
    close(s);
    close(a);
    close(b);
    close(l);
}

static void timeout_on_connect(void)
{
    int l = listener4(0), a = tcp(), b = tcp();
    struct timeval tv = {0, 100000};
    CHECK_EQ(connect4(a, INADDR_LOOPBACK, port_of(l)), 0);
    setsockopt(b, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    CHECK_ERR(connect4(b, INADDR_LOOPBACK, port_of(l)), EINPROGRESS);
    close(a);
    close(b);
    close(l);
}

static void unspecified(void)
{
    int l = listener4(5), s = tcp();
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK_EQ(connect(s, &none, sizeof none), 0); /* not connected: nothing to do */
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(l)), 0);
    int a = accept(l, NULL, NULL);
    CHECK_EQ(connect(s, &none, sizeof none), 0);
    CHECK_EQ(poll_for(a, POLLIN), POLLIN | POLLERR | POLLHUP);
    CHECK_EQ(get_int(a, SOL_SOCKET, SO_ERROR), ECONNRESET);
    CHECK_EQ(tcp_state(s), TCP_CLOSE);
    close(a);
    get_int(s, SOL_SOCKET, SO_ERROR);
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(l)), 0);
    close(s);
    s = tcp();
    CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(listen(s, 1), 0);
    int port = port_of(s);
    CHECK_EQ(connect(s, &none, sizeof none), 0); /* no longer listens */
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_ERR(accept(s, NULL, NULL), EINVAL);
    int c = tcp();
    CHECK_ERR(connect4(c, INADDR_LOOPBACK, port), ECONNREFUSED);
    close(c);
    close(s);
    close(l);
}

static void bad_addresses(void)
{
    int s = tcp(), l = listener4(1);
    struct sockaddr_in a = in4(INADDR_LOOPBACK, port_of(l));
    CHECK_ERR(connect(s, (struct sockaddr *)&a, 1), EINVAL);
    CHECK_ERR(connect(s, (struct sockaddr *)&a, 8), EINVAL);
    a.sin_family = AF_UNIX;
    CHECK_ERR(connect(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    CHECK_ERR(connect(s, (struct sockaddr *)8, sizeof a), EFAULT);
    CHECK_ERR(connect4(s, 0xe0000001, 80), ENETUNREACH); /* multicast */
    CHECK_EQ(connect4(s, INADDR_ANY, port_of(l)), 0);    /* this machine */
    close(s);
    s = tcp();
    CHECK_EQ(bind4(s, 0x7f000002, 0), 0);
    CHECK_EQ(connect4(s, INADDR_LOOPBACK, port_of(l)), 0);
    close(s);
    close(l);
}

static void same_pair_twice(void)
{
    int l = listener4(5), a = tcp(), b = tcp(), on = 1;
    setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    CHECK_EQ(bind4(a, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(bind4(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_EQ(connect4(a, INADDR_LOOPBACK, port_of(l)), 0);
    CHECK_ERR(connect4(b, INADDR_LOOPBACK, port_of(l)), EADDRNOTAVAIL);
    close(a);
    close(b);
    close(l);
}

static void shut_listener(void)
{
    int l = listener4(5), port = port_of(l), c = tcp();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_ERR(accept(l, NULL, NULL), EINVAL);
        _exit(check_done());
    }
    check_sleep_ms(50);
    CHECK_EQ(shutdown(l, SHUT_RD), 0);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_ERR(connect4(c, INADDR_LOOPBACK, port), ECONNREFUSED);
    CHECK_EQ(listen(l, 5), 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    close(c);
    close(l);
}

int main(void)
{
    refused();
    nonblocking();
    backlog();
    timeout_on_connect();
    unspecified();
    bad_addresses();
    same_pair_twice();
    shut_listener();
    return check_done();
}
