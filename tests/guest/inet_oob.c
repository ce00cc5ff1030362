// Urgent data: MSG_OOB, SO_OOBINLINE, SIOCATMARK, POLLPRI.
#include "inet.h"

static int at_mark(int s)
{
    int v = -1;
    CHECK_EQ(ioctl(s, SIOCATMARK, &v), 0);
    return v;
}

static int unread(int s)
{
    int v = -1;
    CHECK_EQ(ioctl(s, FIONREAD, &v), 0);
    return v;
}

static void out_of_line(void)
{
    int c, s;
    char b[16];
    tcp_pair(&c, &s);
    CHECK_ERR(recv(s, b, 1, MSG_OOB), EINVAL);
    CHECK_EQ(send(c, "abc", 3, 0), 3);
    CHECK_EQ(send(c, "d!", 2, MSG_OOB), 2);
    CHECK_EQ(send(c, "ef", 2, 0), 2);
    CHECK_EQ(poll_for(s, POLLPRI), POLLPRI);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLIN | POLLOUT | POLLPRI);
    CHECK_EQ(at_mark(s), 0);
    CHECK_EQ(unread(s), 4); /* up to the mark */
    CHECK_EQ(recv(s, b, sizeof b, 0), 4);
    CHECK(memcmp(b, "abcd", 4) == 0);
    CHECK_EQ(at_mark(s), 1);
    CHECK_EQ(recv(s, b, sizeof b, MSG_OOB | MSG_PEEK), 1);
    CHECK_EQ(b[0], '!');
    CHECK_EQ(recv(s, b, sizeof b, MSG_OOB), 1);
    CHECK_EQ(b[0], '!');
    CHECK_ERR(recv(s, b, sizeof b, MSG_OOB), EINVAL);
    CHECK_EQ(at_mark(s), 1);
    CHECK_EQ(recv(s, b, sizeof b, 0), 2);
    CHECK(memcmp(b, "ef", 2) == 0);
    CHECK_EQ(at_mark(s), 0);
    close(c);
    close(s);
}

static void in_line(void)
{
    int c, s;
    char b[16];
    tcp_pair(&c, &s);
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_OOBINLINE, 1), 0);
    CHECK_EQ(send(c, "ab", 2, 0), 2);
    CHECK_EQ(send(c, "c", 1, MSG_OOB), 1);
    CHECK_EQ(send(c, "d", 1, 0), 1);
    CHECK_EQ(poll_for(s, POLLPRI), POLLPRI);
    CHECK_ERR(recv(s, b, 1, MSG_OOB), EINVAL);
    CHECK_EQ(recv(s, b, sizeof b, 0), 2);
    CHECK_EQ(at_mark(s), 1);
    CHECK_EQ(recv(s, b, sizeof b, 0), 2);
    CHECK(memcmp(b, "cd", 2) == 0);
    CHECK_EQ(at_mark(s), 0);
    close(c);
    close(s);
}

static void alone(void)
{
    int c, s;
    char b[16];
    tcp_pair(&c, &s);
    CHECK_EQ(send(c, "x", 1, MSG_OOB), 1);
    CHECK_EQ(poll_for(s, POLLPRI), POLLPRI);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLOUT | POLLPRI); /* nothing in line to read */
    CHECK_EQ(unread(s), 0);
    CHECK_EQ(at_mark(s), 1);
    CHECK_ERR(recv(s, b, sizeof b, MSG_DONTWAIT), EAGAIN); /* passes over the mark: its byte is lost */
    CHECK_ERR(recv(s, b, sizeof b, MSG_OOB), EINVAL);
    CHECK_EQ(poll_now(s, ALL_EVENTS), POLLOUT);
    close(c);
    CHECK_EQ(recv(s, b, sizeof b, 0), 0);
    close(s);
}

static void again(void)
{
    int c, s;
    char b[16];
    tcp_pair(&c, &s);
    CHECK_EQ(send(c, "1", 1, MSG_OOB), 1);
    CHECK_EQ(send(c, "2", 1, MSG_OOB), 1); /* the first becomes an ordinary byte */
    CHECK_EQ(poll_for(s, POLLPRI) & POLLPRI, POLLPRI);
    CHECK_EQ(recv(s, b, sizeof b, MSG_OOB), 1);
    CHECK_EQ(b[0], '2');
    close(c);
    close(s);
}

int main(void)
{
    out_of_line();
    in_line();
    alone();
    again();
    return check_done();
}
