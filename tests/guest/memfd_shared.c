// One memfd in two processes: passed over a socket, mapped, written by file and by memory, sealed for the receiver.
#include "expect.h"
#include <sys/mman.h>
#include <sys/socket.h>

static void send_fd(int s, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK_EQ(sendmsg(s, &m, 0), 1);
}

static int recv_fd(int s)
{
    char control[CMSG_SPACE(sizeof(int))], data;
    struct iovec v = {&data, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = -1;
    if (recvmsg(s, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

int main(void)
{
    int s[2];
    char c;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int m = recv_fd(s[1]);
        char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
        CHECK(map != MAP_FAILED && map[0] == 'A');
        map[1] = 'B';
        CHECK_EQ(send(s[1], "1", 1, 0), 1);
        CHECK_EQ(recv(s[1], &c, 1, 0), 1);
        CHECK_EQ(map[2], 'C');
        munmap(map, 4096);
        int sealed = recv_fd(s[1]);
        CHECK_EQ(fcntl(sealed, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK);
        CHECK_ERR(write(sealed, "x", 1), EPERM);
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, sealed, 0) == MAP_FAILED);
        map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, sealed, 0);
        CHECK(map != MAP_FAILED && map[0] == 'S');
        map[0] = 'T';
        CHECK_EQ(pread(sealed, &c, 1, 0), 1);
        CHECK_EQ(c, 'S');
        fflush(stdout);
        _exit(check_failures);
    }
    int m = memfd_create("shared", MFD_ALLOW_SEALING), sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
    CHECK_EQ(ftruncate(m, 4096) | ftruncate(sealed, 4096), 0);
    CHECK_EQ(pwrite(m, "A", 1, 0), 1);
    send_fd(s[0], m);
    CHECK_EQ(recv(s[0], &c, 1, 0), 1);
    CHECK_EQ(pread(m, &c, 1, 1), 1);
    CHECK_EQ(c, 'B');
    CHECK_EQ(pwrite(m, "C", 1, 2), 1);
    CHECK_EQ(send(s[0], "2", 1, 0), 1);
    CHECK_EQ(pwrite(sealed, "S", 1, 0), 1);
    CHECK_EQ(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
    send_fd(s[0], sealed);
    CHECK_EQ(check_wait(pid), 0);
    return check_done();
}
