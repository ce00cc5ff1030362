// Flow control and data movement of TCP: full buffers, partial sends, time limits, low-water marks, sendfile, splice.
#include "inet.h"
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static char big[1 << 20];

static size_t fill(int s)
{
    size_t total = 0;
    for (ssize_t n; (n = send(s, big, 65536, MSG_DONTWAIT)) > 0;)
        total += (size_t)n;
    CHECK_EQ(errno, EAGAIN);
    return total;
}

static size_t drain(int s)
{
    size_t total = 0;
    for (ssize_t n; (n = recv(s, big, sizeof big, MSG_DONTWAIT)) > 0;)
        total += (size_t)n;
    return total;
}

static void full(void)
{
    int c, s, n;
    tcp_pair(&c, &s);
    size_t sent = fill(c);
    CHECK(sent > 100000);
    CHECK_EQ(poll_now(c, ALL_EVENTS), 0);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLIN | POLLOUT);
    CHECK_EQ(ioctl(c, TIOCOUTQ, &n), 0);
    CHECK(n > 0);
    size_t got = 0;
    while (got < sent) {
        CHECK_EQ(poll_for(s, POLLIN), POLLIN);
        got += drain(s);
    }
    CHECK_EQ(got, sent);
    CHECK_EQ(poll_for(c, POLLOUT), POLLOUT);
    close(c);
    close(s);
}

static void small_buffers(void)
{
    int l = listener4(1), c = socket(AF_INET, SOCK_STREAM, 0);
    set_int(l, SOL_SOCKET, SO_RCVBUF, 4096);
    set_int(c, SOL_SOCKET, SO_SNDBUF, 4096);
    CHECK_EQ(connect4(c, INADDR_LOOPBACK, port_of(l)), 0);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVBUF), 8192);
    size_t sent = fill(c);
    CHECK(sent > 1000 && sent < 1000000);
    struct timeval tv = {0, 100000};
    setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    double start = check_now();
    CHECK_ERR(send(c, big, 100, 0), EAGAIN);
    CHECK(check_now() - start > 0.08);
    close(c);
    close(s);
    close(l);
}

static void receive_timeout(void)
{
    int c, s;
    char b[8];
    struct timeval tv = {0, 100000};
    tcp_pair(&c, &s);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    double start = check_now();
    CHECK_ERR(recv(s, b, 8, 0), EAGAIN);
    CHECK(check_now() - start > 0.08);
    CHECK_EQ(send(c, "abc", 3, 0), 3);
    start = check_now();
    CHECK_EQ(recv(s, b, 8, MSG_WAITALL), 3); /* what has come when the time is over */
    CHECK(check_now() - start > 0.08);
    close(c);
    close(s);
}

static void low_water(void)
{
    int c, s;
    tcp_pair(&c, &s);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 10), 0);
    CHECK_EQ(send(c, "12345", 5, 0), 5);
    check_sleep_ms(20);
    CHECK_EQ(poll_now(s, POLLIN), 0);
    CHECK_EQ(send(c, "67890", 5, 0), 5);
    CHECK_EQ(poll_for(s, POLLIN), POLLIN);
    close(c);
    close(s);
}

static void blocking_big(void)
{
    int c, s;
    size_t total = 0;
    uint32_t sum = 0, expected = 0;
    tcp_pair(&c, &s);
    pid_t pid = fork();
    if (pid == 0) {
        close(s);
        for (int k = 0; k < 8; k++) {
            memset(big, k + 1, sizeof big);
            CHECK_EQ(send(c, big, sizeof big, 0), sizeof big);
        }
        _exit(check_done());
    }
    close(c);
    for (ssize_t n; (n = recv(s, big, 100000, 0)) > 0; total += (size_t)n)
        for (ssize_t i = 0; i < n; i++)
            sum += (unsigned char)big[i];
    for (int k = 0; k < 8; k++)
        expected += (uint32_t)(k + 1) * (uint32_t)sizeof big;
    CHECK_EQ(total, 8 * sizeof big);
    CHECK_EQ(sum, expected);
    CHECK_EQ(check_wait(pid), 0);
    close(s);
}

static void moving(void)
{
    int c, s, p[2];
    char b[64];
    tcp_pair(&c, &s);
    char name[] = "inet_flow_XXXXXX";
    int f = mkstemp(name);
    CHECK(f >= 0);
    unlink(name);
    CHECK_EQ(write(f, "from a file to a socket", 23), 23);
    off_t at = 5;
    CHECK_EQ(sendfile(c, f, &at, 10), 10);
    CHECK_EQ(at, 15);
    CHECK_EQ(recv(s, b, sizeof b, 0), 10);
    CHECK(memcmp(b, "a file to ", 10) == 0);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(write(p[1], "spliced", 7), 7);
    CHECK_EQ(splice(p[0], NULL, c, NULL, 7, 0), 7);
    CHECK_EQ(recv(s, b, sizeof b, 0), 7);
    CHECK_EQ(send(c, "back", 4, 0), 4);
    CHECK_EQ(splice(s, NULL, p[1], NULL, 100, 0), 4);
    CHECK_EQ(read(p[0], b, sizeof b), 4);
    struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
    CHECK_EQ(writev(c, v, 2), 4);
    v[0] = (struct iovec){b, 1};
    v[1] = (struct iovec){b + 1, 10};
    CHECK_EQ(readv(s, v, 2), 4);
    CHECK(memcmp(b, "abcd", 4) == 0);
    CHECK_ERR(lseek(s, 0, SEEK_SET), ESPIPE);
    CHECK_ERR(pread(s, b, 1, 0), ESPIPE);
    close(f);
    close(p[0]);
    close(p[1]);
    close(c);
    close(s);
}

static void peek_offset(void)
{
    int c, s;
    char b[16];
    tcp_pair(&c, &s);
    if (set_int(s, SOL_SOCKET, SO_PEEK_OFF, 0) == 0) {
        CHECK_EQ(send(c, "abcdef", 6, 0), 6);
        CHECK_EQ(recv(s, b, 2, MSG_PEEK), 2);
        CHECK_EQ(b[0], 'a');
        CHECK_EQ(recv(s, b, 2, MSG_PEEK), 2);
        CHECK_EQ(b[0], 'c');
        CHECK_EQ(recv(s, b, 1, 0), 1);
        CHECK_EQ(b[0], 'a');
        CHECK_EQ(get_int(s, SOL_SOCKET, SO_PEEK_OFF), 3);
        CHECK_EQ(recv(s, b, 2, MSG_PEEK), 2);
        CHECK_EQ(b[0], 'e');
    }
    close(c);
    close(s);
}

static void edge_triggered(void)
{
    int c, s, e = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET}, got;
    char b[8];
    tcp_pair(&c, &s);
    CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, s, &ev), 0);
    CHECK_EQ(epoll_wait(e, &got, 1, 1000), 1);
    CHECK_EQ(got.events, EPOLLOUT);
    CHECK_EQ(epoll_wait(e, &got, 1, 0), 0);
    CHECK_EQ(send(c, "a", 1, 0), 1);
    CHECK_EQ(epoll_wait(e, &got, 1, 1000), 1);
    CHECK_EQ(got.events, EPOLLIN | EPOLLOUT);
    CHECK_EQ(epoll_wait(e, &got, 1, 0), 0);
    CHECK_EQ(send(c, "b", 1, 0), 1);
    CHECK_EQ(epoll_wait(e, &got, 1, 1000), 1); /* more has come, though it was readable before */
    CHECK_EQ(recv(s, b, 8, 0), 2);
    CHECK_EQ(shutdown(c, SHUT_WR), 0);
    CHECK_EQ(epoll_wait(e, &got, 1, 1000), 1);
    CHECK_EQ(got.events, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    close(c);
    close(s);
    close(e);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    full();
    small_buffers();
    receive_timeout();
    low_water();
    blocking_big();
    moving();
    peek_offset();
    edge_triggered();
    return check_done();
}
