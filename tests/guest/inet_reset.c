// Resets: closing with unread bytes, SO_LINGER 0, sending to an end that was closed; what poll and errno say.
#include "inet.h"

static void unread(void)
{
    int c, s;
    char b[8];
    tcp_pair(&c, &s);
    CHECK_EQ(write(c, "abc", 3), 3);
    CHECK_EQ(write(s, "xy", 2), 2);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    close(s); /* "abc" was not read */
    CHECK_EQ(poll_for(c, POLLHUP) & POLLHUP, POLLHUP);
    CHECK_EQ(poll_now(c, ALL_EVENTS), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(c, b, 8), 2); /* what came before the reset can be read */
    CHECK_ERR(read(c, b, 8), ECONNRESET);
    CHECK_EQ(read(c, b, 8), 0);
    CHECK_EQ(poll_now(c, ALL_EVENTS), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_ERR(write(c, "x", 1), EPIPE);
    CHECK_EQ(tcp_state(c), TCP_CLOSE);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    CHECK_ERR(getpeername(c, (struct sockaddr *)&a, &len), ENOTCONN);
    CHECK_ERR(shutdown(c, SHUT_RDWR), ENOTCONN);
    close(c);
}

static void linger_zero(void)
{
    int c, s;
    char b[8];
    struct linger l = {1, 0};
    tcp_pair(&c, &s);
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    close(c);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN | POLLERR | POLLHUP);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), ECONNRESET);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(read(s, b, 8), 0);
    CHECK_ERR(send(s, "x", 1, 0), EPIPE);
    close(s);
}

static void send_error_first(void)
{
    int c, s;
    struct linger l = {1, 0};
    tcp_pair(&c, &s);
    setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close(c);
    CHECK_EQ(poll_for(s, POLLIN) & POLLERR, POLLERR);
    CHECK_ERR(send(s, "x", 1, 0), ECONNRESET);
    CHECK_ERR(send(s, "x", 1, 0), EPIPE);
    close(s);
}

static void send_to_closed(void)
{
    int c, s;
    char b[8];
    tcp_pair(&c, &s);
    close(s);
    CHECK_EQ(poll_for(c, POLLRDHUP), POLLRDHUP);
    CHECK_EQ(write(c, "x", 1), 1); /* the reset comes back */
    CHECK_EQ(poll_for(c, POLLHUP) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
    CHECK_ERR(write(c, "x", 1), EPIPE);
    CHECK_EQ(read(c, b, 8), 0);
    close(c);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
    pipes++;
}

static void sigpipe(void)
{
    int c, s;
    tcp_pair(&c, &s);
    signal(SIGPIPE, on_pipe);
    shutdown(c, SHUT_WR);
    CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(pipes, 0);
    CHECK_ERR(send(c, "x", 1, 0), EPIPE);
    CHECK_EQ(pipes, 1);
    CHECK_ERR(write(c, "x", 1), EPIPE);
    CHECK_EQ(pipes, 2);
    CHECK_EQ(send(c, "", 0, MSG_NOSIGNAL) == -1 && errno == EPIPE, 1);
    signal(SIGPIPE, SIG_IGN);
    close(c);
    close(s);
}

static void listener_closed(void)
{
    int l = listener4(5), c = socket(AF_INET, SOCK_STREAM, 0), d = socket(AF_INET, SOCK_STREAM, 0);
    char b[4];
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    int port = port_of(l);
    close(l); /* the connection was not accepted */
    CHECK_EQ(poll_for(c, POLLIN) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
    CHECK_ERR(read(c, b, 4), ECONNRESET);
    CHECK_ERR(connect4(d, INADDR_LOOPBACK, port), ECONNREFUSED);
    close(c);
    close(d);
}

static void client_gone_before_accept(void)
{
    int l = listener4(5), c = socket(AF_INET, SOCK_STREAM, 0);
    struct linger lg = {1, 0};
    char b[4];
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    CHECK_EQ(write(c, "hi", 2), 2);
    close(c);
    int s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    CHECK_EQ(read(s, b, 4), 2);
    CHECK_EQ(read(s, b, 4), 0);
    close(s);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    setsockopt(c, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
    close(c);
    s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    CHECK_ERR(read(s, b, 4), ECONNRESET);
    close(s);
    close(l);
}

static void both_shut(void)
{
    int c, s;
    tcp_pair(&c, &s);
    CHECK_EQ(shutdown(c, SHUT_RDWR), 0);
    CHECK_EQ(poll_now(c, ALL_EVENTS), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    CHECK_EQ(write(s, "x", 1), 1); /* nobody will read it: a reset */
    CHECK_EQ(poll_for(s, POLLHUP) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
    CHECK_ERR(write(s, "x", 1), EPIPE);
    close(c);
    close(s);
}

static void wakes_reader(void)
{
    int c, s;
    char b;
    struct linger l = {1, 0};
    tcp_pair(&c, &s);
    pid_t pid = fork();
    if (pid == 0) {
        close(c);
        CHECK_ERR(read(s, &b, 1), ECONNRESET);
        _exit(check_done());
    }
    close(s);
    check_sleep_ms(50);
    setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close(c);
    CHECK_EQ(check_wait(pid), 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    unread();
    linger_zero();
    send_error_first();
    send_to_closed();
    sigpipe();
    listener_closed();
    client_gone_before_accept();
    both_shut();
    wakes_reader();
    return check_done();
}
