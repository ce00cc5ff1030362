// Who may bind to what: EADDRINUSE, SO_REUSEADDR, SO_REUSEPORT, EADDRNOTAVAIL, privileged ports, ephemeral ports.
#include "inet.h"

static int tcp(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int udp(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static void errors(void)
{
    int s = tcp();
    struct sockaddr_in a = in4(INADDR_LOOPBACK, 0);
    CHECK_ERR(bind(s, (struct sockaddr *)&a, 8), EINVAL);
    CHECK_ERR(bind(s, (struct sockaddr *)&a, 0), EINVAL);
    a.sin_family = AF_INET6;
    CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    CHECK_ERR(bind4(s, 0x01020304, 0), EADDRNOTAVAIL);
    a = in4(INADDR_ANY, 0);
    a.sin_family = AF_UNSPEC;
    CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_ERR(bind4(s, INADDR_LOOPBACK, 0), EINVAL); /* bound already */
    close(s);
    s = tcp();
    a = in4(INADDR_LOOPBACK, 0);
    a.sin_family = AF_UNSPEC;
    CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    CHECK_ERR(bind(s, (struct sockaddr *)8, sizeof a), EFAULT);
    close(s);
    s = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 a6 = in6(in6addr_loopback, 0);
    CHECK_ERR(bind(s, (struct sockaddr *)&a6, 20), EINVAL);
    CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof a), EINVAL);
    close(s);
    s = tcp();
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_FREEBIND, 1), 0);
    CHECK_EQ(bind4(s, 0x01020304, 0), 0);
    close(s);
    s = tcp();
    CHECK_EQ(bind4(s, 0x7f010203, 0), 0); /* all of 127/8 is ours */
    close(s);
}

static void conflicts(void)
{
    int a = tcp(), b = tcp();
    CHECK_EQ(bind4(a, INADDR_LOOPBACK, 0), 0);
    int port = port_of(a);
    CHECK(port > 0);
    CHECK_ERR(bind4(b, INADDR_LOOPBACK, port), EADDRINUSE);
    CHECK_ERR(bind4(b, INADDR_ANY, port), EADDRINUSE);
    CHECK_EQ(bind4(b, 0x7f000002, port), 0);
    close(b);
    b = udp();
    CHECK_EQ(bind4(b, INADDR_LOOPBACK, port), 0); /* another protocol */
    close(b);
    b = tcp();
    set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_ERR(bind4(b, INADDR_LOOPBACK, port), EADDRINUSE); /* both have to agree */
    set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind4(b, INADDR_LOOPBACK, port), 0);
    CHECK_EQ(listen(a, 1), 0);
    CHECK_ERR(listen(b, 1), EADDRINUSE);
    int c = tcp();
    set_int(c, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_ERR(bind4(c, INADDR_LOOPBACK, port), EADDRINUSE); /* somebody listens */
    close(a);
    close(b);
    close(c);
}

static void reuse_port(void)
{
    int a = tcp(), b = tcp(), c = tcp(), got = 0, other = 0;
    set_int(a, SOL_SOCKET, SO_REUSEPORT, 1);
    CHECK_EQ(bind4(a, INADDR_LOOPBACK, 0), 0);
    CHECK_ERR(bind4(b, INADDR_LOOPBACK, port_of(a)), EADDRINUSE);
    set_int(b, SOL_SOCKET, SO_REUSEPORT, 1);
    CHECK_EQ(bind4(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_EQ(listen(a, 100), 0);
    CHECK_EQ(listen(b, 100), 0);
    close(c);
    int clients[60];
    for (int i = 0; i < 60; i++) {
        clients[i] = tcp();
        CHECK_EQ(connect4(clients[i], INADDR_LOOPBACK, port_of(a)), 0);
    }
    fcntl(a, F_SETFL, O_NONBLOCK);
    fcntl(b, F_SETFL, O_NONBLOCK);
    for (int s; (s = accept(a, NULL, NULL)) >= 0; close(s))
        got++;
    for (int s; (s = accept(b, NULL, NULL)) >= 0; close(s))
        other++;
    CHECK_EQ(got + other, 60);
    CHECK(got > 5 && other > 5);
    for (int i = 0; i < 60; i++)
        close(clients[i]);
    close(a);
    close(b);
}

static void time_wait(void)
{
    int l = listener4(1), port = port_of(l), c = tcp();
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port), 0);
    int s = accept(l, NULL, NULL);
    close(l);
    close(s); /* the server's end closes first: its port stays in TIME_WAIT */
    close(c);
    check_sleep_ms(50);
    l = tcp();
    CHECK_ERR(bind4(l, INADDR_LOOPBACK, port), EADDRINUSE);
    set_int(l, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_ERR(bind4(l, INADDR_LOOPBACK, port), EADDRINUSE); /* what waits did not have the option */
    close(l);
    l = tcp();
    set_int(l, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind4(l, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(listen(l, 1), 0);
    port = port_of(l);
    c = tcp();
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port), 0);
    s = accept(l, NULL, NULL);
    close(l);
    close(s);
    close(c);
    check_sleep_ms(50);
    l = tcp();
    CHECK_ERR(bind4(l, INADDR_LOOPBACK, port), EADDRINUSE);
    set_int(l, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind4(l, INADDR_LOOPBACK, port), 0); /* the usual server */
    CHECK_EQ(listen(l, 1), 0);
    close(l);
}

static void ports(void)
{
    int s = tcp(), u = udp();
    CHECK_EQ(listen(s, 1), 0); /* without bind: any port */
    CHECK(port_of(s) >= 1024);
    struct sockaddr_in a = in4(INADDR_LOOPBACK, 9);
    CHECK_EQ(sendto(u, "x", 1, 0, (struct sockaddr *)&a, sizeof a), 1);
    CHECK(port_of(u) >= 1024);
    close(s);
    close(u);
    if (getuid() == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            if (setuid(1000) != 0)
                _exit(9);
            s = tcp();
            CHECK_ERR(bind4(s, INADDR_LOOPBACK, 81), EACCES);
            CHECK_EQ(bind4(s, INADDR_LOOPBACK, 0), 0);
            _exit(check_done());
        }
        CHECK_EQ(check_wait(pid), 0);
    }
}

static void dual_stack(void)
{
    int a = socket(AF_INET6, SOCK_STREAM, 0), b = tcp();
    CHECK_EQ(get_int(a, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    CHECK_EQ(bind6(a, in6addr_any, 0), 0);
    CHECK_ERR(set_int(a, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
    CHECK_ERR(bind4(b, INADDR_ANY, port_of(a)), EADDRINUSE);
    CHECK_ERR(bind4(b, INADDR_LOOPBACK, port_of(a)), EADDRINUSE);
    close(a);
    a = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(set_int(a, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    CHECK_EQ(bind6(a, in6addr_any, 0), 0);
    CHECK_EQ(bind4(b, INADDR_ANY, port_of(a)), 0);
    close(a);
    close(b);
    a = socket(AF_INET6, SOCK_STREAM, 0);
    b = tcp();
    CHECK_EQ(bind6(a, in6addr_loopback, 0), 0);
    CHECK_EQ(bind4(b, INADDR_ANY, port_of(a)), 0);
    close(a);
    close(b);
}

static void udp_rules(void)
{
    int a = udp(), b = udp();
    CHECK_EQ(bind4(a, INADDR_LOOPBACK, 0), 0);
    CHECK_ERR(bind4(b, INADDR_LOOPBACK, port_of(a)), EADDRINUSE);
    set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
    set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind4(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_ERR(listen(a, 1), EOPNOTSUPP);
    CHECK_ERR(accept(a, NULL, NULL), EOPNOTSUPP);
    close(a);
    close(b);
}

int main(void)
{
    errors();
    conflicts();
    reuse_port();
    time_wait();
    ports();
    dual_stack();
    udp_rules();
    return check_done();
}
