// Binding, listening, connecting, accepting: names in the file system, abstract names, autobind; what goes wrong.
#include "expect.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define OFFSET offsetof(struct sockaddr_un, sun_path)

static struct sockaddr_un at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    return a;
}

static void paths(void)
{
    struct sockaddr_un a = at("sock"), got;
    socklen_t len = sizeof got;
    struct stat st;
    char c;
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERR(listen(l, 5), EINVAL);
    CHECK_EQ(bind(l, (void *)&a, sizeof a), 0);
    CHECK_ERR(bind(l, (void *)&a, sizeof a), EADDRINUSE);
    struct sockaddr_un second = at("second");
    CHECK_ERR(bind(l, (void *)&second, sizeof second), EINVAL);
    CHECK_EQ(stat("sock", &st), 0);
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_ERR(open("sock", O_RDWR), ENXIO);
    int other = socket(AF_UNIX, SOCK_STREAM, 0), c1 = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERR(bind(other, (void *)&a, sizeof a), EADDRINUSE);
    CHECK_ERR(connect(c1, (void *)&a, sizeof a), ECONNREFUSED);
    CHECK_EQ(listen(l, 5), 0);
    CHECK_EQ(connect(c1, (void *)&a, sizeof a), 0);
    CHECK_ERR(connect(c1, (void *)&a, sizeof a), EISCONN);
    CHECK_EQ(write(c1, "early", 5), 5); // before it is accepted
    struct pollfd p = {l, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    int s1 = accept4(l, (void *)&got, &len, SOCK_CLOEXEC);
    CHECK(s1 >= 0);
    CHECK_EQ(len, sizeof(sa_family_t)); // the client has no name
    CHECK_EQ(read(s1, &c, 1), 1);
    len = sizeof got;
    CHECK_EQ(getsockname(s1, (void *)&got, &len), 0);
    CHECK_EQ(len, OFFSET + 5);
    CHECK(strcmp(got.sun_path, "sock") == 0);
    len = sizeof got;
    CHECK_EQ(getpeername(c1, (void *)&got, &len), 0);
    CHECK(len == OFFSET + 5 && strcmp(got.sun_path, "sock") == 0);
    len = 4;
    CHECK_EQ(getsockname(l, (void *)&got, &len), 0);
    CHECK_EQ(len, OFFSET + 5);
    CHECK_ERR(getpeername(l, (void *)&got, &len), ENOTCONN);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERR(connect(d, (void *)&a, sizeof a), EPROTOTYPE);
    CHECK_ERR(listen(d, 1), EOPNOTSUPP);
    CHECK_ERR(accept(c1, NULL, NULL), EINVAL);
    fcntl(l, F_SETFL, O_NONBLOCK);
    CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
    int f = open("plain", O_CREAT | O_RDWR, 0600);
    a = at("plain");
    CHECK_ERR(connect(other, (void *)&a, sizeof a), ECONNREFUSED);
    a = at("absent");
    CHECK_ERR(connect(other, (void *)&a, sizeof a), ENOENT);
    a.sun_family = AF_INET;
    CHECK_ERR(connect(other, (void *)&a, sizeof a), EINVAL);
    close(f), close(l), close(other), close(d);
    a = at("sock");
    CHECK_ERR(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof a), ECONNREFUSED);
    CHECK_EQ(write(s1, "x", 1), 1); // the connection outlives the listener
    CHECK_EQ(unlink("sock"), 0);
}

static void abstract(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX}, got;
    memcpy(a.sun_path, "\0picket-test\0x", 14);
    socklen_t size = OFFSET + 14, len = sizeof got;
    int l = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK_EQ(bind(l, (void *)&a, size), 0);
    CHECK_EQ(listen(l, 0), 0);
    CHECK_ERR(connect(c, (void *)&a, size - 1), ECONNREFUSED); // another name
    CHECK_EQ(connect(c, (void *)&a, size), 0);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(send(s, "packet", 6, 0), 6);
    char buf[16];
    CHECK_EQ(recv(c, buf, 3, 0), 3);
    CHECK_EQ(getsockname(l, (void *)&got, &len), 0);
    CHECK(len == size && memcmp(&got, &a, size) == 0);
    close(l);
    l = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK_EQ(bind(l, (void *)&a, size), 0); // the accepted socket does not keep the name
    close(s);
    close(l);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    a.sun_path[0] = 0;
    CHECK_EQ(bind(d, (void *)&a, sizeof(sa_family_t)), 0);
    len = sizeof got;
    CHECK_EQ(getsockname(d, (void *)&got, &len), 0);
    CHECK_EQ(len, OFFSET + 6);
    CHECK(got.sun_path[0] == 0 && strspn(got.sun_path + 1, "0123456789abcdef") >= 5);
    int e = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(sendto(e, "to", 2, 0, (void *)&got, len), 2);
    struct sockaddr_un from;
    socklen_t from_len = sizeof from;
    CHECK_EQ(recvfrom(d, buf, sizeof buf, 0, (void *)&from, &from_len), 2);
    CHECK_EQ(from_len, 0);
    a = at("named");
    CHECK_EQ(bind(e, (void *)&a, sizeof a), 0);
    CHECK_EQ(connect(e, (void *)&got, len), 0);
    CHECK_EQ(write(e, "hi", 2), 2);
    from_len = sizeof from;
    CHECK_EQ(recvfrom(d, buf, sizeof buf, 0, (void *)&from, &from_len), 2);
    CHECK(from_len == OFFSET + 6 && strcmp(from.sun_path, "named") == 0);
    CHECK_EQ(sendto(d, "re", 2, 0, (void *)&from, from_len), 2);
    CHECK_EQ(read(e, buf, sizeof buf), 2);
    int x = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERR(sendto(x, "no", 2, 0, (void *)&from, from_len), EPERM); // e is connected to d
    CHECK_ERR(send(x, "no", 2, 0), ENOTCONN);
}

int main(void)
{
    paths();
    abstract();
    return check_done();
}
