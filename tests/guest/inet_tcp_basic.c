// TCP over the loopback: connect, accept, names, bytes both ways, half-close, ends.
#include "inet.h"

static void echo(void)
{
    int l = listener4(5), c = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    char buf[64];
    CHECK_EQ(poll_now(c, ALL_EVENTS), POLLOUT | POLLHUP);
    CHECK_EQ(poll_now(l, ALL_EVENTS), 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    CHECK_EQ(poll_now(l, ALL_EVENTS), POLLIN);
    int s = accept(l, (struct sockaddr *)&a, &len);
    CHECK(s >= 0);
    CHECK_EQ(len, sizeof a);
    CHECK_EQ(a.sin_family, AF_INET);
    CHECK_EQ(ntohl(a.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(ntohs(a.sin_port), port_of(c));
    CHECK_EQ(port_of(s), port_of(l));
    CHECK_EQ(getpeername(c, (struct sockaddr *)&a, &len), 0);
    CHECK_EQ(ntohs(a.sin_port), port_of(l));
    CHECK_ERR(getpeername(l, (struct sockaddr *)&a, &len), ENOTCONN);
    CHECK_EQ(tcp_state(c), TCP_ESTABLISHED);
    CHECK_EQ(tcp_state(s), TCP_ESTABLISHED);
    CHECK_EQ(tcp_state(l), TCP_LISTEN);
    CHECK_EQ(poll_now(c, ALL_EVENTS), POLLOUT);
    CHECK_EQ(write(c, "hello", 5), 5);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    CHECK_EQ(read(s, buf, sizeof buf), 5);
    CHECK(memcmp(buf, "hello", 5) == 0);
    CHECK_EQ(write(s, "there", 5), 5);
    CHECK_EQ(read(c, buf, 2), 2);
    CHECK_EQ(read(c, buf, sizeof buf), 3);
    CHECK_ERR(recv(c, buf, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_ERR(connect4(c, INADDR_LOOPBACK, port_of(l)), EISCONN);
    close(c);
    CHECK_EQ(poll_for(s, ALL_EVENTS), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(read(s, buf, sizeof buf), 0);
    CHECK_EQ(read(s, buf, sizeof buf), 0);
    CHECK_EQ(tcp_state(s), TCP_CLOSE_WAIT);
    close(s);
    close(l);
}

static void half_close(void)
{
    int c, s;
    char buf[64];
    tcp_pair(&c, &s);
    CHECK_EQ(write(c, "request", 7), 7);
    CHECK_EQ(shutdown(c, SHUT_WR), 0);
    CHECK(tcp_state(c) == TCP_FIN_WAIT2 || tcp_state(c) == TCP_FIN_WAIT1); /* the ACK may be late */
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERR(write(c, "x", 1), EPIPE);
    CHECK_EQ(read(s, buf, sizeof buf), 7);
    CHECK_EQ(read(s, buf, sizeof buf), 0);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(poll_now(c, ALL_EVENTS), POLLOUT);
    CHECK_EQ(write(s, "answer", 6), 6);
    CHECK_EQ(shutdown(s, SHUT_WR), 0);
    CHECK_EQ(poll_for(c, ALL_EVENTS), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    CHECK_EQ(read(c, buf, sizeof buf), 6);
    CHECK_EQ(read(c, buf, sizeof buf), 0);
    CHECK_EQ(tcp_state(c), TCP_CLOSE);
    CHECK_EQ(tcp_state(s), TCP_CLOSE);
    CHECK_ERR(shutdown(s, SHUT_WR), ENOTCONN);
    close(c);
    close(s);
}

static void shut_read(void)
{
    int c, s;
    char buf[64];
    tcp_pair(&c, &s);
    CHECK_EQ(shutdown(s, SHUT_RD), 0);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(read(s, buf, sizeof buf), 0);
    CHECK_EQ(write(c, "abc", 3), 3);
    CHECK_EQ(read(s, buf, sizeof buf), 3); /* still read, as on Linux */
    CHECK_EQ(read(s, buf, sizeof buf), 0);
    CHECK_EQ(write(s, "def", 3), 3);
    CHECK_EQ(read(c, buf, sizeof buf), 3);
    close(c);
    close(s);
}

static void unconnected(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), l = listener4(1);
    char buf[8];
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERR(write(s, "x", 1), EPIPE);
    CHECK_ERR(read(s, buf, 1), ENOTCONN);
    CHECK_ERR(read(l, buf, 1), ENOTCONN);
    CHECK_ERR(write(l, "x", 1), EPIPE);
    CHECK_ERR(accept(s, NULL, NULL), EINVAL);
    CHECK_ERR(shutdown(s, SHUT_RDWR), ENOTCONN);
    CHECK_ERR(connect4(l, INADDR_LOOPBACK, port_of(l)), EISCONN);
    CHECK_ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(AF_INET, SOCK_STREAM, 300), EINVAL);
    close(s);
    close(l);
}

static void flags(void)
{
    int c, s;
    char buf[64];
    tcp_pair(&c, &s);
    CHECK_EQ(send(c, "abcdef", 6, 0), 6);
    CHECK_EQ(recv(s, buf, 3, MSG_PEEK), 3);
    CHECK_EQ(recv(s, buf, sizeof buf, MSG_PEEK), 6);
    CHECK_EQ(recv(s, NULL, 2, MSG_TRUNC), 2); /* thrown away */
    CHECK_EQ(recv(s, buf, sizeof buf, 0), 4);
    CHECK(memcmp(buf, "cdef", 4) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 5; i++) {
            check_sleep_ms(10);
            CHECK_EQ(write(c, "12", 2), 2);
        }
        _exit(check_done());
    }
    CHECK_EQ(recv(s, buf, 10, MSG_WAITALL), 10);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_ERR(recv(s, buf, 0, MSG_DONTWAIT), EAGAIN);
    close(c);
    CHECK_EQ(recv(s, buf, 10, MSG_WAITALL), 0);
    close(s);
}

int main(void)
{
    echo();
    half_close();
    shut_read();
    unconnected();
    flags();
    return check_done();
}
